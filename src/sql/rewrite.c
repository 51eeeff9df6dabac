/* The rules of dialect.h, one function each: it looks at the start of the text, and either takes what it
 * knows off it and writes what DuckDB reads, or leaves both alone. */
#include "dialect.h"

#define DEPTH_MAX 256

static bool is_byte(const struct token *t, char c)
{
    return t->kind == TOKEN_OTHER && t->text.data[0] == (uint8_t)c;
}

/* "pg_catalog ." in front of the text is taken off. */
static bool skip_catalog(struct bytes *text)
{
    struct bytes rest = *text;
    struct token name = token_next_solid(&rest);
    struct token dot = token_next_solid(&rest);

    if (!token_is(&name, "pg_catalog") || !is_byte(&dot, '.')) {
        return false;
    }
    *text = rest;
    return true;
}

/* casts: by parameter; NULL entries: none. */
struct parameters {
    const char *const *casts;
    size_t count;
    bool null; /* NULL in their places */
};

/* What is written. */
struct target {
    struct buffer *buffer;
    const struct parameters *parameters;
};

static void put(struct target *out, struct bytes text) { buffer_bytes(out->buffer, text); }
static void put_text(struct target *out, const char *text) { put(out, bytes_str(text)); }

static size_t parameter_number(const struct token *t)
{
    size_t number = 0;

    for (size_t i = 1; i < t->text.len && number < 100000; i++) {
        number = number * 10 + (size_t)(t->text.data[i] - '0');
    }
    return number;
}

static void put_parameter(struct target *out, const struct token *t)
{
    const struct parameters *p = out->parameters;
    size_t number = parameter_number(t);
    const char *cast = number == 0 || number > p->count ? NULL : p->casts[number - 1];

    if (cast == NULL && !p->null) {
        put(out, t->text);
        return;
    }
    put_text(out, p->null ? "(SELECT CAST(NULL" : "CAST(");
    put(out, p->null ? bytes_str("") : t->text);
    put_text(out, " AS ");
    put_text(out, cast == NULL ? "VARCHAR" : cast);
    put_text(out, p->null ? "))" : ")");
}

static void put_token(struct target *out, const struct token *t)
{
    if (t->kind == TOKEN_PARAMETER) {
        put_parameter(out, t);
    } else {
        put(out, t->text);
    }
}

static bool skip_collate(struct bytes *text)
{
    struct bytes rest = *text;
    struct token t = token_next_solid(&rest);

    if (!token_is(&t, "collate") || !skip_catalog(&rest)) {
        return false;
    }
    t = token_next_solid(&rest);
    if (!token_is(&t, "default")) {
        return false;
    }
    *text = rest;
    return true;
}

/* What of an operator's text is made of these; "~~" and the like are LIKE. */
static struct bytes tildes(struct bytes text)
{
    size_t len = 0;

    while (len < text.len && strchr("!~*", text.data[len]) != NULL) {
        len++;
    }
    return bytes_slice(text, 0, len);
}

/* Writes the operator. Its pattern, a text or a parameter, PostgreSQL looks for anywhere, while DuckDB
 * matches all of the text. */
static void write_match(struct bytes op, struct bytes *text, struct target *out)
{
    bool negated = bytes_equal_str(op, "!~") || bytes_equal_str(op, "!~*");
    bool any_case = bytes_equal_str(op, "~*") || bytes_equal_str(op, "!~*");
    struct bytes rest = *text;
    struct token t = token_next_solid(&rest);

    if ((!negated && !any_case && !bytes_equal_str(op, "~")) ||
        (t.kind != TOKEN_STRING && t.kind != TOKEN_PARAMETER)) {
        put(out, op);
        return;
    }
    put_text(out, negated ? "!~ " : "~ ");
    put_text(out, any_case ? "('(?is).*(?:' || " : "('(?s).*(?:' || ");
    put_text(out, "CAST(");
    put_token(out, &t);
    put_text(out, " AS VARCHAR) || ').*')");
    *text = rest;
}

static bool rewrite_match(struct bytes *text, struct target *out)
{
    struct bytes op = tildes(*text);

    if (op.len == 0) {
        return false;
    }
    *text = bytes_slice(*text, op.len, text->len - op.len);
    write_match(op, text, out);
    return true;
}

