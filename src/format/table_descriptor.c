#include "table_descriptor.h"

#include <stdlib.h>

#define DESCRIPTOR_VERSION 1

/* What a column is used for, by position. */
enum role { ROLE_PRIMARY = 1, ROLE_PARTITION = 2, ROLE_BUCKET = 4 };

static enum errcode normalise(struct table_descriptor *t, struct error *e);

struct table_descriptor *table_descriptor_ref(struct table_descriptor *table)
{
    unsigned before = atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);

    ASSERT(before > 0);
    return table;
}

void *table_descriptor_unref(struct table_descriptor *table)
{
    if (table != NULL && atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1) {
        schema_unref(table->def.schema);
        arena_fini(&table->arena);
        free(table);
    }
    return NULL;
}

void table_descriptor_unrefp(struct table_descriptor **table)
{
    *table = table_descriptor_unref(*table);
}

enum errcode table_descriptor_new(const struct table_def *def, struct table_descriptor **ret,
                                  struct error *e)
{
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *t = mem_new(struct table_descriptor);

    atomic_init(&t->refs, 1);
    arena_init(&t->arena);
    t->def = *def;
    t->def.schema = schema_ref(def->schema);
    t->def.comment =
        def->comment == NULL ? NULL : arena_strndup(&t->arena, def->comment, strlen(def->comment));
    t->def.partition_keys = text_list_copy(def->partition_keys, &t->arena);
    t->def.bucket_keys = text_list_copy(def->bucket_keys, &t->arena);
    t->def.properties = text_map_copy(def->properties, &t->arena);
    t->def.custom_properties = text_map_copy(def->custom_properties, &t->arena);
    TRY(normalise(t, e));
    *ret = TAKE(t);
    return ERR_OK;
}

/* ---- rules ---- */

static enum errcode mark(const struct table_def *def, struct text_list keys, enum role role,
                         uint8_t *roles, struct error *e)
{
    const char *what = role == ROLE_PARTITION ? "partition" : "bucket";

    for (size_t i = 0; i < keys.count; i++) {
        int32_t position = schema_find(def->schema, keys.items[i]);

        if (position < 0) {
            return error_set(e, ERR_INVALID_TABLE, "%s key '%.80s' is not a column of the table",
                             what, keys.items[i]);
        }
        if ((roles[position] & role) != 0) {
            return error_set(e, ERR_INVALID_TABLE, "%s key '%.80s' is named twice", what,
                             keys.items[i]);
        }
        roles[position] |= (uint8_t)role;
    }
    return ERR_OK;
}

static enum errcode check_roles(const struct table_def *def, const uint8_t *roles, struct error *e)
{
    bool keyed = schema_has_primary_key(def->schema);

    for (uint32_t i = 0; i < def->schema->count; i++) {
        const char *name = def->schema->columns[i].name;

        if ((roles[i] & ROLE_PARTITION) != 0 && (roles[i] & ROLE_BUCKET) != 0) {
            return error_set(e, ERR_INVALID_TABLE, "bucket key '%.80s' is a partition key", name);
        }
        if (keyed && (roles[i] & (ROLE_PARTITION | ROLE_BUCKET)) != 0 &&
            (roles[i] & ROLE_PRIMARY) == 0) {
            return error_set(e, ERR_INVALID_TABLE, "%s key '%.80s' is not part of the primary key",
                             (roles[i] & ROLE_BUCKET) != 0 ? "bucket" : "partition", name);
        }
    }
    return ERR_OK;
}

/* Bucket keys of a primary-key table that names none. */
static enum errcode default_bucket_keys(struct table_descriptor *t, const uint8_t *roles,
                                        struct error *e)
{
    const struct schema *schema = t->def.schema;
    const char **items = arena_array(&t->arena, schema->primary_key_count, sizeof *items);
    size_t count = 0;

    for (uint32_t i = 0; i < schema->primary_key_count; i++) {
        uint32_t position = schema->primary_key[i];

        if ((roles[position] & ROLE_PARTITION) == 0) {
            items[count++] = schema->columns[position].name;
        }
    }
    if (count == 0) {
        return error_set(e, ERR_INVALID_TABLE,
                         "the primary key consists of the partition keys only");
    }
    t->def.bucket_keys = (struct text_list){.items = items, .count = count};
    t->def.distributed = true;
    return ERR_OK;
}

static enum errcode normalise(struct table_descriptor *t, struct error *e)
{
    OWNED(arena_fini) struct arena scratch = ARENA_INIT;
    const struct schema *schema = t->def.schema;
    uint8_t *roles = arena_array(&scratch, schema->count, sizeof *roles);

