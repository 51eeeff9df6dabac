#include "verify_server.h"

#include <inttypes.h>
#include <stdlib.h>

#include "format/batch.h"
#include "io/blocking.h"
#include "rpc/client.h"

#define SOFTWARE        "eider-verify"
#define SERVERS_MAX     64
#define FETCH_BYTES     (8 << 20)
#define WAIT_MS         200
#define EMPTY_MAX       10 /* answers without records before the end, one after the other */
#define OFFSET_EARLIEST 0
#define OFFSET_LATEST   1

struct node {
    int32_t id;
    struct rpc_client *client;
};

struct online {
    const struct verify_server_options *options;
    struct verify_report *report;
    struct rpc_client *any; /* knows the catalog */
    struct node nodes[SERVERS_MAX];
    size_t node_count;
};

/* One bucket being read. */
struct reading {
    struct online *o;
    struct rpc_client *leader;
    char name[512];
    int64_t table_id;
    int64_t partition_id; /* -1: none */
    int32_t bucket;
    int64_t next; /* offset to read */
    int64_t end;
};

static void online_fini(struct online *o)
{
    rpc_client_free(o->any);
    for (size_t i = 0; i < o->node_count; i++) {
        rpc_client_free(o->nodes[i].client);
    }
}

static struct rpc_call call_of(const struct online *o, enum rpc_api_key key, const void *request)
{
    return (struct rpc_call){.key = key, .request = request, .timeout_us = o->options->timeout_us};
}

static enum errcode connect_to(const struct online *o, const char *host, uint16_t port,
                               struct rpc_client **ret, struct error *e)
{
    OWNED(rpc_client_freep) struct rpc_client *c = NULL;

    TRY(rpc_client_open(host, port, &c, e));
    TRY(rpc_client_handshake(c, SOFTWARE, o->options->timeout_us, e));
    *ret = TAKE(c);
    return ERR_OK;
}

/* ---- findings ---- */

static void report(const struct reading *g, int64_t offset, const char *what)
{
    struct verify_finding finding = {
        .kind = VERIFY_RECORDS, .path = g->name, .position = offset, .what = what};

    verify_report_add(g->o->report, &finding);
}

static void report_gap(const struct reading *g, int64_t to)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    g->o->report->lost_offsets += (uint64_t)(to - g->next);
    report(
        g, g->next,
        arena_printf(&arena, "no records with offsets %" PRId64 " to %" PRId64, g->next, to - 1));
}

/* ---- records ---- */

/* A fetch may begin inside of a batch, never behind where the one before ended. */
static void check_batch(struct reading *g, const struct batch *batch, bool first)
{
    const struct batch_header *h = &batch->header;
    struct error what;

    if (batch_check_crc(h, batch->data, &what) != ERR_OK) {
        report(g, h->base_offset, what.message);
    }
    if (h->base_offset > g->next) {
        report_gap(g, h->base_offset);
    } else if (h->base_offset < g->next && (!first || batch_next_offset(h) <= g->next)) {
        report(g, h->base_offset, "the batch has offsets that the one before has");
    }
    if (batch_next_offset(h) > g->next) {
        g->next = batch_next_offset(h);
    }
    g->o->report->batches++;
    g->o->report->records += (uint64_t)h->record_count;
}

static enum errcode check_records(struct reading *g, struct bytes records)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    bool first = true;
    struct error what;

    g->o->report->bytes += records.len;
    batch_iterator_init(&it, records);
    for (;;) {
        if (batch_next(&it, &batch, &found, &what) != ERR_OK) {
            report(g, g->next, what.message);
            return ERR_CORRUPT_RECORD; /* where the next one starts is unknown */
        }
        if (!found) {
            return ERR_OK;
        }
        check_batch(g, &batch, first);
        first = false;
    }
}

static enum errcode fetch(const struct reading *g, struct arena *arena,
                          struct msg_pb_fetch_log_resp_for_bucket *ret, struct error *e)
{
    struct msg_pb_fetch_log_req_for_bucket bucket = {
        .partition_id = g->partition_id,
        .has_partition_id = g->partition_id >= 0,
        .bucket_id = g->bucket,
        .fetch_offset = g->next,
        .max_fetch_bytes = FETCH_BYTES,
    };
    struct msg_pb_fetch_log_req_for_table table = {
        .table_id = g->table_id, .buckets_req = &bucket, .buckets_req_count = 1};
    struct msg_fetch_log_request request = {
        .follower_server_id = -1,
        .max_bytes = FETCH_BYTES,
        .tables_req = &table,
        .tables_req_count = 1,
        .max_wait_ms = WAIT_MS,
        .min_bytes = 1,
        .has_max_wait_ms = true,
        .has_min_bytes = true,
    };
    struct msg_fetch_log_response response;
    struct rpc_call c = call_of(g->o, API_FETCH_LOG, &request);

