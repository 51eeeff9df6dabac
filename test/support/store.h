/* A catalog and the buckets of a few shards in a temporary directory, as the server wires them. The
 * test's thread changes the catalog and runs operations, and waits for each. */
#ifndef TEST_SUPPORT_STORE_H
#define TEST_SUPPORT_STORE_H

#include "shards.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "kv/kv.h"
#include "replica/replica.h"

#define STORE_SHARDS 3

/* Columns a INT, b STRING, c BIGINT; the rest of the descriptor as text. */
#define STORE_TABLE(partition_keys, buckets, properties)                                           \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":0},"                              \
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\"},\"id\":1},"                               \
    "{\"name\":\"c\",\"data_type\":{\"type\":\"BIGINT\"},\"id\":2}],\"highest_field_id\":2},"      \
    "\"partition_key\":[" partition_keys "],\"bucket_count\":" buckets                             \
    ",\"properties\":{" properties "},\"custom_properties\":{}}"
#define STORE_PLAIN STORE_TABLE("", "4", "")

struct store {
    unsigned count; /* shards */
    struct shard *shards[STORE_SHARDS];
    struct shard *coordinator;
    struct replica_set *sets[STORE_SHARDS];
    struct replica_config config;
    struct meta *meta;
    struct pool *disk;
    struct pool *reads;
    struct pool *sync;
    struct pool *kv;
    struct pool *snapshots;
    struct kv_env_lazy kv_env;
    atomic_uint scanners;
    char *dir;
    struct arena arena;
    struct error error; /* of the last thing done */
    atomic_int settled; /* views that all sets have let go of what they dropped for */
    atomic_bool unclean;
    /* what is above the replicas gets the view first; thread: the shard */
    void (*give_view)(void *context, unsigned index, struct meta_view *view);
    void *give_context;
};

