#include "znode.h"

#include <inttypes.h>

/* ---- paths ---- */

char *znode_database_path(struct arena *arena, const char *database)
{
    return arena_printf(arena, ZNODE_DATABASES "/%s", database);
}

char *znode_tables_path(struct arena *arena, const char *database)
{
    return arena_printf(arena, ZNODE_DATABASES "/%s/tables", database);
}

char *znode_table_path(struct arena *arena, const char *database, const char *table)
{
    return arena_printf(arena, ZNODE_DATABASES "/%s/tables/%s", database, table);
}

char *znode_schemas_path(struct arena *arena, const char *database, const char *table)
{
    return arena_printf(arena, ZNODE_DATABASES "/%s/tables/%s/schemas", database, table);
}

char *znode_schema_path(struct arena *arena, const char *database, const char *table, int32_t id)
{
    return arena_printf(arena, ZNODE_DATABASES "/%s/tables/%s/schemas/%" PRId32, database, table,
                        id);
}

char *znode_partitions_path(struct arena *arena, const char *database, const char *table)
{
    return arena_printf(arena, ZNODE_DATABASES "/%s/tables/%s/partitions", database, table);
}

char *znode_assignment_path(struct arena *arena, int64_t table_id, int64_t partition_id)
{
    return partition_id < 0
               ? arena_printf(arena, ZNODE_TABLE_ASSIGNMENTS "/%" PRId64, table_id)
               : arena_printf(arena, ZNODE_PARTITION_ASSIGNMENTS "/%" PRId64, partition_id);
}

char *znode_leader_path(struct arena *arena, int64_t table_id, int64_t partition_id, int32_t bucket)
{
    return arena_printf(arena, "%s/%" PRId64 "/buckets/%" PRId32 "/leader_isr",
                        partition_id < 0 ? ZNODE_TABLE_ASSIGNMENTS : ZNODE_PARTITION_ASSIGNMENTS,
                        partition_id < 0 ? table_id : partition_id, bucket);
}

/* ---- writing ---- */

static void open_document(struct json_writer *w, struct arena *arena, int64_t version)
{
    json_writer_init(w, arena);
    json_write_object(w);
    json_write_int_member(w, "version", version);
}

static struct bytes close_document(struct json_writer *w)
{
    json_write_end(w);
    return json_writer_text(w);
}

static void write_string(struct json_writer *w, const char *key, const char *value)
{
    if (value != NULL) {
        json_write_string_member(w, key, value);
    }
}

static void write_list(struct json_writer *w, const char *key, struct text_list list)
{
    if (list.count > 0) {
        json_write_key(w, key);
        text_list_write_json(w, list);
    }
}

static void write_map(struct json_writer *w, const char *key, struct text_map map)
{
    json_write_key(w, key);
    text_map_write_json(w, map);
}

struct bytes znode_database_encode(const struct znode_database *d, struct arena *arena)
{
    struct json_writer w;

    open_document(&w, arena, 1);
    write_string(&w, "comment", d->comment);
    write_map(&w, "custom_properties", d->properties);
    json_write_int_member(&w, "created_time", d->created_ms);
    json_write_int_member(&w, "modified_time", d->modified_ms);
    return close_document(&w);
}

struct bytes znode_table_encode(const struct znode_table *t, struct arena *arena)
{
    struct json_writer w;

    open_document(&w, arena, 1);
    json_write_int_member(&w, "table_id", t->table_id);
    write_string(&w, "comment", t->comment);
    write_list(&w, "partition_key", t->partition_keys);
    write_list(&w, "bucket_key", t->bucket_keys);
    json_write_int_member(&w, "bucket_count", t->bucket_count);
    write_map(&w, "properties", t->properties);
    write_map(&w, "custom_properties", t->custom_properties);
    write_string(&w, "remote_data_dir", t->remote_data_dir);
    json_write_int_member(&w, "created_time", t->created_ms);
    json_write_int_member(&w, "modified_time", t->modified_ms);
    return close_document(&w);
}

struct bytes znode_partition_encode(const struct znode_partition *p, struct arena *arena)
{
    struct json_writer w;

    open_document(&w, arena, 1);
    json_write_int_member(&w, "table_id", p->table_id);
    json_write_int_member(&w, "partition_id", p->partition_id);
    write_string(&w, "remote_data_dir", p->remote_data_dir);
    return close_document(&w);
}

