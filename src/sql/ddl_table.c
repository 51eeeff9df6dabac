#include "ddl_table.h"

#include "parse_type.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS_MAX 4096

struct column {
    const char *name;
    const struct type *type;
    const char *comment;
    struct ddl_options agg; /* "function", then its parameters */
};

struct draft {
    struct column *columns;
    size_t column_count;
    struct parse_names primary;
    struct parse_names partition;
    struct parse_names bucket;
    bool distributed;
    int32_t bucket_count; /* 0: not said */
    const char *comment;
    const char *auto_increment;
    struct ddl_options options;
};

/* ---- options ---- */

bool ddl_key_parse(struct parse *p, const char **ret)
{
    size_t from = parse_offset(p);
    size_t end;

    if (p->token.kind == TOKEN_STRING) {
        return parse_string(p, ret);
    }
    do {
        const char *part;

        if (!parse_name(p, &part)) {
            return false;
        }
        end = p->text.len - p->rest.len - p->token.text.len;
    } while (parse_byte(p, '.'));
    while (end > from && strchr(" \t\r\n", p->text.data[end - 1]) != NULL) {
        end--;
    }
    *ret = arena_strndup(p->arena, p->text.data + from, end - from);
    return true;
}

bool ddl_value_parse(struct parse *p, const char **ret)
{
    if (p->token.kind == TOKEN_STRING) {
        return parse_string(p, ret);
    }
    if (p->token.kind == TOKEN_NUMBER || p->token.kind == TOKEN_WORD) {
        *ret = arena_strndup(p->arena, p->token.text.data, p->token.text.len);
        parse_next(p);
        return true;
    }
    return parse_expected(p, "a value");
}

static void add_option(struct parse *p, struct ddl_options *to, const char *key, const char *value)
{
    to->items = parse_grow(p->arena, to->items, &to->count, sizeof *to->items);
    to->items[to->count - 1] = (struct text_pair){.key = key, .value = value};
}

bool ddl_options_parse(struct parse *p, struct ddl_options *ret)
{
    if (!parse_need_byte(p, '(')) {
        return false;
    }
    do {
        const char *key;
        const char *value;

        if (!ddl_key_parse(p, &key) || !parse_need_byte(p, '=') || !ddl_value_parse(p, &value)) {
            return false;
        }
        if (ret->count >= TEXT_MAP_COUNT_MAX) {
            return parse_failed(p, "54000", "there are more than %d options", TEXT_MAP_COUNT_MAX);
        }
        add_option(p, ret, key, value);
    } while (parse_byte(p, ','));
    return parse_need_byte(p, ')');
}

/* "a, b" of an option. */
static struct parse_names split_names(struct parse *p, const char *text)
{
    struct parse_names names = {0};

    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        size_t from = strspn(text, " ");
        size_t end = len;

        while (end > from && text[end - 1] == ' ') {
            end--;
        }
        names.items = parse_grow(p->arena, names.items, &names.count, sizeof *names.items);
        names.items[names.count - 1] =
            from >= end ? "" : arena_strndup(p->arena, text + from, end - from);
        text += len + (text[len] == ',');
    }
    return names;
}

static struct column *find_column(struct draft *d, const char *name, size_t len)
{
    for (size_t i = 0; i < d->column_count; i++) {
        if (strlen(d->columns[i].name) == len && strncmp(d->columns[i].name, name, len) == 0) {
            return &d->columns[i];
        }
    }
    return NULL;
}

/* fields.<column>.agg = function, fields.<column>.<function>.<parameter> = value */
static bool take_agg(struct parse *p, struct draft *d, const char *key, const char *value)
{
    const char *name = key + strlen("fields.");
    size_t len = strcspn(name, ".");
    struct column *c = find_column(d, name, len);
    const char *rest = name[len] == '.' ? name + len + 1 : "";
    const char *parameter = strchr(rest, '.');

    if (c == NULL) {
        return parse_failed(p, "42703", "option %.80s names no column of the table", key);
    }
    if (strcmp(rest, "agg") == 0) {
        add_option(p, &c->agg, "", value);
    } else if (parameter != NULL) {
        add_option(p, &c->agg, parameter + 1, value);
    } else {
        return parse_failed(p, "22023", "option %.80s is not known", key);
    }
    return true;
}