static inline void store_quiet(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static inline struct bucket_hint store_hint(void *context, const struct bucket_id *id)
{
    (void)context;
    (void)id;
    return (struct bucket_hint){0};
}

/* ---- views ---- */

struct store_delivery {
    struct store *store;
    struct meta_view *view;
};

struct store_settled {
    struct replica_settled settled;
    struct store *store;
};

static inline void store_settled_done(struct replica_settled *settled)
{
    struct store_settled *s = container_of(settled, struct store_settled, settled);

    atomic_fetch_add(&s->store->settled, 1);
    free(s);
}

static inline void store_deliver(void *context, unsigned index)
{
    struct store_delivery *d = context;
    struct store *s = d->store;
    struct store_settled *settled = mem_new(struct store_settled);

    settled->store = s;
    settled->settled.done = store_settled_done;
    if (s->give_view != NULL) {
        s->give_view(s->give_context, index, d->view);
    }
    replica_set_apply(s->sets[index], meta_view_ref(d->view), &settled->settled);
}

static inline void store_published(struct meta_view *view, void *context)
{
    struct store_delivery d = {.store = context, .view = view};

    shards_call(d.store->shards, d.store->count, store_deliver, &d);
}

/* ---- life ---- */

static inline void store_set_new(void *context, unsigned index)
{
    struct store *s = context;

    s->sets[index] = replica_set_new(s->shards[index], &s->config);
}

/* Sets of all shards on the present catalog; s->config may have been changed before. */
static inline void store_open_sets(struct store *s)
{
    s->config.disk = s->disk = pool_new("disk", 2);
    s->config.read_pool = s->reads = pool_new("reads", 2);
    s->config.sync_pool = s->sync = pool_new("sync", 2);
    s->config.kv_pool = s->kv = pool_new("kv", 2);
    s->config.snapshot_pool = s->snapshots = pool_new("snapshots", 2);
    shards_call(s->shards, s->count, store_set_new, s);
    store_published(meta_current(s->meta), s);
}

static inline struct store *store_new(unsigned shards)
{
    struct store *s = mem_new(struct store);
    struct diag_sink sink = {.level = DIAG_ERROR, .write = store_quiet};
    struct meta_options options = {
        .listener = {.context = s, .published = store_published},
        .default_bucket_count = 1,
        .default_replication_factor = 1,
        .bucket_count_max = 1000,
        .partition_count_max = 100,
        .allow_log_tables = true,
        .allow_kv_tables = true,
        .time_zone = "UTC",
        .auto_partition_interval_ms = 600000,
    };

    diag_configure(&sink);
    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0); /* tests sync a lot */
    }
    assert_int_equal(dir_create_temporary("eider-test", &s->arena, &s->dir, NULL), ERR_OK);
    s->count = shards;
    for (unsigned i = 0; i < shards; i++) {
        s->shards[i] = test_shard(i, (size_t)64 << 20);
    }
    s->coordinator = test_shard(0, SIZE_MAX);
    options.coordinator = s->coordinator;
    options.data_dir = s->dir;
    assert_int_equal(meta_open(&options, &s->meta, NULL), ERR_OK);
    s->config = (struct replica_config){
        .data_dir = s->dir,
        .shard_count = shards,
        .log = {.segment_bytes_max = 1 << 20,
                .index_bytes_max = 1 << 16,
                .index_interval = 256,
                .writer_expiry_ms = 3600000},
        .sync = true,
        .retention_us = INT64_C(3600000000),
        .writer_check_us = INT64_C(3600000000),
        .hint = store_hint,
        .meta = s->meta,
        .kv_env = &s->kv_env,
        .kv_scan = {.ttl_us = INT64_C(600000000),
                    .check_us = INT64_C(30000000),
                    .per_bucket = 3,
                    .per_server = 4,
                    .batch_bytes_max = 1 << 20,
                    .open_count = &s->scanners},
        .kv_level0_trigger = 8,
        .remote_dir = arena_printf(&s->arena, "%s/remote", s->dir),
        .remote_uri = arena_printf(&s->arena, "file://%s/remote", s->dir),
    };
    s->kv_env.options =
        (struct kv_env_options){.memory_bytes = (size_t)16 << 20, .shard_count = shards};
    return s;
}

struct store_closing {
    struct store *store;
    struct gate *gate;
};

static inline void store_set_closed(void *context, bool clean)
{
    struct store_closing *c = context;

    if (!clean) {
        atomic_store(&c->store->unclean, true);
    }
    gate_pass(c->gate);
}

static inline void store_set_close(void *context, unsigned index)
{
    struct store_closing *c = context;

    replica_set_close(c->store->sets[index], store_set_closed, c);
}

static inline void store_set_free(void *context, unsigned index)
{
    struct store *s = context;

    replica_set_free(TAKE(s->sets[index]));
}

/* What store_open_sets has made; the sets are closed. */
static inline void store_free_sets(struct store *s)
{
    pool_free(TAKE(s->snapshots));
    pool_free(TAKE(s->kv));
    pool_free(TAKE(s->sync));
    pool_free(TAKE(s->reads));
    pool_free(TAKE(s->disk));
    shards_call(s->shards, s->count, store_set_free, s);
}

/* Closes and frees the sets; store_open_sets opens them again. */
static inline void store_close_sets(struct store *s)
{
    struct store_closing c = {.store = s, .gate = gate_new(s->count)};

    shards_call(s->shards, s->count, store_set_close, &c);
    gate_wait(c.gate);
    store_free_sets(s);
}

static inline void store_free(struct store *s)
{
    if (s->sets[0] != NULL) {
        store_close_sets(s);
    }
    test_shard_end(s->coordinator);
    for (unsigned i = 0; i < s->count; i++) {
        test_shard_end(s->shards[i]);
    }
    meta_close(s->meta);
    kv_env_lazy_fini(&s->kv_env);
    assert_int_equal(path_remove_tree(s->dir, NULL), ERR_OK);
    arena_fini(&s->arena);
    free(s);
}

#endif
