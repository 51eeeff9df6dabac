/* Inside replica/: one bucket and the set it is in. See replica.h for the rules.
 *
 *   CLOSED ──> OPENING ──> OPEN          any ──> GONE (table dropped, or the set is closing)
 *      ^──────────┘ (failed)
 *
 * `jobs` counts what runs in a pool on behalf of the bucket (open, sync, cold read); a bucket that
 * is GONE is freed, and its drop settled, when the last job has come back.
 */
#ifndef REPLICA_BUCKET_H
#define REPLICA_BUCKET_H

#include "kv_writer.h"
#include "replica.h"

#include "base/diag.h"
#include "base/map.h"
#include "kv/kv.h"

enum bucket_state { BUCKET_CLOSED, BUCKET_OPENING, BUCKET_OPEN, BUCKET_GONE };

struct bucket {
    struct bucket_id id;
    struct replica_set *set;
    struct bucket *chain; /* same hash */
    struct list link;     /* in set->buckets */

    enum bucket_state state;
    struct log *log;        /* OPEN */
    bool clean;             /* its log is as a clean stop has left it: nobody tried to open it */
    int64_t high_watermark; /* readers see what is below */
    int64_t retry_us;       /* a failed open is not tried again before */
    struct kv_tablet *kv;   /* OPEN: of a primary-key table, see kv_tablet.h; else NULL */
    bool reopening;         /* to be opened again as soon as it has no job left */
    /* What was complained of and has not been right since, or ERR_OK: it is not said again. */
    enum errcode log_failed; /* the log could not be opened */
    enum errcode kv_failed;  /* nor the state */
    uint32_t kv_failures;    /* how many times in a row */
    enum errcode kv_broke;   /* it could, but not be written */
    uint32_t jobs;
    struct replica_settled *settled; /* told when a GONE bucket has no job left */

    struct list pending; /* struct bucket_op: wait for OPEN */
    struct list acks;    /* struct ack: wait for the high watermark, in offset order */
    struct list acking;  /* in set->acking while acks is not empty */
    struct list waiters; /* struct replica_waiter */
    struct list dirty;   /* in set->dirty: appended to, not yet handed to a sync */
    struct log_sync sync;
    bool syncing;
};

/* Snapshots of all buckets of a set, see kv_snapshot.h. */
struct kv_snapshot_set {
    uint32_t running;
    bool quiet;                     /* none is begun any more */
    bool unsure;                    /* the catalog may have one that it does not know of */
    void (*quieted)(void *context); /* to be called when none is running */
    void *quieted_context;
};

struct replica_set {
    struct shard *shard;
    struct replica_config config; /* strings borrowed */
    struct meta_view *view;       /* a reference; NULL before the first apply */
    struct map by_id;             /* hash -> chain of struct bucket */
    struct list buckets;
    struct kv_shard kv; /* once there was a primary-key table: kv_begun */
    bool kv_begun;
    struct kv_writers kv_writers; /* see kv_writer.h */
    struct kv_scans *kv_scans;    /* scanners, see kv_scan.h; NULL: there was none yet */
    struct kv_snapshot_set snapshots;
    struct list dirty;
    struct list acking;
    struct list gone; /* still with jobs */
    struct deferred commit;
    struct timer gather_timer; /* a commit waits a moment for more appends; see commit.c */
    uint64_t gather_until;     /* or until so many acknowledgements have ever been waited for */
    uint64_t acks_parked;      /* how many ever have */
    uint64_t acks_answered;    /* and how many of those were answered by a sync */
    struct timer ack_timer;
    struct timer retention_timer;
    struct timer writer_timer;
    uint32_t jobs;          /* of all buckets, and of upkeep */
    struct list recovering; /* CLOSED buckets to open in the background: struct recovery */
    uint32_t recoveries;    /* under way */
    bool recover_stepping;  /* inside recover_step */
    bool closing;
    void (*closed)(void *context, bool clean);
    void *closed_context;
    bool closed_clean;
    uint32_t close_jobs;
};

/* ---- bucket.c ---- */

/* Runs op on the bucket when it is open: now, or after the open; fails it when the bucket cannot
 * be had. */
void bucket_submit(struct replica_set *set, struct bucket_op *op);
void bucket_op_fail(struct bucket_op *op, enum errcode code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void bucket_op_end(struct bucket_op *op, enum errcode code, const struct error *e);
struct bucket *bucket_find(const struct replica_set *set, const struct bucket_id *id);
/* NULL when the view does not know it. */
struct bucket *bucket_get(struct replica_set *set, const struct bucket_id *id);
/* After an append or a sync: moves the high watermark and answers whoever waited for it. */
void bucket_advance(struct bucket *b);
/* Wakes all waiting readers of all buckets. */
void bucket_wake_all(struct replica_set *set);
/* Every pool job on behalf of a bucket begins and ends with these. */
void bucket_job_begin(struct bucket *b);
void bucket_job_end(struct bucket *b); /* may free the bucket */
/* How loud to say it: as an error when it is news, else only for who debugs. ERR_OK: all is well. */
enum diag_level bucket_complain(enum errcode *said, enum errcode code);
/* Text for messages: "table 3 partition 5 bucket 0". */
const char *bucket_name(const struct bucket_id *id, char text[96]);

/* ---- open.c ---- */

void bucket_start_open(struct bucket *b);
/* The state is of no use any more: opens the bucket again when nothing of it is under way. Operations
 * that are submitted from now on wait for that. */
void bucket_reopen(struct bucket *b);
/* Something of such a bucket has ended. */
void bucket_reopen_step(struct bucket *b);

/* ---- commit.c ---- */

void commit_init(struct replica_set *set);
/* The bucket was appended to: its sync starts at the end of this turn. */
void commit_mark(struct bucket *b);
/* One more append waits for its sync. */
void commit_parked(struct replica_set *set);
/* Waits no longer for more appends. */
void commit_now(struct replica_set *set);
/* Nothing is due any more: the set may be freed in this turn. */
void commit_stop(struct replica_set *set);

/* ---- ack.c ---- */

void ack_init(struct replica_set *set);
void ack_stop(struct replica_set *set);
/* The operation has appended: answers it, now or when the high watermark has passed it. In the first
 * case the operation may be freed inside the call. */
void ack_append(struct bucket *b, struct bucket_op *op, struct ack *a,
                const struct log_appended *appended);
/* Answers those that the high watermark has passed. */
void ack_answer(struct bucket *b);
/* Fails all that wait. */
void ack_fail(struct bucket *b, enum errcode code, const struct error *why);

/* ---- close.c ---- */

void close_step(struct replica_set *set);

/* ---- upkeep.c ---- */

void upkeep_start(struct replica_set *set);
void upkeep_stop(struct replica_set *set);
void recover_step(struct replica_set *set);

/* ---- place.c: what the view knows of a bucket ---- */

/* The table, when it (and the partition) exists and has the bucket; else NULL. */
const struct meta_table *place_table(const struct meta_view *view, const struct bucket_id *id);
/* "<data_dir>/<db>/<table>-<id>[/<partition>-p<id>]/log-<bucket>", heap; NULL when unknown. */
char *place_dir(const struct meta_view *view, const char *data_dir, const struct bucket_id *id);
/* The same with "kv-<bucket>": where the state of a primary-key table is. */
char *place_kv_dir(const struct meta_view *view, const char *data_dir, const struct bucket_id *id);

#endif
