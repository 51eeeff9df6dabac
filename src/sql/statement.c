#include "statement.h"

#include "dialect.h"
#include "dml_run.h"
#include "hidden.h"
#include "point.h"
#include "pushed.h"
#include "returning.h"
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PARAMETERS_MAX 32767

/* ---- errors ---- */

static const struct {
    const char *prefix;
    const char *inside; /* NULL: anything */
    const char *state;
} states[] = {
    {"Parser Error", NULL, "42601"},
    {"Syntax Error", NULL, "42601"},
    {"Catalog Error", "Function", "42883"},
    {"Catalog Error", "Schema", "3F000"},
    {"Catalog Error", "Type", "42704"},
    {"Catalog Error", NULL, "42P01"},
    {"Binder Error", "eferenced column", "42703"},
    {"Binder Error", "does not have a column", "42703"},
    {"Binder Error", "No function matches", "42883"},
    {"Binder Error", "mbiguous", "42702"},
    {"Binder Error", "GROUP BY", "42803"},
    {"Binder Error", NULL, "42000"},
    {"Conversion Error", NULL, "22P02"},
    {"Out of Range Error", NULL, "22003"},
    {"Invalid Input Error", NULL, "22023"},
    {"Invalid type Error", NULL, "42804"},
    {"Mismatch Type Error", NULL, "42804"},
    {"INTERRUPT Error", NULL, "57014"},
    {"Out of Memory Error", NULL, "53200"},
    {"Permission Error", NULL, "42501"},
    {"Not implemented Error", NULL, "0A000"},
    {"Parameter Not Resolved Error", NULL, "42P18"},
    {"Transaction", NULL, "25000"},
    {"IO Error", NULL, "58030"},
    {"Invalid Configuration Error", NULL, "42501"},
    {"Division by Zero", NULL, "22012"},
};

const char *statement_error_state(const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (strncmp(message, states[i].prefix, strlen(states[i].prefix)) == 0 &&
            (states[i].inside == NULL || strstr(message, states[i].inside) != NULL)) {
            return states[i].state;
        }
    }
    return "XX000";
}

static bool failed(struct sql_error *e, const char *state, const char *message)
{
    return sql_fail(e, state, message);
}

static bool duck_failed(struct sql_error *e, const char *message)
{
    if (message == NULL) {
        message = "DuckDB gives no reason";
    }
    return failed(e, statement_error_state(message), message);
}

/* ---- what a statement reads ---- */

void session_note_table(struct sql_session *s, const struct meta_table *table, bool current)
{
    struct sql_statement *st = s->preparing;

    if (st == NULL) {
        return;
    }
    st->tables = mem_realloc(st->tables, (st->table_count + 1) * sizeof *st->tables);
    st->tables[st->table_count++] =
        (struct named_table){.table = meta_table_ref(table), .current = current};
}

void session_note_tail(struct sql_session *s, const struct tail *tail)
{
    struct sql_statement *st = s->preparing;

    if (st != NULL) {
        st->tail = arena_new(&st->arena, struct tail);
        *st->tail = *tail;
        st->tail->name = arena_strndup(&st->arena, tail->name, strlen(tail->name));
        st->tail->probe = arena_strndup(&st->arena, tail->probe, strlen(tail->probe));
    }
}

static void forget_tables(struct sql_statement *st)
{
    for (size_t i = 0; i < st->table_count; i++) {
        (void)meta_table_unref(st->tables[i].table);
    }
    free(st->tables);
    st->tables = NULL;
    st->table_count = 0;
}

/* ---- preparing ---- */

/* DuckDB runs all statements of a text but the last one when it prepares them, so what it takes for
 * one has to be looked at first. */
static bool prepare_one(struct sql_session *s, const char *text, void **ret, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    void *extracted = NULL;
    uint64_t count;
    bool right;

    if (!hidden_bind(s, text, &arena, &text, e)) {
        return false;
    }
    count = d->extract_statements(s->connection, text, &extracted);
    if (count == 1) {
        right = d->prepare_extracted_statement(s->connection, extracted, 0, ret) == DUCK_OK ||
                duck_failed(e, *ret == NULL ? NULL : d->prepare_error(*ret));
    } else if (count > 1) {
        right = failed(e, "42601", "more than one statement");
    } else {
        right = duck_failed(e, d->extract_statements_error(extracted));
    }
    d->destroy_extracted(&extracted);
    return right;
}

