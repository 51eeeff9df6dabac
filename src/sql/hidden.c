#include "hidden.h"

#include "names.h"
#include "relations.h"
#include "scan.h"
#include "syntax.h"
#include "tail.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

const char *const hidden_names[HIDDEN_COLUMNS] = {"_offset", "_timestamp", "_bucket"};

/* A log table in FROM. */
struct bound {
    const struct bound *next;
    const char *alias;
    const char *database;
    const struct schema *schema;
    bool visible; /* a star has its columns */
};

/* What a SELECT finds in its FROM. */
struct scope {
    const struct scope *outer; /* of the query around it */
    const struct json *from;
    const struct bound *bound;
};

struct walk {
    struct sql_session *session;
    struct arena *arena;
    struct bytes text;
    struct edits edits;
    struct parse_names ctes; /* names of all there are */
    const struct tail *tail; /* is its only relation; NULL: there is none */
    struct sql_error *e;
    bool failed;
};

static void walk_any(struct walk *w, const struct json *value, const struct scope *scope,
                     int depth);

bool hidden_is_there(const struct schema *schema, enum hidden_column column)
{
    return names_column(schema, hidden_names[column], false) < 0;
}

static void refuse(struct walk *w, const char *what)
{
    if (!w->failed) {
        w->failed = true;
        (void)sql_fail(w->e, "0A000", what);
        (void)snprintf(w->e->hint, sizeof w->e->hint,
                       "A statement with _offset, _timestamp or _bucket of a log table has to "
                       "name its columns there.");
    }
}

/* ---- places in the text ---- */

/* From the place of the node on; false: it has none. */
static bool text_at(const struct walk *w, const struct json *node, struct bytes *ret)
{
    const struct json *place = syntax_find(node, "query_location");
    int64_t at = -1;

    if (place == NULL || json_kind_of(place) != JSON_KIND_INT ||
        json_as_i64(place, &at, NULL) != ERR_OK || at < 0 || (uint64_t)at >= w->text.len) {
        return false;
    }
    *ret = bytes_slice(w->text, (size_t)at, w->text.len - (size_t)at);
    return true;
}

static size_t place_of(const struct walk *w, struct bytes rest) { return w->text.len - rest.len; }

static bool is_byte(const struct token *t, char c)
{
    return t->kind == TOKEN_OTHER && t->text.data[0] == (uint8_t)c;
}

/* The token in front of the text, which is not taken. */
static struct token peek(struct bytes text) { return token_next_solid(&text); }

static bool is_name(const struct token *t)
{
    return t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED;
}

/* "a.b.c" in front is taken off; false: there is no name. */
static bool skip_names(struct bytes *text, struct token *ret_last)
{
    struct bytes behind;
    struct token dot;
    struct token next;

    do {
        *ret_last = token_next_solid(text);
        behind = *text;
        dot = token_next_solid(&behind);
        next = peek(behind);
    } while (is_name(ret_last) && is_byte(&dot, '.') && is_name(&next) && (*text = behind, true));
    return is_name(ret_last);
}

/* ---- FROM ---- */

