#include "tool_client.h"

#include <inttypes.h>
#include <stdlib.h>

#define BUCKETS_MAX 1000000 /* of a table that tools look at */
#define GROUP_MAX   1000    /* buckets of one question for offsets */

/* The buckets of a table being listed. */
struct listing {
    struct tool_client *tool;
    struct arena *arena;
    struct tool_table *table;
    size_t cap;
};

/* ---- connections ---- */

static enum errcode connect_to(const struct tool_client *t, const struct place *place,
                               struct rpc_client **ret, struct error *e)
{
    OWNED(rpc_client_freep) struct rpc_client *c = NULL;

    TRY(rpc_client_open(place->host, place->port, &c, e));
    TRY(rpc_client_handshake(c, t->software, t->timeout_us, e));
    *ret = TAKE(c);
    return ERR_OK;
}

enum errcode tool_open(const struct place *place, const char *software, int64_t timeout_us,
                       struct tool_client *ret, struct error *e)
{
    *ret = (struct tool_client){.software = software, .timeout_us = timeout_us};
    if (connect_to(ret, place, &ret->any, e) != ERR_OK) {
        error_wrap(e, "%s", place->text);
        return ERR_NETWORK;
    }
    return ERR_OK;
}

void tool_close(struct tool_client *t)
{
    rpc_client_free(t->any);
    for (size_t i = 0; i < t->node_count; i++) {
        rpc_client_free(t->nodes[i].client);
    }
    t->node_count = 0;
}

/* Asks the server that knows the catalog. */
static enum errcode call(struct tool_client *t, enum rpc_api_key key, const void *request,
                         struct arena *arena, void *ret, struct error *e)
{
    struct rpc_call c = {.key = key, .request = request, .timeout_us = t->timeout_us};

    return rpc_client_call(t->any, &c, arena, ret, e);
}

/* The connection to a server of the list. */
static enum errcode node_of(struct tool_client *t, const struct msg_metadata_response *m,
                            int32_t id, struct rpc_client **ret, struct error *e)
{
    for (size_t i = 0; i < t->node_count; i++) {
        if (t->nodes[i].id == id) {
            *ret = t->nodes[i].client;
            return ERR_OK;
        }
    }
    for (size_t i = 0; i < m->tablet_servers_count && t->node_count < TOOL_SERVERS_MAX; i++) {
        const struct msg_pb_server_node *node = &m->tablet_servers[i];
        struct place place = {.port = (uint16_t)node->port};

        if (node->node_id == id && node->host.len < sizeof place.host && node->port > 0 &&
            node->port <= UINT16_MAX) {
            memcpy(place.host, node->host.data, node->host.len);
            TRY(connect_to(t, &place, ret, e));
            t->nodes[t->node_count++] = (struct tool_node){.id = id, .client = *ret};
            return ERR_OK;
        }
    }
    return error_set(e, ERR_NETWORK, "server %" PRId32 ", which leads a bucket, is not known", id);
}

/* ---- names ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct text_list sorted(const struct bytes *names, size_t count, struct arena *arena)
{
    const char **items = arena_array(arena, count, sizeof *items);

    for (size_t i = 0; i < count; i++) {
        items[i] = arena_strndup(arena, names[i].data, names[i].len);
    }
    if (count > 0) {
        qsort(items, count, sizeof *items, by_text);
    }
    return (struct text_list){.items = items, .count = count};
}

enum errcode tool_databases(struct tool_client *t, struct arena *arena, struct text_list *ret,
                            struct error *e)
{
    struct msg_list_databases_request request = {0};
    struct msg_list_databases_response r;

    TRY(call(t, API_LIST_DATABASES, &request, arena, &r, e));
    *ret = sorted(r.database_name, r.database_name_count, arena);
    return ERR_OK;
}

enum errcode tool_tables(struct tool_client *t, const char *database, struct arena *arena,
                         struct text_list *ret, struct error *e)
{
    struct msg_list_tables_request request = {.database_name = bytes_str(database)};
    struct msg_list_tables_response r;

    TRY(call(t, API_LIST_TABLES, &request, arena, &r, e));
    *ret = sorted(r.table_name, r.table_name_count, arena);
    return ERR_OK;
}

enum errcode tool_path_parse(const char *text, struct arena *arena, const char **ret_db,
                             const char **ret_table, struct error *e)
{
    const char *dot = strchr(text, '.');

    if (dot == NULL || dot == text || dot[1] == '\0' || strchr(dot + 1, '.') != NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found \"%.80s\", expected DATABASE.TABLE", text);
    }
    *ret_db = arena_strndup(arena, text, (size_t)(dot - text));
    *ret_table = dot + 1;
    return ERR_OK;
}

/* ---- buckets ---- */

