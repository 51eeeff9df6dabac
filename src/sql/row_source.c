#include "row_source.h"

#include "fill.h"

#include <stdlib.h>

#include "format/arrow_rows.h"
#include "format/value_batch.h"

struct row_source_plan {
    struct row_source_plan *next;
    int16_t schema_id;
    const struct row_plan *row;
    struct row_cell *cells;
};

void row_source_init(struct row_source *s, const struct meta_table *table)
{
    const struct schema *schema = meta_table_latest(table)->schema;

    memset(s, 0, sizeof *s);
    s->table = table;
    s->builder = arrow_rows_new(schema->row);
    s->columns = mem_zalloc(schema->count * sizeof *s->columns);
}

void row_source_fini(struct row_source *s)
{
    arrow_rows_free(s->builder);
    arena_fini(&s->plans_arena);
    arena_fini(&s->arena);
    buffer_fini(&s->bytes);
    free(s->columns);
}

static enum errcode plan_of(struct row_source *s, int16_t schema_id,
                            const struct row_source_plan **ret, struct error *e)
{
    const struct meta_schema *schema = meta_table_schema(s->table, schema_id);
    enum row_layout layout =
        s->table->options->kv_format == KV_FORMAT_COMPACTED ? ROW_COMPACTED : ROW_INDEXED;
    struct row_source_plan *p;

    for (p = s->plans; p != NULL; p = p->next) {
        if (p->schema_id == schema_id) {
            *ret = p;
            return ERR_OK;
        }
    }
    if (schema == NULL) {
        return error_set(e, ERR_SCHEMA_NOT_EXIST,
                         "the table was altered while the query began, run it again");
    }
    p = arena_new(&s->plans_arena, struct row_source_plan);
    p->schema_id = schema_id;
    p->row = row_plan_new(layout, schema->schema->row, &s->plans_arena);
    p->cells = arena_array(&s->plans_arena, p->row->count, sizeof *p->cells);
    p->next = s->plans;
    s->plans = p;
    *ret = p;
    return ERR_OK;
}

enum errcode row_source_cells(struct row_source *s, struct bytes value,
                              const struct row_plan **ret_plan, const struct row_cell **ret_cells,
                              struct error *e)
{
    const struct row_source_plan *plan = NULL;

    if (value.len < VALUE_HEADER_SIZE) {
        return error_set(e, ERR_CORRUPT_RECORD, "a row of %zu bytes", value.len);
    }
    TRY(plan_of(s, value_schema_id(value), &plan, e));
    TRY(row_cells_read(plan->row, value_row(value), plan->cells, e));
    *ret_plan = plan->row;
    *ret_cells = plan->cells;
    return ERR_OK;
}

static enum errcode add_row(struct row_source *s, struct bytes value, struct error *e)
{
    const struct row_plan *plan = NULL;
    const struct row_cell *cells = NULL;

    TRY(row_source_cells(s, value, &plan, &cells, e));
    return arrow_rows_append(s->builder, plan, cells, e);
}

static enum errcode add_rows(struct row_source *s, struct error *e)
{
    struct value_batch_iterator it;
    struct bytes value = {0};

    TRY(value_batch_parse(buffer_view(&s->bytes), &it, e));
    s->rows = it.left;
    while (it.left > 0) {
        TRY(value_batch_next(&it, &value, e));
        TRY(add_row(s, value, e));
    }
    return ERR_OK;
}

/* The columns of the rows that were added. */
static enum errcode open_columns(struct row_source *s, struct error *e)
{
    static const struct arrow_build_codec plain = {.kind = ARROW_CODEC_NONE};
    const struct type *row = meta_table_latest(s->table)->schema->row;
    struct bytes message = {0};

    TRY(arrow_rows_finish(s->builder, &plain, &s->arena, &message, e));
    TRY(arrow_reader_open(row, message, NULL, &s->arena, &s->reader, e));
    for (uint32_t i = 0, node = 0; i < row->count; i++) {
        s->columns[i] = &s->reader.nodes[node];
        node += s->reader.nodes[node].span;
    }
    return ERR_OK;
}

enum errcode row_source_one(struct row_source *s, struct bytes value, struct error *e)
{
    s->rows = 0;
    fill_forget(&s->arena);
    arrow_rows_clear(s->builder);
    TRY(add_row(s, value, e));
    TRY(open_columns(s, e));
    s->rows = 1;
    return ERR_OK;
}

enum errcode row_source_next(struct row_source *s, struct sql_cut *cut, size_t bucket,
                             bool *ret_found, struct error *e)
{
    s->rows = 0;
    TRY(sql_cut_rows(cut, bucket, &s->bytes, ret_found, e));
    if (!*ret_found) {
        return ERR_OK;
    }
    fill_forget(&s->arena);
    arrow_rows_clear(s->builder);
    TRY(add_rows(s, e));
    return s->rows == 0 ? ERR_OK : open_columns(s, e);
}
