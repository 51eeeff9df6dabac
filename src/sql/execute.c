/* Running prepared statements: their parameters, what they read, and what becomes of the rows. */
#include "dml_run.h"
#include "failure.h"
#include "parquet_write.h"
#include "point.h"
#include "prepare.h"
#include "pushed.h"
#include "result.h"
#include "returning.h"

#include <stdlib.h>

static bool bind_all(struct sql_statement *st, const struct sql_parameter *parameters,
                     struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    const char *blob = value_type_cast(17);

    for (size_t i = 0; i < st->parameter_count; i++) {
        const struct sql_parameter *p = &parameters[i];
        const char *cast = value_type_cast(st->parameters[i]);
        const char *text = p->text.len == 0 ? "" : (const char *)p->text.data;
        int outcome;

        if (p->null) {
            outcome = d->bind_null(st->prepared, i + 1);
        } else if (cast != NULL && cast == blob) {
            outcome = d->bind_blob(st->prepared, i + 1, text, p->text.len);
        } else {
            outcome = d->bind_varchar_length(st->prepared, i + 1, text, p->text.len);
        }
        if (outcome != DUCK_OK) {
            return failure_of_duck(e, d->prepare_error(st->prepared));
        }
    }
    return true;
}

/* DuckDB does not notice when a table behind a view has become another one. */
static bool is_stale(const struct sql_statement *st)
{
    for (size_t i = 0; i < st->table_count; i++) {
        if (meta_view_table_by_id(st->session->view, st->tables[i].table->id) == NULL) {
            return true;
        }
    }
    return false;
}

/* Everything it reads is as of now. */
static bool take_cuts(struct sql_statement *st, const struct sql_parameter *parameters,
                      struct sql_error *e)
{
    struct sql_session *s = st->session;
    struct error why;

    session_cuts_clear(s);
    for (size_t i = 0; i < st->table_count; i++) {
        const struct named_table *named = &st->tables[i];
        const struct meta_table *table = meta_view_table_by_id(s->view, named->table->id);

        struct prune *prune = pushed_prune(st, table, named->current, parameters);

        if (session_make_cut(s, table, named->current, prune, &why) != ERR_OK) {
            return sql_fail(e, why.code == ERR_UNKNOWN_TABLE_OR_BUCKET ? "42P01" : "58000",
                            why.message);
        }
    }
    return true;
}
static bool execute_query(struct sql_statement *st, const struct sql_parameter *parameters,
                          struct sql_result **ret, struct sql_error *e)
{
    struct sql_result *r;

    if (is_stale(st) && !prepare_text(st, st->text, e)) {
        return false;
    }
    r = mem_new(struct sql_result);
    r->statement = st;
    if (st->point != NULL && st->first_column == 0 && point_execute(st, parameters, r)) {
        *ret = r;
        return true;
    }
    if (!bind_all(st, parameters, e) || !take_cuts(st, parameters, e)) {
        sql_result_free(r);
        return false;
    }
    if (!result_begin(r, e)) {
        sql_result_free(r);
        return false;
    }
    *ret = r;
    return true;
}

/* Again, for the table has become another one: with the types of the parameters as the client knows
 * them. */
static bool prepare_again(struct sql_statement *st, struct sql_error *e)
{
    const struct sql_source source = {
        .text = st->source, .types = st->parameters, .type_count = st->parameter_count};
    struct sql_statement *fresh = NULL;
    struct sql_statement old = *st;

    if (!sql_prepare(st->session, &source, &fresh, e)) {
        return false;
    }
    *st = *fresh;
    *fresh = old;
    sql_statement_free(fresh);
    return true;
}

/* Its increments begin with the first rows that are asked for. */
static bool execute_tail(struct sql_statement *st, const struct sql_parameter *parameters,
                         struct sql_result **ret, struct sql_error *e)
{
    struct sql_result *r;

    if (is_stale(st) && !prepare_again(st, e)) {
        return false;
    }
    if (!bind_all(st, parameters, e)) {
        return false;
    }
    session_cuts_clear(st->session);
    r = mem_new(struct sql_result);
    r->statement = st;
    if (!tail_run_new(st, parameters, &r->tail, e)) {
        sql_result_free(r);
        return false;
    }
    *ret = r;
    return true;
}

/* Of a statement that gives no rows. */
static void result_empty(struct sql_statement *st, struct sql_result **ret)
{
    struct sql_result *r = mem_new(struct sql_result);

    r->statement = st;
    *ret = r;
}

bool statement_check_table(struct sql_statement *st, struct sql_error *e)
{
    const struct meta_table *now;

    session_refresh(st->session);
    now = meta_view_table_by_id(st->session->view, st->dml.table->id);
    st->written = 0;
    return (now != NULL && meta_table_latest(now)->id == st->dml.schema_id) || prepare_again(st, e);
}

bool statement_rows(struct sql_statement *st, struct sql_result **ret, struct sql_error *e)
{
    return execute_query(st, NULL, ret, e);
}

static bool execute_dml(struct sql_statement *st, const struct sql_parameter *parameters,
                        struct sql_result **ret, struct sql_error *e)
{
    struct sql_result *rows = NULL;
    bool right;

    if (!statement_check_table(st, e) || !execute_query(st, parameters, &rows, e)) {
        return false;
    }
    right = dml_run(&st->dml, rows, &st->written, e);
    if (right && st->dml.returning != NULL) {
        returning_replay(rows);
        *ret = rows;
        return true;
    }
    sql_result_free(rows);
    if (right) {
        result_empty(st, ret);
    }
    return right;
}

static bool execute_file(struct sql_statement *st, struct sql_result **ret, struct sql_error *e)
{
    struct sql_result *rows = NULL;
    struct sql_result *r;
    bool right;

    if (!execute_query(st, NULL, &rows, e)) {
        return false;
    }
    r = mem_new(struct sql_result);
    r->statement = st;
    right = parquet_write_file(rows, &r->file, &st->written, e);
    sql_result_free(rows);
    if (!right) {
        sql_result_free(r);
        return false;
    }
    *ret = r;
    return true;
}

bool sql_execute(struct sql_statement *st, const struct sql_parameter *parameters,
                 struct sql_result **ret, struct sql_error *e)
{
    session_refresh(st->session);
    if (st->kind == STATEMENT_DDL) {
        if (!ddl_run(&st->ddl, st->session, e)) {
            return false;
        }
        result_empty(st, ret);
        return true;
    }
    if (st->kind == STATEMENT_DML) {
        return execute_dml(st, parameters, ret, e);
    }
    if (st->shown_version != 0 && st->shown_version != st->session->view->version &&
        !prepare_again(st, e)) {
        return false;
    }
    if (statement_is_file(st)) {
        return execute_file(st, ret, e);
    }
    return st->tail != NULL ? execute_tail(st, parameters, ret, e)
                            : execute_query(st, parameters, ret, e);
}
