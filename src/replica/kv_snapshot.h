/* Inside replica/: snapshots of the state of a bucket, which clients scan and which a bucket without
 * usable state starts from. kv/snapshot.h has their layout in remote storage, meta/job.h the list of
 * those that exist.
 *
 *   IDLE ──> LISTING ──> SETTLING ──> COPYING ──> COMMITTING ──> SWEEPING ──> IDLE
 *                           │                                       ^
 *                           └──> RETIRING ──────────────────────────┘
 *
 *   LISTING     the catalog says which snapshots exist: once, and again when in doubt
 *   SETTLING    what clients see gets into the store
 *   COPYING     a checkpoint, and of it what remote storage does not have yet (pool)
 *   COMMITTING  the catalog adds the snapshot to its list: from now on it exists
 *   RETIRING    nothing is new, but older snapshots may have been kept for a lease that has ended
 *   SWEEPING    what none of the listed snapshots names goes (pool)
 *
 * Every state may end in IDLE: an attempt that fails leaves nothing that anybody sees, and the next
 * one, an interval later, begins by sweeping what it has left. So does the first one after a start.
 * A bucket whose state has not moved is left alone, unless its newest snapshot cannot be read, was of
 * no use to this start, or says that its files are elsewhere. Each attempt has an id of its own.
 * When nobody knows whether a commit is stored, the catalog takes no changes until the next start
 * (meta/README.md); until then nothing is attempted or swept in this set.
 * Thread: shard, but for the functions said to run in a pool.
 */
#ifndef REPLICA_KV_SNAPSHOT_H
#define REPLICA_KV_SNAPSHOT_H

#include "kv_tablet.h"

struct kv_snapshots;

/* Begins to make snapshots of an open bucket, and raises tablet->retain_offset as it learns of them.
 * NULL: the server makes none. */
struct kv_snapshots *kv_snapshots_start(struct kv_tablet *t);
/* Begins nothing any more and gives up what is under way, which holds a job of the bucket. May be
 * called again; accepts NULL. */
void kv_snapshots_stop(struct kv_snapshots *s);
/* The bucket has no job left. Accepts NULL. */
void kv_snapshots_free(struct kv_snapshots *s);

/* For others of the set that ask the catalog about snapshots: it does not end (replica_set_quiet)
 * before as many releases. false: too late to ask. */
bool kv_snapshots_hold(struct replica_set *set);
void kv_snapshots_release(struct replica_set *set);

/* "<root>/kv/<db>/<table>-<id>[/<partition>-p<id>]/<bucket>", heap. The bucket must exist. Source:
 * FlussPaths of Apache Fluss. Thread: any. */
char *kv_remote_path(const char *root, const struct meta_table *table, const struct bucket_id *id);

/* ---- kv_restore.c: a bucket without usable state (pool) ---- */

struct kv_restore {
    struct bucket_id id;
    const char *dir;        /* of the bucket's state: the database is to be in "<dir>/db" */
    const char *remote_dir; /* of the bucket's snapshots */
    int64_t start_offset;   /* of the log */
    int64_t end_offset;
    bool again; /* an open before has failed likewise and said why */
    struct kv_env *env;
};

struct kv_restored {
    bool found;  /* false: there is none, and nothing was touched */
    bool broken; /* the newest of all was of no use: clients had better get another one soon */
};

/* Puts the newest snapshot that can be read in the place of the database, when the log can bring it
 * up to date; what is broken is warned of and passed over, and stays where it is: it may be the last
 * copy. After a crash the database is the old or the new one. ERR_DISK_FULL. */
MUST_USE enum errcode kv_restore_newest(const struct kv_restore *r, struct kv_restored *ret,
                                        struct error *e);
/* Removes what attempts have left in the directory of a bucket's state. */
MUST_USE enum errcode kv_restore_clean(const char *dir, struct error *e);
/* Snapshots whose offset lies beyond the end of the log, after it was cut short by a power failure:
 * their rows are not those that the log will have there. They are made unreadable, for good. The
 * catalog strikes them off its list afterwards (open.c). */
MUST_USE enum errcode kv_restore_disown(const char *remote_dir, int64_t end_offset,
                                        struct error *e);

#endif
