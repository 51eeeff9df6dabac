/* Inside replica/: the state of a bucket of a primary-key table, its writers, and the jobs that bring
 * it to the device. kv/README.md has the rules; this is where log, high watermark and state meet:
 *
 *   kv_open.c  open the store, replay the log into it      pool, before the bucket is open
 *   op_put.c   prepare -> log_append -> kv_bucket_add      one put at a time, in the order submitted
 *   bucket.c   the high watermark moves -> kv_tablet_show, then acknowledgements, then readers
 *   here       spill: what is shown goes into the store (pool), when it is due or somebody waits
 *
 * A store that failed to write takes the tablet with it: its operations are refused, and the bucket
 * is opened again, from the log, for one that comes later (bucket_reopen).
 * Whatever reads the store in a pool begins a job of the bucket (bucket_job_begin) and finds, back on
 * the shard, the tablet as it was; the bucket itself may be BUCKET_GONE by then. The store is closed
 * in a pool when the bucket has no job left.
 * Thread: shard, but for the functions said to run in a pool.
 */
#ifndef REPLICA_KV_TABLET_H
#define REPLICA_KV_TABLET_H

#include "bucket.h"

#include "format/key.h"

/* A put waits for numbers of the auto-increment column. On its own, since a coordinator that has
 * ended never answers. */
struct kv_allocation {
    struct meta_allocate_ids ids;
    struct kv_tablet *tablet; /* NULL: nobody waits any more */
};

struct kv_tablet {
    struct bucket *bucket;

    /* ---- what the table is ---- */
    const struct meta_table *meta;   /* a reference: the definition that `table` was made of */
    const struct meta_table *newest; /* a reference: a newer one, for the next put; NULL: none */
    const struct meta_table *origin; /* a reference: what key and prefix were made of */
    struct kv_table *table;
    struct key_format key;    /* of the primary key, as clients encode it */
    struct key_prefix prefix; /* count 0: there are no lookups by prefix */
    struct arena arena;       /* of key and prefix */

    /* ---- the state ---- */
    struct kv_store *store;
    struct kv_bucket *rows;         /* from kv_tablet_start on; NULL: failed from the start */
    struct kv_pending *replayed;    /* until then: what the store has not got yet; NULL: nothing */
    struct kv_budgets budgets;      /* of the shard */
    struct kv_snapshots *snapshots; /* NULL: none are made; see kv_snapshot.h */
    bool snapshot_broken;           /* the newest one was of no use to this open */
    int64_t retain_offset;          /* the changelog is kept from here on, whatever the store has */
    enum errcode failed;            /* ERR_OK, or why the state is not to be used */
    struct error why;
    int64_t retry_us; /* when to try again */

    /* ---- puts ---- */
    struct list puts;         /* struct put_op: wait for their turn */
    struct put_op *preparing; /* waits for its old values or numbers; NULL: none */
    struct kv_writer *writer; /* of the put under way */
    bool put_stepping;
    struct kv_lookup lookup;
    struct pool_job read;
    enum errcode read_code;
    struct error read_error;
    bool has_ids;                /* the store, or replayed rows, say which numbers are left */
    struct kv_id_range ids;      /* numbers left, as of the put being prepared */
    struct kv_id_range next_ids; /* and those to go on with; empty: start > end */
    struct kv_allocation *allocation;

    /* ---- the way to the store ---- */
    struct kv_spill spill;
    bool spilling;
    bool flushing;       /* this one is to reach the device */
    bool flush_wanted;   /* so is the next one */
    struct message step; /* the next part of a spill */
    struct pool_job write;
    struct timer spill_retry; /* the store was behind */
    struct list settling;     /* struct kv_settled, by offset */
};

/* The tablet that an operation is for. NULL: the operation has been ended, or is run again later:
 * ERR_NON_PRIMARY_KEY_TABLE, or the state has failed. */
struct kv_tablet *kv_tablet_for(struct bucket_op *op, struct bucket *b);

/* Waits until all that is shown at the call is in the store. */
struct kv_settled {
    struct list link;
    int64_t offset;    /* internal */
    enum errcode code; /* outcome */
    struct error error;
    void (*done)(struct kv_settled *w);
    void *context;
};
/* May call done inside the call. The waiter must have begun a job of the bucket. */
void kv_tablet_settle(struct kv_tablet *t, struct kv_settled *w);

/* ---- for bucket.c, open.c, close.c and upkeep.c ---- */

/* Pool or shard: of what the table is now. Errors as kv_table_new; nothing has changed then. */
MUST_USE enum errcode kv_tablet_set_table(struct kv_tablet *t, const struct meta_table *table,
                                          struct error *e);
/* How its keys are looked up by prefix, with &t->prefix; NULL: they are not. */
kv_prefix_fn kv_tablet_prefix(const struct kv_tablet *t);
/* Before the bucket is open: makes its rows. */
void kv_tablet_start(struct kv_tablet *t, struct bucket *b);

/* The high watermark of the bucket has moved. */
void kv_tablet_show(struct kv_tablet *t);
/* The view has the table anew. */
void kv_tablet_apply(struct kv_tablet *t, const struct meta_table *table);
/* Nobody gets anything from the tablet any more: whoever waits is failed. */
void kv_tablet_leave(struct kv_tablet *t, enum errcode code, const char *why);
/* Where the changelog may be cut: nothing below is needed by store or snapshots. */
int64_t kv_tablet_retain_offset(const struct kv_tablet *t);
/* Now and then: what is shown reaches the device. */
void kv_tablet_upkeep(struct kv_tablet *t);
/* A put cannot go on: the store is of no use. */
void kv_tablet_fail(struct kv_tablet *t, enum errcode code, const struct error *why);

/* A tablet without table and store. */
struct kv_tablet *kv_tablet_new(const struct kv_budgets *budgets);
/* Nothing of the tablet is under way. Pool; the log has everything, so an outcome is only news. */
MUST_USE enum errcode kv_tablet_close(struct kv_tablet *t, struct error *e);
/* After kv_tablet_close. Accepts NULL. */
void kv_tablet_free(struct kv_tablet *t);

/* ---- op_put.c ---- */

/* The waiting puts, in their order. */
void put_run_queue(struct kv_tablet *t);
/* Ends the put under way, if there is one. */
void put_end(struct kv_tablet *t, enum errcode code, const struct error *e);

/* ---- kv_open.c ---- */

struct kv_open {
    const char *name;              /* of the bucket, for messages */
    const struct meta_table *meta; /* borrowed */
    const char *dir;               /* "<table directory>/kv-<bucket>" */
    const char *remote_dir;        /* of its snapshots */
    struct bucket_id id;
    struct log *log; /* nobody else's */
    bool sync;       /* log.durability = fsync */
    bool cut;        /* the log may have lost its end in a power failure */
    bool damaged;    /* what is in the directory is of no use */
    bool again;      /* an open before has failed and said why */
    struct kv_env *env;
};

/* Opens the state of a bucket and brings it to the end of its log. Pool; kv_tablet_start is the rest.
 * Errors are of log and table. When the state cannot be had (a full disk; no snapshot, and a log that
 * no longer reaches back to its begin), the tablet has failed from the start, without store and rows:
 * the changelog is served, and whoever needs rows has it opened again. */
MUST_USE enum errcode kv_tablet_open(const struct kv_open *open, struct kv_tablet **ret,
                                     struct error *e);

#endif
