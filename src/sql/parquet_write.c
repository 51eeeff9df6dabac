#include "parquet_write.h"

#include "encode.h"
#include "failure.h"
#include "parquet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTION "eider_rows"

/* One file under way; found by its number, which the function is given. */
struct parquet_writing {
    struct sql_result *rows;
    struct spool *file;
    uint64_t count;
    uint64_t number;
    bool failed;
    struct sql_error error; /* then */
};

static struct parquet_writing *find_writing(struct sql_engine *engine, uint64_t number)
{
    struct parquet_writing *w;

    lock_take(&engine->sessions_lock);
    w = map_get(&engine->writings, number);
    lock_give(&engine->sessions_lock);
    return w;
}

static void add_writing(struct sql_engine *engine, struct parquet_writing *w)
{
    lock_take(&engine->sessions_lock);
    w->number = ++engine->writing_last;
    (void)map_put(&engine->writings, w->number, w);
    lock_give(&engine->sessions_lock);
}

static void remove_writing(struct sql_engine *engine, const struct parquet_writing *w)
{
    lock_take(&engine->sessions_lock);
    (void)map_remove(&engine->writings, w->number);
    lock_give(&engine->sessions_lock);
}

/* ---- the function ---- */

static void rows_bind(void *info)
{
    const struct duckdb *d = duckdb();
    void *value = d->bind_get_parameter(info, 0);
    struct parquet_writing *w =
        find_writing(d->bind_get_extra_info(info), (uint64_t)d->get_int64(value));
    const struct sql_statement *st;
    char name[24];

    d->destroy_value(&value);
    if (w == NULL) {
        d->bind_set_error(info, "nothing is being written");
        return;
    }
    st = w->rows->statement;
    for (size_t i = 0; i < st->column_count; i++) {
        void *type = d->prepared_statement_column_logical_type(st->prepared, i);

        (void)snprintf(name, sizeof name, "c%zu", i);
        d->bind_add_result_column(info, name, type);
        d->destroy_logical_type(&type);
    }
    d->bind_set_bind_data(info, w, NULL);
}

static void rows_init(void *info) { duckdb()->init_set_max_threads(info, 1); }

static bool next_rows(struct parquet_writing *w, size_t *ret)
{
    struct error why;

    if (!sql_result_next(w->rows, ret, &w->error)) {
        return false;
    }
    return spool_grown(w->file, &why) == ERR_OK ? true : failure_of(&w->error, &why);
}

/* The vectors share what is in those of the query. */
static void rows_give(void *info, void *chunk)
{
    const struct duckdb *d = duckdb();
    struct parquet_writing *w = d->function_get_bind_data(info);
    size_t count = 0;

    if (!next_rows(w, &count)) {
        w->failed = true;
        d->function_set_error(info, w->error.message);
        count = 0;
    }
    for (size_t i = 0; count > 0 && i < w->rows->statement->column_count; i++) {
        d->vector_reference_vector(d->data_chunk_get_vector(chunk, i),
                                   d->data_chunk_get_vector(w->rows->chunk, i));
    }
    w->count += count;
    d->data_chunk_set_size(chunk, count);
}

enum errcode parquet_write_register(struct sql_engine *engine, void *connection, struct error *e)
{
    const struct duckdb *d = duckdb();
    void *f = d->create_table_function();
    void *number = d->create_logical_type(DUCK_BIGINT);
    int outcome;

    d->table_function_set_name(f, FUNCTION);
    d->table_function_set_extra_info(f, engine, NULL);
    d->table_function_add_parameter(f, number);
    d->table_function_set_bind(f, rows_bind);
    d->table_function_set_init(f, rows_init);
    d->table_function_set_function(f, rows_give);
    outcome = d->register_table_function(connection, f);
    d->destroy_logical_type(&number);
    d->destroy_table_function(&f);
    return outcome == DUCK_OK
               ? ERR_OK
               : error_set(e, ERR_UNSUPPORTED_OPERATION, "DuckDB refuses the function " FUNCTION);
}

