#include "ddl.h"

#include "ddl_table.h"

/* ---- names ---- */

static bool parse_names_of(struct parse *p, struct ddl *d)
{
    do {
        struct sql_name name;

        if (!parse_table(p, &name)) {
            return false;
        }
        d->names = parse_grow(p->arena, d->names, &d->name_count, sizeof *d->names);
        d->names[d->name_count - 1] = name;
    } while (parse_byte(p, ','));
    return true;
}

static bool parse_exists(struct parse *p, bool not, bool *ret)
{
    if (!parse_word(p, "if")) {
        return true;
    }
    *ret = true;
    return (!not || parse_need_word(p, "not")) && parse_need_word(p, "exists");
}

static bool is_database(struct parse *p)
{
    return parse_word(p, "database") || parse_word(p, "schema");
}

/* ---- CREATE ---- */

static void write_database(struct parse *p, struct ddl *d, const char *comment,
                           const struct ddl_options *options)
{
    struct json_writer w;

    json_writer_init(&w, p->arena);
    json_write_object(&w);
    json_write_int_member(&w, "version", 1);
    if (comment != NULL) {
        json_write_string_member(&w, "comment", comment);
    }
    json_write_key(&w, "custom_properties");
    json_write_object(&w);
    for (size_t i = 0; i < options->count; i++) {
        json_write_string_member(&w, options->items[i].key, options->items[i].value);
    }
    json_write_end(&w);
    json_write_end(&w);
    d->json = json_writer_text(&w);
}

static bool create_database(struct parse *p, struct ddl *d)
{
    struct ddl_options options = {0};
    const char *comment = NULL;

    d->kind = DDL_CREATE_DATABASE;
    if (!parse_exists(p, true, &d->if_exists) || !parse_names_of(p, d)) {
        return false;
    }
    if (d->name_count > 1) {
        return parse_expected(p, "one name");
    }
    if ((parse_word(p, "comment") && !parse_string(p, &comment)) ||
        (parse_word(p, "with") && !ddl_options_parse(p, &options))) {
        return false;
    }
    write_database(p, d, comment, &options);
    return parse_need_end(p);
}

static bool create_table(struct parse *p, struct ddl *d)
{
    struct sql_name name;

    d->kind = DDL_CREATE_TABLE;
    d->tag = "CREATE TABLE";
    if (!parse_exists(p, true, &d->if_exists) || !parse_table(p, &name)) {
        return false;
    }
    d->names = parse_grow(p->arena, d->names, &d->name_count, sizeof *d->names);
    d->names[0] = name;
    return ddl_table_parse(p, &d->json);
}

static bool parse_create(struct parse *p, struct ddl *d)
{
    d->tag = parse_at_word(p, "schema") ? "CREATE SCHEMA" : "CREATE DATABASE";
    if (is_database(p)) {
        return create_database(p, d);
    }
    if (parse_word(p, "table")) {
        return create_table(p, d);
    }
    return parse_failed(p, "0A000", "only databases and tables can be created");
}

/* ---- DROP ---- */

static bool parse_drop(struct parse *p, struct ddl *d)
{
    d->tag = parse_at_word(p, "schema") ? "DROP SCHEMA" : "DROP DATABASE";
    if (is_database(p)) {
        d->kind = DDL_DROP_DATABASE;
    } else if (parse_word(p, "table")) {
        d->kind = DDL_DROP_TABLE;
        d->tag = "DROP TABLE";
    } else {
        return parse_failed(p, "0A000", "only databases and tables can be dropped");
    }
    if (!parse_exists(p, false, &d->if_exists) || !parse_names_of(p, d)) {
        return false;
    }
    d->cascade = parse_word(p, "cascade");
    (void)parse_word(p, "restrict");
    return parse_need_end(p);
}

/* ---- ALTER TABLE ---- */

static void add_change(struct parse *p, struct ddl *d, const char *key, const char *value)
{
    d->changes = parse_grow(p->arena, d->changes, &d->change_count, sizeof *d->changes);
    d->changes[d->change_count - 1] =
        (struct meta_change){.key = bytes_str(key),
                             .value = value == NULL ? BYTES_EMPTY : bytes_str(value),
                             .op = value == NULL ? META_DELETE : META_SET};
}

static bool alter_set(struct parse *p, struct ddl *d)
{
    struct ddl_options options = {0};

    if (!ddl_options_parse(p, &options)) {
        return false;
    }
    for (size_t i = 0; i < options.count; i++) {
        add_change(p, d, options.items[i].key, options.items[i].value);
    }
    return true;
}

