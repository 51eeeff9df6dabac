/* Changelog batches, see changelog.h. */
#include "changelog.h"

#include <stdlib.h>

#include "format/arrow_rows.h"
#include "format/batch.h"

#define BATCH_SIZE_MAX   (INT32_MAX - BATCH_HEADER_SIZE_MAX)
#define RECORD_COUNT_MAX (1 << 30)

struct changelog {
    struct kv_table *table;
    struct arrow_rows *rows; /* ARROW */
    struct codec *codec;
    struct buffer types;   /* ARROW: change types */
    struct buffer records; /* COMPACTED */
    struct arena scratch;
    int32_t count;
};

static enum errcode append_compacted(struct changelog *c, enum change_type type,
                                     const struct kv_row *row, struct error *e);

struct changelog *changelog_new(struct kv_table *table)
{
    struct changelog *c = mem_new(struct changelog);

    c->table = kv_table_ref(table);
    if (table->log_format == LOG_FORMAT_ARROW) {
        c->rows = arrow_rows_new(table->schema->row);
        c->codec = codec_new();
    }
    return c;
}

void changelog_free(struct changelog *c)
{
    if (c != NULL) {
        arrow_rows_free(c->rows);
        codec_free(c->codec);
        buffer_fini(&c->types);
        buffer_fini(&c->records);
        arena_fini(&c->scratch);
        (void)kv_table_unref(c->table);
        free(c);
    }
}

void changelog_freep(struct changelog **c) { changelog_free(*c); }

void changelog_clear(struct changelog *c)
{
    if (c->rows != NULL) {
        arrow_rows_clear(c->rows);
    }
    buffer_clear(&c->types);
    buffer_clear(&c->records);
    c->count = 0;
}

int32_t changelog_count(const struct changelog *c) { return c->count; }

enum errcode changelog_append(struct changelog *c, enum change_type type, const struct kv_row *row,
                              struct error *e)
{
    if (c->count == RECORD_COUNT_MAX) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "more than %d changes in one batch", c->count);
    }
    c->count++;
    switch (c->table->log_format) {
    case LOG_FORMAT_ARROW:
        buffer_u8(&c->types, (uint8_t)type);
        return arrow_rows_append(c->rows, row->plan, row->cells, e);
    case LOG_FORMAT_COMPACTED:
        return append_compacted(c, type, row, e);
    case LOG_FORMAT_INDEXED:
        break;
    }
    return error_set(e, ERR_UNSUPPORTED_OPERATION,
                     "primary-key tables with the log format INDEXED cannot be written to");
}

/* An INDEXED row, or one of an older schema, as a COMPACTED one of the latest. */
static enum errcode convert(struct changelog *c, const struct kv_row *row, struct bytes *ret,
                            struct error *e)
{
    const struct type *latest = c->table->schema->row;
    struct row_format format = {.layout = ROW_COMPACTED, .row = latest};
    struct row_value *values;

    arena_reset(&c->scratch);
    values = arena_array(&c->scratch, latest->count, sizeof *values);
    for (uint32_t i = 0; i < latest->count; i++) {
        if (i < row->plan->count) {
            TRY(row_cell_decode(row->plan, i, row->cells[i], &c->scratch, &values[i], e));
        } else {
            values[i].null = true;
        }
    }
    return row_encode(format, values, &c->scratch, ret, e);
}

static enum errcode append_compacted(struct changelog *c, enum change_type type,
                                     const struct kv_row *row, struct error *e)
{
    struct bytes bytes = row->bytes;

    if (row->plan->layout != ROW_COMPACTED || row->plan->count != c->table->plan->count) {
        TRY(convert(c, row, &bytes, e));
    } else if (type == CHANGE_INSERT || type == CHANGE_UPDATE_AFTER) {
        arena_reset(&c->scratch);
        TRY(row_cells_check_nested(row->plan, row->cells, &c->scratch, e));
    }
    if (bytes.len > BATCH_SIZE_MAX - c->records.len) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "more than %d bytes of changes in one batch",
                         INT32_MAX);
    }
    buffer_u32le(&c->records, (uint32_t)(1 + bytes.len));
    buffer_u8(&c->records, (uint8_t)type);
    buffer_bytes(&c->records, bytes);
    return ERR_OK;
}

enum errcode changelog_finish(struct changelog *c, int64_t writer_id, int32_t batch_sequence,
                              struct arena *arena, struct bytes *ret, struct error *e)
{
    const struct kv_table *table = c->table;
    const struct arrow_build_codec codec = {
        .codec = c->codec, .kind = table->arrow_codec, .level = table->zstd_level};
    struct batch_spec spec = {.schema_id = table->schema_id,
                              .record_count = c->count,
                              .batch_sequence = batch_sequence,
                              .writer_id = writer_id};

    if (c->count > 0 && table->log_format == LOG_FORMAT_ARROW) {
        spec.change_types = buffer_view(&c->types);
        TRY(arrow_rows_finish(c->rows, &codec, arena, &spec.body, e));
    } else if (c->count > 0) {
        spec.body = buffer_view(&c->records);
    }
    if (spec.body.len > BATCH_SIZE_MAX - spec.change_types.len) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "a changelog batch of %zu bytes", spec.body.len);
    }
    *ret = batch_build(&spec, arena);
    return ERR_OK;
}
