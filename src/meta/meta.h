/* The catalog: databases, tables, schemas, partitions, ids and epochs.
 *
 * One thread, the coordinator, makes all changes: a shard that may block. A change is validated
 * against the current view, stored durably (store.h), becomes a new view (view.h), is published,
 * and only then answered. Readers use views and never come here.
 *
 * Life: meta_open (blocks: recovery), then meta_start once the shards run, then jobs; after the
 * coordinator shard has been joined, meta_close.
 *
 * Embedded mode: this server is the only one and leads every bucket. Each start is an election of
 * all of them: a stored leader_isr document says "leader epoch l as of coordinator epoch c", and
 * while the coordinator's epoch is C the bucket's is l + (C - c). So a start raises every leader
 * epoch by one and writes only the coordinator's epoch.
 * A dropped table or partition is gone from the view at once; its assignment stays stored, marked,
 * until META_DELETION_DONE says that its directories are removed.
 * Thread: as said at each function.
 */
#ifndef META_META_H
#define META_META_H

#include "job.h"
#include "verify.h"
#include "view.h"

#define META_DEFAULT_DATABASE "fluss"

/* ---- opening ---- */

struct meta_config {
    const char *key;
    const char *value;
};

/* Directories that nothing needs any more. Texts are borrowed from the call. */
struct meta_deletion {
    int64_t table_id;
    int64_t partition_id; /* META_NO_PARTITION: the whole table, its partitions included */
    const char *database;
    const char *table;
    const char *partition; /* NULL: the whole table */
};

struct meta_listener {
    void *context;
    /* A new view is in force; called before the change is answered. The view is borrowed: take a
     * reference to keep it. Coordinator thread; may block. */
    void (*published)(struct meta_view *view, void *context);
    /* Something was dropped, after its view was published. Coordinator thread. */
    void (*dropped)(const struct meta_deletion *deletion, void *context);
};

struct meta_options {
    const char *data_dir;      /* the store is <data_dir>/meta */
    struct shard *coordinator; /* NULL in tools and tests: no jobs, no timer */
    struct meta_listener listener;
    int32_t server_id;                  /* tablet-server.id */
    int32_t default_bucket_count;       /* default.bucket.number */
    int32_t default_replication_factor; /* default.replication.factor */
    int32_t bucket_count_max;           /* max.bucket.num: per table, or per partition */
    int32_t partition_count_max;        /* max.partition.num: per table */
    bool allow_log_tables;              /* allow.create.log.tables */
    bool allow_kv_tables;               /* allow.create.kv.tables */
    const char *remote_data_dir;        /* remote.data.dir; NULL: none */
    const char *time_zone;              /* of auto partitions without one; NULL: UTC */
    int64_t auto_partition_interval_ms; /* auto-partition.check.interval */
    int32_t snapshots_retained;         /* kv.snapshot.num-retained: per bucket; 0: 1 */
    int64_t lease_interval_ms;          /* kv.snapshot.lease.expiration-check-interval; 0: never */
    const struct meta_config *configs;  /* the server's configuration, for meta_configs */
    size_t config_count;
};

/* Recovers the catalog, begins a new coordinator epoch, creates what must exist. Options and what
 * they point to are copied, except coordinator and listener.context. Any thread; blocks. Errors:
 * ERR_CORRUPT_FILE, ERR_DISK_FULL, ERR_STORAGE. */
MUST_USE enum errcode meta_open(const struct meta_options *options, struct meta **ret,
                                struct error *e);
/* Runs the first auto-partition pass and starts its timer. Any thread. */
void meta_start(struct meta *m);
/* After the coordinator was joined, so that nothing runs any more. Accepts NULL. */
void meta_close(struct meta *m);

/* Upkeep: notes how far the store has come, so that the loss of its end is seen. Coordinator; blocks. */
void meta_note(struct meta *m);

/* The view in force; borrowed. Between meta_open and meta_start any thread, then the coordinator. */
struct meta_view *meta_current(const struct meta *m);
/* What earlier drops left to delete. Before meta_start. Lives as long as the arena. */
MUST_USE enum errcode meta_pending_deletions(struct meta *m, struct arena *arena,
                                             struct meta_deletion **ret, size_t *ret_count,
                                             struct error *e);
/* The configuration the server was started with, secrets masked; any thread. */
const struct meta_config *meta_configs(const struct meta *m, size_t *ret_count);

/* ---- reads that need more than a look-up; on a view, any thread ---- */

struct meta_partition_list {
    const struct meta_partition **items;
    size_t count;
};
/* The partitions of a table whose values match a partial spec, in name order; no spec: all.
 * ERR_TABLE_NOT_PARTITIONED; ERR_PARTITION_SPEC_INVALID for an unknown or repeated key. */
MUST_USE enum errcode meta_list_partitions(const struct meta_table *t, const struct meta_spec *spec,
                                           size_t spec_count, struct arena *arena,
                                           struct meta_partition_list *ret, struct error *e);
/* The descriptor of a database as clients read it. */
struct bytes meta_database_json(const struct meta_database *d, struct arena *arena);

#endif
