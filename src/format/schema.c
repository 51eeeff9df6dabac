/* Schemas, see schema.h. Whatever a schema is made from, it is filled in (columns, key positions)
 * and then passes schema_finish: defaults for ids, all rules, look-up tables.
 */
#include "schema.h"

#include <stdlib.h>

#define SCHEMA_VERSION 1

struct schema_name {
    const char *name;
    uint32_t position;
};

struct schema_id {
    int32_t id;
    uint32_t position;
};

static enum errcode parse_columns(const struct json *value, struct schema *s, struct error *e);
static enum errcode parse_keys(const struct json *value, struct schema *s, struct error *e);
static enum errcode assign_ids(const struct json *value, struct schema *s, struct error *e);
static enum errcode schema_finish(struct schema *s, struct error *e);

static struct schema *schema_new(void)
{
    struct schema *s = mem_new(struct schema);

    atomic_init(&s->refs, 1);
    arena_init(&s->arena);
    s->auto_increment = -1;
    s->highest_field_id = -1;
    return s;
}

struct schema *schema_ref(struct schema *schema)
{
    unsigned before = atomic_fetch_add_explicit(&schema->refs, 1, memory_order_relaxed);

    ASSERT(before > 0);
    return schema;
}

void *schema_unref(struct schema *schema)
{
    if (schema != NULL && atomic_fetch_sub_explicit(&schema->refs, 1, memory_order_acq_rel) == 1) {
        arena_fini(&schema->arena);
        free(schema);
    }
    return NULL;
}

void schema_unrefp(struct schema **schema) { *schema = schema_unref(*schema); }

/* ---- from JSON ---- */

/* Sorts the names and refuses duplicates; the primary key is looked up by it. */
static enum errcode index_names(struct schema *s, struct error *e);

enum errcode schema_from_json(const struct json *value, struct schema **ret, struct error *e)
{
    OWNED(schema_unrefp) struct schema *s = schema_new();

    TRY(parse_columns(value, s, e));
    TRY(assign_ids(value, s, e));
    TRY(index_names(s, e));
    TRY(parse_keys(value, s, e));
    TRY(schema_finish(s, e));
    *ret = TAKE(s);
    return ERR_OK;
}

enum errcode schema_parse(struct bytes text, struct schema **ret, struct error *e)
{
    const struct json_options options = {.name = "schema", .code = ERR_INVALID_TABLE};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = NULL;

    TRY(json_parse(text, &options, &arena, &root, e));
    return schema_from_json(root, ret, e);
}

static const char *copy_text(struct schema *s, const char *text)
{
    return text == NULL ? NULL : arena_strndup(&s->arena, text, strlen(text));
}

static enum errcode parse_column(const struct json *item, struct schema *s,
                                 struct schema_column *ret, struct error *e)
{
    const struct json *agg = NULL;
    const struct json *type = NULL;
    const struct agg_function *function = NULL;
    const char *name = NULL;
    const char *comment = NULL;
    int32_t id = -1;

    TRY(json_get_string(item, "name", &name, e));
    TRY(json_opt_string(item, "comment", &comment, e));
    TRY(json_opt_i32(item, "id", &id, e));
    TRY(json_get_object(item, "data_type", &type, e));
    TRY(json_opt_object(item, "agg_function", &agg, e));
    if (agg != NULL) {
        TRY(agg_from_json(agg, &s->arena, &function, e));
    }
    TRY(type_from_json(type, &s->arena, &ret->type, e));
    ret->type = type_copy(ret->type, &s->arena); /* its texts belong to the document */
    ret->agg = agg_copy(function, &s->arena);
    ret->name = copy_text(s, name);
    ret->comment = copy_text(s, comment);
    ret->id = id < 0 ? -1 : id;
    return ERR_OK;
}

static enum errcode parse_columns(const struct json *value, struct schema *s, struct error *e)
{
    const struct json *list = NULL;
    struct schema_column *columns;

    TRY(json_get_array(value, "columns", &list, e));
    columns = arena_array(&s->arena, json_count(list), sizeof *columns);
    JSON_FOR_EACH(item, list)
    {
        TRY(parse_column(item, s, &columns[s->count], e));
        s->count++;
    }
    s->columns = columns;
    return ERR_OK;
}

/* An array of column names as positions. */
static enum errcode parse_positions(const struct json *list, const char *what, struct schema *s,
                                    const uint32_t **ret, struct error *e)
{
    uint32_t *positions = arena_array(&s->arena, json_count(list), sizeof *positions);
    uint32_t count = 0;

    JSON_FOR_EACH(item, list)
    {
        const char *name = NULL;
        int32_t position;

        TRY(json_as_string(item, &name, e));
        position = schema_find(s, name);
        if (position < 0) {
            return error_set(e, ERR_INVALID_TABLE, "%s column '%.80s' is not a column of the table",
                             what, name);
        }
        positions[count++] = (uint32_t)position;
    }
    *ret = positions;
    return ERR_OK;
}