/* ---- columns ---- */

/* What Parquet has no type for: DuckDB would write something less exact. Recursion is over nested types, whose
 * depth is limited where they are made. */
static bool is_inexact(const struct sql_type *type)
{
    if (type->id == DUCK_HUGEINT || type->id == DUCK_UHUGEINT || type->id == DUCK_INTERVAL) {
        return true;
    }
    for (size_t i = 0; i < type->count; i++) {
        if (is_inexact(&type->fields[i])) {
            return true;
        }
    }
    return false;
}

/* The type that a column is written as; NULL: its own. */
static const char *written_as(const struct sql_type *type)
{
    switch (type->id) {
    case DUCK_HUGEINT:
    case DUCK_UHUGEINT:
        return "DECIMAL(38,0)";
    case DUCK_INTERVAL:
    case DUCK_SQLNULL:
        return "VARCHAR";
    default:
        return NULL;
    }
}

static bool check_types(const struct sql_statement *st, struct sql_error *e)
{
    for (size_t i = 0; i < st->column_count; i++) {
        if (written_as(&st->types[i]) == NULL && is_inexact(&st->types[i])) {
            (void)sql_fail(e, "0A000", "");
            (void)snprintf(
                e->message, sizeof e->message,
                "column \"%.200s\" has an interval, or an integer of more than 64 bits, inside: "
                "Parquet has no type for it",
                st->names[i]);
            return false;
        }
    }
    return true;
}

static void put(struct buffer *out, const char *text) { buffer_bytes(out, bytes_str(text)); }

static void put_statement(const struct parquet_writing *w, struct buffer *out)
{
    const struct sql_statement *st = w->rows->statement;
    char text[64];

    put(out, "COPY (SELECT ");
    for (size_t i = 0; i < st->column_count; i++) {
        const char *as = written_as(&st->types[i]);

        (void)snprintf(text, sizeof text, as == NULL ? "%sc%zu" : "%sCAST(c%zu AS ",
                       i > 0 ? "," : "", i);
        put(out, text);
        if (as != NULL) {
            put(out, as);
            put(out, ")");
        }
        put(out, " AS ");
        encode_name(st->names[i], out);
    }
    (void)snprintf(text, sizeof text, " FROM " FUNCTION "(%" PRIu64 ")) TO '", w->number);
    put(out, text);
    put(out, w->file->file->path);
    put(out, "' (FORMAT parquet, USE_TMP_FILE false)");
    buffer_u8(out, '\0');
}

/* ---- the file ---- */

static bool run(struct parquet_writing *w, void *connection, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    struct duck_result result;
    bool right;

    put_statement(w, &text);
    right = d->query(connection, (const char *)text.data, &result) == DUCK_OK;
    if (!right && w->failed) {
        *e = w->error;
    } else if (!right) {
        parquet_failed(w->file, d->result_error(&result), e);
    }
    d->destroy_result(&result);
    return right;
}

bool parquet_write_file(struct sql_result *rows, struct spool *ret, uint64_t *ret_count,
                        struct sql_error *e)
{
    struct sql_session *s = rows->statement->session;
    struct parquet_writing w = {.rows = rows, .file = ret};
    void *connection = NULL;
    struct error why;
    bool right;

    if (!check_types(rows->statement, e)) {
        return false;
    }
    if (spool_open(s->engine, ret, &why) != ERR_OK) {
        return failure_of(e, &why);
    }
    if (parquet_connect(s->engine, &connection, &why) != ERR_OK) {
        return sql_fail(e, "58000", why.message);
    }
    add_writing(s->engine, &w);
    session_second(s, connection);
    right = run(&w, connection, e);
    session_second(s, NULL);
    remove_writing(s->engine, &w);
    duckdb()->disconnect(&connection);
    if (right && spool_grown(ret, &why) != ERR_OK) {
        return failure_of(e, &why);
    }
    *ret_count = w.count;
    return right;
}
