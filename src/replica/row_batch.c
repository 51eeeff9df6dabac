/* Value batches piece by piece, see row_batch.h. */
#include "row_batch.h"

#include "format/value_batch.h"

/* How many rows are read in one go. */
#define CHUNK_ROWS  ((size_t)4096)
#define CHUNK_BYTES ((size_t)1 << 20)

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

void row_batch_begin(struct row_batch *b, struct pieces *pieces)
{
    *b = (struct row_batch){
        .pieces = pieces,
        .header = arena_alloc(pieces->arena, VALUE_BATCH_HEADER_SIZE),
        .size = VALUE_BATCH_HEADER_SIZE,
    };
    pieces_add_bytes(pieces, bytes_of(b->header, VALUE_BATCH_HEADER_SIZE));
}

static void add_items(struct row_batch *b, const struct kv_item *items, size_t count)
{
    size_t size = count * VALUE_RECORD_OVERHEAD;
    struct writer w;

    for (size_t i = 0; i < count; i++) {
        size += items[i].value.len;
    }
    w = writer_of(arena_alloc(b->pieces->arena, size), size);
    for (size_t i = 0; i < count; i++) {
        value_record_write(&w, items[i].value);
    }
    pieces_add_bytes(b->pieces, bytes_of(w.data, w.len));
    b->count += count;
    b->size += size;
}

void row_batch_add(struct row_batch *b, struct bytes value)
{
    const struct kv_item item = {.value = value};

    add_items(b, &item, 1);
}

enum errcode row_batch_fill(struct row_batch *b, struct kv_cursor *cursor, size_t rows, size_t size,
                            bool *ret_end, struct error *e)
{
    OWNED(arena_fini) struct arena scratch = ARENA_INIT;

    *ret_end = false;
    while (b->count < rows && b->size < size && !*ret_end) {
        struct kv_items items;

        arena_reset(&scratch);
        TRY(kv_cursor_next(cursor, smaller(rows - b->count, CHUNK_ROWS),
                           smaller(size - b->size, CHUNK_BYTES), &scratch, &items, e));
        *ret_end = items.count == 0;
        if (items.count > 0) {
            add_items(b, items.items, items.count);
        }
    }
    return ERR_OK;
}

void row_batch_end(struct row_batch *b)
{
    struct writer w = writer_of(b->header, VALUE_BATCH_HEADER_SIZE);

    value_header_write(&w, b->size, (uint32_t)b->count);
}