static bool prepare_text(struct sql_statement *st, const char *text, struct sql_error *e)
{
    bool right;

    if (st->prepared != NULL) {
        duckdb()->destroy_prepare(&st->prepared);
    }
    forget_tables(st);
    st->session->preparing = st;
    right = prepare_one(st->session, text, &st->prepared, e);
    st->session->preparing = NULL;
    return right;
}

/* As DuckDB has found out; 0: it has not. */
static uint32_t found_type(struct sql_statement *st, uint64_t index)
{
    const struct duckdb *d = duckdb();
    int id = d->param_type(st->prepared, index);
    struct sql_type type = {0};
    struct error ignored;
    uint32_t oid;

    if (id != DUCK_LIST) {
        return value_parameter_oid(id);
    }
    oid = value_type_make(d, d->param_logical_type(st->prepared, index), &st->arena, &type,
                          &ignored) == ERR_OK
              ? type.oid
              : 0;
    value_type_fini(d, &type);
    return value_type_cast(oid) == NULL ? 0 : oid;
}

/* Types of all parameters: as given, else as the text says, else as DuckDB has found out. */
static bool take_parameters(struct sql_statement *st, const struct sql_source *source,
                            struct sql_error *e)
{
    st->parameter_count = duckdb()->nparams(st->prepared);
    if (st->parameter_count > PARAMETERS_MAX) {
        return failed(e, "54023", "a statement has too many parameters");
    }
    st->parameters = arena_array(&st->arena, st->parameter_count + 1, sizeof *st->parameters);
    for (size_t i = 0; i < st->parameter_count && i < source->type_count; i++) {
        st->parameters[i] = source->types[i];
    }
    dialect_parameter_types(bytes_str(source->text), st->parameters, st->parameter_count);
    for (size_t i = 0; i < st->parameter_count; i++) {
        if (st->parameters[i] == 0) {
            st->parameters[i] = found_type(st, i + 1);
        }
    }
    return true;
}

static const char *const *casts_of(struct sql_statement *st)
{
    const char **casts = arena_array(&st->arena, st->parameter_count + 1, sizeof *casts);

    for (size_t i = 0; i < st->parameter_count; i++) {
        casts[i] = value_type_cast(st->parameters[i]);
    }
    return casts;
}

static bool take_columns(struct sql_statement *st, void *prepared, struct sql_error *e)
{
    const struct duckdb *d = duckdb();
    struct error why;

    st->column_count = d->prepared_statement_column_count(prepared);
    st->names = arena_array(&st->arena, st->column_count + 1, sizeof *st->names);
    st->types = arena_array(&st->arena, st->column_count + 1, sizeof *st->types);
    for (size_t i = 0; i < st->column_count; i++) {
        const char *name = d->prepared_statement_column_name(prepared, i);

        st->names[i] = arena_strndup(&st->arena, name, strlen(name));
        d->free((void *)(uintptr_t)name);
        if (value_type_make(d, d->prepared_statement_column_logical_type(prepared, i), &st->arena,
                            &st->types[i], &why) != ERR_OK) {
            return failed(e, "0A000", why.message);
        }
    }
    return true;
}

/* DuckDB does not say what the columns are when a function wants to see its parameters first, as
 * json_object does. */
static bool is_open(struct sql_statement *st)
{
    const struct duckdb *d = duckdb();
    void *logical = NULL;
    bool open;

    if (st->parameter_count == 0 || d->prepared_statement_column_count(st->prepared) == 0) {
        return false;
    }
    logical = d->prepared_statement_column_logical_type(st->prepared, 0);
    open = d->get_type_id(logical) == DUCK_INVALID;
    d->destroy_logical_type(&logical);
    return open;
}

/* Then they are those of the statement with nulls for parameters. */
static bool describe(struct sql_statement *st, struct bytes given, struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    void *prepared = NULL;
    bool right;

    if (!is_open(st)) {
        return take_columns(st, st->prepared, e);
    }
    dialect_rewrite_nulls(given, casts_of(st), st->parameter_count, &text);
    right = prepare_one(st->session, (const char *)text.data, &prepared, e) &&
            take_columns(st, prepared, e);
    duckdb()->destroy_prepare(&prepared);
    return right;
}