    TRY(rpc_client_call(g->leader, &c, arena, &response, e));
    if (response.tables_resp_count != 1 || response.tables_resp[0].buckets_resp_count != 1) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "%s: a fetch without an answer", g->name);
    }
    *ret = response.tables_resp[0].buckets_resp[0];
    return ERR_OK;
}

/* *ret_more false: nothing else can be read of this bucket. */
static enum errcode read_some(struct reading *g, unsigned *empty, bool *ret_more, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_pb_fetch_log_resp_for_bucket r = {0};
    int64_t before = g->next;

    *ret_more = false;
    TRY(fetch(g, &arena, &r, e));
    if (r.has_error_code && r.error_code != 0) {
        report(g, g->next,
               arena_printf(&arena, "the server answers %s: %.*s",
                            error_name(error_from_fluss(r.error_code)), (int)r.error_message.len,
                            (const char *)r.error_message.data));
        return ERR_OK;
    }
    if (r.remote_log_fetch_info != NULL) {
        return ERR_OK; /* in remote storage, which is somebody else's to check */
    }
    if (check_records(g, r.records) != ERR_OK) {
        return ERR_OK;
    }
    *empty = g->next > before ? 0 : *empty + 1;
    *ret_more = *empty < EMPTY_MAX;
    return ERR_OK;
}

static enum errcode ask_offset(const struct reading *g, int32_t type, int64_t *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int32_t bucket = g->bucket;
    struct msg_list_offsets_request request = {
        .follower_server_id = -1,
        .offset_type = type,
        .table_id = g->table_id,
        .partition_id = g->partition_id,
        .has_partition_id = g->partition_id >= 0,
        .bucket_id = &bucket,
        .bucket_id_count = 1,
    };
    struct msg_list_offsets_response response;
    const struct msg_pb_list_offsets_resp_for_bucket *r;
    struct rpc_call c = call_of(g->o, API_LIST_OFFSETS, &request);

    TRY(rpc_client_call(g->leader, &c, &arena, &response, e));
    r = response.buckets_resp;
    if (response.buckets_resp_count != 1) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "%s: no offset in the answer", g->name);
    }
    if (r->has_error_code && r->error_code != 0) {
        return error_set(e, error_from_fluss(r->error_code), "%s: %.*s", g->name,
                         (int)r->error_message.len, (const char *)r->error_message.data);
    }
    *ret = r->offset;
    return ERR_OK;
}

/* From the earliest offset to the one that is the latest when this begins. */
static enum errcode read_bucket(struct reading *g, struct error *e)
{
    unsigned empty = 0;
    bool more = true;

    g->o->report->buckets++;
    TRY(ask_offset(g, OFFSET_EARLIEST, &g->next, e));
    TRY(ask_offset(g, OFFSET_LATEST, &g->end, e));
    while (more && g->next < g->end) {
        TRY(read_some(g, &empty, &more, e));
    }
    if (g->next < g->end && empty >= EMPTY_MAX) {
        report_gap(g, g->end);
    }
    return ERR_OK;
}

/* ---- what there is ---- */

static enum errcode leader_of(struct online *o, const struct msg_metadata_response *m, int32_t id,
                              struct rpc_client **ret, struct error *e)
{
    char host[256];

    for (size_t i = 0; i < o->node_count; i++) {
        if (o->nodes[i].id == id) {
            *ret = o->nodes[i].client;
            return ERR_OK;
        }
    }
    for (size_t i = 0; i < m->tablet_servers_count && o->node_count < SERVERS_MAX; i++) {
        const struct msg_pb_server_node *node = &m->tablet_servers[i];

        if (node->node_id == id && node->host.len < sizeof host && node->port > 0 &&
            node->port <= UINT16_MAX) {
            memcpy(host, node->host.data, node->host.len);
            host[node->host.len] = '\0';
            TRY(connect_to(o, host, (uint16_t)node->port, ret, e));
            o->nodes[o->node_count++] = (struct node){.id = id, .client = *ret};
            return ERR_OK;
        }
    }
    return error_set(e, ERR_NETWORK, "server %" PRId32 ", which leads a bucket, is not known", id);
}

/* The buckets of a table or partition, as the metadata lists them. */
static enum errcode read_buckets(struct reading *g, const struct msg_metadata_response *m,
                                 const struct msg_pb_bucket_metadata *buckets, size_t count,
                                 struct error *e)
{
    size_t len = strlen(g->name);