static bool take_bucket_count(struct parse *p, struct draft *d, const char *value)
{
    char *end;
    long long number = strtoll(value, &end, 10);

    if (end == value || *end != '\0' || number < 1 || number > INT32_MAX) {
        return parse_failed(p, "22023", "bucket.num is a whole number from 1 on, not \"%.40s\"",
                            value);
    }
    d->distributed = true;
    d->bucket_count = (int32_t)number;
    return true;
}

/* What the options say of the shape of the table is taken out of them. */
static bool take_options(struct parse *p, struct draft *d, const struct ddl_options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        const char *key = options->items[i].key;
        const char *value = options->items[i].value;
        bool right = true;

        if (strcmp(key, "bucket.num") == 0) {
            right = take_bucket_count(p, d, value);
        } else if (strcmp(key, "bucket.key") == 0) {
            d->distributed = true;
            d->bucket = split_names(p, value);
        } else if (strcmp(key, "auto-increment.fields") == 0) {
            d->auto_increment = value;
        } else if (strncmp(key, "fields.", strlen("fields.")) == 0) {
            right = take_agg(p, d, key, value);
        } else {
            add_option(p, &d->options, key, value);
        }
        if (!right) {
            return false;
        }
    }
    return true;
}

/* ---- columns ---- */

static bool refuse_constraint(struct parse *p)
{
    static const struct {
        const char *word;
        const char *hint;
    } refused[] = {
        {"default", "A column that is not written is null."},
        {"unique", "Only the primary key is unique."},
        {"check", ""},
        {"references", ""},
        {"foreign", ""},
        {"generated", "See WITH ('auto-increment.fields' = 'column')."},
        {"collate", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (parse_at_word(p, refused[i].word)) {
            return parse_failed(p, "0A000", "columns have no %s here", refused[i].word) ||
                   parse_hint(p, refused[i].hint);
        }
    }
    return parse_expected(p, "\",\" or \")\"");
}

static bool add_primary(struct parse *p, struct draft *d, struct parse_names names)
{
    if (d->primary.count > 0) {
        return parse_failed(p, "42P16", "a table has one primary key");
    }
    d->primary = names;
    if (parse_word(p, "not")) {
        return parse_need_word(p, "enforced");
    }
    return true;
}

static bool parse_attributes(struct parse *p, struct draft *d, struct column *c)
{
    for (;;) {
        if (parse_words(p, "not", "null")) {
            c->type = type_with_nullable(c->type, false, p->arena);
        } else if (parse_word(p, "null")) {
            continue;
        } else if (parse_word(p, "comment")) {
            if (!parse_string(p, &c->comment)) {
                return false;
            }
        } else if (d != NULL && parse_words(p, "primary", "key")) {
            const char **name = arena_alloc(p->arena, sizeof *name);

            *name = c->name;
            if (!add_primary(p, d, (struct parse_names){.items = name, .count = 1})) {
                return false;
            }
        } else {
            return true;
        }
    }
}

static bool parse_column(struct parse *p, struct draft *d, struct column *ret)
{
    size_t at = parse_offset(p);

    *ret = (struct column){0};
    if (!parse_name(p, &ret->name)) {
        return false;
    }
    if (d != NULL && find_column(d, ret->name, strlen(ret->name)) != NULL) {
        (void)parse_failed(p, "42701", "column \"%.100s\" is there twice", ret->name);
        p->e->position = parse_position(p->text, at);
        return false;
    }
    return parse_type(p, &ret->type) && parse_attributes(p, d, ret);
}

static bool parse_element(struct parse *p, struct draft *d)
{
    struct parse_names names;
    struct column column;
    const char *name;

    if (parse_word(p, "constraint") && !parse_name(p, &name)) {
        return false;
    }
    if (parse_words(p, "primary", "key")) {
        return parse_name_list(p, &names) && add_primary(p, d, names);
    }
    if (parse_at_word(p, "unique") || parse_at_word(p, "check") || parse_at_word(p, "foreign")) {
        return refuse_constraint(p);
    }
    if (d->column_count >= COLUMNS_MAX) {
        return parse_failed(p, "54011", "a table has at most %d columns", COLUMNS_MAX);
    }
    if (!parse_column(p, d, &column)) {
        return false;
    }
    d->columns = parse_grow(p->arena, d->columns, &d->column_count, sizeof *d->columns);
    d->columns[d->column_count - 1] = column;
    return parse_at_byte(p, ',') || parse_at_byte(p, ')') ? true : refuse_constraint(p);
}

/* ---- behind the columns ---- */

static bool parse_distribution(struct parse *p, struct draft *d)
{
    d->distributed = true;
    if (parse_word(p, "by")) {
        (void)parse_word(p, "hash");
        if (!parse_name_list(p, &d->bucket)) {
            return false;
        }
    }
    if (!parse_word(p, "into")) {
        return true;
    }
    if (!parse_integer(p, &d->bucket_count)) {
        return false;
    }
    if (d->bucket_count < 1) {
        return parse_failed(p, "22023", "a table has at least one bucket");
    }
    return parse_word(p, "bucket") || parse_need_word(p, "buckets");
}

static bool parse_clauses(struct parse *p, struct draft *d)
{
    struct ddl_options options = {0};

    while (!parse_at_end(p)) {
        bool right;

        if (parse_word(p, "comment")) {
            right = parse_string(p, &d->comment);
        } else if (parse_words(p, "partitioned", "by") || parse_words(p, "partition", "by")) {
            right = parse_name_list(p, &d->partition);
        } else if (parse_word(p, "distributed")) {
            right = parse_distribution(p, d);
        } else if (parse_word(p, "with")) {
            right = ddl_options_parse(p, &options);
        } else {
            right = parse_expected(
                p, "COMMENT, PARTITIONED BY, DISTRIBUTED BY, WITH or the end of the statement");
        }
        if (!right) {
            return false;
        }
    }
    return take_options(p, d, &options);
}

/* ---- the document ---- */

static void write_names(struct json_writer *w, const char *key, struct parse_names names)
{
    json_write_key(w, key);
    json_write_array(w);
    for (size_t i = 0; i < names.count; i++) {
        json_write_string(w, names.items[i]);
    }
    json_write_end(w);
}

static void write_agg(struct json_writer *w, const struct ddl_options *agg)
{
    const char *function = "";

    for (size_t i = 0; i < agg->count; i++) {
        function = *agg->items[i].key == '\0' ? agg->items[i].value : function;
    }
    json_write_object(w);
    json_write_string_member(w, "type", function);
    json_write_key(w, "parameters");
    json_write_object(w);
    for (size_t i = 0; i < agg->count; i++) {
        if (*agg->items[i].key != '\0') {
            json_write_string_member(w, agg->items[i].key, agg->items[i].value);
        }
    }
    json_write_end(w);
    json_write_end(w);
}

static void write_column(struct json_writer *w, const struct column *c)
{
    json_write_object(w);
    json_write_string_member(w, "name", c->name);
    json_write_key(w, "data_type");
    type_write_json(w, c->type);
    if (c->comment != NULL) {
        json_write_string_member(w, "comment", c->comment);
    }
    if (c->agg.count > 0) {
        json_write_key(w, "agg_function");
        write_agg(w, &c->agg);
    }
    json_write_end(w);
}

static void write_schema(struct json_writer *w, const struct draft *d)
{
    json_write_object(w);
    json_write_int_member(w, "version", 1);
    json_write_key(w, "columns");
    json_write_array(w);
    for (size_t i = 0; i < d->column_count; i++) {
        write_column(w, &d->columns[i]);
    }
    json_write_end(w);
    if (d->primary.count > 0) {
        write_names(w, "primary_key", d->primary);
    }
    if (d->auto_increment != NULL) {
        write_names(w, "auto_increment_column",
                    (struct parse_names){.items = (const char *[]){d->auto_increment}, .count = 1});
    }
    json_write_end(w);
}

static void write_options(struct json_writer *w, const char *key, const struct draft *d, bool table)
{
    json_write_key(w, key);
    json_write_object(w);
    for (size_t i = 0; i < d->options.count; i++) {
        const struct text_pair *o = &d->options.items[i];

        if ((strncmp(o->key, "table.", strlen("table.")) == 0) == table) {
            json_write_string_member(w, o->key, o->value);
        }
    }
    json_write_end(w);
}

static struct bytes write_table(struct arena *arena, const struct draft *d)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    json_write_object(&w);
    json_write_int_member(&w, "version", 1);
    json_write_key(&w, "schema");
    write_schema(&w, d);
    if (d->comment != NULL) {
        json_write_string_member(&w, "comment", d->comment);
    }
    write_names(&w, "partition_key", d->partition);
    if (d->distributed) {
        write_names(&w, "bucket_key", d->bucket);
        if (d->bucket_count > 0) {
            json_write_int_member(&w, "bucket_count", d->bucket_count);
        }
    }
    write_options(&w, "properties", d, true);
    write_options(&w, "custom_properties", d, false);
    json_write_end(&w);
    return json_writer_text(&w);
}