static bool only_reads(int type) { return type == DUCK_SELECT || type == DUCK_EXPLAIN; }

/* EXPLAIN ANALYZE runs what it explains, so that has to be a query, too. */
static bool check_explained(struct sql_statement *st, struct bytes text, struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer inner = BUFFER_INIT;
    struct bytes behind = text;
    struct sql_error ignored;
    struct token t;
    void *prepared = NULL;
    int type = 0;

    (void)token_next_solid(&behind); /* EXPLAIN */
    text = behind;
    t = token_next_solid(&behind);
    if (token_is(&t, "analyze") || token_is(&t, "analyse")) {
        text = behind;
    }
    dialect_rewrite(text, NULL, 0, &inner);
    if (prepare_one(st->session, (const char *)inner.data, &prepared, &ignored)) {
        type = duckdb()->prepared_statement_type(prepared);
    }
    duckdb()->destroy_prepare(&prepared);
    return only_reads(type) ? true
                            : failed(e, "0A000", "only EXPLAIN and EXPLAIN ANALYZE of a query");
}

static bool check_kind(struct sql_statement *st, struct bytes text, struct sql_error *e)
{
    int type = duckdb()->prepared_statement_type(st->prepared);

    if (!only_reads(type)) {
        return failed(e, "25006", "the statement is not served");
    }
    st->explain = type == DUCK_EXPLAIN;
    return st->explain ? check_explained(st, text, e) : true;
}

/* A query over TAIL is one of rows, whose outcome goes to the client. */
static bool check_tail(struct sql_statement *st, struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    void *prepared = NULL;
    bool right;

    if (st->explain || (st->kind != STATEMENT_QUERY && st->kind != STATEMENT_COPY_TO)) {
        return failed(e, "0A000", "TAIL is for queries alone");
    }
    tail_probe(st->tail, bytes_str(st->text), &text);
    right = prepare_one(st->session, (const char *)text.data, &prepared, e);
    duckdb()->destroy_prepare(&prepared);
    if (!right && strcmp(e->state, "42803") == 0) {
        (void)failed(e, "0A000", "a query over TAIL has no aggregates");
        (void)snprintf(e->hint, sizeof e->hint,
                       "It never ends, so there is no moment to tell one.");
    }
    return right;
}

static bool prepare(struct sql_statement *st, const struct sql_source *source, struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    struct bytes given = bytes_str(source->text);

    dialect_rewrite(given, NULL, 0, &text);
    if (!prepare_text(st, (const char *)text.data, e) || !check_kind(st, given, e) ||
        !take_parameters(st, source, e)) {
        return false;
    }
    if (st->parameter_count > 0) { /* again, so that all types are known */
        buffer_clear(&text);
        dialect_rewrite(given, casts_of(st), st->parameter_count, &text);
        if (!prepare_text(st, (const char *)text.data, e)) {
            return false;
        }
    }
    st->text = arena_strndup(&st->arena, text.data, text.len - 1);
    if (st->tail != NULL && !check_tail(st, e)) {
        return false;
    }
    if (!describe(st, given, e)) {
        return false;
    }
    pushed_derive(st);
    st->point = point_new(st);
    return true;
}

/* How many columns a query has. */
static bool count_columns(struct sql_session *s, const char *query, size_t *ret,
                          struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    void *prepared = NULL;
    bool right;

    dialect_rewrite(bytes_str(query), NULL, 0, &text);
    right = prepare_one(s, (const char *)text.data, &prepared, e);
    if (right && !only_reads(duckdb()->prepared_statement_type(prepared))) {
        right = failed(e, "42601", "what is inserted has to be a query");
    }
    if (right) {
        *ret = duckdb()->prepared_statement_column_count(prepared);
    }
    duckdb()->destroy_prepare(&prepared);
    return right;
}

static bool prepare_dml(struct sql_statement *st, const struct sql_source *source,
                        struct sql_error *e)
{
    struct sql_source query = *source;
    size_t count = 0;