static void write_dropped(struct json_writer *w, const struct znode_assignment *a)
{
    json_write_key(w, "dropped");
    json_write_object(w);
    json_write_string_member(w, "database", a->dropped_database);
    json_write_string_member(w, "table", a->dropped_table);
    write_string(w, "partition", a->dropped_partition);
    json_write_end(w);
}

struct bytes znode_assignment_encode(const struct znode_assignment *a, struct arena *arena)
{
    struct json_writer w;

    open_document(&w, arena, 1);
    if (a->table_id >= 0) {
        json_write_int_member(&w, "table_id", a->table_id);
    }
    json_write_key(&w, "buckets");
    json_write_object(&w);
    for (int32_t b = 0; b < a->bucket_count; b++) {
        json_write_key(&w, arena_printf(arena, "%" PRId32, b));
        json_write_array(&w);
        json_write_int(&w, a->server_id);
        json_write_end(&w);
    }
    json_write_end(&w);
    if (a->dropped_database != NULL) {
        write_dropped(&w, a);
    }
    return close_document(&w);
}

struct bytes znode_leader_encode(const struct znode_leader *l, struct arena *arena)
{
    struct json_writer w;

    open_document(&w, arena, 2);
    json_write_int_member(&w, "leader", l->leader);
    json_write_int_member(&w, "leader_epoch", l->leader_epoch);
    json_write_key(&w, "isr");
    json_write_array(&w);
    json_write_int(&w, l->leader);
    json_write_end(&w);
    json_write_int_member(&w, "coordinator_epoch", l->coordinator_epoch);
    json_write_int_member(&w, "bucket_epoch", l->bucket_epoch);
    json_write_key(&w, "standby_replicas");
    json_write_array(&w);
    json_write_end(&w);
    return close_document(&w);
}

struct bytes znode_counter_encode(int64_t next, struct arena *arena)
{
    uint8_t *data = arena_alloc(arena, sizeof next);

    put_i64be(data, next);
    return bytes_of(data, sizeof next);
}

/* ---- reading ---- */

enum errcode znode_open(struct bytes data, const char *name, struct arena *arena,
                        const struct json **ret, struct error *e)
{
    struct json_options options = {
        .name = name, .code = ERR_CORRUPT_FILE, .size_bytes_max = JSON_FILE_SIZE_MAX};
    const struct json *root = NULL;

    TRY(json_parse(data, &options, arena, &root, e));
    TRY(json_as_object(root, e));
    *ret = root;
    return ERR_OK;
}

static enum errcode read_map(const struct json *object, const char *key, struct arena *arena,
                             struct text_map *ret, struct error *e)
{
    const struct json *value = NULL;

    TRY(json_opt_object(object, key, &value, e));
    return value == NULL ? ERR_OK : text_map_from_json(value, arena, ret, e);
}

static enum errcode read_list(const struct json *object, const char *key, struct arena *arena,
                              struct text_list *ret, struct error *e)
{
    const struct json *value = NULL;

    TRY(json_opt_array(object, key, &value, e));
    return value == NULL ? ERR_OK : text_list_from_json(value, arena, ret, e);
}

enum errcode znode_database_decode(struct bytes data, const char *name, struct arena *arena,
                                   struct znode_database *ret, struct error *e)
{
    struct znode_database d = {0};
    const struct json *root = NULL;

    TRY(znode_open(data, name, arena, &root, e));
    TRY(json_opt_string(root, "comment", &d.comment, e));
    TRY(read_map(root, "custom_properties", arena, &d.properties, e));
    TRY(json_get_i64(root, "created_time", &d.created_ms, e));
    TRY(json_get_i64(root, "modified_time", &d.modified_ms, e));
    *ret = d;
    return ERR_OK;
}

enum errcode znode_table_decode(struct bytes data, const char *name, struct arena *arena,
                                struct znode_table *ret, struct error *e)
{
    struct znode_table t = {0};
    const struct json *root = NULL;

    TRY(znode_open(data, name, arena, &root, e));
    TRY(json_get_i64(root, "table_id", &t.table_id, e));
    TRY(json_opt_string(root, "comment", &t.comment, e));
    TRY(read_list(root, "partition_key", arena, &t.partition_keys, e));
    TRY(read_list(root, "bucket_key", arena, &t.bucket_keys, e));
    TRY(json_get_i32(root, "bucket_count", &t.bucket_count, e));
    TRY(read_map(root, "properties", arena, &t.properties, e));
    TRY(read_map(root, "custom_properties", arena, &t.custom_properties, e));
    TRY(json_opt_string(root, "remote_data_dir", &t.remote_data_dir, e));
    TRY(json_get_i64(root, "created_time", &t.created_ms, e));
    TRY(json_get_i64(root, "modified_time", &t.modified_ms, e));
    *ret = t;
    return ERR_OK;
}

