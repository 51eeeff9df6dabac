#include "tail.h"

#include "dialect.h"
#include "failure.h"
#include "names.h"
#include "pushed.h"
#include "relations.h"
#include "statement.h"
#include "syntax.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/units.h"

struct parsing {
    struct sql_session *session;
    struct arena *arena;
    struct tail *tail;
    struct sql_error *e;
};

static bool refuse(struct parsing *p, const char *state, const char *what, const char *hint)
{
    (void)sql_fail(p->e, state, what);
    (void)snprintf(p->e->hint, sizeof p->e->hint, "%s", hint);
    return false;
}

static bool refuse_query(struct parsing *p)
{
    return refuse(p, "0A000", "a query over TAIL has columns, expressions, WHERE and LIMIT only",
                  "It never ends, so nothing can be sorted, grouped, joined or put into another "
                  "query.");
}

static bool refuse_from(struct parsing *p)
{
    return refuse(p, "22023", "TAIL does not know where to begin",
                  "TAIL('db.t', 'earliest' | 'latest' | 'offset:N' | 'time:T').");
}

/* ---- finding ---- */

bool tail_is(const struct json *from)
{
    return syntax_is(from, "type", "TABLE_FUNCTION") &&
           strcasecmp(syntax_text(syntax_find(from, "function"), "function_name"), "tail") == 0;
}

bool tail_is_mentioned(struct bytes text)
{
    struct token t;
    struct token next = token_next_solid(&text);

    do {
        t = next;
        next = token_next_solid(&text);
        if (token_is(&t, "tail") && next.kind == TOKEN_OTHER && next.text.data[0] == '(') {
            return true;
        }
    } while (t.kind != TOKEN_END);
    return false;
}

/* Recursion over the nested document. */
static bool has_tail(const struct json *value, int depth)
{
    bool found = tail_is(value);

    for (size_t i = 0; !found && depth < SYNTAX_DEPTH_MAX && i < json_count(value); i++) {
        found = has_tail(json_at(value, i), depth + 1);
    }
    return found;
}

/* ---- the query ---- */

/* No part of it needs more than one row. Recursion over the nested document. */
static bool is_of_rows(const struct json *value, int depth)
{
    static const char *const others[] = {"SUBQUERY", "WINDOW"};
    bool right = depth < SYNTAX_DEPTH_MAX && !syntax_is(value, "type", "SELECT_NODE");

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        right = right && !syntax_is(value, "class", others[i]);
    }
    for (size_t i = 0; right && i < json_count(value); i++) {
        right = is_of_rows(json_at(value, i), depth + 1);
    }
    return right;
}

