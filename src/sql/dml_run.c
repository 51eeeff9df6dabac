/* The rows of a query on their way into the table of its statement. */
#include "dml_run.h"

#include "encode.h"
#include "failure.h"
#include "returning.h"
#include "table_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct dml_writing {
    const struct dml *dml;
    const struct schema *schema;
    const struct type **types; /* by column of the query; nullable, for the writer tells of nulls */
    struct arena arena;
    struct table_writer *writer;
};

static enum errcode write_row(struct dml_writing *r, void *chunk, size_t row, struct error *e)
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

        en.vector = en.duckdb->data_chunk_get_vector(chunk, i);
        code = encode_value(&en, r->types[i], &values[column], e);
        if (code != ERR_OK) {
            error_wrap(e, "column \"%.100s\"", r->schema->columns[column].name);
            return code;
        }
    }
    return table_writer_add(r->writer, values, e);
}

bool dml_write(struct dml_writing *w, struct sql_result *rows, struct sql_error *e)
{
    size_t count = 0;
    struct error why;

    do {
        if (!sql_result_next(rows, &count, e)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (write_row(w, rows->chunk, i, &why) != ERR_OK) {
                return failure_of(e, &why);
            }
        }
        if (count > 0 && w->dml->returning != NULL && !returning_keep(rows, e)) {
            return false;
        }
    } while (count > 0);
    return true;
}

bool dml_flush(struct dml_writing *w, struct sql_error *e)
{
    struct error why;

    return table_writer_flush(w->writer, &why) == ERR_OK ? true : failure_of(e, &why);
}

uint64_t dml_written(const struct dml_writing *w) { return table_writer_count(w->writer); }

static void take_types(struct dml_writing *w)
{
    w->types = arena_array(&w->arena, w->dml->column_count, sizeof *w->types);
    for (size_t i = 0; i < w->dml->column_count; i++) {
        w->types[i] =
            type_with_nullable(w->schema->columns[w->dml->columns[i]].type, true, &w->arena);
    }
}

struct dml_writing *dml_begin(const struct dml *dml, struct sql_session *s)
{
    bool partial =
        dml->partial && dml->kind != DML_DELETE && table_has_primary_key(dml->table->descriptor);
    struct table_write write = {.table = dml->table,
                                .remove = dml->kind == DML_DELETE,
                                .targets = partial ? dml->columns : NULL,
                                .target_count = partial ? dml->column_count : 0};
    struct dml_writing *w = mem_new(struct dml_writing);

    w->dml = dml;
    w->schema = meta_table_latest(dml->table)->schema;
    take_types(w);
    w->writer = table_writer_new(s, &write);
    return w;
}

void dml_end(struct dml_writing *w)
{
    if (w != NULL) {
        table_writer_free(w->writer);
        arena_fini(&w->arena);
        free(w);
    }
}

bool dml_run(const struct dml *dml, struct sql_result *rows, uint64_t *ret_count,
             struct sql_error *e)
{
    struct dml_writing *w = dml_begin(dml, rows->statement->session);
    bool right = dml_write(w, rows, e) && dml_flush(w, e);

    *ret_count = dml_written(w);
    if (!right && *ret_count > 0) {
        (void)snprintf(e->hint, sizeof e->hint,
                       "%" PRIu64 " rows of the statement are written, and stay.", *ret_count);
    }
    dml_end(w);
    return right;
}
