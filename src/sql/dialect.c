#include "dialect.h"

#include <ctype.h>
#include <strings.h>

static bool is_word_start(uint8_t c) { return isalpha(c) || c == '_' || c >= 0x80; }
static bool is_word(uint8_t c) { return is_word_start(c) || isdigit(c) || c == '$'; }

static size_t span_quoted(struct bytes t, size_t from, bool escapes)
{
    uint8_t quote = t.data[from];

    for (size_t i = from + 1; i < t.len; i++) {
        if (escapes && t.data[i] == '\\') {
            i++;
        } else if (t.data[i] == quote) {
            if (i + 1 < t.len && t.data[i + 1] == quote) {
                i++;
            } else {
                return i + 1;
            }
        }
    }
    return t.len;
}

/* Nested, as in PostgreSQL. */
static size_t span_comment(struct bytes t)
{
    size_t depth = 0;

    for (size_t i = 0; i + 1 < t.len; i++) {
        if (t.data[i] == '/' && t.data[i + 1] == '*') {
            depth++;
            i++;
        } else if (t.data[i] == '*' && t.data[i + 1] == '/') {
            depth--;
            i++;
            if (depth == 0) {
                return i + 1;
            }
        }
    }
    return t.len;
}

static size_t span_space(struct bytes t)
{
    size_t i = 0;

    if (t.len >= 2 && t.data[0] == '/' && t.data[1] == '*') {
        return span_comment(t);
    }
    if (t.len >= 2 && t.data[0] == '-' && t.data[1] == '-') {
        while (i < t.len && t.data[i] != '\n' && t.data[i] != '\r') {
            i++;
        }
        return i;
    }
    while (i < t.len && isspace(t.data[i])) {
        i++;
    }
    return i;
}

/* "$tag$ ... $tag$"; 0: it is none. */
static size_t span_dollars(struct bytes t)
{
    size_t tag = 1;

    while (tag < t.len && is_word(t.data[tag]) && t.data[tag] != '$') {
        tag++;
    }
    if (tag >= t.len || t.data[tag] != '$' || isdigit(t.data[1])) {
        return 0;
    }
    tag++;
    for (size_t i = tag; i + tag <= t.len; i++) {
        if (memcmp(t.data + i, t.data, tag) == 0) {
            return i + tag;
        }
    }
    return t.len;
}

static struct token cut(struct bytes *text, enum token_kind kind, size_t len)
{
    struct token t = {.kind = kind, .text = bytes_slice(*text, 0, len)};

    *text = bytes_slice(*text, len, text->len - len);
    return t;
}

static struct token next_dollar(struct bytes *text)
{
    size_t len = span_dollars(*text);

    if (len > 0) {
        return cut(text, TOKEN_STRING, len);
    }
    len = 1;
    while (len < text->len && isdigit(text->data[len])) {
        len++;
    }
    return cut(text, len > 1 ? TOKEN_PARAMETER : TOKEN_OTHER, len);
}

static struct token next_word(struct bytes *text)
{
    size_t len = 1;
    uint8_t first = text->data[0];

    if (text->len > 1 && text->data[1] == '\'' && strchr("eEbBxXnN", first) != NULL) {
        return cut(text, TOKEN_STRING, span_quoted(*text, 1, first == 'e' || first == 'E'));
    }
    while (len < text->len && is_word(text->data[len])) {
        len++;
    }
    return cut(text, TOKEN_WORD, len);
}

struct token token_next(struct bytes *text)
{
    size_t len = 0;

    if (text->len == 0) {
        return (struct token){.kind = TOKEN_END};
    }
    len = span_space(*text);
    if (len > 0) {
        return cut(text, TOKEN_SPACE, len);
    }
    if (text->data[0] == '$') {
        return next_dollar(text);
    }
    if (is_word_start(text->data[0])) {
        return next_word(text);
    }
    if (text->data[0] == '\'' || text->data[0] == '"') {
        return cut(text, text->data[0] == '"' ? TOKEN_QUOTED : TOKEN_STRING,
                   span_quoted(*text, 0, false));
    }
    if (isdigit(text->data[0])) {
        for (len = 1; len < text->len && (is_word(text->data[len]) || text->data[len] == '.');) {
            len++;
        }
        return cut(text, TOKEN_NUMBER, len);
    }
    return cut(text, text->data[0] == ';' ? TOKEN_SEMICOLON : TOKEN_OTHER, 1);
}

struct token token_next_solid(struct bytes *text)
{
    struct token t;

    do {
        t = token_next(text);
    } while (t.kind == TOKEN_SPACE);
    return t;
}

bool token_is(const struct token *t, const char *word)
{
    size_t quotes = t->kind == TOKEN_QUOTED ? 1 : 0;

    return (t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED) &&
           t->text.len == strlen(word) + 2 * quotes &&
           strncasecmp((const char *)t->text.data + quotes, word, strlen(word)) == 0;
}

/* ---- statements ---- */

bool dialect_split(struct bytes *text, struct bytes *ret)
{
    struct bytes rest = *text;
    bool solid = false;

    for (;;) {
        struct bytes before = rest;
        struct token t = token_next(&rest);

        if (t.kind == TOKEN_SEMICOLON && !solid) {
            *text = rest;
        } else if (t.kind == TOKEN_SEMICOLON || t.kind == TOKEN_END) {
            *ret = bytes_slice(*text, 0, text->len - before.len);
            *text = rest;
            return solid;
        } else if (t.kind != TOKEN_SPACE) {
            solid = true;
        }
    }
}

bool dialect_starts(struct bytes statement, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct token t = token_next_solid(&statement);

        if (t.kind != TOKEN_WORD || !token_is(&t, words[i])) {
            return false;
        }
    }
    return true;
}
