#include "copy.h"

#include "copy_in.h"
#include "encode.h"

#include <stdio.h>
#include <strings.h>

/* ---- options ---- */

struct options {
    struct copy_format format;
    bool has_null;
    bool has_escape;
};

static bool one_byte(struct parse *p, const char *what, char *ret)
{
    const char *text;

    (void)parse_word(p, "as");
    if (!parse_string(p, &text)) {
        return false;
    }
    if (text[0] == '\0' || text[1] != '\0' || strchr("\r\n\\", text[0]) != NULL) {
        return parse_failed(p, "22023", "COPY %s must be a single one-byte character", what);
    }
    *ret = text[0];
    return true;
}

static bool parse_format(struct parse *p, struct options *o)
{
    static const char *const names[] = {[COPY_KIND_TEXT] = "text",
                                        [COPY_KIND_CSV] = "csv",
                                        [COPY_KIND_BINARY] = "binary",
                                        [COPY_KIND_PARQUET] = "parquet"};
    struct bytes word = p->token.text;

    if (p->token.kind == TOKEN_STRING && word.len >= 2) { /* which may lack its end */
        word = bytes_slice(word, 1, word.len - 2);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (word.len == strlen(names[i]) &&
            strncasecmp((const char *)word.data, names[i], word.len) == 0) {
            o->format.kind = (enum copy_kind)i;
            parse_next(p);
            return true;
        }
    }
    return parse_failed(p, "0A000", "COPY has the formats text, csv, binary and parquet");
}

static bool parse_header(struct parse *p, struct options *o)
{
    o->format.header = true;
    if (parse_word(p, "false") || parse_word(p, "off")) {
        o->format.header = false;
    } else if (parse_at_word(p, "match")) {
        return parse_failed(p, "0A000", "HEADER MATCH is not served");
    } else if (!parse_word(p, "true")) {
        (void)parse_word(p, "on");
    }
    return true;
}

static bool parse_encoding(struct parse *p)
{
    const char *name;

    if (!parse_string(p, &name)) {
        return false;
    }
    return strcasecmp(name, "utf8") == 0 || strcasecmp(name, "utf-8") == 0
               ? true
               : parse_failed(p, "0A000", "the only encoding is UTF8");
}

static bool parse_null(struct parse *p, struct options *o)
{
    (void)parse_word(p, "as");
    o->has_null = true;
    return parse_string(p, &o->format.null);
}

/* One option; listed: in brackets. */
static bool parse_option(struct parse *p, struct options *o)
{
    if (parse_word(p, "format")) {
        return parse_format(p, o);
    }
    if (parse_at_word(p, "csv") || parse_at_word(p, "text") || parse_at_word(p, "binary")) {
        return parse_format(p, o);
    }
    if (parse_word(p, "delimiter") || parse_word(p, "delimiters")) {
        return one_byte(p, "delimiter", &o->format.delimiter);
    }
    if (parse_word(p, "null")) {
        return parse_null(p, o);
    }
    if (parse_word(p, "header")) {
        return parse_header(p, o);
    }
    if (parse_word(p, "quote")) {
        return one_byte(p, "quote", &o->format.quote);
    }
    if (parse_word(p, "escape")) {
        o->has_escape = true;
        return one_byte(p, "escape", &o->format.escape);
    }
    if (parse_word(p, "encoding")) {
        return parse_encoding(p);
    }
    return parse_expected(p, "FORMAT, DELIMITER, NULL, HEADER, QUOTE, ESCAPE or ENCODING");
}

static bool parse_options(struct parse *p, struct options *o)
{
    (void)parse_word(p, "with");
    if (parse_byte(p, '(')) {
        do {
            if (!parse_option(p, o)) {
                return false;
            }
        } while (parse_byte(p, ','));
        return parse_need_byte(p, ')') && parse_need_end(p);
    }
    while (!parse_at_end(p)) {
        if (!parse_option(p, o)) {
            return false;
        }
    }
    return true;
}

static bool finish_options(struct parse *p, struct options *o, struct copy_format *ret)
{
    struct copy_format *f = &o->format;

    if (f->kind > COPY_KIND_CSV &&
        (f->delimiter != '\0' || f->quote != '\0' || o->has_escape || o->has_null || f->header)) {
        return parse_failed(p, "42601", "these options are those of other formats");
    }
    if (f->delimiter == '\0') {
        f->delimiter = f->kind == COPY_KIND_CSV ? ',' : '\t';
    }
    if (f->quote == '\0') {
        f->quote = '"';
    }
    if (!o->has_escape) {
        f->escape = f->quote;
    }
    if (!o->has_null) {
        f->null = f->kind == COPY_KIND_CSV ? "" : "\\N";
    }
    if (f->kind == COPY_KIND_CSV && f->delimiter == f->quote) {
        return parse_failed(p, "22023", "COPY delimiter and quote must be different");
    }
    if (strchr(f->null, '\n') != NULL || strchr(f->null, '\r') != NULL ||
        strchr(f->null, f->delimiter) != NULL) {
        return parse_failed(p, "22023", "COPY null has a line end or the delimiter in it");
    }
    *ret = *f;
    return true;
}

/* ---- what is copied ---- */

static void put(struct buffer *out, const char *text) { buffer_bytes(out, bytes_str(text)); }

