#include "syntax.h"

enum errcode syntax_ask(struct sql_session *s, struct bytes query, struct buffer *out,
                        struct error *e)
{
    OWNED(buffer_fini) struct buffer ask = BUFFER_INIT;

    buffer_bytes(&ask, bytes_str("SELECT system.main.json_serialize_sql('"));
    for (size_t i = 0; i < query.len; i++) {
        buffer_u8(&ask, query.data[i]);
        if (query.data[i] == '\'') {
            buffer_u8(&ask, '\'');
        }
    }
    buffer_bytes(&ask, bytes_str("', skip_default := true)"));
    buffer_u8(&ask, '\0');
    return session_ask(s, (const char *)ask.data, out, e);
}

const struct json *syntax_statement(struct bytes json, struct arena *arena)
{
    static const struct json_options options = {.name = "syntax tree"};
    const struct json *root = NULL;
    const struct json *statements;

    if (json_parse(json, &options, arena, &root, NULL) != ERR_OK) {
        return NULL;
    }
    statements = syntax_list(root, "statements");
    return statements != NULL && json_count(statements) == 1 ? json_at(statements, 0) : NULL;
}

const struct json *syntax_find(const struct json *object, const char *key)
{
    return object == NULL ? NULL : json_find(object, key);
}

const char *syntax_text(const struct json *object, const char *key)
{
    const struct json *found = syntax_find(object, key);
    const char *text = "";

    if (found == NULL || json_kind_of(found) != JSON_KIND_STRING ||
        json_as_string(found, &text, NULL) != ERR_OK) {
        return "";
    }
    return text;
}

bool syntax_is(const struct json *object, const char *key, const char *text)
{
    return strcmp(syntax_text(object, key), text) == 0;
}

const struct json *syntax_list(const struct json *object, const char *key)
{
    const struct json *found = syntax_find(object, key);

    return found != NULL && json_kind_of(found) == JSON_KIND_ARRAY ? found : NULL;
}

bool syntax_is_empty(const struct json *object, const char *key)
{
    const struct json *found = syntax_find(object, key);

    return found == NULL || json_kind_of(found) == JSON_KIND_NULL ||
           ((json_kind_of(found) == JSON_KIND_ARRAY || json_kind_of(found) == JSON_KIND_OBJECT) &&
            json_count(found) == 0);
}

void syntax_skip_explain(struct bytes *text)
{
    struct bytes rest = *text;
    struct token t = token_next_solid(&rest);

    if (t.kind != TOKEN_WORD || !token_is(&t, "explain")) {
        return;
    }
    *text = rest;
    t = token_next_solid(&rest);
    if (token_is(&t, "analyze") || token_is(&t, "analyse")) {
        *text = rest;
    }
}

/* ---- changes of a text ---- */

void edits_add(struct edits *edits, size_t from, size_t to, const char *text)
{
    struct edit **place = &edits->first;
    struct edit *edit;

    while (*place != NULL && (*place)->from <= from) {
        if ((*place)->from == from && (*place)->to == to && strcmp((*place)->text, text) == 0) {
            return; /* a tree may have the same place twice */
        }
        place = &(*place)->next;
    }
    edit = arena_new(edits->arena, struct edit);
    *edit = (struct edit){.next = *place, .from = from, .to = to, .text = text};
    *place = edit;
}

bool edits_apply(const struct edits *edits, struct bytes text, struct buffer *out)
{
    size_t at = 0;

    for (const struct edit *edit = edits->first; edit != NULL; edit = edit->next) {
        if (edit->from < at || edit->to < edit->from || edit->to > text.len) {
            return false;
        }
        buffer_bytes(out, bytes_slice(text, at, edit->from - at));
        buffer_bytes(out, bytes_str(edit->text));
        at = edit->to;
    }
    buffer_bytes(out, bytes_slice(text, at, text.len - at));
    buffer_u8(out, '\0');
    return true;
}