static enum errcode parse_keys(const struct json *value, struct schema *s, struct error *e)
{
    const struct json *list = NULL;
    const uint32_t *positions = NULL;

    TRY(json_opt_array(value, "primary_key", &list, e));
    if (list != NULL) {
        if (json_count(list) == 0) {
            return error_set(e, ERR_INVALID_TABLE, "the primary key has no column");
        }
        TRY(parse_positions(list, "primary key", s, &s->primary_key, e));
        s->primary_key_count = (uint32_t)json_count(list);
    }
    list = NULL;
    TRY(json_opt_array(value, "auto_increment_column", &list, e));
    if (list != NULL && json_count(list) > 0) {
        if (json_count(list) > 1) {
            return error_set(e, ERR_INVALID_TABLE, "more than one auto-increment column");
        }
        TRY(parse_positions(list, "auto-increment", s, &positions, e));
        s->auto_increment = (int32_t)positions[0];
    }
    return ERR_OK;
}

/* ---- ids ---- */

static struct schema_column *mutable_columns(struct schema *s)
{
    return (struct schema_column *)(uintptr_t)s->columns; /* ours, not shared yet */
}

/* Counts ROW fields nested in type and raises *highest to the largest id among them. */
static size_t scan_fields(const struct type *type, int32_t *highest)
{
    size_t count = 0;

    for (uint32_t i = 0; i < type->count; i++) {
        if (type->root == TYPE_ROW) {
            count++;
            *highest = type->fields[i].id > *highest ? type->fields[i].id : *highest;
        }
        count += scan_fields(type->fields[i].type, highest);
    }
    return count;
}

/* Columns without ids take their positions; nested fields without ids the next free ones. */
static enum errcode assign_ids(const struct json *value, struct schema *s, struct error *e)
{
    struct schema_column *columns = mutable_columns(s);
    int32_t highest = -1;
    int32_t given = -1;
    size_t fields = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        if ((columns[i].id < 0) != (columns[0].id < 0)) {
            return error_set(e, ERR_INVALID_TABLE, "column '%.80s': all columns have an id or none",
                             columns[i].name);
        }
    }
    for (uint32_t i = 0; i < s->count; i++) {
        columns[i].id = columns[i].id < 0 ? (int32_t)i : columns[i].id;
        highest = columns[i].id > highest ? columns[i].id : highest;
        fields += scan_fields(columns[i].type, &highest);
    }
    TRY(json_opt_i32(value, "highest_field_id", &given, e));
    if (json_find(value, "highest_field_id") != NULL && s->count > 0 && given < highest) {
        return error_set(e, ERR_INVALID_TABLE, "highest_field_id %d is below the field id %d",
                         given, highest);
    }
    s->highest_field_id = given > highest ? given : highest;
    if ((int64_t)fields > (int64_t)INT32_MAX - s->highest_field_id) {
        return error_set(e, ERR_INVALID_TABLE, "field ids are exhausted");
    }
    for (uint32_t i = 0; i < s->count; i++) {
        columns[i].type = type_assign_ids(columns[i].type, true, &s->highest_field_id, &s->arena);
    }
    return ERR_OK;
}

static int compare_i32(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a;
    int32_t right = *(const int32_t *)b;

    return (left > right) - (left < right);
}

static int32_t *collect_field_ids(const struct type *type, int32_t *to)
{
    for (uint32_t i = 0; i < type->count; i++) {
        if (type->root == TYPE_ROW) {
            *to++ = type->fields[i].id;
        }
        to = collect_field_ids(type->fields[i].type, to);
    }
    return to;
}

static enum errcode check_ids(struct schema *s, struct error *e)
{
    size_t count = s->count;
    int32_t highest = -1;
    int32_t *ids;
    int32_t *end;

    for (uint32_t i = 0; i < s->count; i++) {
        count += scan_fields(s->columns[i].type, &highest);
    }
    ids = end = arena_array(&s->arena, count, sizeof *ids);
    for (uint32_t i = 0; i < s->count; i++) {
        *end++ = s->columns[i].id;
        end = collect_field_ids(s->columns[i].type, end);
    }
    ASSERT(end == ids + count);
    qsort(ids, count, sizeof *ids, compare_i32);
    for (size_t i = 1; i < count; i++) {
        if (ids[i] == ids[i - 1]) {
            return error_set(e, ERR_INVALID_TABLE, "the field id %d is used twice", ids[i]);
        }
    }
    ASSERT(count == 0 || ids[count - 1] <= s->highest_field_id);
    return ERR_OK;
}