/* The text of a column as PostgreSQL writes it, as a value of the type. */
static void put_column(struct buffer *out, const struct type *type, size_t i)
{
    char text[200];

    if (type->root == TYPE_BYTES || type->root == TYPE_BINARY) {
        (void)snprintf(
            text, sizeof text,
            "CASE WHEN starts_with(c%zu,'\\x') THEN unhex(c%zu[3:]) ELSE encode(c%zu) END", i, i,
            i);
        put(out, text);
        return;
    }
    if (type->root == TYPE_ARRAY) {
        (void)snprintf(
            text, sizeof text,
            "CAST(CASE WHEN starts_with(c%zu,'{') THEN '[' || c%zu[2:-2] || ']' ELSE c%zu "
            "END AS ",
            i, i, i);
    } else {
        (void)snprintf(text, sizeof text, "CAST(c%zu AS ", i);
    }
    put(out, text);
    encode_type_name(type, out);
    put(out, ")");
}

static const char *cast_query(const struct dml *dml, struct arena *arena)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    const struct schema *schema = meta_table_latest(dml->table)->schema;
    char text[40];

    put(&out, "SELECT ");
    for (size_t i = 0; i < dml->column_count; i++) {
        put(&out, i > 0 ? "," : "");
        put_column(&out, schema->columns[dml->columns[i]].type, i);
    }
    (void)snprintf(text, sizeof text, " FROM " COPY_FUNCTION "(%zu) AS r(", dml->column_count);
    put(&out, text);
    for (size_t i = 0; i < dml->column_count; i++) {
        (void)snprintf(text, sizeof text, "%sc%zu", i > 0 ? "," : "", i);
        put(&out, text);
    }
    put(&out, ")");
    return arena_strndup(arena, out.data, out.len);
}

static struct bytes since(const struct parse *p, size_t from)
{
    return bytes_slice(p->text, from, parse_offset(p) - from);
}

/* "(query)" */
static bool take_query(struct parse *p, struct buffer *out)
{
    size_t from = parse_offset(p) + 1;
    size_t depth = 0;

    for (;;) {
        depth += parse_at_byte(p, '(');
        if (parse_at_byte(p, ')') && --depth == 0) {
            break;
        }
        if (parse_at_end(p)) {
            return parse_expected(p, "\")\"");
        }
        parse_next(p);
    }
    buffer_bytes(out, since(p, from));
    parse_next(p);
    return true;
}

/* "t" or "t (a, b)" as a query; the names are DuckDB's to resolve. */
static bool take_relation(struct parse *p, struct buffer *out)
{
    size_t from = parse_offset(p);
    struct parse_names names;
    struct sql_name name;
    struct bytes relation;

    if (!parse_table(p, &name)) {
        return false;
    }
    relation = since(p, from);
    from = parse_offset(p) + 1;
    put(out, "SELECT ");
    if (parse_at_byte(p, '(')) {
        if (!parse_name_list(p, &names)) {
            return false;
        }
        for (size_t i = 0; i < names.count; i++) {
            put(out, i > 0 ? "," : "");
            encode_name(names.items[i], out);
        }
    } else {
        put(out, "*");
    }
    put(out, " FROM ");
    buffer_bytes(out, relation);
    return true;
}

static bool is_from(const struct parse *at)
{
    struct parse p = *at;
    struct sql_name name;
    struct parse_names names;
    struct sql_error ignored;

    p.e = &ignored;
    return !parse_at_byte(&p, '(') && parse_table(&p, &name) &&
           (!parse_at_byte(&p, '(') || parse_name_list(&p, &names)) && parse_at_word(&p, "from");
}

static bool parse_end(struct parse *p, const char *place, struct copy *ret)
{
    struct options options = {.format = {0}};

    if (p->token.kind == TOKEN_STRING || parse_at_word(p, "program")) {
        return parse_failed(p, "0A000", "the server reads and writes no files for SQL") ||
               parse_hint(p, "psql's \\copy and the drivers' COPY send the data.");
    }
    return parse_need_word(p, place) && parse_options(p, &options) &&
           finish_options(p, &options, &ret->format);
}

bool copy_is(struct bytes statement)
{
    struct token t = token_next_solid(&statement);

    return t.kind == TOKEN_WORD && token_is(&t, "copy");
}

bool copy_parse(struct bytes statement, struct sql_session *s, struct arena *arena,
                struct copy *ret, struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct parse p;

    *ret = (struct copy){0};
    parse_init(&p, statement, arena, e);
    if (!parse_need_word(&p, "copy")) {
        return false;
    }
    ret->from = is_from(&p);
    if (ret->from) {
        if (!dml_target_parse(&p, s, &ret->dml, &ret->all_columns) ||
            !parse_need_word(&p, "from") || !parse_end(&p, "stdin", ret)) {
            return false;
        }
        if (ret->format.kind != COPY_KIND_PARQUET) {
            ret->query = cast_query(&ret->dml, arena);
        }
        return true;
    }
    if (!(parse_at_byte(&p, '(') ? take_query(&p, &out) : take_relation(&p, &out)) ||
        !parse_need_word(&p, "to") || !parse_end(&p, "stdout", ret)) {
        return false;
    }
    ret->query = arena_strndup(arena, out.data, out.len);
    return true;
}
