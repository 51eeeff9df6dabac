#include "server_config.h"

#include "listeners.h"

#include <string.h>
#include <unistd.h>

/* Threads for opens and closes, for cold reads and for syncs; they start when they are needed. The
 * first wait for the device most of the time, and what they wait for together costs it once. */
#define DISK_THREADS 16
#define READ_THREADS 8
#define SYNC_THREADS 4
/* Responses a peer may leave unread before its requests are not read any more. */
#define UNSENT_MAX (8u << 20)

static enum errcode config_listeners(const struct server_args *args, struct arena *arena,
                                     struct server_config *c, struct error *e)
{
    struct listener_list list;

    static_assert(LISTENERS_MAX <= SERVER_LISTENERS_MAX, "room for every listener");
    TRY(listeners_parse(args->options, arena, &list, e));
    c->listener_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        c->listeners[i] = (struct server_listener){
            .name = list.bind[i].name,
            .host = list.bind[i].host,
            .port = list.bind[i].port,
            .advertised_host = list.advertised[i].host,
            .advertised_port = list.advertised[i].port,
        };
    }
    return ERR_OK;
}

/* postgres.listeners: host:port[,host:port ...], or none. */
static enum errcode config_sql_listeners(const struct options *o, struct arena *arena,
                                         struct server_config *c, struct error *e)
{
    const char *rest = options_string(o, "postgres.listeners");

    c->sql_may_miss = !options_is_set(o, "postgres.listeners");
    if (strcmp(rest, "none") == 0) {
        return ERR_OK;
    }
    while (rest != NULL) {
        const char *comma = strchr(rest, ',');
        size_t len = comma == NULL ? strlen(rest) : (size_t)(comma - rest);
        struct listener_list list;

        if (c->sql_listener_count == SERVER_LISTENERS_MAX) {
            return error_set(e, ERR_INVALID_ARGUMENT,
                             "postgres.listeners: found more listeners than %d",
                             SERVER_LISTENERS_MAX);
        }
        TRY(listeners_parse_text(
            arena_printf(arena, "POSTGRES://%s", arena_strndup(arena, rest, len)),
            "postgres.listeners", arena, &list, e));
        c->sql_listeners[c->sql_listener_count++] = (struct server_listener){
            .name = "POSTGRES", .host = list.bind[0].host, .port = list.bind[0].port};
        rest = comma == NULL ? NULL : comma + 1;
    }
    return ERR_OK;
}

static void config_sql(const struct options *o, struct sql_options *sql)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    sql->library = options_string(o, "eider.sql.library");
    sql->memory_bytes = (uint64_t)options_bytes(o, "eider.sql.memory");
    sql->cache_bytes = (uint64_t)options_bytes(o, "eider.sql.cache.memory");
    sql->spool_bytes = (uint64_t)options_bytes(o, "eider.sql.spool");
    sql->threads = options_has(o, "eider.sql.threads")
                       ? (unsigned)options_int(o, "eider.sql.threads")
                       : (cores > 0 ? (unsigned)cores : 1);
}

static void config_meta(const struct options *o, struct arena *arena, struct meta_options *m)
{
    m->server_id = options_int(o, "tablet-server.id");
    m->default_bucket_count = options_int(o, "default.bucket.number");
    m->default_replication_factor = options_int(o, "default.replication.factor");
    m->bucket_count_max = options_int(o, "max.bucket.num");
    m->partition_count_max = options_int(o, "max.partition.num");
    m->allow_log_tables = options_bool(o, "allow.create.log.tables");
    m->allow_kv_tables = options_bool(o, "allow.create.kv.tables");
    m->remote_data_dir = options_string(o, "remote.data.dir");
    m->auto_partition_interval_ms = options_duration_ms(o, "auto-partition.check.interval");
    m->snapshots_retained = options_int(o, "kv.snapshot.num-retained");
    m->lease_interval_ms = options_duration_ms(o, "kv.snapshot.lease.expiration-check-interval");
    m->configs = options_settings(o, arena, &m->config_count);
}

