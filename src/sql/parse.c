#include "parse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define CATALOG "eider"

void parse_init(struct parse *p, struct bytes text, struct arena *arena, struct sql_error *e)
{
    *p = (struct parse){.text = text, .rest = text, .arena = arena, .e = e};
    parse_next(p);
}

void parse_next(struct parse *p) { p->token = token_next_solid(&p->rest); }

size_t parse_offset(const struct parse *p) { return p->text.len - p->rest.len - p->token.text.len; }

size_t parse_position(struct bytes text, size_t offset)
{
    size_t characters = 1;

    for (size_t i = 0; i < offset && i < text.len; i++) {
        characters += (text.data[i] & 0xc0) != 0x80;
    }
    return characters;
}

/* ---- looking ---- */

static bool is_word(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && token_is(t, word);
}

bool parse_at_word(const struct parse *p, const char *word) { return is_word(&p->token, word); }

bool parse_at_byte(const struct parse *p, char c)
{
    return p->token.kind == TOKEN_OTHER && p->token.text.data[0] == (uint8_t)c;
}

bool parse_at_end(const struct parse *p) { return p->token.kind == TOKEN_END; }

bool parse_word(struct parse *p, const char *word)
{
    bool there = parse_at_word(p, word);

    if (there) {
        parse_next(p);
    }
    return there;
}

bool parse_words(struct parse *p, const char *first, const char *second)
{
    struct bytes rest = p->rest;
    struct token t = token_next_solid(&rest);

    if (!parse_at_word(p, first) || !is_word(&t, second)) {
        return false;
    }
    parse_next(p);
    parse_next(p);
    return true;
}

bool parse_byte(struct parse *p, char c)
{
    bool there = parse_at_byte(p, c);

    if (there) {
        parse_next(p);
    }
    return there;
}

/* ---- failing ---- */

bool parse_failed(struct parse *p, const char *state, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)sql_fail(p->e, state, text);
    p->e->position = parse_position(p->text, parse_offset(p));
    return false;
}

bool parse_expected(struct parse *p, const char *what)
{
    if (parse_at_end(p)) {
        return parse_failed(p, "42601", "syntax error at end of input: %s is missing", what);
    }
    return parse_failed(p, "42601", "syntax error at or near \"%.*s\": expected %s",
                        (int)(p->token.text.len < 60 ? p->token.text.len : 60),
                        (const char *)p->token.text.data, what);
}

bool parse_hint(struct parse *p, const char *hint)
{
    (void)snprintf(p->e->hint, sizeof p->e->hint, "%s", hint);
    return false;
}

/* ---- taking ---- */

bool parse_need_word(struct parse *p, const char *word)
{
    char upper[32];
    size_t i = 0;

    if (parse_word(p, word)) {
        return true;
    }
    for (; word[i] != '\0' && i < sizeof upper - 1; i++) {
        upper[i] = (char)toupper((unsigned char)word[i]);
    }
    upper[i] = '\0';
    return parse_expected(p, upper);
}

bool parse_need_byte(struct parse *p, char c)
{
    const char what[] = {'"', c, '"', '\0'};

    return parse_byte(p, c) ? true : parse_expected(p, what);
}

bool parse_need_end(struct parse *p)
{
    return parse_at_end(p) ? true : parse_expected(p, "the end of the statement");
}

/* Without the quotes around it, and with doubled ones as one. */
static char *unquoted(struct arena *arena, struct bytes text)
{
    char quote = (char)text.data[0];
    char *name = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    for (size_t i = 1; i < text.len; i++) {
        bool is_quote = (char)text.data[i] == quote;

        if (is_quote && (i + 1 >= text.len || (char)text.data[i + 1] != quote)) {
            break;
        }
        name[len++] = (char)text.data[i];
        i += is_quote;
    }
    name[len] = '\0';
    return name;
}

bool parse_name(struct parse *p, const char **ret)
{
    struct bytes text = p->token.text;
    char *name;

    if (p->token.kind == TOKEN_QUOTED && text.len > 2 && text.data[text.len - 1] == '"') {
        *ret = unquoted(p->arena, text);
    } else if (p->token.kind == TOKEN_WORD) {
        name = arena_strndup(p->arena, text.data, text.len);
        for (char *c = name; *c != '\0'; c++) {
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
        }
        *ret = name;
    } else {
        return parse_expected(p, "a name");
    }
    parse_next(p);
    return true;
}

