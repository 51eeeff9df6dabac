#include "insert_list.h"

#include "encode.h"

/* Behind SELECT of a query that is nothing but one. */
static bool at_list(struct parse *p)
{
    static const char *const several[] = {"union", "intersect", "except", "distinct", "into"};
    struct parse ahead;
    int depth = 0;

    if (!parse_word(p, "select")) {
        return false;
    }
    ahead = *p;
    for (; !parse_at_end(&ahead); parse_next(&ahead)) {
        depth += parse_bracket(&ahead.token);
        for (size_t i = 0; depth == 0 && i < ARRAY_LEN(several); i++) {
            if (parse_at_word(&ahead, several[i])) {
                return false;
            }
        }
    }
    (void)parse_word(p, "all");
    return true;
}

/* Of the list, with its tokens up to the comma behind it, or to its end. */
struct item {
    struct bytes first;
    size_t tokens;
    bool parameter; /* nothing but one, and maybe a name for it */
    bool several;   /* may be more columns than one */
};

static bool ends_list(const struct parse *p)
{
    static const char *const words[] = {"from",  "where",  "group",   "having", "order",
                                        "limit", "offset", "qualify", "window"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (parse_at_word(p, words[i])) {
            return true;
        }
    }
    return parse_at_end(p);
}

static struct item take_item(struct parse *p)
{
    struct item item = {.first = p->token.text, .parameter = p->token.kind == TOKEN_PARAMETER};
    int depth = 0;

    for (; !parse_at_end(p); parse_next(p)) {
        depth += parse_bracket(&p->token);
        if (depth <= 0 && (parse_at_byte(p, ',') || ends_list(p))) {
            break;
        }
        item.tokens++;
        item.several |=
            parse_at_byte(p, '*') || parse_at_word(p, "columns") || parse_at_word(p, "unnest");
        item.parameter &= item.tokens == 1 || item.tokens == 3 || parse_at_word(p, "as");
    }
    item.parameter &= item.tokens == 1 || item.tokens == 3;
    return item;
}

/* So that dialect_parameter_types sees it, too: DuckDB does not tell all types. */
static void put_cast(struct bytes parameter, const struct type *type, struct buffer *out)
{
    buffer_bytes(out, parameter);
    buffer_bytes(out, bytes_str("::"));
    encode_type_name(type, out);
}

void insert_list_cast(struct dml *dml, struct arena *arena)
{
    const struct schema *schema = meta_table_latest(dml->table)->schema;
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct bytes text = bytes_str(dml->query);
    struct sql_error ignored;
    struct parse p;
    size_t taken = 0;

    parse_init(&p, text, arena, &ignored);
    if (!at_list(&p)) {
        return;
    }
    for (size_t i = 0; i < dml->column_count; i++) {
        struct item item = take_item(&p);

        if (item.several) {
            break;
        }
        if (item.parameter) {
            size_t at = (size_t)(item.first.data - text.data);

            buffer_bytes(&out, bytes_slice(text, taken, at - taken));
            put_cast(item.first, schema->columns[dml->columns[i]].type, &out);
            taken = at + item.first.len;
        }
        if (!parse_byte(&p, ',')) {
            break;
        }
    }
    buffer_bytes(&out, bytes_slice(text, taken, text.len - taken));
    dml->query = arena_strndup(arena, out.data, out.len);
}