    if (!dml_parse(bytes_str(st->source), st->session, &st->arena, &st->dml, e)) {
        return false;
    }
    if (st->dml.query_is_plain && (!count_columns(st->session, st->dml.query, &count, e) ||
                                   !dml_wrap(&st->dml, count, &st->arena, e))) {
        return false;
    }
    if (st->dml.returning != NULL) {
        if (!returning_wrap(&st->dml, &st->arena, e)) {
            return false;
        }
        st->first_column = st->dml.column_count;
    }
    query.text = st->dml.query;
    return prepare(st, &query, e);
}

static bool prepare_copy(struct sql_statement *st, struct sql_error *e)
{
    bool right = copy_parse(bytes_str(st->source), st->session, &st->arena, &st->copy, e);

    st->kind = st->copy.from ? STATEMENT_COPY_FROM : STATEMENT_COPY_TO;
    st->dml = st->copy.dml;
    if (right && st->copy.query == NULL) {
        return true;
    }
    if (!right || !prepare(st, &(struct sql_source){.text = st->copy.query}, e)) {
        return false;
    }
    return st->parameter_count == 0 ? true : failed(e, "42P02", "COPY has no parameters");
}

static bool prepare_show(struct sql_statement *st, struct sql_error *e)
{
    struct sql_source query = {0};

    st->shown_version = st->session->view->version;
    return show_query(bytes_str(st->source), st->session, &st->arena, &query.text, e) &&
           prepare(st, &query, e);
}

static bool prepare_any(struct sql_statement *st, const struct sql_source *source,
                        struct sql_error *e)
{
    struct bytes text = bytes_str(source->text);

    if (ddl_is(text)) {
        st->kind = STATEMENT_DDL;
        text = arena_copy(&st->arena, text);
        return ddl_parse(text, &st->arena, &st->ddl, e);
    }
    if (dml_is(text)) {
        st->kind = STATEMENT_DML;
        st->source = arena_strndup(&st->arena, text.data, text.len);
        return prepare_dml(st, source, e);
    }
    if (show_is(text)) {
        st->source = arena_strndup(&st->arena, text.data, text.len);
        return prepare_show(st, e);
    }
    if (copy_is(text)) {
        st->source = arena_strndup(&st->arena, text.data, text.len);
        return prepare_copy(st, e);
    }
    st->source = arena_strndup(&st->arena, text.data, text.len);
    return prepare(st, source, e);
}

bool sql_prepare(struct sql_session *s, const struct sql_source *source, struct sql_statement **ret,
                 struct sql_error *e)
{
    struct sql_statement *st = mem_new(struct sql_statement);

    st->session = s;
    session_refresh(s);
    if (!prepare_any(st, source, e) ||
        (s->engine->options.read_only && sql_is_write(st) &&
         !failed(e, "25006", "what is read here cannot be changed"))) {
        sql_statement_free(st);
        return false;
    }
    *ret = st;
    return true;
}

void sql_statement_free(struct sql_statement *st)
{
    if (st == NULL) {
        return;
    }
    point_free(st->point);
    dml_fini(&st->dml);
    forget_tables(st);
    for (size_t i = 0; st->types != NULL && i < st->column_count; i++) {
        value_type_fini(duckdb(), &st->types[i]);
    }
    if (st->prepared != NULL) {
        duckdb()->destroy_prepare(&st->prepared);
    }
    arena_fini(&st->arena);
    free(st);
}

size_t sql_parameter_count(const struct sql_statement *st) { return st->parameter_count; }
uint32_t sql_parameter_type(const struct sql_statement *st, size_t i) { return st->parameters[i]; }
size_t sql_column_count(const struct sql_statement *st)
{
    return st->kind == STATEMENT_QUERY || st->first_column > 0 ? st->column_count - st->first_column
                                                               : 0;
}
const char *sql_column_name(const struct sql_statement *st, size_t i)
{
    return st->names[st->first_column + i];
}
const struct sql_type *sql_column_type(const struct sql_statement *st, size_t i)
{
    return &st->types[st->first_column + i];
}
bool sql_is_explain(const struct sql_statement *st) { return st->explain; }
bool sql_is_write(const struct sql_statement *st)
{
    return st->kind != STATEMENT_QUERY && st->kind != STATEMENT_COPY_TO;
}

enum sql_copy sql_copy_kind(const struct sql_statement *st)
{
    return st->kind == STATEMENT_COPY_FROM ? SQL_COPY_FROM
           : st->kind == STATEMENT_COPY_TO ? SQL_COPY_TO
                                           : SQL_COPY_NONE;
}

