/* Nodes of primary-key tables: snapshots of buckets, their leases, counters of columns (znode.h). */
#include "znode.h"

#include <inttypes.h>

/* ---- paths ---- */

static char *bucket_path(struct arena *arena, int64_t table_id, int64_t partition_id,
                         int32_t bucket, const char *name)
{
    return arena_printf(arena, "%s/%" PRId64 "/buckets/%" PRId32 "/%s",
                        partition_id < 0 ? ZNODE_TABLE_ASSIGNMENTS : ZNODE_PARTITION_ASSIGNMENTS,
                        partition_id < 0 ? table_id : partition_id, bucket, name);
}

char *znode_snapshots_path(struct arena *arena, int64_t table_id, int64_t partition_id,
                           int32_t bucket)
{
    return bucket_path(arena, table_id, partition_id, bucket, "snapshots");
}

char *znode_snapshot_counter_path(struct arena *arena, int64_t table_id, int64_t partition_id,
                                  int32_t bucket)
{
    return bucket_path(arena, table_id, partition_id, bucket, "snapshot_seqid");
}

char *znode_auto_increment_path(struct arena *arena, const char *database, const char *table,
                                int32_t column_id)
{
    return arena_printf(arena, ZNODE_DATABASES "/%s/tables/%s/auto_inc/col_%" PRId32, database,
                        table, column_id);
}

char *znode_lease_path(struct arena *arena, const char *lease_id)
{
    return arena_printf(arena, ZNODE_LEASES "/%s", lease_id);
}

/* ---- snapshots ---- */

struct bytes znode_snapshot_encode(const struct znode_snapshot *s, struct arena *arena)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    json_write_object(&w);
    json_write_int_member(&w, "version", 1);
    json_write_int_member(&w, "snapshot_id", s->id);
    json_write_int_member(&w, "log_offset", s->log_offset);
    json_write_string_member(&w, "metadata_path", s->metadata_path);
    json_write_end(&w);
    return json_writer_text(&w);
}

enum errcode znode_snapshot_decode(struct bytes data, const char *name, struct arena *arena,
                                   struct znode_snapshot *ret, struct error *e)
{
    struct znode_snapshot s = {0};
    const struct json *root = NULL;

    TRY(znode_open(data, name, arena, &root, e));
    TRY(json_get_i64(root, "snapshot_id", &s.id, e));
    TRY(json_get_i64(root, "log_offset", &s.log_offset, e));
    TRY(json_get_string(root, "metadata_path", &s.metadata_path, e));
    *ret = s;
    return ERR_OK;
}

/* ---- leases ---- */

static bool same_part(const struct znode_leased *a, const struct znode_leased *b)
{
    return a->table_id == b->table_id && a->partition_id == b->partition_id;
}

/* The buckets of one table or partition from *at on, an array with -1 where there is no snapshot. */
static void write_buckets(struct json_writer *w, const struct znode_lease *l, size_t *at)
{
    const struct znode_leased *first = &l->items[*at];
    int32_t bucket = 0;

    json_write_key(w, "bucket_snapshots");
    json_write_array(w);
    for (; *at < l->count && same_part(&l->items[*at], first); (*at)++) {
        for (; bucket < l->items[*at].bucket; bucket++) {
            json_write_int(w, -1);
        }
        json_write_int(w, l->items[*at].snapshot_id);
        bucket++;
    }
    json_write_end(w);
}

static void write_partitions(struct json_writer *w, const struct znode_lease *l, size_t *at)
{
    int64_t table_id = l->items[*at].table_id;

    json_write_key(w, "partition_snapshots");
    json_write_array(w);
    while (*at < l->count && l->items[*at].table_id == table_id) {
        json_write_object(w);
        json_write_int_member(w, "partition_id", l->items[*at].partition_id);
        write_buckets(w, l, at);
        json_write_end(w);
    }
    json_write_end(w);
}

struct bytes znode_lease_encode(const struct znode_lease *l, struct arena *arena)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    json_write_object(&w);
    json_write_int_member(&w, "version", 1);
    json_write_int_member(&w, "expiration_time", l->expires_ms);
    json_write_key(&w, "tables");
    json_write_array(&w);
    for (size_t i = 0; i < l->count;) {
        json_write_object(&w);
        json_write_int_member(&w, "table_id", l->items[i].table_id);
        if (l->items[i].partition_id < 0) {
            write_buckets(&w, l, &i);
        } else {
            write_partitions(&w, l, &i);
        }
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    return json_writer_text(&w);
}

/* Adds the buckets of one array; without `ret->items` they are only counted. */
static enum errcode read_buckets(const struct json *owner, int64_t table_id, int64_t partition_id,
                                 struct znode_lease *ret, struct error *e)
{
    const struct json *buckets = NULL;
    int32_t bucket = 0;

    TRY(json_get_array(owner, "bucket_snapshots", &buckets, e));
    if (json_count(buckets) > ZNODE_LEASE_BUCKETS_MAX) {
        return json_fail(buckets, e, "%zu buckets", json_count(buckets));
    }
    JSON_FOR_EACH(item, buckets)
    {
        struct znode_leased leased = {
            .table_id = table_id, .partition_id = partition_id, .bucket = bucket++};

        TRY(json_as_i64(item, &leased.snapshot_id, e));
        if (leased.snapshot_id < 0) {
            continue;
        }
        if (ret->items != NULL) {
            ret->items[ret->count] = leased;
        }
        ret->count++;
    }
    return ERR_OK;
}

static enum errcode read_table(const struct json *table, struct znode_lease *ret, struct error *e)
{
    const struct json *partitions = NULL;
    int64_t table_id = -1;

    TRY(json_as_object(table, e));
    TRY(json_get_i64(table, "table_id", &table_id, e));
    TRY(json_opt_array(table, "partition_snapshots", &partitions, e));
    if (partitions == NULL) {
        return read_buckets(table, table_id, -1, ret, e);
    }
    JSON_FOR_EACH(partition, partitions)
    {
        int64_t partition_id = -1;

        TRY(json_as_object(partition, e));
        TRY(json_get_i64(partition, "partition_id", &partition_id, e));
        TRY(read_buckets(partition, table_id, partition_id, ret, e));
    }
    return ERR_OK;
}

static enum errcode read_tables(const struct json *tables, struct znode_lease *ret, struct error *e)
{
    ret->count = 0;
    JSON_FOR_EACH(table, tables) { TRY(read_table(table, ret, e)); }
    return ERR_OK;
}

enum errcode znode_lease_decode(struct bytes data, const char *name, struct arena *arena,
                                struct znode_lease *ret, struct error *e)
{
    struct znode_lease l = {0};
    const struct json *root = NULL;
    const struct json *tables = NULL;

    TRY(znode_open(data, name, arena, &root, e));
    TRY(json_get_i64(root, "expiration_time", &l.expires_ms, e));
    TRY(json_get_array(root, "tables", &tables, e));
    TRY(read_tables(tables, &l, e));
    l.items = arena_array(arena, l.count + 1, sizeof *l.items);
    TRY(read_tables(tables, &l, e));
    *ret = l;
    return ERR_OK;
}