enum errcode znode_partition_decode(struct bytes data, const char *name, struct arena *arena,
                                    struct znode_partition *ret, struct error *e)
{
    struct znode_partition p = {0};
    const struct json *root = NULL;

    TRY(znode_open(data, name, arena, &root, e));
    TRY(json_get_i64(root, "table_id", &p.table_id, e));
    TRY(json_get_i64(root, "partition_id", &p.partition_id, e));
    TRY(json_opt_string(root, "remote_data_dir", &p.remote_data_dir, e));
    *ret = p;
    return ERR_OK;
}

/* The bucket ids must be 0 .. count-1; JSON does not order its members. */
static enum errcode check_buckets(const struct json *buckets, struct arena *arena, struct error *e)
{
    size_t count = json_count(buckets);
    bool *seen = arena_zalloc(arena, count);

    JSON_FOR_EACH(replicas, buckets)
    {
        const char *key = json_key_of(replicas);
        size_t id = 0;
        bool valid = key[0] != '\0' && (key[0] != '0' || key[1] == '\0');

        TRY(json_as_array(replicas, e));
        for (const char *p = key; *p != '\0' && valid; p++) {
            id = id * 10 + (size_t)(*p - '0');
            valid = *p >= '0' && *p <= '9' && id < count;
        }
        if (!valid || seen[id]) {
            return json_fail(buckets, e, "bucket \"%s\" is not one of %zu", key, count);
        }
        seen[id] = true;
    }
    return ERR_OK;
}

static enum errcode read_dropped(const struct json *root, struct znode_assignment *ret,
                                 struct error *e)
{
    const struct json *dropped = NULL;

    TRY(json_opt_object(root, "dropped", &dropped, e));
    if (dropped == NULL) {
        return ERR_OK;
    }
    TRY(json_get_string(dropped, "database", &ret->dropped_database, e));
    TRY(json_get_string(dropped, "table", &ret->dropped_table, e));
    return json_opt_string(dropped, "partition", &ret->dropped_partition, e);
}

enum errcode znode_assignment_decode(struct bytes data, const char *name, struct arena *arena,
                                     struct znode_assignment *ret, struct error *e)
{
    struct znode_assignment a = {.table_id = -1, .server_id = -1};
    const struct json *root = NULL;
    const struct json *buckets = NULL;
    const struct json *first;

    TRY(znode_open(data, name, arena, &root, e));
    TRY(json_opt_i64(root, "table_id", &a.table_id, e));
    TRY(json_get_object(root, "buckets", &buckets, e));
    if (json_count(buckets) > INT32_MAX) {
        return json_fail(buckets, e, "%zu buckets", json_count(buckets));
    }
    TRY(check_buckets(buckets, arena, e));
    a.bucket_count = (int32_t)json_count(buckets);
    first = json_find(buckets, "0");
    if (first != NULL && json_count(first) > 0) {
        TRY(json_as_i32(json_at(first, 0), &a.server_id, e));
    }
    TRY(read_dropped(root, &a, e));
    *ret = a;
    return ERR_OK;
}

enum errcode znode_leader_decode(struct bytes data, const char *name, struct arena *arena,
                                 struct znode_leader *ret, struct error *e)
{
    struct znode_leader l = {0};
    const struct json *root = NULL;

    TRY(znode_open(data, name, arena, &root, e));
    TRY(json_get_i32(root, "leader", &l.leader, e));
    TRY(json_get_i32(root, "leader_epoch", &l.leader_epoch, e));
    TRY(json_get_i32(root, "coordinator_epoch", &l.coordinator_epoch, e));
    TRY(json_get_i32(root, "bucket_epoch", &l.bucket_epoch, e));
    *ret = l;
    return ERR_OK;
}

enum errcode znode_counter_decode(struct bytes data, const char *name, int64_t *ret,
                                  struct error *e)
{
    int64_t value;

    if (data.len != sizeof value) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: a counter of %zu bytes, 8 expected", name,
                         data.len);
    }
    value = get_i64be(data.data);
    if (value < 0) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: the counter is %" PRId64, name, value);
    }
    *ret = value;
    return ERR_OK;
}
