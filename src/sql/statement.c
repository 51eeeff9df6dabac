/* Which kind a statement is, what it is made into, and what is known of it. */
#include "statement.h"

#include "insert_list.h"
#include "point.h"
#include "prepare.h"
#include "returning.h"
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool prepare_dml(struct sql_statement *st, const struct sql_source *source,
                        struct sql_error *e)
{
    struct sql_source query = *source;
    size_t count = 0;

    if (!dml_parse(bytes_str(st->source), st->session, &st->arena, &st->dml, e)) {
        return false;
    }
    if (st->dml.query_is_plain) {
        insert_list_cast(&st->dml, &st->arena);
        query.text = st->dml.query;
        if (!prepare_count(st, &query, &count, e) || !dml_wrap(&st->dml, count, &st->arena, e)) {
            return false;
        }
    }
    if (st->dml.returning != NULL) {
        if (!returning_wrap(&st->dml, &st->arena, e)) {
            return false;
        }
        st->first_column = st->dml.column_count;
    }
    query.text = st->dml.query;
    return prepare_query(st, &query, e);
}

static bool prepare_copy(struct sql_statement *st, struct sql_error *e)
{
    bool right = copy_parse(bytes_str(st->source), st->session, &st->arena, &st->copy, e);

    st->kind = st->copy.from ? STATEMENT_COPY_FROM : STATEMENT_COPY_TO;
    st->dml = st->copy.dml;
    if (right && st->copy.query == NULL) {
        return true;
    }
    if (!right || !prepare_query(st, &(struct sql_source){.text = st->copy.query}, e)) {
        return false;
    }
    if (st->tail != NULL && statement_is_file(st)) {
        return sql_fail(e, "0A000", "a file of Parquet has an end, TAIL has none");
    }
    return st->parameter_count == 0 ? true : sql_fail(e, "42P02", "COPY has no parameters");
}

static bool prepare_show(struct sql_statement *st, struct sql_error *e)
{
    struct sql_source query = {0};

    st->shown_version = st->session->view->version;
    return show_query(bytes_str(st->source), st->session, &st->arena, &query.text, e) &&
           prepare_query(st, &query, e);
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
    return prepare_query(st, source, e);
}

bool sql_prepare(struct sql_session *s, const struct sql_source *source, struct sql_statement **ret,
                 struct sql_error *e)
{
    struct sql_statement *st = mem_new(struct sql_statement);

    st->session = s;
    session_refresh(s);
    if (!prepare_any(st, source, e) ||
        (s->engine->options.read_only && sql_is_write(st) &&
         !sql_fail(e, "25006", "what is read here cannot be changed"))) {
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
    prepare_forget(st);
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

bool statement_is_file(const struct sql_statement *st)
{
    return st->kind == STATEMENT_COPY_TO && st->copy.format.kind == COPY_KIND_PARQUET;
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
        (void)snprintf(ret, SQL_TAG_MAX, "COPY %" PRIu64,
                       statement_is_file(st) ? st->written : rows);
        break;
    }
}
