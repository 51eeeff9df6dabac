/* The rows of a query on their way into the table of its statement. */
#include "dml_run.h"

#include "encode.h"
#include "failure.h"
#include "table_writer.h"

#include <inttypes.h>
#include <stdio.h>

struct run {
    const struct dml *dml;
    const struct schema *schema;
    const struct type **types; /* by column of the query; nullable, for the writer tells of nulls */
    struct sql_result *rows;
    struct table_writer *writer;
};

static enum errcode write_row(struct run *r, size_t row, struct error *e)
{
    struct arena *arena = table_writer_arena(r->writer);
    struct row_value *values = arena_array(arena, r->schema->count, sizeof *values);
    struct encode en = {.duckdb = duckdb(), .arena = arena, .row = row};

    for (uint32_t i = 0; i < r->schema->count; i++) {
        values[i].null = true;
    }
    for (size_t i = 0; i < r->dml->column_count; i++) {
        int32_t column = r->dml->columns[i];
        enum errcode code;

        en.vector = en.duckdb->data_chunk_get_vector(r->rows->chunk, i);
        code = encode_value(&en, r->types[i], &values[column], e);
        if (code != ERR_OK) {
            error_wrap(e, "column \"%.100s\"", r->schema->columns[column].name);
            return code;
        }
    }
    return table_writer_add(r->writer, values, e);
}

static bool write_rows(struct run *r, struct sql_error *e)
{
    size_t count = 0;
    struct error why;

    do {
        if (!sql_result_next(r->rows, &count, e)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (write_row(r, i, &why) != ERR_OK) {
                return failure_of(e, &why);
            }
        }
    } while (count > 0);
    return table_writer_flush(r->writer, &why) == ERR_OK ? true : failure_of(e, &why);
}

static void take_types(struct run *r, struct arena *arena)
{
    r->types = arena_array(arena, r->dml->column_count, sizeof *r->types);
    for (size_t i = 0; i < r->dml->column_count; i++) {
        r->types[i] = type_with_nullable(r->schema->columns[r->dml->columns[i]].type, true, arena);
    }
}

bool dml_run(const struct dml *dml, struct sql_result *rows, uint64_t *ret_count,
             struct sql_error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct run r = {.dml = dml, .schema = meta_table_latest(dml->table)->schema, .rows = rows};
    struct table_write write = {.table = dml->table,
                                .remove = dml->kind == DML_DELETE,
                                .targets = dml->partial ? dml->columns : NULL,
                                .target_count = dml->partial ? dml->column_count : 0};
    struct error why;
    bool right;

    if (dml->kind == DML_DELETE) {
        write.target_count = 0;
    }
    if (table_writer_new(rows->statement->session, &write, &r.writer, &why) != ERR_OK) {
        return failure_of(e, &why);
    }
    take_types(&r, &arena);
    right = write_rows(&r, e);
    *ret_count = table_writer_count(r.writer);
    if (!right && *ret_count > 0) {
        (void)snprintf(e->hint, sizeof e->hint,
                       "%" PRIu64 " rows of the statement are written, and stay.", *ret_count);
    }
    table_writer_free(r.writer);
    return right;
}
