#include "bench_cluster.h"

#include "io/blocking.h"
#include "io/clock.h"

#define SOFTWARE       "eider-bench"
#define AGAIN_US       5000 /* between two looks at something that is on its way */
#define LEADERS_FOR_US 60000000

static enum errcode connect_to(const struct bench_options *options, const char *host, uint16_t port,
                               struct rpc_client **ret, struct error *e)
{
    OWNED(rpc_client_freep) struct rpc_client *c = NULL;

    TRY(rpc_client_open(host, port, &c, e));
    TRY(rpc_client_handshake(c, SOFTWARE, options->timeout_us, e));
    *ret = TAKE(c);
    return ERR_OK;
}

/* ---- nodes ---- */

static enum errcode keep_node(const struct msg_pb_server_node *node, struct bench_node *ret,
                              struct error *e)
{
    if (node->host.len >= sizeof ret->host || node->port < 1 || node->port > UINT16_MAX) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "metadata: a server at an impossible address");
    }
    ret->id = node->node_id;
    ret->port = (uint16_t)node->port;
    memcpy(ret->host, node->host.data, node->host.len);
    ret->host[node->host.len] = '\0';
    return ERR_OK;
}

static enum errcode keep_tablets(struct bench_cluster *c, const struct msg_metadata_response *m,
                                 struct error *e)
{
    c->tablet_count = 0;
    if (m->tablet_servers_count > BENCH_NODES_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%zu tablet servers, at most %d are supported",
                         m->tablet_servers_count, BENCH_NODES_MAX);
    }
    for (size_t i = 0; i < m->tablet_servers_count; i++) {
        TRY(keep_node(&m->tablet_servers[i], &c->tablets[i], e));
        c->tablet_count++;
    }
    return ERR_OK;
}

enum errcode cluster_open(struct bench_cluster *c, const struct bench_options *options,
                          struct error *e)
{
    struct msg_metadata_request request = {0};
    struct rpc_call call = {
        .key = API_GET_METADATA, .request = &request, .timeout_us = options->timeout_us};
    OWNED(rpc_client_freep) struct rpc_client *any = NULL;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_metadata_response response;
    struct bench_node coordinator;

    *c = (struct bench_cluster){.options = options};
    TRY(connect_to(options, options->host, options->port, &any, e));
    TRY(rpc_client_call(any, &call, &arena, &response, e));
    if (response.coordinator_server == NULL || response.tablet_servers_count == 0) {
        return error_set(e, ERR_NETWORK, "the cluster has no coordinator or no tablet server yet");
    }
    TRY(keep_tablets(c, &response, e));
    TRY(keep_node(response.coordinator_server, &coordinator, e));
    return connect_to(options, coordinator.host, coordinator.port, &c->coordinator, e);
}

void cluster_close(struct bench_cluster *c)
{
    rpc_client_free(c->coordinator);
    c->coordinator = NULL;
}

/* ---- the table ---- */

static struct msg_pb_table_path path_of(const struct bench_cluster *c)
{
    return (struct msg_pb_table_path){.database_name = bytes_str(c->options->database),
                                      .table_name = bytes_str(c->options->table)};
}

/* One request to the coordinator whose response has nothing of interest. */
static enum errcode order(struct bench_cluster *c, enum rpc_api_key key, const void *request,
                          struct error *e)
{
    struct rpc_call call = {.key = key, .request = request, .timeout_us = c->options->timeout_us};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    return rpc_client_call(c->coordinator, &call, &arena,
                           arena_zalloc(&arena, rpc_api_find((int16_t)key)->response->size), e);
}

enum errcode cluster_drop_table(struct bench_cluster *c, struct error *e)
{
    struct msg_drop_table_request request = {.table_path = path_of(c),
                                             .ignore_if_not_exists = true};

    return order(c, API_DROP_TABLE, &request, e);
}

enum errcode cluster_create_table(struct bench_cluster *c, struct bytes descriptor, struct error *e)
{
    struct msg_create_database_request database = {.database_name = bytes_str(c->options->database),
                                                   .ignore_if_exists = true};
    struct msg_create_table_request table = {.table_path = path_of(c), .table_json = descriptor};

    TRY(order(c, API_CREATE_DATABASE, &database, e));
    TRY(cluster_drop_table(c, e));
    TRY(order(c, API_CREATE_TABLE, &table, e));
    return cluster_find_table(c, e);
}