static void config_replicas(const struct options *o, struct replica_config *r)
{
    r->log = (struct log_options){
        .segment_bytes_max = (uint64_t)options_bytes(o, "log.segment.file-size"),
        .index_bytes_max = (uint32_t)options_bytes(o, "log.index.file-size"),
        .index_interval = (uint32_t)options_bytes(o, "log.index.interval-size"),
        .writer_expiry_ms = options_duration_ms(o, "server.writer-id.expiration-time"),
    };
    r->sync = strcmp(options_string(o, "log.durability"), "fsync") == 0;
    r->roll_active = options_bool(o, "log.retention.roll-active-segment.enabled");
    r->retention_us = options_duration_ms(o, "log.retention.check-interval") * 1000;
    r->writer_check_us =
        options_duration_ms(o, "server.writer-id.expiration-check-interval") * 1000;
    r->kv_level0_trigger = (uint32_t)options_int(o, "kv.backpressure.l0-slowdown-trigger");
}

static void config_kv(const struct options *o, struct server_config *c)
{
    const char *rate = "kv.rocksdb.shared-rate-limiter.bytes-per-sec";

    c->kv_threads = (unsigned)options_int(o, "kv.flush.thread-num");
    c->snapshot_threads = (unsigned)options_int(o, "kv.snapshot.transfer-thread-num");
    c->replicas.snapshot_interval_us = options_duration_ms(o, "kv.snapshot.interval") * 1000;
    c->replicas.kv_scan = (struct kv_scan_options){
        .ttl_us = options_duration_ms(o, "kv.scanner.ttl") * 1000,
        .check_us = options_duration_ms(o, "kv.scanner.expiration-interval") * 1000,
        .per_bucket = (uint32_t)options_int(o, "kv.scanner.max-per-bucket"),
        .per_server = (uint32_t)options_int(o, "kv.scanner.max-per-server"),
        .batch_bytes_max = (size_t)options_bytes(o, "kv.scanner.max-batch-size"),
    };
    c->kv = (struct kv_env_options){
        .memory_bytes = (size_t)options_bytes(o, "eider.kv.memory"),
        .background_threads = (unsigned)options_int(o, "kv.rocksdb.thread.num"),
        .rate_bytes_per_second = options_has(o, rate) ? (uint64_t)options_bytes(o, rate) : 0,
    };
}

static void config_front(const struct options *o, struct fluss_front_options *f)
{
    f->frame_bytes_max = (size_t)options_bytes(o, "netty.server.max-request-size");
    f->inflight_max = (uint32_t)options_int(o, "netty.server.max-queued-requests");
    f->unsent_bytes_max = UNSENT_MAX;
    f->idle_us = options_duration_ms(o, "netty.connection.max-idle-time") * 1000;
}

static unsigned shard_count(const struct options *o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int32_t wanted = options_has(o, "eider.shards") ? options_int(o, "eider.shards") : 0;

    if (wanted <= 0) {
        wanted = cores > 0 ? (int32_t)cores : 1;
    }
    return wanted > SERVER_SHARDS_MAX ? SERVER_SHARDS_MAX : (unsigned)wanted;
}

enum errcode server_config_make(const struct server_args *args, struct arena *arena,
                                struct server_config *ret, struct error *e)
{
    const struct options *o = args->options;
    struct server_config c = {
        .data_dir = args->data_dir,
        .shards = shard_count(o),
        .memory_bytes = (size_t)options_bytes(o, "eider.memory.budget"),
        .remote_data_dir = options_string(o, "remote.data.dir"),
        .rack = options_string(o, "tablet-server.rack"),
        .checkpoint_us =
            options_duration_ms(o, "log.replica.high-watermark.checkpoint-interval") * 1000,
        .recovery_point_us = options_duration_ms(o, "log.flush.offset.checkpoint-interval") * 1000,
        .fetch_wait_us_max = INT64_C(60000000),
        .disk_threads = DISK_THREADS,
        .read_threads = READ_THREADS,
        .sync_threads = SYNC_THREADS,
    };

    TRY(config_listeners(args, arena, &c, e));
    TRY(config_sql_listeners(o, arena, &c, e));
    config_sql(o, &c.sql);
    config_meta(o, arena, &c.meta);
    config_replicas(o, &c.replicas);
    config_kv(o, &c);
    config_front(o, &c.front);
    *ret = c;
    return ERR_OK;
}
