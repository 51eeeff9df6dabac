#include "copy_in.h"

#include "dml_run.h"
#include "failure.h"
#include "parquet.h"
#include "scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COLUMNS_MAX 4096

/* ---- the relation ---- */

struct copy_bind {
    struct sql_session *session;
    size_t columns;
};

static void copy_bind(void *info)
{
    const struct duckdb *d = duckdb();
    void *value = d->bind_get_parameter(info, 0);
    int64_t count = d->get_int64(value);
    struct copy_bind *b;
    char name[24];

    d->destroy_value(&value);
    if (count < 1 || count > COLUMNS_MAX) {
        d->bind_set_error(info, "a number of columns that cannot be");
        return;
    }
    b = mem_new(struct copy_bind);
    b->session = scan_session_of(d, info);
    b->columns = (size_t)count;
    for (int64_t i = 0; i < count; i++) {
        void *type = d->create_logical_type(DUCK_VARCHAR);

        (void)snprintf(name, sizeof name, "c%" PRId64, i);
        d->bind_add_result_column(info, name, type);
        d->destroy_logical_type(&type);
    }
    d->bind_set_bind_data(info, b, free);
}

static void copy_init(void *info)
{
    const struct duckdb *d = duckdb();

    d->init_set_max_threads(info, 1);
    d->init_set_init_data(info, mem_zalloc(sizeof(bool)), free);
}

static void fill_column(const struct duckdb *d, void *vector, const struct copy_reader *r,
                        size_t column)
{
    uint64_t *validity;

    d->vector_ensure_validity_writable(vector);
    validity = d->vector_get_validity(vector);
    for (size_t row = 0; row < r->rows; row++) {
        const struct copy_cell *cell = &r->cells[row * r->columns + column];

        if (cell->null) {
            validity[row / 64] &= ~(UINT64_C(1) << row % 64);
        } else {
            d->unsafe_vector_assign_string_element_len(
                vector, row, cell->text.len == 0 ? "" : (const char *)cell->text.data,
                cell->text.len);
        }
    }
}

static void copy_give(void *info, void *chunk)
{
    const struct duckdb *d = duckdb();
    const struct copy_bind *b = d->function_get_bind_data(info);
    bool *given = d->function_get_init_data(info);
    const struct copy_reader *r = b->session == NULL ? NULL : b->session->incoming;

    if (r == NULL || r->columns != b->columns || *given) {
        d->data_chunk_set_size(chunk, 0);
        return;
    }
    *given = true;
    for (size_t i = 0; i < r->columns; i++) {
        fill_column(d, d->data_chunk_get_vector(chunk, i), r, i);
    }
    d->data_chunk_set_size(chunk, r->rows);
}

enum errcode copy_register(struct sql_session *owner, struct error *e)
{
    const struct duckdb *d = duckdb();
    void *f = d->create_table_function();
    void *number = d->create_logical_type(DUCK_BIGINT);
    int outcome;

    d->table_function_set_name(f, COPY_FUNCTION);
    d->table_function_set_extra_info(f, owner->engine, NULL);
    d->table_function_add_parameter(f, number);
    d->table_function_set_bind(f, copy_bind);
    d->table_function_set_init(f, copy_init);
    d->table_function_set_function(f, copy_give);
    outcome = d->register_table_function(owner->connection, f);
    d->destroy_logical_type(&number);
    d->destroy_table_function(&f);
    return outcome == DUCK_OK ? ERR_OK
                              : error_set(e, ERR_UNSUPPORTED_OPERATION,
                                          "DuckDB refuses the function " COPY_FUNCTION);
}

/* ---- rows ---- */

struct sql_copy_in {
    struct sql_statement *statement;
    struct copy_reader reader;
    struct dml_writing *writing;
    struct spool spool; /* of a file of Parquet, instead of the other two */
};

static bool is_file(const struct sql_copy_in *c)
{
    return c->statement->copy.format.kind == COPY_KIND_PARQUET;
}

