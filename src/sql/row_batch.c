#include "row_batch.h"

#include "format/arrow_rows.h"

void row_batch_init(struct row_batch *b, struct row_format format, const struct type *part,
                    const uint32_t *positions, struct arena *arena)
{
    *b = (struct row_batch){.whole = row_plan_new(format.layout, format.row, arena),
                            .part = row_plan_new(format.layout, part, arena),
                            .row = part,
                            .positions = positions};
    b->cells = arena_array(arena, b->whole->count, sizeof *b->cells);
    b->part_cells = arena_array(arena, (size_t)b->part->count + 1, sizeof *b->part_cells);
    b->builder = b->part->count == 0 ? NULL : arrow_rows_new(part);
}

void row_batch_fini(struct row_batch *b) { arrow_rows_free(b->builder); }

static enum errcode add_row(struct row_batch *b, struct bytes row, struct error *e)
{
    TRY(row_cells_read(b->whole, row, b->cells, e));
    if (b->builder == NULL) {
        return ERR_OK;
    }
    for (uint32_t i = 0; i < b->part->count; i++) {
        b->part_cells[i] = b->cells[b->positions[i]];
    }
    return arrow_rows_append(b->builder, b->part, b->part_cells, e);
}

static enum errcode add_rows(struct row_batch *b, struct reader *in, size_t count, uint8_t *types,
                             struct error *e)
{
    for (size_t i = 0; i < count; i++) {
        struct reader record = reader_of(reader_bytes(in, reader_u32le(in)));
        uint8_t type = reader_u8(&record);

        if (in->failed || record.failed) {
            return error_set(e, ERR_CORRUPT_RECORD, "record %zu of %zu is cut short", i, count);
        }
        if (types != NULL) {
            types[i] = type;
        }
        TRY(add_row(b, record.rest, e));
    }
    return in->rest.len == 0
               ? ERR_OK
               : error_set(e, ERR_CORRUPT_RECORD, "%zu bytes behind the last record", in->rest.len);
}

enum errcode row_batch_open(struct row_batch *b, const struct batch_header *header,
                            struct bytes data, struct arena *arena, struct error *e)
{
    static const struct arrow_build_codec plain = {.kind = ARROW_CODEC_NONE};
    struct bytes body = batch_body(header, data);
    struct reader in = reader_of(body);
    size_t count = (size_t)header->record_count;
    uint8_t *types = NULL;
    struct bytes message = {0};

    if (count > body.len) {
        return error_set(e, ERR_CORRUPT_RECORD, "%zu records in %zu bytes", count, body.len);
    }
    if (!batch_append_only(header)) {
        types = arena_alloc(arena, count);
    }
    b->types = types;
    if (b->builder != NULL) {
        arrow_rows_clear(b->builder);
    }
    TRY(add_rows(b, &in, count, types, e));
    if (b->builder == NULL) {
        return ERR_OK;
    }
    TRY(arrow_rows_finish(b->builder, &plain, arena, &message, e));
    return arrow_reader_open(b->row, message, NULL, arena, &b->columns, e);
}