/* ---- look-up tables ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct schema_name *)a)->name, ((const struct schema_name *)b)->name);
}

static enum errcode index_names(struct schema *s, struct error *e)
{
    struct schema_name *names = arena_array(&s->arena, s->count, sizeof *names);

    for (uint32_t i = 0; i < s->count; i++) {
        names[i] = (struct schema_name){s->columns[i].name, i};
    }
    qsort(names, s->count, sizeof *names, compare_names);
    for (uint32_t i = 1; i < s->count; i++) {
        if (strcmp(names[i].name, names[i - 1].name) == 0) {
            return error_set(e, ERR_INVALID_TABLE, "there is more than one column '%.80s'",
                             names[i].name);
        }
    }
    s->by_name = names;
    return ERR_OK;
}

static int compare_ids(const void *a, const void *b)
{
    return compare_i32(&((const struct schema_id *)a)->id, &((const struct schema_id *)b)->id);
}

static void index_ids(struct schema *s)
{
    struct schema_id *ids = arena_array(&s->arena, s->count, sizeof *ids);

    for (uint32_t i = 0; i < s->count; i++) {
        ids[i] = (struct schema_id){s->columns[i].id, i};
    }
    qsort(ids, s->count, sizeof *ids, compare_ids);
    s->by_id = ids;
}

int32_t schema_find(const struct schema *schema, const char *name)
{
    const struct schema_name key = {.name = name};
    const struct schema_name *found =
        bsearch(&key, schema->by_name, schema->count, sizeof key, compare_names);

    return found == NULL ? -1 : (int32_t)found->position;
}

int32_t schema_find_id(const struct schema *schema, int32_t id)
{
    const struct schema_id key = {.id = id};
    const struct schema_id *found =
        bsearch(&key, schema->by_id, schema->count, sizeof key, compare_ids);

    return found == NULL ? -1 : (int32_t)found->position;
}

bool schema_is_primary_key(const struct schema *schema, uint32_t position)
{
    for (uint32_t i = 0; i < schema->primary_key_count; i++) {
        if (schema->primary_key[i] == position) {
            return true;
        }
    }
    return false;
}

void schema_map(const struct schema *from, const struct schema *to, int32_t *positions)
{
    for (uint32_t i = 0; i < to->count; i++) {
        positions[i] = schema_find_id(from, to->columns[i].id);
    }
}

/* ---- rules ---- */

static enum errcode check_primary_key(struct schema *s, struct error *e)
{
    struct schema_column *columns = mutable_columns(s);
    bool *seen = arena_array(&s->arena, s->count, sizeof *seen);

    for (uint32_t i = 0; i < s->primary_key_count; i++) {
        struct schema_column *column = &columns[s->primary_key[i]];

        if (seen[s->primary_key[i]]) {
            return error_set(e, ERR_INVALID_TABLE, "the primary key names column '%.80s' twice",
                             column->name);
        }
        seen[s->primary_key[i]] = true;
        if (column->agg != NULL) {
            return error_set(e, ERR_INVALID_TABLE,
                             "primary key column '%.80s' cannot have an aggregation function",
                             column->name);
        }
        column->type = type_with_nullable(column->type, false, &s->arena);
    }
    return ERR_OK;
}

static enum errcode check_auto_increment(const struct schema *s, struct error *e)
{
    const struct schema_column *column;

    if (s->auto_increment < 0) {
        return ERR_OK;
    }
    column = &s->columns[s->auto_increment];
    if (s->primary_key_count == 0) {
        return error_set(e, ERR_INVALID_TABLE,
                         "auto-increment column '%.80s': the table has no primary key",
                         column->name);
    }
    if (schema_is_primary_key(s, (uint32_t)s->auto_increment)) {
        return error_set(e, ERR_INVALID_TABLE,
                         "auto-increment column '%.80s' is part of the primary key", column->name);
    }
    if (column->type->root != TYPE_INTEGER && column->type->root != TYPE_BIGINT) {
        return error_set(e, ERR_INVALID_TABLE,
                         "auto-increment column '%.80s' has the type %s, not INT or BIGINT",
                         column->name, type_text(column->type).text);
    }
    return ERR_OK;
}

/* The columns as the fields of a ROW, for the row formats. */
static const struct type *row_of(struct schema *s)
{
    struct type *row = arena_new(&s->arena, struct type);
    struct type_field *fields = arena_array(&s->arena, s->count, sizeof *fields);

    for (uint32_t i = 0; i < s->count; i++) {
        fields[i] = (struct type_field){.name = s->columns[i].name,
                                        .type = s->columns[i].type,
                                        .description = s->columns[i].comment,
                                        .id = s->columns[i].id};
    }
    *row = (struct type){.root = TYPE_ROW, .count = s->count, .fields = fields};
    return row;
}

