/* GET_METADATA: servers, tables and partitions, from the shard's view. */
#include "service.h"

/* Of one answer, about. */
#define METADATA_BYTES_MAX ((size_t)128 << 20)

static void fill_node(const struct request *r, struct msg_pb_server_node *node, bool tablet)
{
    const struct node *n = r->service->node;

    *node = (struct msg_pb_server_node){
        .node_id = n->server_id,
        .host = bytes_str(r->listener->host),
        .port = r->listener->port,
    };
    if (tablet && n->rack != NULL) {
        node->has_rack = true;
        node->rack = bytes_str(n->rack);
    }
}

/* Every bucket is led by this server. */
static struct msg_pb_bucket_metadata *bucket_list(struct request *r, const struct meta_buckets *b)
{
    struct msg_pb_bucket_metadata *list = arena_array(&r->arena, (size_t)b->count, sizeof *list);
    int32_t *server = arena_alloc(&r->arena, sizeof *server);

    *server = r->service->node->server_id;
    for (int32_t i = 0; i < b->count; i++) {
        list[i] = (struct msg_pb_bucket_metadata){
            .bucket_id = i,
            .has_leader_id = true,
            .leader_id = *server,
            .replica_id = server,
            .replica_id_count = 1,
            .has_leader_epoch = true,
            .leader_epoch = b->leader_epochs[i],
        };
    }
    return list;
}

static void fill_table(struct request *r, const struct meta_table *t,
                       struct msg_pb_table_metadata *m)
{
    m->table_path.database_name = bytes_str(t->database);
    m->table_path.table_name = bytes_str(t->name);
    m->table_id = t->id;
    m->schema_id = meta_table_latest(t)->id;
    m->table_json = t->json;
    m->created_time = t->created_ms;
    m->modified_time = t->modified_ms;
    m->bucket_metadata_count = (size_t)t->buckets.count;
    m->bucket_metadata = bucket_list(r, &t->buckets);
    if (t->remote_data_dir != NULL) {
        m->has_remote_data_dir = true;
        m->remote_data_dir = bytes_str(t->remote_data_dir);
    }
}

static void fill_partition(struct request *r, const struct meta_partition *p,
                           struct msg_pb_partition_metadata *m)
{
    m->table_id = p->table_id;
    m->partition_id = p->id;
    m->partition_name = bytes_str(p->name);
    m->bucket_metadata_count = (size_t)p->buckets.count;
    m->bucket_metadata = bucket_list(r, &p->buckets);
}

/* Adds what the answer holds of one table or partition; nothing keeps a request from naming the
 * same one many times. */
static enum errcode weigh(struct request *r, size_t *weight, size_t json_size, int32_t buckets)
{
    *weight += json_size + (size_t)buckets * sizeof(struct msg_pb_bucket_metadata);
    if (*weight > METADATA_BYTES_MAX) {
        return error_set(&r->error, ERR_INVALID_ARGUMENT,
                         "the tables and partitions asked for have more than %zu bytes of metadata",
                         METADATA_BYTES_MAX);
    }
    return ERR_OK;
}

static enum errcode fill_tables(struct request *r, const struct msg_metadata_request *m,
                                struct msg_metadata_response *response, size_t *weight)
{
    response->table_metadata =
        arena_array(&r->arena, m->table_path_count, sizeof *response->table_metadata);
    for (size_t i = 0; i < m->table_path_count; i++) {
        const struct msg_pb_table_path *path = &m->table_path[i];
        const struct meta_table *t =
            meta_view_table(request_view(r), path->database_name, path->table_name);

        if (t == NULL) {
            return error_set(&r->error, ERR_TABLE_NOT_EXIST, "table %.*s.%.*s does not exist",
                             (int)path->database_name.len, path->database_name.data,
                             (int)path->table_name.len, path->table_name.data);
        }
        TRY(weigh(r, weight, t->json.len, t->buckets.count));
        fill_table(r, t, &response->table_metadata[response->table_metadata_count++]);
    }
    return ERR_OK;
}

static enum errcode find_partition(struct request *r, const struct msg_pb_physical_table_path *path,
                                   const struct meta_partition **ret)
{
    const struct meta_table *t =
        meta_view_table(request_view(r), path->database_name, path->table_name);

    if (t == NULL) {
        return error_set(&r->error, ERR_TABLE_NOT_EXIST, "table %.*s.%.*s does not exist",
                         (int)path->database_name.len, path->database_name.data,
                         (int)path->table_name.len, path->table_name.data);
    }
    *ret = path->has_partition_name && meta_table_partitioned(t)
               ? meta_table_partition(t, path->partition_name)
               : NULL;
    if (*ret == NULL) {
        /* clients look for this wording */
        return error_set(&r->error, ERR_PARTITION_NOT_EXISTS,
                         "Table partition '%s.%s(p=%.*s)' does not exist.", t->database, t->name,
                         (int)path->partition_name.len, (const char *)path->partition_name.data);
    }
    return ERR_OK;
}

static enum errcode fill_partitions(struct request *r, const struct msg_metadata_request *m,
                                    struct msg_metadata_response *response, size_t *weight)
{
    size_t total = m->partitions_path_count + m->partitions_id_count;
    const struct meta_partition *p = NULL;

    response->partition_metadata =
        arena_array(&r->arena, total, sizeof *response->partition_metadata);
    for (size_t i = 0; i < m->partitions_path_count; i++) {
        TRY(find_partition(r, &m->partitions_path[i], &p));
        TRY(weigh(r, weight, 0, p->buckets.count));
        fill_partition(r, p, &response->partition_metadata[response->partition_metadata_count++]);
    }
    for (size_t i = 0; i < m->partitions_id_count; i++) {
        p = meta_view_partition(request_view(r), m->partitions_id[i], NULL);
        if (p == NULL) {
            return error_set(&r->error, ERR_PARTITION_NOT_EXISTS,
                             "there is no partition with id "
                             "%lld",
                             (long long)m->partitions_id[i]);
        }
        TRY(weigh(r, weight, 0, p->buckets.count));
        fill_partition(r, p, &response->partition_metadata[response->partition_metadata_count++]);
    }
    return ERR_OK;
}

void handle_metadata(struct request *r)
{
    const struct msg_metadata_request *m = r->message;
    struct msg_metadata_response *response = arena_new(&r->arena, struct msg_metadata_response);
    size_t weight = 0;
    enum errcode code = fill_tables(r, m, response, &weight);

    if (code == ERR_OK) {
        code = fill_partitions(r, m, response, &weight);
    }
    if (code != ERR_OK) {
        request_fail(r, code, &r->error);
        return;
    }
    response->coordinator_server = arena_new(&r->arena, struct msg_pb_server_node);
    fill_node(r, response->coordinator_server, false);
    response->tablet_servers = arena_new(&r->arena, struct msg_pb_server_node);
    response->tablet_servers_count = 1;
    fill_node(r, response->tablet_servers, true);
    request_answer(r, response);
}
