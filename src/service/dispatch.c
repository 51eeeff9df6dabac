/* API key -> handler. Every request gets an answer. */
#include "service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* LONG: one line per API */
static request_handler_fn handler_of(enum rpc_api_key key)
{
    switch ((int)key) {
    case API_API_VERSIONS:
        return handle_api_versions;
    case API_CREATE_DATABASE:
        return handle_create_database;
    case API_DROP_DATABASE:
        return handle_drop_database;
    case API_LIST_DATABASES:
        return handle_list_databases;
    case API_DATABASE_EXISTS:
        return handle_database_exists;
    case API_CREATE_TABLE:
        return handle_create_table;
    case API_DROP_TABLE:
        return handle_drop_table;
    case API_GET_TABLE_INFO:
        return handle_table_info;
    case API_LIST_TABLES:
        return handle_list_tables;
    case API_LIST_PARTITION_INFOS:
        return handle_list_partitions;
    case API_TABLE_EXISTS:
        return handle_table_exists;
    case API_GET_TABLE_SCHEMA:
        return handle_table_schema;
    case API_GET_METADATA:
        return handle_metadata;
    case API_PRODUCE_LOG:
        return handle_produce_log;
    case API_PUT_KV:
        return handle_put_kv;
    case API_FETCH_LOG:
        return handle_fetch_log;
    case API_LOOKUP:
        return handle_lookup;
    case API_LIST_OFFSETS:
        return handle_list_offsets;
    case API_GET_LATEST_KV_SNAPSHOTS:
        return handle_latest_kv_snapshots;
    case API_GET_KV_SNAPSHOT_METADATA:
        return handle_kv_snapshot_metadata;
    case API_GET_FILESYSTEM_SECURITY_TOKEN:
        return handle_security_token;
    case API_INIT_WRITER:
        return handle_init_writer;
    case API_LIMIT_SCAN:
        return handle_limit_scan;
    case API_PREFIX_LOOKUP:
        return handle_prefix_lookup;
    case API_GET_DATABASE_INFO:
        return handle_database_info;
    case API_CREATE_PARTITION:
        return handle_create_partition;
    case API_DROP_PARTITION:
        return handle_drop_partition;
    case API_AUTHENTICATE:
        return handle_authenticate;
    case API_ALTER_TABLE:
        return handle_alter_table;
    case API_DESCRIBE_CLUSTER_CONFIGS:
        return handle_describe_configs;
    case API_ACQUIRE_KV_SNAPSHOT_LEASE:
        return handle_acquire_kv_snapshot_lease;
    case API_RELEASE_KV_SNAPSHOT_LEASE:
        return handle_release_kv_snapshot_lease;
    case API_DROP_KV_SNAPSHOT_LEASE:
        return handle_drop_kv_snapshot_lease;
    case API_GET_TABLE_STATS:
        return handle_table_stats;
    case API_ALTER_DATABASE:
        return handle_alter_database;
    case API_SCAN_KV:
        return handle_scan_kv;
    case API_GET_CLUSTER_HEALTH:
        return handle_cluster_health;
    case API_LIST_KV_SNAPSHOTS:
        return handle_list_kv_snapshots;
    default:
        return NULL;
    }
}

void service_dispatch(struct request *r)
{
    request_handler_fn handler = r->api->served ? handler_of(r->api->key) : NULL;
    enum errcode code;

    ASSERT_ON(r->service->shard);
    if (handler == NULL || r->version < r->api->version_min || r->version > r->api->version_max) {
        request_failf(r, ERR_UNSUPPORTED_VERSION, "version %d of %s is not served", r->version,
                      r->api->name);
        return;
    }
    r->message = arena_zalloc(&r->arena, r->api->request->size);
    code = rpc_decode(r->api->request, r->body, &r->arena, r->message, &r->error);
    if (code != ERR_OK) {
        request_fail(r, code, &r->error);
        return;
    }
    handler(r);
}

void request_init(struct request *r)
{
    arena_init(&r->arena);
    list_init(&r->parts);
}

void request_fini(struct request *r)
{
    struct list *link;

    while ((link = list_pop_front(&r->parts)) != NULL) {
        struct part *p = container_of(link, struct part, link);

        arena_fini(&p->arena);
        free(p);
    }
    r->view = meta_view_unref(r->view);
    r->frame = chunk_unref(r->frame);
    arena_fini(&r->arena);
}

const struct meta_view *request_view(struct request *r)
{
    if (r->view == NULL) {
        r->view = meta_view_ref(r->service->view);
    }
    return r->view;
}

void request_answer(struct request *r, const void *response)
{
    r->code = ERR_OK;
    r->response = response;
    r->done(r);
}

void request_fail(struct request *r, enum errcode code, const struct error *e)
{
    ASSERT(code != ERR_OK);
    r->code = code;
    if (e != &r->error) {
        r->error = *e;
    }
    r->error.code = code;
    r->done(r);
}

void request_failf(struct request *r, enum errcode code, const char *fmt, ...)
{
    char text[sizeof r->error.message];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)error_set(&r->error, code, "%s", text);
    request_fail(r, code, &r->error);
}

struct service *service_new(struct node *node, struct shard *shard, struct replica_set *replicas)
{
    struct service *s = mem_new(struct service);

    s->node = node;
    s->shard = shard;
    s->replicas = replicas;
    list_init(&s->parked);
    return s;
}

void service_set_view(struct service *s, struct meta_view *view)
{
    meta_view_unref(s->view);
    s->view = view;
}

void service_free(struct service *s)
{
    if (s != NULL) {
        meta_view_unref(s->view);
        free(s);
    }
}