    for (uint32_t i = 0; i < schema->primary_key_count; i++) {
        roles[schema->primary_key[i]] |= ROLE_PRIMARY;
    }
    TRY(mark(&t->def, t->def.partition_keys, ROLE_PARTITION, roles, e));
    TRY(mark(&t->def, t->def.bucket_keys, ROLE_BUCKET, roles, e));
    TRY(check_roles(&t->def, roles, e));
    if (schema_has_primary_key(schema) && t->def.bucket_keys.count == 0) {
        TRY(default_bucket_keys(t, roles, e));
    }
    return ERR_OK;
}

/* ---- JSON ---- */

static enum errcode read_map(const struct json *value, const char *key, struct arena *arena,
                             struct text_map *ret, struct error *e)
{
    const struct json *object = NULL;

    TRY(json_get_object(value, key, &object, e));
    return text_map_from_json(object, arena, ret, e);
}

static enum errcode read_distribution(const struct json *value, struct arena *arena,
                                      struct table_def *def, struct error *e)
{
    const struct json *keys = NULL;

    TRY(json_opt_array(value, "bucket_key", &keys, e));
    if (keys != NULL) {
        TRY(text_list_from_json(keys, arena, &def->bucket_keys, e));
        def->distributed = true;
    }
    TRY(json_opt_i32(value, "bucket_count", &def->bucket_count, e));
    def->has_bucket_count = json_find(value, "bucket_count") != NULL &&
                            json_kind_of(json_find(value, "bucket_count")) != JSON_KIND_NULL;
    def->distributed = def->distributed || def->has_bucket_count;
    return ERR_OK;
}

enum errcode table_descriptor_from_json(const struct json *value, struct table_descriptor **ret,
                                        struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = NULL;
    const struct json *member = NULL;
    struct table_def def = {.schema = NULL};

    TRY(json_get_object(value, "schema", &member, e));
    TRY(schema_from_json(member, &schema, e));
    def.schema = schema;
    TRY(json_opt_string(value, "comment", &def.comment, e));
    TRY(json_get_array(value, "partition_key", &member, e));
    TRY(text_list_from_json(member, &arena, &def.partition_keys, e));
    TRY(read_distribution(value, &arena, &def, e));
    TRY(read_map(value, "properties", &arena, &def.properties, e));
    TRY(read_map(value, "custom_properties", &arena, &def.custom_properties, e));
    return table_descriptor_new(&def, ret, e);
}

enum errcode table_descriptor_parse(struct bytes text, struct table_descriptor **ret,
                                    struct error *e)
{
    const struct json_options options = {.name = "table descriptor", .code = ERR_INVALID_TABLE};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = NULL;

    TRY(json_parse(text, &options, &arena, &root, e));
    return table_descriptor_from_json(root, ret, e);
}

void table_descriptor_write_json(struct json_writer *w, const struct table_descriptor *table)
{
    const struct table_def *def = &table->def;

    json_write_object(w);
    json_write_int_member(w, "version", DESCRIPTOR_VERSION);
    json_write_key(w, "schema");
    schema_write_json(w, def->schema);
    if (def->comment != NULL) {
        json_write_string_member(w, "comment", def->comment);
    }
    json_write_key(w, "partition_key");
    text_list_write_json(w, def->partition_keys);
    if (def->distributed) {
        json_write_key(w, "bucket_key");
        text_list_write_json(w, def->bucket_keys);
        if (def->has_bucket_count) {
            json_write_int_member(w, "bucket_count", def->bucket_count);
        }
    }
    json_write_key(w, "properties");
    text_map_write_json(w, def->properties);
    json_write_key(w, "custom_properties");
    text_map_write_json(w, def->custom_properties);
    json_write_end(w);
}

enum errcode database_descriptor_from_json(const struct json *value, struct arena *arena,
                                           struct database_descriptor *ret, struct error *e)
{
    struct database_descriptor database = {.comment = NULL};

    TRY(json_opt_string(value, "comment", &database.comment, e));
    TRY(read_map(value, "custom_properties", arena, &database.custom_properties, e));
    *ret = database;
    return ERR_OK;
}

enum errcode database_descriptor_parse(struct bytes text, struct arena *arena,
                                       struct database_descriptor *ret, struct error *e)
{
    const struct json_options options = {.name = "database descriptor",
                                         .code = ERR_INVALID_DATABASE};
    const struct json *root = NULL;

    TRY(json_parse(text, &options, arena, &root, e));
    return database_descriptor_from_json(root, arena, ret, e);
}

void database_descriptor_write_json(struct json_writer *w,
                                    const struct database_descriptor *database)
{
    json_write_object(w);
    json_write_int_member(w, "version", DESCRIPTOR_VERSION);
    if (database->comment != NULL) {
        json_write_string_member(w, "comment", database->comment);
    }
    json_write_key(w, "custom_properties");
    text_map_write_json(w, database->custom_properties);
    json_write_end(w);
}