static bool begin_file(struct sql_copy_in *c, struct sql_error *e)
{
    struct error why;

    return spool_open(c->statement->session->engine, &c->spool, &why) == ERR_OK
               ? true
               : failure_of(e, &why);
}

/* The types that clients are told of the columns. */
static const uint32_t *column_oids(struct sql_statement *st)
{
    uint32_t *oids = arena_array(&st->arena, st->column_count, sizeof *oids);

    for (size_t i = 0; i < st->column_count; i++) {
        oids[i] = st->types[i].oid;
    }
    return oids;
}

bool sql_copy_begin(struct sql_statement *st, struct sql_copy_in **ret, struct sql_error *e)
{
    struct sql_copy_in *c;

    if (!statement_check_table(st, e)) {
        return false;
    }
    c = mem_new(struct sql_copy_in);
    c->statement = st;
    if (!is_file(c)) {
        copy_reader_init(&c->reader, &st->copy.format, st->dml.column_count);
        c->reader.oids = column_oids(st);
        c->writing = dml_begin(&st->dml, st->session);
    } else if (!begin_file(c, e)) {
        sql_copy_free(c);
        return false;
    }
    *ret = c;
    return true;
}

void sql_copy_free(struct sql_copy_in *c)
{
    if (c != NULL) {
        dml_end(c->writing);
        copy_reader_fini(&c->reader);
        spool_close(&c->spool);
        free(c);
    }
}

static bool explain(const struct sql_copy_in *c, struct sql_error *e)
{
    (void)snprintf(e->hint, sizeof e->hint,
                   "In %s %" PRIu64 " to %" PRIu64 ". %" PRIu64
                   " rows of the statement are written, and stay.",
                   c->statement->copy.format.kind == COPY_KIND_BINARY ? "rows" : "lines",
                   c->reader.first_line, c->reader.line, dml_written(c->writing));
    return false;
}

void sql_copy_explain(const struct sql_copy_in *c, struct sql_error *e)
{
    if (e->hint[0] == '\0' && c->writing != NULL && dml_written(c->writing) > 0) {
        (void)snprintf(e->hint, sizeof e->hint,
                       "%" PRIu64 " rows of the statement are written, and stay.",
                       dml_written(c->writing));
    }
}

static bool write_rows(struct sql_copy_in *c, struct sql_error *e)
{
    struct sql_statement *st = c->statement;
    struct sql_result *rows = NULL;
    bool right = true;

    if (c->reader.rows > 0) {
        st->session->incoming = &c->reader;
        right = statement_rows(st, &rows, e) && dml_write(c->writing, rows, e);
        sql_result_free(rows);
        st->session->incoming = NULL;
    }
    if (!right) {
        return explain(c, e);
    }
    copy_reader_clear(&c->reader);
    return true;
}

bool sql_copy_feed(struct sql_copy_in *c, struct bytes in, struct sql_error *e)
{
    struct error why;

    if (is_file(c)) {
        return spool_add(&c->spool, in, &why) == ERR_OK ? true : failure_of(e, &why);
    }
    while (in.len > 0) {
        if (!copy_reader_feed(&c->reader, &in, e)) {
            return explain(c, e);
        }
        if (copy_reader_full(&c->reader) && !write_rows(c, e)) {
            return false;
        }
    }
    return true;
}

static bool end_file(struct sql_copy_in *c, struct sql_error *e)
{
    uint64_t *written = &c->statement->written;

    if (!parquet_write_rows(c->statement, &c->spool, written, e)) {
        if (e->hint[0] == '\0') {
            (void)snprintf(e->hint, sizeof e->hint,
                           "%" PRIu64 " rows of the statement are written, and stay.", *written);
        }
        return false;
    }
    return true;
}

bool sql_copy_end(struct sql_copy_in *c, struct sql_error *e)
{
    if (is_file(c)) {
        return end_file(c, e);
    }
    if (!copy_reader_end(&c->reader, e)) {
        return explain(c, e);
    }
    if (!write_rows(c, e)) {
        return false;
    }
    if (!dml_flush(c->writing, e)) {
        return explain(c, e);
    }
    c->statement->written = dml_written(c->writing);
    return true;
}
