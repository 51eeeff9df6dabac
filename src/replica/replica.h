/* The buckets of one shard: each a log with its high watermark, its waiting writers and readers.
 *
 * A replica_set belongs to one shard and holds the buckets that hash to it. Operations are structs
 * that the caller owns until `done` is called, on the same shard, never inside the call that
 * submits them... unless stated. Buckets open on first use, in a pool; operations that arrive
 * meanwhile wait in order.
 *
 * Durability: with `fsync` the high watermark of a bucket is what has been synced; all buckets that
 * were appended to in a turn of the loop are synced together (commit.c). With `os` it is what was
 * appended. Readers see nothing above the high watermark, so nothing that a crash could take back.
 * acks = -1 is answered when it has passed the append, acks 0 and 1 after the append.
 *
 * A bucket whose log failed (see log.h) keeps serving reads and refuses writes.
 * Thread: shard, except where stated.
 */
#ifndef REPLICA_REPLICA_H
#define REPLICA_REPLICA_H

#include "kv_files.h"

#include "base/list.h"
#include "format/filter.h"
#include "io/pool.h"
#include "log/log.h"
#include "meta/meta.h"

struct bucket_id {
    int64_t table_id;
    int64_t partition_id; /* -1: not partitioned */
    int32_t bucket;
};

/* Which of `shards` owns the bucket. Stable within a process only. */
unsigned bucket_shard(const struct bucket_id *id, unsigned shards);

/* What the last run left about a bucket, from the checkpoint files. */
struct bucket_hint {
    int64_t recovery_point;
};

struct kv_scan_options {     /* of primary-key tables: kv_ops.h */
    int64_t ttl_us;          /* kv.scanner.ttl: closed when not used for so long */
    int64_t check_us;        /* kv.scanner.expiration-interval */
    uint32_t per_bucket;     /* kv.scanner.max-per-bucket */
    uint32_t per_server;     /* kv.scanner.max-per-server */
    size_t batch_bytes_max;  /* kv.scanner.max-batch-size */
    atomic_uint *open_count; /* of the server */
};

struct replica_config {
    const char *data_dir;
    struct suspects *suspects; /* of the data directory */
    const char *remote_dir;    /* root of remote storage: a directory */
    const char *remote_uri;    /* the same as clients are told it */
    unsigned shard_count;
    struct log_options log;
    bool clean;                   /* the last stop was clean */
    bool sync;                    /* log.durability = fsync */
    bool roll_active;             /* log.retention.roll-active-segment.enabled */
    int64_t retention_us;         /* log.retention.check-interval */
    int64_t writer_check_us;      /* server.writer-id.expiration-check-interval */
    struct pool *disk;            /* opens and removal: may take long */
    struct pool *read_pool;       /* cold reads, which somebody waits for */
    struct pool *sync_pool;       /* syncs, so that nothing else delays an acknowledgement */
    struct pool *kv_pool;         /* state of primary-key tables on its way to the device */
    uint32_t kv_level0_trigger;   /* kv.backpressure.l0-slowdown-trigger */
    struct meta *meta;            /* gives the numbers of auto-increment columns */
    struct pool *snapshot_pool;   /* copies of state to remote storage: a few at a time */
    int64_t snapshot_interval_us; /* kv.snapshot.interval; 0: no snapshots are made */
    struct kv_env_lazy *kv_env;   /* what the states of all buckets of the process share */
    struct kv_scan_options kv_scan;
    /* Thread: any shard. The hint of a bucket when it is opened. */
    struct bucket_hint (*hint)(void *context, const struct bucket_id *id);
    void *hint_context;
};

struct replica_set;

struct replica_set *replica_set_new(struct shard *shard, const struct replica_config *config);

/* Takes over a reference to the new view: buckets of tables and partitions that are gone are
 * closed. `settled` runs when no job of theirs is left, so that their files may be removed. */
struct replica_settled {
    struct list link;
    size_t waiting;
    void (*done)(struct replica_settled *s);
};
void replica_set_apply(struct replica_set *set, struct meta_view *view,
                       struct replica_settled *settled);

/* Opens the buckets whose directories exist (recovery), in the background, few at a time. */
void replica_set_recover(struct replica_set *set);

/* While the catalog still answers: begins no snapshot any more, gives up those under way, and calls
 * done when none is left. */
void replica_set_quiet(struct replica_set *set, void (*done)(void *context), void *context);
/* Refuses appends, wakes fetches, syncs and closes all buckets (in the pool), then calls done. */
void replica_set_close(struct replica_set *set, void (*done)(void *context, bool clean),
                       void *context);
/* After close; the shard's loop may have ended. */
void replica_set_free(struct replica_set *set);

/* ---- operations ---- */

struct bucket;

/* The part every operation starts with. */
struct bucket_op {
    struct list link;
    struct bucket_id id;
    void (*run)(struct bucket_op *op, struct bucket *bucket); /* internal */
    void (*done)(struct bucket_op *op);
    void *context;     /* the caller's */
    enum errcode code; /* outcome */
    struct error error;
};

