/* The rows of a statement that is running, chunk by chunk. */
#include "result.h"

#include "failure.h"
#include "point.h"
#include "pushed.h"
#include "returning.h"

#include <stdlib.h>

#define PIECE_BYTES ((size_t)64 << 10)

/* The statement may have been bound anew since the client was told what its columns are. */
static bool check_columns(struct sql_result *r, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    const struct sql_statement *st = r->statement;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    bool same = d->column_count(&r->result) == st->column_count;

    for (size_t i = 0; same && i < st->column_count; i++) {
        struct sql_type type = {0};

        same = value_type_make(d, d->column_logical_type(&r->result, i), &arena, &type, NULL) ==
                   ERR_OK &&
               value_type_equal(&type, &st->types[i]);
        value_type_fini(d, &type);
    }
    return same ? true
                : sql_fail(e, "0A000",
                           "the columns of the statement have changed: prepare it again");
}

bool result_begin(struct sql_result *r, struct sql_error *e)
{
    const struct duckdb *d = duckdb();

    if (d->pending_prepared_streaming(r->statement->prepared, &r->pending) != DUCK_OK) {
        return failure_of_duck(e, r->pending == NULL ? NULL : d->pending_error(r->pending));
    }
    r->open = true;
    if (d->execute_pending(r->pending, &r->result) != DUCK_OK) {
        return failure_of_duck(e, d->result_error(&r->result));
    }
    return check_columns(r, e);
}

static void end_rows(struct sql_result *r)
{
    const struct duckdb *d = duckdb();

    if (r->chunk != NULL && !r->borrowed) {
        d->destroy_data_chunk(&r->chunk);
    }
    if (r->open) {
        d->destroy_result(&r->result);
    }
    if (r->pending != NULL) {
        d->destroy_pending(&r->pending);
    }
    r->open = false;
}

/* The rows of this increment, or the first of the next one that has some. */
static bool next_of_tail(struct sql_result *r, size_t *ret_rows, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    struct tail_run *run = r->tail;
    bool more = true;
    const char *why;

    *ret_rows = 0;
    run->waits = false;
    while (run->left > 0) {
        if (r->chunk != NULL) {
            d->destroy_data_chunk(&r->chunk);
        }
        if (!r->open && (!tail_advance(run, r->statement->session, &more, e) ||
                         (more && !result_begin(r, e)))) {
            return false;
        }
        run->waits = !more;
        if (!more) {
            return true;
        }
        r->chunk = d->fetch_chunk(r->result);
        why = r->chunk == NULL ? d->result_error(&r->result) : NULL;
        if (why != NULL && *why != '\0') {
            return failure_of_duck(e, why);
        }
        if (r->chunk != NULL && d->data_chunk_get_size(r->chunk) > 0) {
            *ret_rows = d->data_chunk_get_size(r->chunk);
            *ret_rows = *ret_rows < run->left ? *ret_rows : run->left;
            run->left -= *ret_rows;
            return true;
        }
        if (r->chunk == NULL) {
            end_rows(r);
        }
    }
    return true;
}

bool sql_is_tail(const struct sql_statement *st) { return st->tail != NULL; }
bool sql_result_waits(const struct sql_result *r) { return r->tail != NULL && r->tail->waits; }

/* Of a file, as if it was a row. */
static bool next_piece(struct sql_result *r, size_t *ret_rows, struct sql_error *e)
{
    uint64_t left = r->file.size - r->file_at;
    size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    struct error why;

    buffer_clear(&r->piece);
    if (len > 0 &&
        file_read_at(r->file.file, r->file_at, buffer_room(&r->piece, len), len, &why) != ERR_OK) {
        return failure_of(e, &why);
    }
    r->file_at += len;
    *ret_rows = len > 0;
    return true;
}

bool sql_result_next(struct sql_result *r, size_t *ret_rows, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    const char *why;

    if (r->replays) {
        *ret_rows = returning_next(r);
        return true;
    }
    if (r->tail != NULL) {
        return next_of_tail(r, ret_rows, e);
    }
    if (r->file.file != NULL) {
        return next_piece(r, ret_rows, e);
    }
    if (r->borrowed) {
        *ret_rows = r->rows;
        r->rows = 0;
        return true;
    }
    if (!r->open) {
        *ret_rows = 0;
        return true;
    }
    if (r->chunk != NULL) {
        d->destroy_data_chunk(&r->chunk);
    }
    if (r->explained) {
        *ret_rows = 0;
        return true;
    }
    r->chunk = d->fetch_chunk(r->result);
    why = r->chunk == NULL ? d->result_error(&r->result) : NULL;
    if (why != NULL && *why != '\0') {
        return failure_of_duck(e, why);
    }
    if (r->chunk == NULL && r->statement->explain && !r->explained) {
        r->explained = true;
        r->chunk = pushed_explain(r->statement);
    }
    *ret_rows = r->chunk == NULL ? 0 : d->data_chunk_get_size(r->chunk);
    return true;
}

/* false: it is null, as far as that is known without a vector. */
static bool value_of(const struct sql_result *r, size_t row, size_t column, struct sql_value *ret)
{
    const struct duckdb *d = duckdb();

    column += r->statement->first_column;
    *ret = (struct sql_value){.duckdb = d, .type = &r->statement->types[column], .row = row};
    if (r->values != NULL) {
        ret->plain = &r->values[column].plain;
        return !r->values[column].null;
    }
    ret->vector = d->data_chunk_get_vector(r->chunk, column);
    return true;
}

bool sql_result_text(const struct sql_result *r, size_t row, size_t column, struct buffer *out)
{
    struct sql_value v;

    return value_of(r, row, column, &v) && value_text(&v, out);
}

bool sql_result_binary(const struct sql_result *r, size_t row, size_t column, struct buffer *out)
{
    struct sql_value v;

    return value_of(r, row, column, &v) && value_binary(&v, out);
}

void sql_result_free(struct sql_result *r)
{
    if (r == NULL) {
        return;
    }
    returning_free(r);
    end_rows(r);
    tail_run_free(r->tail);
    spool_close(&r->file);
    buffer_fini(&r->piece);
    free(r);
}