static bool check_names(struct parse *p, struct draft *d, struct parse_names names,
                        const char *what)
{
    for (size_t i = 0; i < names.count; i++) {
        if (find_column(d, names.items[i], strlen(names.items[i])) == NULL) {
            char text[300];

            (void)snprintf(text, sizeof text, "column \"%.100s\" of the %s does not exist",
                           names.items[i], what);
            return sql_fail(p->e, "42703", text);
        }
    }
    return true;
}

bool ddl_table_parse(struct parse *p, struct bytes *ret_json)
{
    struct draft d = {0};

    if (parse_at_word(p, "as") || parse_at_word(p, "like")) {
        return parse_failed(p, "0A000", "a table is created with its columns") ||
               parse_hint(p, "Create it, then INSERT INTO ... SELECT.");
    }
    if (!parse_need_byte(p, '(')) {
        return false;
    }
    do {
        if (!parse_element(p, &d)) {
            return false;
        }
    } while (parse_byte(p, ','));
    if (!parse_need_byte(p, ')') || !parse_clauses(p, &d)) {
        return false;
    }
    if (!check_names(p, &d, d.primary, "primary key") ||
        !check_names(p, &d, d.partition, "partition key") ||
        !check_names(p, &d, d.bucket, "bucket key")) {
        return false;
    }
    *ret_json = write_table(p->arena, &d);
    return true;
}

bool ddl_column_parse(struct parse *p, struct meta_add_column *ret)
{
    struct column column;
    struct json_writer w;

    if (!parse_column(p, NULL, &column)) {
        return false;
    }
    if (!parse_at_byte(p, ',') && !parse_at_byte(p, ')') && !parse_at_end(p) &&
        !parse_at_word(p, "first") && !parse_at_word(p, "after")) {
        return refuse_constraint(p);
    }
    json_writer_init(&w, p->arena);
    type_write_json(&w, column.type);
    *ret = (struct meta_add_column){.name = bytes_str(column.name),
                                    .type_json = json_writer_text(&w),
                                    .has_comment = column.comment != NULL};
    if (column.comment != NULL) {
        ret->comment = bytes_str(column.comment);
    }
    if (parse_at_word(p, "first") || parse_at_word(p, "after")) {
        return parse_failed(p, "0A000", "a column can only be added at the end");
    }
    return true;
}
