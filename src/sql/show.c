#include "show.h"

#include "encode.h"
#include "names.h"

#include <stdio.h>

#include "base/buffer.h"

static void put(struct buffer *out, const char *text) { buffer_bytes(out, bytes_str(text)); }

/* In single quotes. */
static void put_text(struct buffer *out, struct bytes text)
{
    buffer_u8(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'') {
            buffer_u8(out, '\'');
        }
        buffer_u8(out, text.data[i]);
    }
    buffer_u8(out, '\'');
}

/* ---- CREATE TABLE ---- */

static void put_type(struct buffer *out, const struct type *type)
{
    static const char *const opening[] = {
        [TYPE_ARRAY] = "ARRAY<", [TYPE_MAP] = "MAP<", [TYPE_ROW] = "ROW<"};

    if (!type_is_nested(type)) {
        put(out, type_text(type).text);
        return;
    }
    put(out, opening[type->root]);
    for (uint32_t i = 0; i < type->count; i++) {
        put(out, i > 0 ? ", " : "");
        if (type->root == TYPE_ROW) {
            encode_name(type->fields[i].name, out);
            put(out, " ");
        }
        put_type(out, type->fields[i].type);
    }
    put(out, type->nullable ? ">" : "> NOT NULL");
}

static void put_names(struct buffer *out, const char *clause, struct text_list names)
{
    put(out, clause);
    for (size_t i = 0; i < names.count; i++) {
        put(out, i > 0 ? ", " : " (");
        encode_name(names.items[i], out);
    }
    put(out, names.count > 0 ? ")" : "");
}

static void put_comment(struct buffer *out, const char *comment)
{
    if (comment != NULL) {
        put(out, " COMMENT ");
        put_text(out, bytes_str(comment));
    }
}

static void put_columns(struct buffer *out, const struct schema *schema)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        put(out, i > 0 ? ",\n    " : "\n    ");
        encode_name(schema->columns[i].name, out);
        put(out, " ");
        put_type(out, schema->columns[i].type);
        put_comment(out, schema->columns[i].comment);
    }
    for (uint32_t i = 0; i < schema->primary_key_count; i++) {
        put(out, i > 0 ? ", " : ",\n    PRIMARY KEY (");
        encode_name(schema->columns[schema->primary_key[i]].name, out);
    }
    put(out, schema->primary_key_count > 0 ? ")" : "");
}

struct option_list {
    struct buffer *out;
    size_t count;
};

static void put_option(struct option_list *o, const char *key, const char *value)
{
    put(o->out, o->count++ == 0 ? "\nWITH (\n    " : ",\n    ");
    put_text(o->out, bytes_str(key));
    put(o->out, " = ");
    put_text(o->out, bytes_str(value));
}

static void put_agg(struct option_list *o, const struct schema_column *c, struct arena *arena)
{
    const char *name = c->agg == NULL ? NULL : agg_kind_name(c->agg->kind);

    if (name == NULL) {
        return;
    }
    put_option(o, arena_printf(arena, "fields.%s.agg", c->name), name);
    for (size_t i = 0; i < c->agg->parameters.count; i++) {
        const struct text_pair *p = &c->agg->parameters.items[i];

        put_option(o, arena_printf(arena, "fields.%s.%s.%s", c->name, name, p->key), p->value);
    }
}

static void put_options(struct buffer *out, const struct table_def *def, struct arena *arena)
{
    struct option_list o = {.out = out};
    const struct schema *schema = def->schema;

    if (schema->auto_increment >= 0) {
        put_option(&o, "auto-increment.fields", schema->columns[schema->auto_increment].name);
    }
    for (uint32_t i = 0; i < schema->count; i++) {
        put_agg(&o, &schema->columns[i], arena);
    }
    for (size_t i = 0; i < def->properties.count; i++) {
        put_option(&o, def->properties.items[i].key, def->properties.items[i].value);
    }
    for (size_t i = 0; i < def->custom_properties.count; i++) {
        put_option(&o, def->custom_properties.items[i].key, def->custom_properties.items[i].value);
    }
    put(out, o.count > 0 ? "\n)" : "");
}

static void put_table(struct buffer *out, const struct meta_table *t, struct arena *arena)
{
    const struct table_def *def = &t->descriptor->def;
    char count[40];

    put(out, "CREATE TABLE ");
    encode_name(t->database, out);
    put(out, ".");
    encode_name(t->name, out);
    put(out, " (");
    put_columns(out, def->schema);
    put(out, "\n)");
    put_comment(out, def->comment);
    if (def->partition_keys.count > 0) {
        put_names(out, "\nPARTITIONED BY", def->partition_keys);
    }
    put_names(out, def->bucket_keys.count > 0 ? "\nDISTRIBUTED BY" : "\nDISTRIBUTED",
              def->bucket_keys);
    (void)snprintf(count, sizeof count, " INTO %d BUCKETS", def->bucket_count);
    put(out, count);
    put_options(out, def, arena);
}