static enum errcode add_bucket(struct listing *l, const struct msg_metadata_response *m,
                               const struct msg_pb_bucket_metadata *b,
                               const struct tool_bucket *part, struct error *e)
{
    struct tool_table *t = l->table;
    struct tool_bucket bucket = *part;

    bucket.bucket = b->bucket_id;
    bucket.leader = b->has_leader_id ? b->leader_id : -1;
    if (b->has_leader_id) {
        TRY(node_of(l->tool, m, b->leader_id, &bucket.client, e));
    }
    if (t->bucket_count == BUCKETS_MAX) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "the table has more than %d buckets",
                         BUCKETS_MAX);
    }
    if (t->bucket_count == l->cap) {
        struct tool_bucket *grown;

        l->cap = l->cap == 0 ? 16 : 2 * l->cap;
        grown = arena_array(l->arena, l->cap, sizeof *grown);
        if (t->bucket_count > 0) {
            memcpy(grown, t->buckets, t->bucket_count * sizeof *grown);
        }
        t->buckets = grown;
    }
    t->buckets[t->bucket_count++] = bucket;
    return ERR_OK;
}

static enum errcode add_partition(struct listing *l, struct msg_pb_table_path *path, int64_t id,
                                  struct error *e)
{
    struct msg_metadata_request request = {
        .table_path = path, .table_path_count = 1, .partitions_id = &id, .partitions_id_count = 1};
    struct msg_metadata_response m;

    TRY(call(l->tool, API_GET_METADATA, &request, l->arena, &m, e));
    for (size_t i = 0; i < m.partition_metadata_count; i++) {
        const struct msg_pb_partition_metadata *p = &m.partition_metadata[i];
        struct tool_bucket part = {
            .partition = arena_strndup(l->arena, p->partition_name.data, p->partition_name.len),
            .partition_id = p->partition_id};

        l->table->partition_count++;
        for (size_t k = 0; k < p->bucket_metadata_count; k++) {
            TRY(add_bucket(l, &m, &p->bucket_metadata[k], &part, e));
        }
    }
    return ERR_OK;
}

static enum errcode add_partitions(struct listing *l, struct msg_pb_table_path *path,
                                   struct error *e)
{
    struct msg_list_partition_infos_request request = {.table_path = *path};
    struct msg_list_partition_infos_response r;

    TRY(call(l->tool, API_LIST_PARTITION_INFOS, &request, l->arena, &r, e));
    for (size_t i = 0; i < r.partitions_info_count; i++) {
        TRY(add_partition(l, path, r.partitions_info[i].partition_id, e));
    }
    return ERR_OK;
}

static enum errcode add_buckets(struct listing *l, struct msg_pb_table_path *path, struct error *e)
{
    const struct tool_bucket part = {.partition_id = -1};
    struct msg_metadata_request request = {.table_path = path, .table_path_count = 1};
    struct msg_metadata_response m;

    if (table_is_partitioned(l->table->descriptor)) {
        return add_partitions(l, path, e);
    }
    TRY(call(l->tool, API_GET_METADATA, &request, l->arena, &m, e));
    for (size_t i = 0; m.table_metadata_count == 1 && i < m.table_metadata->bucket_metadata_count;
         i++) {
        TRY(add_bucket(l, &m, &m.table_metadata->bucket_metadata[i], &part, e));
    }
    return ERR_OK;
}

enum errcode tool_table_get(struct tool_client *t, const char *database, const char *table,
                            struct arena *arena, struct tool_table *ret, struct error *e)
{
    struct msg_pb_table_path path = {.database_name = bytes_str(database),
                                     .table_name = bytes_str(table)};
    struct msg_get_table_info_request request = {.table_path = path};
    struct msg_get_table_info_response r;
    struct listing listing = {.tool = t, .arena = arena, .table = ret};