/* How a write is to be acknowledged, and its place among those that wait for it. */
struct ack {
    int32_t acks;
    int64_t timeout_us; /* for acks = -1, from the append on */
    /* internal */
    struct list link;
    struct bucket_op *op;
    int64_t base_offset;
    int64_t end_offset;
    int64_t deadline_us;
};

struct append_op {
    struct bucket_op op;
    uint8_t *data; /* batches; header fields are assigned in place */
    size_t len;
    struct ack ack;
    struct log_appended appended;
};
/* May call done inside the call when the outcome is known at once. ERR_INVALID_TABLE for a table with
 * a primary key. */
void replica_append(struct replica_set *set, struct append_op *op);

/* PUT_KV of one bucket. Puts of a bucket are prepared one after the other, in the order submitted.
 * As with appends, done may be called inside the call. */
struct put_op {
    struct bucket_op op;
    struct bytes batch;            /* one KV batch (format/kv_batch.h); borrowed until done */
    const int32_t *target_columns; /* borrowed until done */
    size_t target_count;           /* 0: all columns */
    bool overwrite;                /* past the merge engine */
    struct ack ack;
    int64_t end_offset; /* result: of the changelog behind this write */
    double pressure;    /* result: 0 .. 1, of the bucket when the put began to wait for its turn */
};
void replica_put(struct replica_set *set, struct put_op *op);

/* Which columns a fetch wants. */
struct fetch_projection {
    const uint32_t *positions;
    size_t count;
};

/* What a scan of a range found; see scan.h. */
struct scan_result {
    struct pieces *pieces;       /* initialised by the caller; its arena holds what is built */
    int64_t filtered_end_offset; /* next offset behind trailing dropped batches, else -1 */
    int64_t end_offset;          /* behind the last batch that was looked at; -1: none */
    bool all_dropped;            /* batches were looked at and none was kept */
};

struct fetch_op {
    struct bucket_op op;
    int64_t offset; /* -2: the earliest; the offset it stands for afterwards */
    size_t max_bytes;
    bool min_one;                              /* at least one whole batch */
    const struct fetch_projection *projection; /* NULL: whole batches */
    const struct filter *filter;               /* NULL: all batches */
    struct pieces pieces; /* result; initialised by the caller, allocated on the shard only */
    int64_t high_watermark;
    int64_t filtered_end_offset; /* -1: unset */
    /* internal */
    struct pool_job job;
    struct bucket *bucket;
    struct log_range range;
    struct scan_result scanned;
    struct pieces pooled; /* found in the pool, where `pieces` must not be touched */
    struct arena pool_arena;
    const struct meta_table *table; /* a reference while scanning */
    int64_t position_offset;        /* where reading goes on */
    uint32_t dropped_segments;
    bool warmed;
    int32_t limit;
};
void replica_fetch(struct replica_set *set, struct fetch_op *op);

/* The last `limit` offsets below the high watermark, as whole batches: sets op->offset itself.
 * ERR_INVALID_ARGUMENT when they have more than max_bytes. */
void replica_fetch_last(struct replica_set *set, struct fetch_op *op, int32_t limit);

enum offset_kind { OFFSET_EARLIEST, OFFSET_LATEST, OFFSET_AT };

struct offset_op {
    struct bucket_op op;
    enum offset_kind kind;
    int64_t timestamp_ms; /* OFFSET_AT */
    int64_t offset;       /* result */
};
void replica_list_offset(struct replica_set *set, struct offset_op *op);

/* Rows below the high watermark. */
struct stats_op {
    struct bucket_op op;
    int64_t row_count;
};
void replica_stats(struct replica_set *set, struct stats_op *op);

/* Wakes once when the high watermark of an open bucket passes `offset`, or when the bucket goes
 * away. false: it already has, or there is no such bucket; nothing is registered. */
struct replica_waiter {
    struct list link; /* list_init'ed when not registered */
    int64_t offset;
    void (*wake)(struct replica_waiter *w); /* already unregistered */
};
MUST_USE bool replica_wait(struct replica_set *set, const struct bucket_id *id,
                           struct replica_waiter *w);
void replica_unwait(struct replica_waiter *w);

/* ---- upkeep ---- */

/* The next sync of every bucket also moves its recovery point to its end, so that a crash costs no
 * scan of what lies before. */
void replica_want_recovery_points(struct replica_set *set);

struct replica_checkpoint_entry {
    struct bucket_id id;
    int64_t recovery_point;
    int64_t high_watermark;
};
/* Of all open buckets; heap, freed by the caller. */
size_t replica_checkpoint(struct replica_set *set, struct replica_checkpoint_entry **ret);

struct replica_totals {
    size_t buckets;
    size_t failed;
    uint64_t log_bytes;
};
struct replica_totals replica_totals(const struct replica_set *set);

#include "cut.h"    /* the stored bytes of a bucket as of one moment */
#include "kv_ops.h" /* reads of primary-key tables */

#endif
