/* Value batches of rows as a cursor shows them, see row_batch.h. */
#include "row_batch.h"

#include "format/value_batch.h"

/* Blocks double, so that few rows take little memory. */
#define BLOCK_MIN ((size_t)4 << 10)
#define BLOCK_MAX ((size_t)256 << 10)

static void hand_over(struct row_batch *b)
{
    if (b->block.len > 0) {
        pieces_add_bytes(b->pieces, bytes_of(b->block.data, b->block.len));
    }
}

static void new_block(struct row_batch *b, size_t need)
{
    size_t cap = b->block.cap * 2;

    hand_over(b);
    cap = cap < BLOCK_MIN ? BLOCK_MIN : cap > BLOCK_MAX ? BLOCK_MAX : cap;
    cap = need > cap ? need : cap;
    b->block = writer_of(arena_alloc(b->pieces->arena, cap), cap);
}

static bool add_row(void *context, struct bytes key, struct bytes value)
{
    struct row_batch *b = context;
    size_t need = VALUE_RECORD_OVERHEAD + value.len;

    (void)key;
    if (b->count == b->rows_max || (b->count > 0 && b->size >= b->size_max)) {
        return false;
    }
    if (need > b->block.cap - b->block.len) {
        new_block(b, need);
    }
    value_record_write(&b->block, value);
    b->count++;
    b->size += need;
    return true;
}

/* false: not all of them. */
static bool add_before(struct row_batch *b)
{
    size_t i = 0;

    while (b->before != NULL && i < b->before->count) {
        if (!add_row(b, b->before->items[i].key, b->before->items[i].value)) {
            return false;
        }
        i++;
    }
    return true;
}

enum errcode row_batch_read(struct row_batch *b, struct pieces *pieces, struct kv_cursor *cursor,
                            bool *ret_more, struct error *e)
{
    struct writer header;

    b->pieces = pieces;
    b->header = arena_alloc(pieces->arena, VALUE_BATCH_HEADER_SIZE);
    b->size = VALUE_BATCH_HEADER_SIZE;
    pieces_add_bytes(pieces, bytes_of(b->header, VALUE_BATCH_HEADER_SIZE));
    *ret_more = !add_before(b);
    if (!*ret_more) {
        TRY(kv_cursor_visit(cursor, add_row, b, ret_more, e));
    }
    hand_over(b);
    header = writer_of(b->header, VALUE_BATCH_HEADER_SIZE);
    value_header_write(&header, b->size, (uint32_t)b->count);
    return ERR_OK;
}