    *ret = (struct tool_table){.id = -1, .timeout_us = t->timeout_us};
    TRY(call(t, API_GET_TABLE_INFO, &request, arena, &r, e));
    ret->id = r.table_id;
    ret->schema_id = r.schema_id;
    ret->created_ms = r.created_time;
    ret->json = r.table_json;
    TRY(table_descriptor_parse(r.table_json, &ret->descriptor, e));
    return add_buckets(&listing, &path, e);
}

void tool_table_fini(struct tool_table *table)
{
    table->descriptor = table_descriptor_unref(table->descriptor);
}

/* ---- offsets ---- */

/* Buckets from `first` on that one request can ask for. */
static size_t group_of(const struct tool_table *table, size_t first)
{
    const struct tool_bucket *b = &table->buckets[first];
    size_t count = 1;

    while (count < GROUP_MAX && first + count < table->bucket_count &&
           b[count].client == b->client && b[count].partition_id == b->partition_id) {
        count++;
    }
    return count;
}

/* Of `count` buckets that follow each other, of one group. */
struct asking {
    const struct tool_table *table;
    const struct tool_bucket *buckets;
    size_t count;
    struct tool_where where;
};

static enum errcode ask(const struct asking *a, struct arena *arena,
                        struct msg_list_offsets_response *ret, struct error *e)
{
    int32_t *ids = arena_array(arena, a->count, sizeof *ids);
    struct msg_list_offsets_request request = {
        .follower_server_id = -1,
        .offset_type = (int32_t)a->where.type,
        .table_id = a->table->id,
        .partition_id = a->buckets->partition_id,
        .has_partition_id = a->buckets->partition_id >= 0,
        .bucket_id = ids,
        .bucket_id_count = a->count,
        .start_timestamp = a->where.timestamp_ms,
        .has_start_timestamp = a->where.type == TOOL_BY_TIME,
    };
    struct rpc_call c = {
        .key = API_LIST_OFFSETS, .request = &request, .timeout_us = a->table->timeout_us};

    for (size_t i = 0; i < a->count; i++) {
        ids[i] = a->buckets[i].bucket;
    }
    return rpc_client_call(a->buckets->client, &c, arena, ret, e);
}

static bool refused(const struct msg_pb_list_offsets_resp_for_bucket *r)
{
    return r->has_error_code && r->error_code != 0;
}

static enum errcode offsets_of_group(const struct asking *a, int64_t *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_list_offsets_response r;

    TRY(ask(a, &arena, &r, e));
    for (size_t i = 0; i < r.buckets_resp_count; i++) {
        const struct msg_pb_list_offsets_resp_for_bucket *got = &r.buckets_resp[i];

        for (size_t k = 0; k < a->count; k++) {
            if (a->buckets[k].bucket == got->bucket_id && !refused(got)) {
                ret[k] = got->offset;
            }
        }
    }
    return ERR_OK;
}

enum errcode tool_offsets(const struct tool_table *table, struct tool_where where, int64_t *ret,
                          struct error *e)
{
    struct asking a = {.table = table, .where = where};

    for (size_t i = 0; i < table->bucket_count; i++) {
        ret[i] = -1;
    }
    for (size_t first = 0; first < table->bucket_count; first += a.count) {
        a.buckets = &table->buckets[first];
        a.count = group_of(table, first);
        if (a.buckets->client != NULL) {
            TRY(offsets_of_group(&a, &ret[first], e));
        }
    }
    return ERR_OK;
}

enum errcode tool_offset(const struct tool_table *table, const struct tool_bucket *bucket,
                         struct tool_where where, int64_t *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct asking a = {.table = table, .buckets = bucket, .count = 1, .where = where};
    const struct msg_pb_list_offsets_resp_for_bucket *got;
    struct msg_list_offsets_response r;

    if (bucket->client == NULL) {
        return error_set(e, ERR_LEADER_NOT_AVAILABLE, "the bucket has no leader");
    }
    TRY(ask(&a, &arena, &r, e));
    got = r.buckets_resp;
    if (r.buckets_resp_count != 1 || got->bucket_id != bucket->bucket) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "an answer without the offset");
    }
    if (refused(got)) {
        return error_set(e, error_from_fluss(got->error_code), "%.*s", (int)got->error_message.len,
                         (const char *)got->error_message.data);
    }
    *ret = got->offset;
    return ERR_OK;
}
