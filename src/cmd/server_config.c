#include "server_config.h"

#include "listeners.h"

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
    config_meta(o, arena, &c.meta);
    config_replicas(o, &c.replicas);
    config_kv(o, &c);
    config_front(o, &c.front);
    *ret = c;
    return ERR_OK;
}
