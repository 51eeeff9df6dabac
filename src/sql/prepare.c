/* One statement, as DuckDB prepares it: what it reads, its parameters, its columns. */
#include "prepare.h"

#include "dialect.h"
#include "failure.h"
#include "hidden.h"
#include "point.h"
#include "pushed.h"

#include <stdio.h>
#include <stdlib.h>

#define PARAMETERS_MAX 32767

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

void prepare_forget(struct sql_statement *st)
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
    const char *given = text;
    void *extracted = NULL;
    uint64_t count;
    bool right;

    if (!hidden_bind(s, text, &arena, &text, e)) {
        return false;
    }
    count = d->extract_statements(s->connection, text, &extracted);
    if (count == 1) {
        right = d->prepare_extracted_statement(s->connection, extracted, 0, ret) == DUCK_OK ||
                failure_of_duck(e, *ret == NULL ? NULL : d->prepare_error(*ret));
    } else if (count > 1) {
        right = sql_fail(e, "42601", "more than one statement");
    } else {
        right = failure_of_duck(e, d->extract_statements_error(extracted));
    }
    d->destroy_extracted(&extracted);
    if (!right && text != given) {
        failure_hide_line(e);
    }
    return right;
}

/* Whether it may read more than one relation: for one there is one plan, and asking its buckets would take
 * longer than a lookup in them. */
static bool may_join(struct bytes text)
{
    size_t froms = 0;
    bool found = false;
    struct token t;

    do {
        t = token_next_solid(&text);
        froms += token_is(&t, "from") ? 1 : 0;
        found = found || token_is(&t, "join") ||
                (froms > 0 && t.kind == TOKEN_OTHER && t.text.data[0] == ',');
    } while (t.kind != TOKEN_END);
    return found || froms > 1;
}

bool prepare_text(struct sql_statement *st, const char *text, struct sql_error *e)
{
    bool right;

    if (st->prepared != NULL) {
        duckdb()->destroy_prepare(&st->prepared);
    }
    prepare_forget(st);
    st->session->preparing = st;
    st->session->counts = may_join(bytes_str(text));
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
        return sql_fail(e, "54023", "a statement has too many parameters");
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
            return sql_fail(e, "0A000", why.message);
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

    if (d->nparams(st->prepared) == 0 || d->prepared_statement_column_count(st->prepared) == 0) {
        return false;
    }
    logical = d->prepared_statement_column_logical_type(st->prepared, 0);
    open = d->get_type_id(logical) == DUCK_INVALID;
    d->destroy_logical_type(&logical);
    return open;
}

/* Then they are those of the statement with nulls for parameters. */
static bool prepare_nulls(struct sql_statement *st, struct bytes given, void **ret,
                          struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;

    dialect_rewrite_nulls(given, casts_of(st), st->parameter_count, &text);
    if (prepare_one(st->session, (const char *)text.data, ret, e)) {
        return true;
    }
    duckdb()->destroy_prepare(ret);
    return false;
}

static bool describe(struct sql_statement *st, struct bytes given, struct sql_error *e)
{
    void *prepared = NULL;
    bool right;

    if (!is_open(st)) {
        return take_columns(st, st->prepared, e);
    }
    if (!prepare_nulls(st, given, &prepared, e)) {
        return false;
    }
    right = take_columns(st, prepared, e);
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
                            : sql_fail(e, "0A000", "only EXPLAIN and EXPLAIN ANALYZE of a query");
}

static bool check_kind(struct sql_statement *st, struct bytes text, struct sql_error *e)
{
    int type = duckdb()->prepared_statement_type(st->prepared);

    if (!only_reads(type)) {
        return sql_fail(e, "25006", "the statement is not served");
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
        return sql_fail(e, "0A000", "TAIL is for queries alone");
    }
    tail_probe(st->tail, bytes_str(st->text), &text);
    right = prepare_one(st->session, (const char *)text.data, &prepared, e);
    duckdb()->destroy_prepare(&prepared);
    if (!right && strcmp(e->state, "42803") == 0) {
        (void)sql_fail(e, "0A000", "a query over TAIL has no aggregates");
        (void)snprintf(e->hint, sizeof e->hint,
                       "It never ends, so there is no moment to tell one.");
    }
    return right;
}

bool prepare_query(struct sql_statement *st, const struct sql_source *source, struct sql_error *e)
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

bool prepare_count(struct sql_statement *st, const struct sql_source *source, size_t *ret,
                   struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    struct bytes given = bytes_str(source->text);
    void *prepared = NULL;

    dialect_rewrite(given, NULL, 0, &text);
    if (!prepare_text(st, (const char *)text.data, e)) {
        return false;
    }
    if (!only_reads(duckdb()->prepared_statement_type(st->prepared))) {
        return sql_fail(e, "42601", "what is inserted has to be a query");
    }
    if (!is_open(st)) {
        *ret = duckdb()->prepared_statement_column_count(st->prepared);
        return true;
    }
    if (!take_parameters(st, source, e) || !prepare_nulls(st, given, &prepared, e)) {
        return false;
    }
    *ret = duckdb()->prepared_statement_column_count(prepared);
    duckdb()->destroy_prepare(&prepared);
    return true;
}