static bool find_tablet(const struct bench_cluster *c, int32_t id, size_t *ret)
{
    for (size_t i = 0; i < c->tablet_count; i++) {
        if (c->tablets[i].id == id) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* *ret: all buckets have leaders that are known. */
static enum errcode keep_table(struct bench_cluster *c, const struct msg_metadata_response *m,
                               bool *ret, struct error *e)
{
    const struct msg_pb_table_metadata *t = m->table_metadata;
    size_t led = 0;

    *ret = false;
    if (m->table_metadata_count == 0) {
        return ERR_OK;
    }
    if (t->bucket_metadata_count > BENCH_BUCKETS_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%zu buckets, at most %d are supported",
                         t->bucket_metadata_count, BENCH_BUCKETS_MAX);
    }
    TRY(keep_tablets(c, m, e));
    c->table_id = t->table_id;
    c->bucket_count = (int32_t)t->bucket_metadata_count;
    for (size_t i = 0; i < t->bucket_metadata_count; i++) {
        const struct msg_pb_bucket_metadata *b = &t->bucket_metadata[i];

        if (b->bucket_id >= 0 && b->bucket_id < c->bucket_count && b->has_leader_id &&
            find_tablet(c, b->leader_id, &c->leaders[b->bucket_id])) {
            led++;
        }
    }
    *ret = led > 0 && led == t->bucket_metadata_count;
    return ERR_OK;
}

enum errcode cluster_find_table(struct bench_cluster *c, struct error *e)
{
    struct msg_pb_table_path path = path_of(c);
    struct msg_metadata_request request = {.table_path = &path, .table_path_count = 1};
    struct rpc_call call = {
        .key = API_GET_METADATA, .request = &request, .timeout_us = c->options->timeout_us};
    int64_t deadline_us = clock_mono_us() + LEADERS_FOR_US;

    for (;;) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct msg_metadata_response response;
        bool complete;

        TRY(rpc_client_call(c->coordinator, &call, &arena, &response, e));
        TRY(keep_table(c, &response, &complete, e));
        if (complete) {
            return ERR_OK;
        }
        if (clock_mono_us() > deadline_us) {
            return error_set(e, ERR_REQUEST_TIME_OUT, "table %s.%s has buckets without leaders",
                             c->options->database, c->options->table);
        }
        thread_sleep_us(AGAIN_US);
    }
}

/* ---- connections ---- */

enum errcode cluster_connect(const struct bench_cluster *c, size_t tablet, struct rpc_client **ret,
                             struct error *e)
{
    ASSERT(tablet < c->tablet_count);
    return connect_to(c->options, c->tablets[tablet].host, c->tablets[tablet].port, ret, e);
}

enum errcode cluster_new_writer(const struct bench_cluster *c, struct rpc_client *client,
                                int64_t *ret, struct error *e)
{
    struct msg_pb_table_path path = path_of(c);
    struct msg_init_writer_request request = {.table_path = &path, .table_path_count = 1};
    struct rpc_call call = {
        .key = API_INIT_WRITER, .request = &request, .timeout_us = c->options->timeout_us};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_init_writer_response response;

    TRY(rpc_client_call(client, &call, &arena, &response, e));
    *ret = response.writer_id;
    return ERR_OK;
}

static bool leads(const struct bench_cluster *c, size_t tablet)
{
    for (int32_t b = 0; b < c->bucket_count; b++) {
        if (c->leaders[b] == tablet) {
            return true;
        }
    }
    return false;
}

enum errcode links_open(struct bench_links *l, const struct bench_cluster *c, struct error *e)
{
    size_t each = (size_t)c->options->connections;

    *l = (struct bench_links){0};
    for (size_t t = 0; t < c->tablet_count; t++) {
        l->first[t] = l->count;
        if (!leads(c, t)) {
            continue;
        }
        if (l->count + each > RPC_CLIENTS_MAX) {
            return error_set(e, ERR_INVALID_ARGUMENT, "more than %d connections", RPC_CLIENTS_MAX);
        }
        for (size_t i = 0; i < each; i++) {
            TRY(cluster_connect(c, t, &l->clients[l->count], e));
            l->count++;
        }
    }
    return ERR_OK;
}

void links_close(struct bench_links *l)
{
    for (size_t i = 0; i < l->count; i++) {
        rpc_client_free(l->clients[i]);
    }
    l->count = 0;
}

size_t links_of(const struct bench_links *l, const struct bench_cluster *c, int32_t bucket,
                size_t turn)
{
    ASSERT(bucket >= 0 && bucket < c->bucket_count);
    return l->first[c->leaders[bucket]] + turn % (size_t)c->options->connections;
}