size_t sql_copy_columns(const struct sql_statement *st)
{
    return st->copy.query == NULL ? st->dml.column_count : st->column_count;
}

bool sql_copy_is_binary(const struct sql_statement *st)
{
    return st->copy.format.kind > COPY_KIND_CSV;
}

static const char *const dml_tags[] = {
    [DML_INSERT] = "INSERT 0 ", [DML_UPDATE] = "UPDATE ", [DML_DELETE] = "DELETE "};

void sql_tag(const struct sql_statement *st, uint64_t rows, char ret[static SQL_TAG_MAX])
{
    switch (st->kind) {
    case STATEMENT_QUERY:
        (void)(st->explain ? snprintf(ret, SQL_TAG_MAX, "EXPLAIN")
                           : snprintf(ret, SQL_TAG_MAX, "SELECT %" PRIu64, rows));
        break;
    case STATEMENT_DDL:
        (void)snprintf(ret, SQL_TAG_MAX, "%s", st->ddl.tag);
        break;
    case STATEMENT_DML:
        (void)snprintf(ret, SQL_TAG_MAX, "%s%" PRIu64, dml_tags[st->dml.kind], st->written);
        break;
    case STATEMENT_COPY_FROM:
        (void)snprintf(ret, SQL_TAG_MAX, "COPY %" PRIu64, st->written);
        break;
    case STATEMENT_COPY_TO:
        (void)snprintf(ret, SQL_TAG_MAX, "COPY %" PRIu64, rows);
        break;
    }
}

/* ---- executing ---- */

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
            return duck_failed(e, d->prepare_error(st->prepared));
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
            return failed(e, why.code == ERR_UNKNOWN_TABLE_OR_BUCKET ? "42P01" : "58000",
                          why.message);
        }
    }
    return true;
}

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
                : failed(e, "0A000", "the columns of the statement have changed: prepare it again");
}

/* Runs what is bound, over the cuts there are. */
static bool begin_rows(struct sql_result *r, struct sql_error *e)
{
    const struct duckdb *d = duckdb();

    if (d->pending_prepared_streaming(r->statement->prepared, &r->pending) != DUCK_OK) {
        return duck_failed(e, r->pending == NULL ? NULL : d->pending_error(r->pending));
    }
    r->open = true;
    if (d->execute_pending(r->pending, &r->result) != DUCK_OK) {
        return duck_failed(e, d->result_error(&r->result));
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
    if (!begin_rows(r, e)) {
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
    return st->tail != NULL ? execute_tail(st, parameters, ret, e)
                            : execute_query(st, parameters, ret, e);
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
        if (!r->open &&
            (!tail_advance(run, r->statement->session, &more, e) || (more && !begin_rows(r, e)))) {
            return false;
        }
        run->waits = !more;
        if (!more) {
            return true;
        }
        r->chunk = d->fetch_chunk(r->result);
        why = r->chunk == NULL ? d->result_error(&r->result) : NULL;
        if (why != NULL && *why != '\0') {
            return duck_failed(e, why);
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
        return duck_failed(e, why);
    }
    if (r->chunk == NULL && r->statement->explain && !r->explained) {
        r->explained = true;
        r->chunk = pushed_explain(r->statement);
    }
    *ret_rows = r->chunk == NULL ? 0 : d->data_chunk_get_size(r->chunk);
    return true;
}

static struct sql_value value_of(const struct sql_result *r, size_t row, size_t column)
{
    const struct duckdb *d = duckdb();

    column += r->statement->first_column;
    return (struct sql_value){.duckdb = d,
                              .type = &r->statement->types[column],
                              .vector = d->data_chunk_get_vector(r->chunk, column),
                              .row = row};
}

bool sql_result_text(const struct sql_result *r, size_t row, size_t column, struct buffer *out)
{
    struct sql_value v = value_of(r, row, column);

    return value_text(&v, out);
}

bool sql_result_binary(const struct sql_result *r, size_t row, size_t column, struct buffer *out)
{
    struct sql_value v = value_of(r, row, column);

    return value_binary(&v, out);
}

void sql_result_free(struct sql_result *r)
{
    if (r == NULL) {
        return;
    }
    returning_free(r);
    end_rows(r);
    tail_run_free(r->tail);
    free(r);
}