static bool is_cte(const struct walk *w, const char *name)
{
    for (size_t i = 0; i < w->ctes.count; i++) {
        if (strcasecmp(w->ctes.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Recursion over the nested document. */
static void find_ctes(struct walk *w, const struct json *value, int depth)
{
    const struct json *map = syntax_list(syntax_find(value, "cte_map"), "map");

    if (map != NULL) {
        JSON_FOR_EACH(cte, map)
        {
            w->ctes.items =
                parse_grow(w->arena, w->ctes.items, &w->ctes.count, sizeof *w->ctes.items);
            w->ctes.items[w->ctes.count - 1] = syntax_text(cte, "key");
        }
    }
    for (size_t i = 0; depth < SYNTAX_DEPTH_MAX && i < json_count(value); i++) {
        find_ctes(w, json_at(value, i), depth + 1);
    }
}

/* The log table that a part of FROM names, if it has hidden columns. */
static const struct meta_table *table_of(const struct walk *w, const struct json *from)
{
    const char *schema = syntax_text(from, "schema_name");
    struct sql_name name = {.database = *schema == '\0' ? NULL : schema,
                            .name = syntax_text(from, "table_name")};
    const struct json *renamed = syntax_list(from, "column_name_alias");
    const char *catalog = syntax_text(from, "catalog_name");
    const struct meta_table *table = NULL;
    const struct schema *columns;
    struct sql_error ignored;
    bool any = false;

    if (!syntax_is(from, "type", "BASE_TABLE") || (*schema == '\0' && is_cte(w, name.name)) ||
        (*catalog != '\0' && strcasecmp(catalog, RELATIONS_CATALOG) != 0) ||
        !names_table(w->session, &name, &table, &ignored)) {
        return NULL;
    }
    columns = meta_table_latest(table)->schema;
    for (enum hidden_column i = 0; i < HIDDEN_COLUMNS; i++) {
        any = any || hidden_is_there(columns, i);
    }
    return any && !schema_has_primary_key(columns) &&
                   (renamed == NULL || json_count(renamed) <= columns->count)
               ? table
               : NULL;
}

/* The name becomes a call of the scan. */
static void replace_name(struct walk *w, const struct json *from, const struct meta_table *table)
{
    const char *name = syntax_text(from, "table_name");
    const char *alias = syntax_text(from, "alias");
    struct token last;
    struct bytes rest;
    struct bytes start;

    if (!text_at(w, from, &start) || (rest = start, !skip_names(&rest, &last)) ||
        !token_is(&last, name)) {
        refuse(w, "the statement is not understood");
        return;
    }
    edits_add(&w->edits, place_of(w, start), place_of(w, rest),
              arena_printf(w->arena, SCAN_FUNCTION "(%" PRId64 ", %d, %d)%s%s", table->id,
                           RELATION_LOG, meta_table_latest(table)->id, *alias != '\0' ? "" : " AS ",
                           *alias != '\0' ? "" : relations_quote(w->arena, name)));
}

/* "TAIL (...)" becomes a call of the scan. */
static void replace_tail(struct walk *w, const struct json *from, const struct meta_table *table)
{
    enum relation_kind kind = w->tail->keyed ? RELATION_CHANGELOG : RELATION_LOG;
    bool named = *syntax_text(from, "alias") != '\0';
    struct bytes start = BYTES_EMPTY;
    struct bytes rest;
    size_t depth = 0;
    struct token t;

    if (!text_at(w, from, &start) || (rest = start, t = token_next_solid(&rest), !is_name(&t))) {
        refuse(w, "the statement is not understood");
        return;
    }
    do {
        t = token_next(&rest);
        depth += is_byte(&t, '(') ? 1 : 0;
        depth -= is_byte(&t, ')') ? 1 : 0;
    } while (t.kind != TOKEN_END && (depth > 0 || !is_byte(&t, ')')));
    edits_add(&w->edits, place_of(w, start), place_of(w, rest),
              arena_printf(w->arena, SCAN_FUNCTION "(%" PRId64 ", %d, %d)%s%s", table->id,
                           (int)kind, w->tail->schema_id, named ? "" : " AS ",
                           named ? "" : relations_quote(w->arena, table->name)));
}

/* Binds the relations of a FROM. Recursion over nested joins. */
static void bind_from(struct walk *w, const struct json *from, struct scope *scope, bool visible,
                      int depth)
{
    const struct bound *before = scope->bound;
    bool tail = w->tail != NULL && tail_is(from);
    const struct meta_table *table =
        tail ? meta_view_table_by_id(w->session->view, w->tail->table_id) : table_of(w, from);
    struct bound *b;

    if (tail && table != NULL) {
        replace_tail(w, from, table);
    } else if (table != NULL) {
        replace_name(w, from, table);
    }
    if (table != NULL && !schema_has_primary_key(meta_table_latest(table)->schema)) {
        b = arena_new(w->arena, struct bound);
        *b = (struct bound){.next = scope->bound,
                            .alias = syntax_text(from, "alias"),
                            .database = table->database,
                            .schema = meta_table_latest(table)->schema,
                            .visible = visible};
        b->alias = *b->alias != '\0' ? b->alias : table->name;
        scope->bound = b;
    }
    if (syntax_is(from, "type", "JOIN") && depth < SYNTAX_DEPTH_MAX) {
        bool half = syntax_is(from, "join_type", "SEMI") || syntax_is(from, "join_type", "ANTI");

        bind_from(w, syntax_find(from, "left"), scope, visible, depth + 1);
        bind_from(w, syntax_find(from, "right"), scope, visible && !half, depth + 1);
        if (syntax_is(from, "ref_type", "NATURAL") && scope->bound != before) {
            refuse(w, "a natural join would join by the hidden columns of log tables, too");
        }
    }
}

/* ---- stars ---- */

static bool names_it(const struct json *list, const char *table, const char *column)
{
    JSON_FOR_EACH(item, list)
    {
        const char *text = syntax_text(item, "column");

        if (json_kind_of(item) == JSON_KIND_STRING && json_as_string(item, &text, NULL) != ERR_OK) {
            continue;
        }
        if (strcasecmp(text, column) == 0 &&
            (json_kind_of(item) == JSON_KIND_STRING || syntax_is(item, "table", table))) {
            return true;
        }
    }
    return false;
}

/* "t._offset, t._timestamp, ..." of what the star has and does not leave out already. */
static struct bytes excluded(struct walk *w, const struct json *star, const struct scope *scope)
{
    static const char *const lists[] = {"exclude_list", "qualified_exclude_list"};
    const char *relation = syntax_text(star, "relation_name");
    struct buffer out = BUFFER_INIT;
    struct bytes copy;

    for (const struct bound *b = scope->bound; b != NULL; b = b->next) {
        for (enum hidden_column i = 0; i < HIDDEN_COLUMNS; i++) {
            bool there = b->visible && hidden_is_there(b->schema, i) &&
                         (*relation == '\0' || strcasecmp(relation, b->alias) == 0);

            for (size_t l = 0; there && l < ARRAY_LEN(lists); l++) {
                const struct json *list = syntax_list(star, lists[l]);

                there = list == NULL || !names_it(list, b->alias, hidden_names[i]);
            }
            if (there) {
                buffer_bytes(&out, bytes_str(out.len > 0 ? ", " : ""));
                buffer_bytes(&out, bytes_str(relations_quote(w->arena, b->alias)));
                buffer_u8(&out, '.');
                buffer_bytes(&out, bytes_str(hidden_names[i]));
            }
        }
    }
    copy = arena_copy(w->arena, buffer_view(&out));
    buffer_fini(&out);
    return copy;
}

/* Behind the star that the text begins with: "*", "t.*", "columns(*)"; false: it is another thing. */
static bool skip_star(struct bytes *text, bool columns)
{
    struct token t = token_next_solid(text);
    struct token open;

    if (columns) {
        open = token_next_solid(text);
        if (!token_is(&t, "columns") || !is_byte(&open, '(')) {
            return false;
        }
        t = token_next_solid(text);
    }
    while (is_name(&t)) {
        struct token dot = token_next_solid(text);

        t = token_next_solid(text);
        if (!is_byte(&dot, '.')) {
            return false;
        }
    }
    return is_byte(&t, '*');
}

/* Behind a star: its EXCLUDE becomes one of these columns, too. */
static void extend_star(struct walk *w, struct bytes rest, struct bytes list)
{
    struct bytes behind = rest;
    struct token word = token_next_solid(&behind);
    struct token open = peek(behind);
    struct token last;
    const char *names = arena_strndup(w->arena, list.data, list.len);

    if (!token_is(&word, "exclude") && !token_is(&word, "except")) {
        edits_add(&w->edits, place_of(w, rest), place_of(w, rest),
                  arena_printf(w->arena, " EXCLUDE (%s)", names));
    } else if (is_byte(&open, '(')) {
        (void)token_next_solid(&behind);
        edits_add(&w->edits, place_of(w, behind), place_of(w, behind),
                  arena_printf(w->arena, "%s, ", names));
    } else {
        edits_add(&w->edits, place_of(w, behind), place_of(w, behind),
                  arena_printf(w->arena, " (%s, ", names));
        if (!skip_names(&behind, &last)) {
            refuse(w, "the statement is not understood");
        }
        edits_add(&w->edits, place_of(w, behind), place_of(w, behind), ")");
    }
}

/* The star of a FROM or TABLE without SELECT, whose place is that word in front of the first relation. */
static bool write_star(struct walk *w, const struct json *from, const char *list)
{
    struct bytes rest = w->text;
    struct bytes word = BYTES_EMPTY;
    struct bytes first;
    struct token t;

    while (syntax_is(from, "type", "JOIN")) {
        from = syntax_find(from, "left");
    }
    if (!text_at(w, from, &first)) {
        return false;
    }
    while (place_of(w, rest) < place_of(w, first)) {
        struct bytes before = rest;

        t = token_next(&rest);
        if (t.kind == TOKEN_WORD && (token_is(&t, "from") || token_is(&t, "table"))) {
            word = before;
        } else if (t.kind != TOKEN_SPACE && !is_byte(&t, '(')) {
            word = BYTES_EMPTY;
        }
    }
    if (word.len == 0) {
        return false;
    }
    t = peek(word);
    edits_add(&w->edits, place_of(w, word), place_of(w, word) + t.text.len,
              arena_printf(w->arena, "SELECT * EXCLUDE (%s) FROM", list));
    return true;
}

/* The star loses what is hidden of the relations that it is next to. */
static void hide_from(struct walk *w, const struct json *star, const struct scope *scope)
{
    struct bytes list = scope == NULL ? BYTES_EMPTY : excluded(w, star, scope);
    bool columns = false;
    bool placed =
        syntax_is_empty(star, "expr") && json_opt_bool(star, "columns", &columns, NULL) == ERR_OK;
    struct bytes rest = BYTES_EMPTY;
    struct token t;

    if (list.len == 0) {
        return;
    }
    placed = placed && text_at(w, star, &rest);
    t = peek(rest);
    if (placed && t.kind == TOKEN_WORD && token_is(&t, "all")) {
        return; /* ORDER BY ALL */
    }
    if (placed && rest.len == w->text.len) { /* a query does not begin with one */
        placed = write_star(w, scope->from, arena_strndup(w->arena, list.data, list.len));
    } else if (placed && skip_star(&rest, columns)) {
        extend_star(w, rest, list);
    } else {
        placed = false;
    }
    if (!placed) {
        refuse(w, "the hidden columns of log tables cannot be left out of this star");
    }
}

/* ---- columns ---- */

/* The name number i of a column; "": there is none. */
static const char *name_at(const struct json *names, size_t i)
{
    const char *name = "";

    return i < json_count(names) && json_as_string(json_at(names, i), &name, NULL) == ERR_OK ? name
                                                                                             : "";
}

/* How many names in front of the relation's a call of the scan does not have. */
static size_t places_named(const struct json *names, const struct bound *b)
{
    size_t skipped = strcasecmp(name_at(names, 0), RELATIONS_CATALOG) == 0 &&
                             strcasecmp(name_at(names, 1), b->database) == 0
                         ? 2
                     : strcasecmp(name_at(names, 0), b->database) == 0 ? 1
                                                                       : 0;

    return skipped + 2 <= json_count(names) && strcasecmp(name_at(names, skipped), b->alias) == 0
               ? skipped
               : 0;
}

/* "db.t.a" loses the database; "t" alone would be a whole row. */
static void check_column(struct walk *w, const struct json *column, const struct scope *scope)
{
    const struct json *names = syntax_list(column, "column_names");
    struct bytes start;
    struct bytes rest;

    if (names == NULL || !text_at(w, column, &start)) {
        return;
    }
    for (; scope != NULL; scope = scope->outer) {
        for (const struct bound *b = scope->bound; b != NULL; b = b->next) {
            size_t skipped = places_named(names, b);

            if (json_count(names) == 1 && strcasecmp(name_at(names, 0), b->alias) == 0 &&
                names_column(b->schema, b->alias, false) < 0) {
                refuse(w, "a whole row of a log table would have its hidden columns, too");
            }
            rest = start;
            for (size_t i = 0; i < 2 * skipped; i++) { /* a name, and a dot */
                (void)token_next_solid(&rest);
            }
            if (skipped > 0) {
                edits_add(&w->edits, place_of(w, start), place_of(w, rest), "");
            }
        }
    }
}

/* ---- the tree ---- */

static void walk_select(struct walk *w, const struct json *select, const struct scope *outer,
                        int depth)
{
    struct scope scope = {.outer = outer, .from = syntax_find(select, "from_table")};

    bind_from(w, scope.from, &scope, true, depth);
    JSON_FOR_EACH(member, select) { walk_any(w, member, &scope, depth + 1); }
}

/* Recursion over the nested document. */
static void walk_any(struct walk *w, const struct json *value, const struct scope *scope, int depth)
{
    if (depth >= SYNTAX_DEPTH_MAX) {
        refuse(w, "the statement is nested too deeply");
        return;
    }
    if (syntax_is(value, "type", "SELECT_NODE")) {
        walk_select(w, value, scope, depth);
        return;
    }
    if (syntax_is(value, "class", "STAR")) {
        hide_from(w, value, scope);
    } else if (syntax_is(value, "class", "COLUMN_REF")) {
        check_column(w, value, scope);
    }
    JSON_FOR_EACH(child, value) { walk_any(w, child, scope, depth + 1); }
}

static bool is_mentioned(struct bytes text)
{
    struct token t;

    while ((t = token_next(&text)).kind != TOKEN_END) {
        for (enum hidden_column i = 0; i < HIDDEN_COLUMNS; i++) {
            if (token_is(&t, hidden_names[i])) {
                return true;
            }
        }
    }
    return false;
}

bool hidden_bind(struct sql_session *s, const char *text, struct arena *arena, const char **ret,
                 struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer buffer = BUFFER_INIT;
    struct bytes query = bytes_str(text);
    struct walk w = {.session = s, .arena = arena, .e = e, .edits = {.arena = arena}};
    const struct json *tree;

    *ret = text;
    if (!is_mentioned(query) && !tail_is_mentioned(query)) {
        return true;
    }
    syntax_skip_explain(&query);
    w.text = query;
    if (syntax_ask(s, query, &buffer, NULL) != ERR_OK) {
        return true; /* DuckDB tells what is wrong with it */
    }
    tree = syntax_statement(buffer_view(&buffer), arena);
    if (tree == NULL) {
        return true;
    }
    if (!tail_parse(s, syntax_find(tree, "node"), arena, &w.tail, e)) {
        return false;
    }
    if (w.tail != NULL) {
        session_note_tail(s, w.tail);
    }
    find_ctes(&w, tree, 0);
    walk_any(&w, tree, NULL, 0);
    if (!w.failed && w.edits.first != NULL) {
        buffer_clear(&buffer);
        buffer_bytes(&buffer, bytes_of(text, strlen(text) - query.len));
        if (edits_apply(&w.edits, query, &buffer)) {
            *ret = arena_strndup(arena, buffer.data, buffer.len - 1);
        } else {
            refuse(&w, "the statement is not understood");
        }
    }
    return !w.failed;
}