static bool alter_reset(struct parse *p, struct ddl *d)
{
    const char *key;

    if (!parse_need_byte(p, '(')) {
        return false;
    }
    do {
        if (!ddl_key_parse(p, &key)) {
            return false;
        }
        add_change(p, d, key, NULL);
    } while (parse_byte(p, ','));
    return parse_need_byte(p, ')');
}

static bool alter_partition(struct parse *p, struct ddl *d, enum ddl_kind kind)
{
    struct ddl_options options = {0};

    d->kind = kind;
    if (!ddl_options_parse(p, &options)) {
        return false;
    }
    d->spec = arena_array(p->arena, options.count, sizeof *d->spec);
    for (size_t i = 0; i < options.count; i++) {
        d->spec[i] = (struct meta_spec){.key = bytes_str(options.items[i].key),
                                        .value = bytes_str(options.items[i].value)};
    }
    d->spec_count = options.count;
    return true;
}

static bool add_column(struct parse *p, struct ddl *d)
{
    struct meta_add_column column;

    if (!ddl_column_parse(p, &column)) {
        return false;
    }
    d->columns = parse_grow(p->arena, d->columns, &d->column_count, sizeof *d->columns);
    d->columns[d->column_count - 1] = column;
    return true;
}

static bool alter_add(struct parse *p, struct ddl *d)
{
    bool listed;

    if (parse_words(p, "if", "not")) {
        bool existing = parse_need_word(p, "exists");

        d->if_exists = true;
        return existing && parse_need_word(p, "partition") &&
               alter_partition(p, d, DDL_CREATE_PARTITION);
    }
    if (parse_word(p, "partition")) {
        return alter_partition(p, d, DDL_CREATE_PARTITION);
    }
    (void)parse_word(p, "column");
    if (parse_at_word(p, "if")) {
        return parse_failed(p, "0A000", "ADD COLUMN has no IF NOT EXISTS");
    }
    listed = parse_byte(p, '(');
    do {
        if (parse_word(p, "add")) {
            (void)parse_word(p, "column");
        }
        if (!add_column(p, d)) {
            return false;
        }
    } while (parse_byte(p, ','));
    return !listed || parse_need_byte(p, ')');
}

static bool alter_drop(struct parse *p, struct ddl *d)
{
    if (!parse_exists(p, false, &d->if_exists)) {
        return false;
    }
    if (parse_word(p, "partition")) {
        return alter_partition(p, d, DDL_DROP_PARTITION);
    }
    return parse_failed(p, "0A000", "columns cannot be dropped");
}

static bool parse_alter(struct parse *p, struct ddl *d)
{
    bool table_may_miss = false;
    bool right;

    d->kind = DDL_ALTER_TABLE;
    d->tag = "ALTER TABLE";
    if (!parse_word(p, "table")) {
        return parse_failed(p, "0A000", "only tables can be altered");
    }
    if (!parse_exists(p, false, &table_may_miss)) {
        return false;
    }
    d->names = parse_grow(p->arena, d->names, &d->name_count, sizeof *d->names);
    if (!parse_table(p, &d->names[0])) {
        return false;
    }
    if (parse_word(p, "add")) {
        right = alter_add(p, d);
    } else if (parse_word(p, "drop")) {
        right = alter_drop(p, d);
    } else if (parse_word(p, "set")) {
        right = alter_set(p, d);
    } else if (parse_word(p, "reset")) {
        right = alter_reset(p, d);
    } else if (parse_at_word(p, "rename") || parse_at_word(p, "alter")) {
        right = parse_failed(p, "0A000", "tables and columns keep their names and types");
    } else {
        right = parse_expected(p, "ADD, DROP, SET or RESET");
    }
    if (d->kind == DDL_ALTER_TABLE) { /* else it is about the partition */
        d->if_exists = table_may_miss;
    }
    return right && parse_need_end(p);
}

/* ---- all of them ---- */

bool ddl_is(struct bytes statement)
{
    struct token t = token_next_solid(&statement);

    return t.kind == TOKEN_WORD &&
           (token_is(&t, "create") || token_is(&t, "drop") || token_is(&t, "alter"));
}

bool ddl_parse(struct bytes statement, struct arena *arena, struct ddl *ret, struct sql_error *e)
{
    struct parse p;

    *ret = (struct ddl){0};
    parse_init(&p, statement, arena, e);
    if (parse_word(&p, "create")) {
        return parse_create(&p, ret);
    }
    if (parse_word(&p, "drop")) {
        return parse_drop(&p, ret);
    }
    return parse_need_word(&p, "alter") && parse_alter(&p, ret);
}