static bool rewrite_operator(struct bytes *text, struct target *out)
{
    struct bytes rest = *text;
    struct token t = token_next_solid(&rest);
    struct bytes name;

    if (!token_is(&t, "operator")) {
        return false;
    }
    t = token_next_solid(&rest);
    if (!is_byte(&t, '(') || !skip_catalog(&rest)) {
        return false;
    }
    name = rest;
    do {
        t = token_next(&rest);
    } while (t.kind == TOKEN_OTHER && !is_byte(&t, ')'));
    if (!is_byte(&t, ')')) {
        return false;
    }
    *text = rest;
    put_text(out, " ");
    write_match(bytes_slice(name, 0, name.len - rest.len - 1), text, out);
    return true;
}

/* "information_schema ." in front of the text becomes the name of ours. */
static bool rewrite_information(struct bytes *text, struct target *out)
{
    struct bytes rest = *text;
    struct token name = token_next_solid(&rest);
    struct token dot = token_next_solid(&rest);

    if (!token_is(&name, "information_schema") || !is_byte(&dot, '.')) {
        return false;
    }
    put_text(out, " eider_information.");
    *text = rest;
    return true;
}

/* A type whose values are the numbers of things that texts name; NULL: it is none. */
static const char *reg_type(struct bytes *text)
{
    static const char *const types[] = {"regclass", "regtype", "regproc", "regnamespace"};
    struct bytes rest = *text;
    struct token t;

    (void)skip_catalog(&rest);
    t = token_next_solid(&rest);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (token_is(&t, types[i])) {
            *text = rest;
            return types[i];
        }
    }
    return NULL;
}

/* A text that is cast to such a type. */
static bool rewrite_reg(struct bytes *text, struct target *out)
{
    struct bytes rest = *text;
    struct token string = token_next(&rest);
    struct token first = token_next_solid(&rest);
    struct token second = token_next_solid(&rest);
    const char *type;

    if ((string.kind != TOKEN_STRING && string.kind != TOKEN_PARAMETER) || !is_byte(&first, ':') ||
        !is_byte(&second, ':')) {
        return false;
    }
    type = reg_type(&rest);
    if (type == NULL) {
        return false;
    }
    put_text(out, " eider_to_");
    put_text(out, type);
    put_text(out, "(");
    put_token(out, &string);
    put_text(out, ")");
    *text = rest;
    return true;
}

/* An array as a text that is cast: '{a,b}'::text[] is '[a,b]'::text[]. */
static bool rewrite_array(struct bytes *text, struct target *out)
{
    struct bytes rest = *text;
    struct token array = token_next(&rest);
    struct bytes behind = rest;
    struct bytes inner = array.text;
    struct token t[5];

    if (array.kind != TOKEN_STRING || inner.len < 4 || memcmp(inner.data, "'{", 2) != 0 ||
        memcmp(inner.data + inner.len - 2, "}'", 2) != 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        (void)(i == 2 && skip_catalog(&rest));
        t[i] = token_next_solid(&rest);
    }
    if (!is_byte(&t[0], ':') || !is_byte(&t[1], ':') || t[2].kind != TOKEN_WORD ||
        !is_byte(&t[3], '[') || !is_byte(&t[4], ']')) {
        return false;
    }
    put_text(out, "'[");
    put(out, bytes_slice(inner, 2, inner.len - 4));
    put_text(out, "]'");
    *text = behind;
    return true;
}

/* "::oid": of DuckDB's types the one that is one to clients. */
static bool rewrite_oid(struct bytes *text, struct target *out)
{
    struct bytes rest = *text;
    struct token first = token_next(&rest);
    struct token second = token_next(&rest);
    struct token name;

    (void)skip_catalog(&rest);
    name = token_next_solid(&rest);
    if (!is_byte(&first, ':') || !is_byte(&second, ':') || !token_is(&name, "oid")) {
        return false;
    }
    put_text(out, "::UINTEGER");
    *text = rest;
    return true;
}

/* Functions that DuckDB has under another name. */
static bool rewrite_function(struct bytes *text, struct target *out)
{
    static const struct {
        const char *from;
        const char *to;
    } names[] = {{"json_build_object", "json_object"}, {"json_build_array", "json_array"}};
    struct bytes rest = *text;
    struct token name = token_next(&rest);

    for (size_t i = 0; name.kind == TOKEN_WORD && i < ARRAY_LEN(names); i++) {
        if (token_is(&name, names[i].from)) {
            put_text(out, names[i].to);
            *text = rest;
            return true;
        }
    }
    return false;
}