static enum errcode schema_finish(struct schema *s, struct error *e)
{
    TRY(check_ids(s, e));
    TRY(check_primary_key(s, e));
    TRY(check_auto_increment(s, e));
    index_ids(s);
    s->row = row_of(s);
    for (uint32_t i = 0; i < s->count; i++) {
        type_arrow_shape(s->columns[i].type, &s->arrow_nodes, &s->arrow_buffers);
    }
    return ERR_OK;
}

/* ---- the next schema ---- */

static struct schema_column copy_column(const struct schema_column *from, struct schema *s)
{
    return (struct schema_column){
        .name = copy_text(s, from->name),
        .type = type_copy(from->type, &s->arena),
        .comment = copy_text(s, from->comment),
        .agg = agg_copy(from->agg, &s->arena),
        .id = from->id,
    };
}

static enum errcode add_column(struct schema *s, const struct schema *old,
                               const struct schema_column *column, struct error *e)
{
    struct schema_column *to = &mutable_columns(s)[s->count];
    int32_t highest = s->highest_field_id;

    if (schema_find(old, column->name) >= 0) {
        return error_set(e, ERR_INVALID_ALTER_TABLE, "column '%.80s' exists already", column->name);
    }
    if (!column->type->nullable) {
        return error_set(e, ERR_INVALID_ARGUMENT, "column '%.80s': a new column must be nullable",
                         column->name);
    }
    if ((int64_t)scan_fields(column->type, &highest) >= (int64_t)INT32_MAX - s->highest_field_id) {
        return error_set(e, ERR_INVALID_ALTER_TABLE, "field ids are exhausted");
    }
    *to = copy_column(column, s);
    to->id = ++s->highest_field_id;
    to->type = type_assign_ids(to->type, false, &s->highest_field_id, &s->arena);
    s->count++;
    return ERR_OK;
}

enum errcode schema_add_columns(const struct schema *schema, const struct schema_column *columns,
                                size_t count, struct schema **ret, struct error *e)
{
    OWNED(schema_unrefp) struct schema *s = schema_new();
    struct schema_column *all = arena_array(&s->arena, schema->count + count, sizeof *all);
    uint32_t *key = arena_array(&s->arena, schema->primary_key_count, sizeof *key);

    for (uint32_t i = 0; i < schema->count; i++) {
        all[i] = copy_column(&schema->columns[i], s);
    }
    for (uint32_t i = 0; i < schema->primary_key_count; i++) {
        key[i] = schema->primary_key[i];
    }
    s->columns = all;
    s->count = schema->count;
    s->primary_key = key;
    s->primary_key_count = schema->primary_key_count;
    s->auto_increment = schema->auto_increment;
    s->highest_field_id = schema->highest_field_id;
    for (size_t i = 0; i < count; i++) {
        TRY(add_column(s, schema, &columns[i], e));
    }
    if (index_names(s, e) != ERR_OK) { /* twice among the new ones */
        return error_set(e, ERR_INVALID_ALTER_TABLE, "a column is added twice");
    }
    TRY(schema_finish(s, e));
    *ret = TAKE(s);
    return ERR_OK;
}

/* ---- to JSON ---- */

static void write_column(struct json_writer *w, const struct schema_column *column)
{
    json_write_object(w);
    json_write_string_member(w, "name", column->name);
    json_write_key(w, "data_type");
    type_write_json(w, column->type);
    if (column->comment != NULL) {
        json_write_string_member(w, "comment", column->comment);
    }
    if (column->agg != NULL) {
        json_write_key(w, "agg_function");
        agg_write_json(w, column->agg);
    }
    json_write_int_member(w, "id", column->id);
    json_write_end(w);
}

void schema_write_json(struct json_writer *w, const struct schema *schema)
{
    json_write_object(w);
    json_write_int_member(w, "version", SCHEMA_VERSION);
    json_write_key(w, "columns");
    json_write_array(w);
    for (uint32_t i = 0; i < schema->count; i++) {
        write_column(w, &schema->columns[i]);
    }
    json_write_end(w);
    if (schema->primary_key_count > 0) {
        json_write_key(w, "primary_key");
        json_write_array(w);
        for (uint32_t i = 0; i < schema->primary_key_count; i++) {
            json_write_string(w, schema->columns[schema->primary_key[i]].name);
        }
        json_write_end(w);
    }
    if (schema->auto_increment >= 0) {
        json_write_key(w, "auto_increment_column");
        json_write_array(w);
        json_write_string(w, schema->columns[schema->auto_increment].name);
        json_write_end(w);
    }
    json_write_int_member(w, "highest_field_id", schema->highest_field_id);
    json_write_end(w);
}