    for (size_t i = 0; i < count; i++) {
        if (!buckets[i].has_leader_id) {
            return error_set(e, ERR_NETWORK, "%s bucket %" PRId32 " has no leader", g->name,
                             buckets[i].bucket_id);
        }
        TRY(leader_of(g->o, m, buckets[i].leader_id, &g->leader, e));
        g->bucket = buckets[i].bucket_id;
        (void)snprintf(g->name + len, sizeof g->name - len, " bucket %" PRId32, g->bucket);
        TRY(read_bucket(g, e));
        g->name[len] = '\0';
    }
    return ERR_OK;
}

static enum errcode read_partition(struct reading *g, struct msg_pb_table_path *path,
                                   int64_t partition_id, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_metadata_request request = {
        .table_path = path,
        .table_path_count = 1,
        .partitions_id = &partition_id,
        .partitions_id_count = 1,
    };
    struct rpc_call c = call_of(g->o, API_GET_METADATA, &request);
    struct msg_metadata_response m;
    size_t len = strlen(g->name);

    TRY(rpc_client_call(g->o->any, &c, &arena, &m, e));
    for (size_t i = 0; i < m.partition_metadata_count; i++) {
        const struct msg_pb_partition_metadata *p = &m.partition_metadata[i];

        g->partition_id = p->partition_id;
        (void)snprintf(g->name + len, sizeof g->name - len, " partition %.*s",
                       (int)p->partition_name.len, (const char *)p->partition_name.data);
        TRY(read_buckets(g, &m, p->bucket_metadata, p->bucket_metadata_count, e));
        g->name[len] = '\0';
    }
    return ERR_OK;
}

static enum errcode read_partitions(struct reading *g, struct msg_pb_table_path *path,
                                    struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_list_partition_infos_request request = {.table_path = *path};
    struct rpc_call c = call_of(g->o, API_LIST_PARTITION_INFOS, &request);
    struct msg_list_partition_infos_response partitions;

    TRY(rpc_client_call(g->o->any, &c, &arena, &partitions, e));
    for (size_t i = 0; i < partitions.partitions_info_count; i++) {
        TRY(read_partition(g, path, partitions.partitions_info[i].partition_id, e));
    }
    return ERR_OK;
}

static enum errcode read_table(struct online *o, struct msg_pb_table_path *path, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_metadata_request ask = {.table_path = path, .table_path_count = 1};
    struct msg_metadata_response m;
    struct reading g = {.o = o, .partition_id = -1};
    struct rpc_call c = call_of(o, API_GET_METADATA, &ask);

    TRY(rpc_client_call(o->any, &c, &arena, &m, e));
    if (m.table_metadata_count != 1) {
        return ERR_OK; /* dropped meanwhile */
    }
    o->report->tables++;
    g.table_id = m.table_metadata->table_id;
    (void)snprintf(g.name, sizeof g.name, "%.*s.%.*s", (int)path->database_name.len,
                   (const char *)path->database_name.data, (int)path->table_name.len,
                   (const char *)path->table_name.data);
    if (m.table_metadata->bucket_metadata_count == 0) {
        return read_partitions(&g, path, e);
    }
    return read_buckets(&g, &m, m.table_metadata->bucket_metadata,
                        m.table_metadata->bucket_metadata_count, e);
}

static enum errcode read_database(struct online *o, struct bytes name, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_list_tables_request request = {.database_name = name};
    struct msg_list_tables_response tables;
    struct rpc_call c = call_of(o, API_LIST_TABLES, &request);

    TRY(rpc_client_call(o->any, &c, &arena, &tables, e));
    for (size_t i = 0; i < tables.table_name_count; i++) {
        struct msg_pb_table_path path = {.database_name = name, .table_name = tables.table_name[i]};

        TRY(read_table(o, &path, e));
    }
    return ERR_OK;
}

enum errcode verify_server(const struct verify_server_options *options,
                           struct verify_report *report_to, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(online_fini) struct online o = {.options = options, .report = report_to};
    struct msg_list_databases_request request = {0};
    struct msg_list_databases_response databases;
    struct rpc_call c = call_of(&o, API_LIST_DATABASES, &request);

    TRY(connect_to(&o, options->host, options->port, &o.any, e));
    TRY(rpc_client_call(o.any, &c, &arena, &databases, e));
    for (size_t i = 0; i < databases.database_name_count; i++) {
        TRY(read_database(&o, databases.database_name[i], e));
    }
    return ERR_OK;
}