static bool is_plain(const struct json *query)
{
    static const char *const absent[] = {"group_expressions", "group_sets", "having",
                                         "qualify",           "sample",     "window"};
    static const char *const not_of_from[] = {"sample", "with_ordinality"};
    const struct json *from = syntax_find(query, "from_table");
    bool right = syntax_is(query, "type", "SELECT_NODE") && tail_is(from) &&
                 syntax_is_empty(syntax_find(query, "cte_map"), "map") &&
                 syntax_is(query, "aggregate_handling", "STANDARD_HANDLING");

    for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
        right = right && syntax_is_empty(query, absent[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(not_of_from); i++) {
        const struct json *found = syntax_find(from, not_of_from[i]);

        right = right && (found == NULL || json_kind_of(found) == JSON_KIND_NULL);
    }
    for (size_t i = 0; right && i < json_count(query); i++) {
        right = is_of_rows(json_at(query, i), 0);
    }
    return right;
}

static bool take_modifiers(struct parsing *p, const struct json *query)
{
    const struct json *modifiers = syntax_list(query, "modifiers");

    if (modifiers == NULL || json_count(modifiers) == 0) {
        return true;
    }
    p->tail->limited = true;
    return (json_count(modifiers) == 1 &&
            syntax_is(json_at(modifiers, 0), "type", "LIMIT_MODIFIER") &&
            syntax_is_empty(json_at(modifiers, 0), "offset") &&
            predicate_operand(syntax_find(json_at(modifiers, 0), "limit"), &p->tail->limit) &&
            p->tail->limit.kind != OPERAND_TEXT) ||
           refuse_query(p);
}

/* ---- the arguments ---- */

static bool take_text(const struct json *argument, const char **ret)
{
    struct operand operand;

    if (!predicate_operand(argument, &operand) || operand.kind != OPERAND_TEXT ||
        operand.text.len == 0) {
        return false;
    }
    *ret = (const char *)operand.text.data;
    return true;
}

static bool take_table(struct parsing *p, const char *text, const struct meta_table **ret)
{
    struct parse parse;
    struct sql_name name;

    parse_init(&parse, bytes_str(text), p->arena, p->e);
    if (!parse_table(&parse, &name) || !parse_need_end(&parse) ||
        !names_table(p->session, &name, ret, p->e)) {
        p->e->position = 0; /* which is one of the text */
        return false;
    }
    p->tail->table_id = (*ret)->id;
    p->tail->schema_id = meta_table_latest(*ret)->id;
    p->tail->keyed = schema_has_primary_key(meta_table_latest(*ret)->schema);
    p->tail->name = arena_printf(p->arena, "%s.%s", (*ret)->database, (*ret)->name);
    return true;
}

/* Milliseconds since 1970, or a time of SQL. */
static bool take_time(struct parsing *p, const char *text)
{
    OWNED(buffer_fini) struct buffer ask = BUFFER_INIT;
    OWNED(buffer_fini) struct buffer found = BUFFER_INIT;

    if (units_parse_i64(text, &p->tail->at, NULL) == ERR_OK) {
        return true;
    }
    buffer_bytes(&ask, bytes_str("SELECT epoch_ms(CAST('"));
    for (; *text != '\0'; text++) {
        buffer_u8(&ask, (uint8_t)*text);
        if (*text == '\'') {
            buffer_u8(&ask, '\'');
        }
    }
    buffer_bytes(&ask, bytes_str("' AS TIMESTAMPTZ))::VARCHAR"));
    buffer_u8(&ask, '\0');
    if (session_ask(p->session, (const char *)ask.data, &found, NULL) != ERR_OK) {
        return false;
    }
    buffer_u8(&found, '\0');
    return units_parse_i64((const char *)found.data, &p->tail->at, NULL) == ERR_OK;
}

static bool take_from(struct parsing *p, const char *text)
{
    struct tail *t = p->tail;

    if (strcasecmp(text, "earliest") == 0 || strcasecmp(text, "latest") == 0) {
        t->from = strcasecmp(text, "latest") == 0 ? TAIL_LATEST : TAIL_EARLIEST;
        return true;
    }
    t->from = strncasecmp(text, "offset:", 7) == 0 ? TAIL_OFFSET : TAIL_TIME;
    if (t->from == TAIL_OFFSET) {
        return (units_parse_i64(text + 7, &t->at, NULL) == ERR_OK && t->at >= 0) || refuse_from(p);
    }
    return (strncasecmp(text, "time:", 5) == 0 && take_time(p, text + 5)) || refuse_from(p);
}

static bool take_arguments(struct parsing *p, const struct json *from,
                           const struct meta_table **ret)
{
    const struct json *arguments = syntax_list(syntax_find(from, "function"), "children");
    size_t count = arguments == NULL ? 0 : json_count(arguments);
    const char *text = NULL;

    if (count < 1 || count > 2 || !take_text(json_at(arguments, 0), &text)) {
        return refuse(p, "42883", "TAIL takes the name of a table, and where to begin, as texts",
                      "TAIL('db.t', 'earliest' | 'latest' | 'offset:N' | 'time:T').");
    }
    if (!take_table(p, text, ret)) {
        return false;
    }
    return count < 2 ||
           (take_text(json_at(arguments, 1), &text) ? take_from(p, text) : refuse_from(p));
}

/* Its first column, as the query calls it. */
static void name_column(struct parsing *p, const struct json *from, const struct meta_table *table)
{
    const struct json *renamed = syntax_list(from, "column_name_alias");
    const char *alias = syntax_text(from, "alias");
    const char *column =
        p->tail->keyed ? "_change_type" : meta_table_latest(table)->schema->columns[0].name;

    if (renamed != NULL && json_count(renamed) > 0) {
        IGNORE(json_as_string(json_at(renamed, 0), &column, NULL) != ERR_OK);
    }
    p->tail->probe = arena_printf(p->arena, "%s.%s",
                                  relations_quote(p->arena, *alias != '\0' ? alias : table->name),
                                  relations_quote(p->arena, column));
}

bool tail_parse(struct sql_session *s, const struct json *query, struct arena *arena,
                const struct tail **ret, struct sql_error *e)
{
    struct parsing p = {
        .session = s, .arena = arena, .e = e, .tail = arena_new(arena, struct tail)};
    const struct json *from = syntax_find(query, "from_table");
    const struct meta_table *table = NULL;

    *ret = NULL;
    if (!has_tail(query, 0)) {
        return true;
    }
    if (!is_plain(query)) {
        return refuse_query(&p);
    }
    if (!take_modifiers(&p, query) || !take_arguments(&p, from, &table)) {
        return false;
    }
    name_column(&p, from, table);
    *ret = p.tail;
    return true;
}

void tail_probe(const struct tail *tail, struct bytes text, struct buffer *out)
{
    struct bytes rest = text;
    struct token t;

    do {
        t = token_next(&rest);
    } while (t.kind != TOKEN_END && !(t.kind == TOKEN_WORD && token_is(&t, "select")));
    buffer_bytes(out, bytes_slice(text, 0, text.len - rest.len));
    if (t.kind != TOKEN_END) {
        buffer_u8(out, ' ');
        buffer_bytes(out, bytes_str(tail->probe));
        buffer_u8(out, ',');
    }
    buffer_bytes(out, rest);
    buffer_u8(out, '\0');
}

/* ---- running ---- */

static bool take_limit(const struct sql_statement *st, const struct sql_parameter *parameters,
                       uint64_t *ret, struct sql_error *e)
{
    const struct operand *limit = &st->tail->limit;
    const struct sql_parameter *p;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t number = limit->number;

    *ret = UINT64_MAX;
    if (!st->tail->limited) {
        return true;
    }
    if (limit->kind == OPERAND_PARAMETER) {
        if (limit->parameter >= st->parameter_count || parameters == NULL) {
            return sql_fail(e, "42P02", "the parameter of LIMIT is not there");
        }
        p = &parameters[limit->parameter];
        if (p->null) {
            return true;
        }
        if (units_parse_i64(arena_strndup(&arena, p->text.data, p->text.len), &number, NULL) !=
            ERR_OK) {
            number = -1;
        }
    }
    if (number < 0) {
        return sql_fail(e, "2201W", "LIMIT is not a number from 0");
    }
    *ret = (uint64_t)number;
    return true;
}

static void keep_parameters(struct tail_run *run, const struct sql_parameter *parameters)
{
    size_t count = run->statement->parameter_count;

    if (parameters == NULL) {
        return;
    }
    run->parameters = arena_array(&run->arena, count + 1, sizeof *parameters);
    for (size_t i = 0; i < count; i++) {
        run->parameters[i] = (struct sql_parameter){
            .null = parameters[i].null, .text = arena_copy(&run->arena, parameters[i].text)};
    }
}

/* Where it begins, by bucket. */
static bool find_places(struct tail_run *run, struct sql_session *s, const struct meta_table *table,
                        struct sql_error *e)
{
    const struct tail *t = run->tail;
    enum offset_kind kind = t->from == TAIL_LATEST ? OFFSET_LATEST
                            : t->from == TAIL_TIME ? OFFSET_AT
                                                   : OFFSET_EARLIEST;
    struct prune *prune;
    int64_t first;
    struct error why;

    if (sql_places_find(&s->engine->world, table, kind, t->at, &run->places, &why) != ERR_OK) {
        return failure_of(e, &why);
    }
    prune = pushed_tail(run->statement, table, run->parameters);
    first = t->from == TAIL_OFFSET && t->at > prune->first_offset ? t->at : prune->first_offset;
    prune_free(prune);
    for (size_t i = 0; i < run->places.count; i++) {
        struct sql_place *place = &run->places.items[i];

        place->next = place->next > first ? place->next : first;
    }
    return true;
}

static const struct meta_table *table_now(const struct tail_run *run, struct sql_session *s,
                                          struct sql_error *e)
{
    const struct meta_table *table = meta_view_table_by_id(s->view, run->tail->table_id);
    char text[400];

    if (table == NULL) {
        (void)snprintf(text, sizeof text, "table \"%.300s\" was dropped", run->tail->name);
        (void)sql_fail(e, "42P01", text);
    }
    return table;
}

bool tail_run_new(const struct sql_statement *st, const struct sql_parameter *parameters,
                  struct tail_run **ret, struct sql_error *e)
{
    struct tail_run *run = mem_new(struct tail_run);
    const struct meta_table *table;

    run->statement = st;
    run->tail = st->tail;
    keep_parameters(run, parameters);
    table = table_now(run, st->session, e);
    if (table == NULL || !take_limit(st, parameters, &run->left, e) ||
        !find_places(run, st->session, table, e)) {
        tail_run_free(run);
        return false;
    }
    *ret = run;
    return true;
}

void tail_run_free(struct tail_run *run)
{
    if (run != NULL) {
        free(run->places.items);
        arena_fini(&run->arena);
        free(run);
    }
}

/* The places become the ends of the cut; *ret_found: there is something in it. */
static bool move_on(struct tail_run *run, const struct sql_cut *cut, bool *ret_found,
                    struct sql_error *e)
{
    struct sql_places next = {.items = mem_zalloc((cut->count + 1) * sizeof *next.items),
                              .count = cut->count};
    bool lost = false;

    *ret_found = false;
    for (size_t i = 0; i < cut->count; i++) {
        const struct sql_bucket *b = &cut->buckets[i];
        int64_t from = b->log.from_offset;

        lost = lost || (b->log.start_offset > from && from > 0);
        *ret_found = *ret_found || b->log.ranges.len > 0;
        next.items[i] = (struct sql_place){
            .id = b->id, .next = b->log.end_offset > from ? b->log.end_offset : from};
    }
    free(run->places.items);
    run->places = next;
    return lost ? sql_fail(e, "55000", "rows were removed by retention before they were read")
                : true;
}

bool tail_advance(struct tail_run *run, struct sql_session *s, bool *ret_found, struct sql_error *e)
{
    const struct meta_table *table;
    struct sql_cut *cut = NULL;
    struct prune *prune;
    struct error why;
    bool right;

    session_refresh(s);
    session_cuts_clear(s);
    table = table_now(run, s, e);
    if (table == NULL) {
        return false;
    }
    prune = pushed_tail(run->statement, table, run->parameters);
    prune->places = &run->places;
    *ret_found = false;
    if (session_make_cut(s, table, false, prune, &why) != ERR_OK ||
        session_take_cut(s, table, false, &cut, &why) != ERR_OK) {
        /* dropped: the catalog will say so with one of the next increments */
        return why.code == ERR_UNKNOWN_TABLE_OR_BUCKET ? true : failure_of(e, &why);
    }
    right = move_on(run, cut, ret_found, e);
    (void)sql_cut_unref(cut);
    if (!*ret_found) {
        session_cuts_clear(s);
    }
    return right;
}