/* ---- the types that parameters are cast to ---- */

static uint32_t type_named(const struct token *name, bool array)
{
    static const struct {
        const char *name;
        uint32_t oid;
        uint32_t array;
    } types[] = {
        {"bool", 16, 1000},    {"boolean", 16, 1000},  {"bytea", 17, 0},
        {"int2", 21, 1005},    {"smallint", 21, 1005}, {"int4", 23, 1007},
        {"int", 23, 1007},     {"integer", 23, 1007},  {"int8", 20, 1016},
        {"bigint", 20, 1016},  {"float4", 700, 1021},  {"real", 700, 1021},
        {"float8", 701, 1022}, {"text", 25, 1009},     {"varchar", 1043, 1015},
        {"date", 1082, 1182},  {"uuid", 2950, 2951},   {"oid", 26, 1028},
        {"name", 19, 1003},
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (token_is(name, types[i].name)) {
            return array ? types[i].array : types[i].oid;
        }
    }
    return 0;
}

/* Of "($1, 10)" behind the name of a function over integers: other functions of these names have
 * arguments that say by themselves what they are. */
static void types_of_series(struct bytes text, uint32_t *types, size_t count)
{
    struct bytes rest = text;
    struct token t = token_next_solid(&rest);

    while (is_byte(&t, '(') || is_byte(&t, ',')) {
        t = token_next_solid(&rest);
        if (t.kind != TOKEN_PARAMETER && t.kind != TOKEN_NUMBER) {
            return;
        }
        t = token_next_solid(&rest);
    }
    if (!is_byte(&t, ')')) {
        return;
    }
    text = bytes_slice(text, 0, text.len - rest.len);
    while ((t = token_next_solid(&text)).kind != TOKEN_END) {
        size_t number = t.kind == TOKEN_PARAMETER ? parameter_number(&t) : 0;

        if (number > 0 && number <= count && types[number - 1] == 0) {
            types[number - 1] = 20;
        }
    }
}

void dialect_parameter_types(struct bytes statement, uint32_t *types, size_t count)
{
    struct token t;

    while ((t = token_next_solid(&statement)).kind != TOKEN_END) {
        size_t number = t.kind == TOKEN_PARAMETER ? parameter_number(&t) : 0;
        struct bytes rest = statement;
        struct token next[4]; /* "::" name "[" */

        if (token_is(&t, "range") || token_is(&t, "generate_series")) {
            types_of_series(statement, types, count);
        }
        if (number == 0 || number > count || types[number - 1] != 0) {
            continue;
        }
        for (size_t i = 0; i < ARRAY_LEN(next); i++) {
            (void)(i == 2 && skip_catalog(&rest));
            next[i] = token_next_solid(&rest);
        }
        if (is_byte(&next[0], ':') && is_byte(&next[1], ':')) {
            types[number - 1] = type_named(&next[2], is_byte(&next[3], '['));
        }
    }
}

/* ---- what depends on where it stands ---- */

/* Inside a pair of parentheses, or outside of all. */
struct place {
    bool from;     /* behind FROM, before the next clause */
    bool function; /* the arguments of a function that FROM names */
};

struct walk {
    struct place places[DEPTH_MAX];
    size_t depth; /* above DEPTH_MAX nothing is known */
};

static struct place *place_of(struct walk *w)
{
    return w->depth < DEPTH_MAX ? &w->places[w->depth] : NULL;
}

static bool token_is_any(const struct token *t, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (t->kind == TOKEN_WORD && token_is(t, *words)) {
            return true;
        }
    }
    return false;
}

static void see_word(struct walk *w, const struct token *t, struct bytes rest)
{
    static const char *const from[] = {"from", "join", NULL};
    static const char *const clauses[] = {"select", "where", "group", "order",
                                          "having", "limit", "union", "returning",
                                          "on",     "using", NULL};
    static const char *const functions[] = {"generate_series", "string_to_array", "unnest", NULL};
    struct place *p = place_of(w);
    struct token next = token_next_solid(&rest);

    if (p == NULL) {
        return;
    }
    if (token_is_any(t, from)) {
        p->from = true;
    } else if (token_is_any(t, clauses)) {
        p->from = false;
    }
    if (w->depth + 1 < DEPTH_MAX) {
        w->places[w->depth + 1].function =
            p->from && token_is_any(t, functions) && is_byte(&next, '(');
    }
}