/* E'...': only what stands for itself, quotes, and the usual control characters. */
static const char *unescaped(struct arena *arena, struct bytes text)
{
    static const char *const from = "ntrbf";
    static const char *const to = "\n\t\r\b\f";
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    for (size_t i = 2; i + 1 < text.len; i++) {
        uint8_t c = text.data[i];

        if ((c == '\\' || c == '\'') && i + 2 < text.len) {
            const char *known;

            i++;
            known = c == '\\' ? strchr(from, text.data[i]) : NULL;
            c = known != NULL && *known != '\0' ? (uint8_t)to[known - from] : text.data[i];
        }
        out[len++] = (char)c;
    }
    out[len] = '\0';
    return out;
}

/* NULL: what opens is not closed. */
static const char *undollared(struct arena *arena, struct bytes text)
{
    size_t tag = 1;

    while (tag < text.len && text.data[tag] != '$') {
        tag++;
    }
    tag++;
    if (text.len < 2 * tag || memcmp(text.data, text.data + text.len - tag, tag) != 0) {
        return NULL;
    }
    return arena_strndup(arena, text.data + tag, text.len - 2 * tag);
}

bool parse_string(struct parse *p, const char **ret)
{
    struct bytes text = p->token.text;

    if (p->token.kind != TOKEN_STRING || text.len < 2) {
        return parse_expected(p, "a text in single quotes");
    }
    *ret = NULL;
    if (text.data[0] == '\'' && text.data[text.len - 1] == '\'') {
        *ret = unquoted(p->arena, text);
    } else if ((text.data[0] == 'e' || text.data[0] == 'E') && text.len > 2 &&
               text.data[text.len - 1] == '\'') {
        *ret = unescaped(p->arena, text);
    } else if (text.data[0] == '$') {
        *ret = undollared(p->arena, text);
    }
    if (*ret == NULL) {
        return parse_expected(p, "a text in single quotes");
    }
    parse_next(p);
    return true;
}

bool parse_integer(struct parse *p, int32_t *ret)
{
    char text[16];
    char *end;
    long long number;

    if (p->token.kind != TOKEN_NUMBER || p->token.text.len >= sizeof text) {
        return parse_expected(p, "a number");
    }
    memcpy(text, p->token.text.data, p->token.text.len);
    text[p->token.text.len] = '\0';
    number = strtoll(text, &end, 10);
    if (*end != '\0' || number > INT32_MAX) {
        return parse_expected(p, "a whole number");
    }
    *ret = (int32_t)number;
    parse_next(p);
    return true;
}

void *parse_grow(struct arena *arena, void *items, size_t *count, size_t size)
{
    if ((*count & (*count - 1)) == 0) { /* 0 and the powers of two: full */
        void *more = arena_array(arena, *count == 0 ? 1 : *count * 2, size);

        if (*count > 0) {
            memcpy(more, items, *count * size);
        }
        items = more;
    }
    (*count)++;
    return items;
}

bool parse_name_list(struct parse *p, struct parse_names *ret)
{
    struct parse_names names = {0};
    const char *name;

    if (!parse_need_byte(p, '(')) {
        return false;
    }
    do {
        if (!parse_name(p, &name)) {
            return false;
        }
        names.items = parse_grow(p->arena, names.items, &names.count, sizeof *names.items);
        names.items[names.count - 1] = name;
    } while (parse_byte(p, ','));
    *ret = names;
    return parse_need_byte(p, ')');
}

bool parse_table(struct parse *p, struct sql_name *ret)
{
    const char *parts[3];
    size_t count = 0;
    struct sql_name name = {.position = parse_position(p->text, parse_offset(p))};

    do {
        if (count == ARRAY_LEN(parts)) {
            return parse_expected(p, "a name of at most three parts");
        }
        name.exact = p->token.kind == TOKEN_QUOTED;
        if (!parse_name(p, &parts[count++])) {
            return false;
        }
    } while (parse_byte(p, '.'));
    if (count == 3 && strcasecmp(parts[0], CATALOG) != 0) {
        return parse_failed(p, "0A000", "there is no catalog \"%s\"", parts[0]);
    }
    name.name = parts[count - 1];
    name.database = count > 1 ? parts[count - 2] : NULL;
    *ret = name;
    return true;
}

int parse_bracket(const struct token *t)
{
    if (t->kind != TOKEN_OTHER) {
        return 0;
    }
    switch (t->text.data[0]) {
    case '(':
    case '[':
    case '{':
        return 1;
    case ')':
    case ']':
    case '}':
        return -1;
    default:
        return 0;
    }
}