/* ---- queries ---- */

/* "SELECT * FROM (VALUES (..), (..)) AS rows(..)"; of no rows, too. */
struct listing {
    struct buffer *out;
    size_t rows;
};

static void begin_row(struct listing *l)
{
    put(l->out, l->rows++ == 0 ? "SELECT * FROM (VALUES (" : ",(");
}

static void end_listing(struct listing *l, const char *columns, const char *nothing)
{
    put(l->out, l->rows == 0 ? nothing : ") AS listed(");
    put(l->out, l->rows == 0 ? "" : columns);
    put(l->out, l->rows == 0 ? "" : ")");
}

static void list_databases(struct listing *l, const struct meta_view *view)
{
    for (size_t i = 0; i < view->database_count; i++) {
        begin_row(l);
        put_text(l->out, bytes_str(view->databases[i]->name));
        put(l->out, ")");
    }
    end_listing(l, "name", "SELECT '' AS name WHERE false");
}

static void list_tables(struct listing *l, const struct meta_view *view, const char *database)
{
    struct meta_tables tables = meta_view_tables_of(view, bytes_str(database));

    for (size_t i = 0; i < tables.count; i++) {
        begin_row(l);
        put_text(l->out, bytes_str(tables.items[i]->name));
        put(l->out, ")");
    }
    end_listing(l, "name", "SELECT '' AS name WHERE false");
}

static void list_partitions(struct listing *l, const struct meta_table *t)
{
    char id[32];

    for (size_t i = 0; t->partitions != NULL && i < t->partitions->count; i++) {
        begin_row(l);
        put_text(l->out, bytes_str(t->partitions->by_name[i]->name));
        (void)snprintf(id, sizeof id, ",%lld::BIGINT)", (long long)t->partitions->by_name[i]->id);
        put(l->out, id);
    }
    end_listing(l, "name,id", "SELECT '' AS name, 0::BIGINT AS id WHERE false");
}

static void list_table(struct listing *l, const struct meta_table *t, struct arena *arena)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;

    put_table(&text, t, arena);
    begin_row(l);
    put_text(l->out, bytes_str(t->name));
    put(l->out, ",");
    put_text(l->out, buffer_view(&text));
    put(l->out, ")");
    end_listing(l, "name,statement", "");
}

static bool show_tables(struct parse *p, struct sql_session *s, struct listing *l)
{
    const char *database = s->path_count > 0 ? s->path[0] : "";

    if ((parse_word(p, "from") || parse_word(p, "in")) && !parse_name(p, &database)) {
        return false;
    }
    if (!parse_need_end(p)) {
        return false;
    }
    list_tables(l, s->view, database);
    return true;
}

static bool show_table(struct parse *p, struct sql_session *s, struct listing *l, bool partitions)
{
    const struct meta_table *t;
    struct sql_name name;

    if (!parse_table(p, &name) || !parse_need_end(p) || !names_table(s, &name, &t, p->e)) {
        return false;
    }
    if (partitions) {
        list_partitions(l, t);
    } else {
        list_table(l, t, p->arena);
    }
    return true;
}

bool show_is(struct bytes statement)
{
    static const char *const seconds[] = {"databases", "schemas", "tables", "partitions", "create"};
    struct token t = token_next_solid(&statement);

    if (t.kind != TOKEN_WORD || !token_is(&t, "show")) {
        return false;
    }
    t = token_next_solid(&statement);
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        if (t.kind == TOKEN_WORD && token_is(&t, seconds[i])) {
            return true;
        }
    }
    return false;
}

bool show_query(struct bytes statement, struct sql_session *s, struct arena *arena,
                const char **ret, struct sql_error *e)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct listing l = {.out = &out};
    struct parse p;
    bool right;

    parse_init(&p, statement, arena, e);
    (void)parse_word(&p, "show");
    if (parse_word(&p, "databases") || parse_word(&p, "schemas")) {
        right = parse_need_end(&p);
        list_databases(&l, s->view);
    } else if (parse_word(&p, "tables")) {
        right = show_tables(&p, s, &l);
    } else if (parse_word(&p, "partitions")) {
        right = show_table(&p, s, &l, true);
    } else {
        right = parse_need_word(&p, "create") && parse_need_word(&p, "table") &&
                show_table(&p, s, &l, false);
    }
    *ret = arena_strndup(arena, out.data, out.len);
    return right;
}