/* Behind a function in FROM: its alias names its column, too. */
static void rewrite_alias(struct bytes *text, struct target *out)
{
    static const char *const others[] = {
        "where", "join",  "left",  "right", "full",   "inner",  "cross",   "on",        "order",
        "group", "limit", "union", "with",  "offset", "having", "natural", "returning", NULL};
    struct bytes rest = *text;
    struct token name = token_next_solid(&rest);
    struct bytes behind;
    struct token next;

    if (token_is(&name, "as") && name.kind == TOKEN_WORD) {
        name = token_next_solid(&rest);
    }
    behind = rest;
    next = token_next_solid(&behind);
    if ((name.kind != TOKEN_WORD && name.kind != TOKEN_QUOTED) || token_is_any(&name, others) ||
        is_byte(&next, '(')) {
        return;
    }
    put_text(out, " AS ");
    put(out, name.text);
    put_text(out, "(");
    put(out, name.text);
    put_text(out, ")");
    *text = rest;
}

/* "AS regclass )" at the end of a CAST. */
static bool rewrite_cast(struct bytes *text, struct target *out)
{
    struct bytes rest = *text;
    struct bytes behind;
    struct token as = token_next(&rest);
    struct token close;
    const char *type;

    if (as.kind != TOKEN_WORD || !token_is(&as, "as")) {
        return false;
    }
    type = reg_type(&rest);
    behind = rest;
    close = token_next_solid(&behind);
    if (type == NULL || !is_byte(&close, ')')) {
        return false;
    }
    *text = rest;
    put_text(out, "AS VARCHAR).eider_to_");
    put_text(out, type);
    put_text(out, "(");
    return true; /* the parenthesis that is next ends the call */
}

static void see_token(struct walk *w, const struct token *t, struct bytes *rest, struct target *out)
{
    if (t->kind == TOKEN_WORD) {
        see_word(w, t, *rest);
    } else if (is_byte(t, '(')) {
        w->depth++;
        if (place_of(w) != NULL) {
            place_of(w)->from = false;
        }
    } else if (is_byte(t, ')') && w->depth > 0) {
        bool function = place_of(w) != NULL && place_of(w)->function;

        if (place_of(w) != NULL) {
            place_of(w)->function = false;
        }
        w->depth--;
        if (function) {
            rewrite_alias(rest, out);
        }
    }
}

static bool apply(struct bytes *text, struct target *out)
{
    static bool (*const rules[])(struct bytes *, struct target *) = {
        rewrite_operator, rewrite_information, rewrite_reg,  rewrite_array,
        rewrite_function, rewrite_oid,         rewrite_cast, rewrite_match,
    };

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i](text, out)) {
            return true;
        }
    }
    return false;
}

static void rewrite(struct bytes text, struct target *out)
{
    struct walk w = {.depth = 0};

    while (text.len > 0) {
        struct bytes rest = text;
        struct token t = token_next(&rest);

        /* space first, for the rules look beyond it */
        if (t.kind == TOKEN_SPACE) {
            put(out, t.text);
            text = rest;
            continue;
        }
        if (skip_collate(&text) || skip_catalog(&text)) {
            put_text(out, " ");
            continue;
        }
        if (apply(&text, out)) {
            continue;
        }
        text = rest;
        put_token(out, &t);
        see_token(&w, &t, &text, out);
    }
    buffer_u8(out->buffer, '\0');
}

void dialect_rewrite(struct bytes statement, const char *const *casts, size_t count,
                     struct buffer *out)
{
    struct parameters parameters = {.casts = casts, .count = count};

    rewrite(statement, &(struct target){.buffer = out, .parameters = &parameters});
}

void dialect_rewrite_nulls(struct bytes statement, const char *const *casts, size_t count,
                           struct buffer *out)
{
    struct parameters parameters = {.casts = casts, .count = count, .null = true};

    rewrite(statement, &(struct target){.buffer = out, .parameters = &parameters});
}
