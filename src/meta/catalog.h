/* The inside of the catalog: its state, and how a change is made. For meta/ only.
 *
 * A change collects store operations and edits a private copy of the view; change_commit makes the
 * operations durable, puts the view in force and publishes it. Until then nothing has happened, and
 * change_fini drops everything.
 * Thread: coordinator (during meta_open: the opening thread).
 */
#ifndef META_CATALOG_H
#define META_CATALOG_H

#include "meta.h"
#include "store.h"
#include "view_edit.h"
#include "znode.h"

#include "base/list.h"
#include "format/table_rules.h"

struct meta {
    struct meta_options options; /* texts in the arena */
    struct arena arena;
    struct store *store;
    struct meta_view *view;
    int64_t table_id_next;
    int64_t partition_id_next;
    int64_t writer_id_next; /* ids below writer_id_end are reserved in the store */
    int64_t writer_id_end;
    int64_t now_ms;        /* wall time of the running job */
    const struct tz *zone; /* of auto partitions without one of their own */
    struct list leases;    /* of snapshots: struct lease */
    size_t lease_count;
    struct timer timer;
    struct timer lease_timer;
    struct message start;
};

struct change {
    struct meta *meta;
    struct arena arena;
    struct store_batch batch;
    struct meta_view *view; /* NULL after the commit */
    int64_t table_id_next;
    int64_t partition_id_next;
    struct meta_deletion *dropped; /* to be reported after the commit */
    size_t dropped_count;
    size_t dropped_cap;
};

void change_begin(struct meta *m, struct change *c);
/* Errors leave the catalog as it was, except that a storage failure ends all changes. */
MUST_USE enum errcode change_commit(struct change *c, struct error *e);
void change_fini(struct change *c); /* for OWNED */
/* The next id, durable with the change. */
int64_t change_table_id(struct change *c);
int64_t change_partition_id(struct change *c);
/* Marks an assignment as dropped, or creates a marked one (create: it has none yet). */
void change_drop_assignment(struct change *c, const struct meta_deletion *d, bool create);

/* Adds the assignment of a table's or partition's buckets to this server, epochs beginning at 0. */
void change_assign_buckets(struct change *c, int64_t table_id, int64_t partition_id,
                           int32_t bucket_count);

/* The text of bytes a client sent, NUL-terminated in the arena; `code` when it is no UTF-8 text or
 * contains NUL. */
MUST_USE enum errcode text_take(struct bytes from, const char *what, enum errcode code,
                                struct arena *arena, const char **ret, struct error *e);
/* Applies SET and DELETE to a map; other operations are ERR_INVALID_ARGUMENT. */
MUST_USE enum errcode changes_check(const struct meta_change *changes, size_t count,
                                    struct error *e);

/* ---- load.c: entries from documents, the same way at start and after a change ---- */

/* The whole view. */
MUST_USE enum errcode load_view(struct meta *m, int32_t coordinator_epoch, struct meta_view **ret,
                                struct error *e);

struct meta_database *load_database(const char *name, const struct znode_database *d);

struct table_source {
    const char *database;
    const char *name;
    const struct znode_table *registration;
    const struct bytes *schemas; /* documents; ids are 1, 2, ... */
    size_t schema_count;
    const int32_t *leader_epochs; /* bucket_count of them; NULL: partitioned */
    int32_t bucket_count;
};
/* Without partitions, or with an empty set when it is partitioned. ERR_CORRUPT_FILE. */
MUST_USE enum errcode load_table(const struct table_source *source, struct meta_table **ret,
                                 struct error *e);

struct partition_source {
    const char *name;
    const struct znode_partition *registration;
    size_t key_count;
    const int32_t *leader_epochs;
    int32_t bucket_count;
};
MUST_USE enum errcode load_partition(const struct partition_source *source,
                                     struct meta_partition **ret, struct error *e);

/* ---- the changes; one function per job, all on the coordinator ---- */

MUST_USE enum errcode database_create(struct meta *m, const struct meta_create_database *job,
                                      struct error *e);
MUST_USE enum errcode database_alter(struct meta *m, const struct meta_alter_database *job,
                                     struct error *e);
MUST_USE enum errcode database_drop(struct meta *m, const struct meta_drop_database *job,
                                    struct error *e);
MUST_USE enum errcode table_create(struct meta *m, const struct meta_create_table *job,
                                   struct error *e);
MUST_USE enum errcode table_alter(struct meta *m, const struct meta_alter_table *job,
                                  struct error *e);
MUST_USE enum errcode table_drop(struct meta *m, const struct meta_drop_table *job,
                                 struct error *e);
MUST_USE enum errcode partition_create(struct meta *m, const struct meta_create_partition *job,
                                       struct error *e);
MUST_USE enum errcode partition_drop(struct meta *m, const struct meta_drop_partition *job,
                                     struct error *e);
MUST_USE enum errcode writer_id_take(struct meta *m, int64_t *ret, struct error *e);
MUST_USE enum errcode deletion_done(struct meta *m, int64_t table_id, int64_t partition_id,
                                    struct error *e);

MUST_USE enum errcode ids_allocate(struct meta *m, struct meta_allocate_ids *job, struct error *e);
MUST_USE enum errcode snapshot_add(struct meta *m, struct meta_add_snapshot *job, struct error *e);
MUST_USE enum errcode snapshots_retire(struct meta *m, struct meta_add_snapshot *job,
                                       struct error *e);
MUST_USE enum errcode snapshots_disown(struct meta *m, const struct meta_add_snapshot *job,
                                       struct error *e);
MUST_USE enum errcode snapshots_list(struct meta *m, struct meta_list_snapshots *job,
                                     struct error *e);
MUST_USE enum errcode lease_acquire(struct meta *m, struct meta_acquire_lease *job,
                                    struct error *e);
MUST_USE enum errcode lease_release(struct meta *m, const struct meta_release_lease *job,
                                    struct error *e);
MUST_USE enum errcode lease_drop(struct meta *m, const struct meta_drop_lease *job,
                                 struct error *e);

/* ---- snapshots.c, leases.c ---- */

bool bucket_known(const struct meta_view *view, const struct meta_bucket_id *id);
MUST_USE enum errcode snapshot_exists(struct meta *m, const struct meta_bucket_id *id,
                                      int64_t snapshot_id, bool *ret, struct error *e);
MUST_USE enum errcode leases_load(struct meta *m, struct error *e);
void leases_free(struct meta *m);
/* Whether some lease names the snapshot. */
bool lease_holds(const struct meta *m, const struct meta_bucket_id *id, int64_t snapshot_id);
/* Takes away what has ended by now, and what is of dropped tables. Failures are reported. */
void leases_sweep(struct meta *m);

/* The table, or ERR_TABLE_NOT_EXIST. */
MUST_USE enum errcode table_find(const struct meta *m, struct bytes database, struct bytes table,
                                 const struct meta_table **ret, struct error *e);
struct table_policy table_policy_of(const struct meta *m);
MUST_USE enum errcode table_check_replicas(const struct table_options *options, struct error *e);
/* The documents of a table; times and remote directory are left to the caller. */
struct znode_table table_registration(const struct table_descriptor *d, int64_t table_id);
struct bytes schema_document(const struct schema *schema, struct arena *arena);
/* Adds to a change what takes a table away: documents, view entry, reports. */
void table_drop_into(struct change *c, const struct meta_table *t);

/* Runs one job now; what meta_submit does on the coordinator. */
void meta_run(struct meta *m, struct meta_job *job, int64_t now_ms);

/* Adds to a change partitions to create and to drop, by name; those to create do not exist yet,
 * those to drop do. Errors: ERR_PARTITION_MAX_NUM, ERR_BUCKET_MAX_NUM. */
MUST_USE enum errcode partitions_change(struct change *c, const struct meta_table *t,
                                        struct text_list create, struct text_list drop,
                                        struct error *e);

/* ---- auto_partition.c ---- */

/* The clock of a table; ERR_INVALID_CONFIG for an unknown time zone. */
MUST_USE enum errcode auto_partition_state_of(const struct meta *m, const struct meta_table *t,
                                              struct arena *arena, struct auto_partition_state *ret,
                                              struct error *e);

/* Creates and drops what the clock asks for, in one table or in all. A table that fails is
 * reported and skipped. */
void auto_partition_table(struct meta *m, int64_t table_id);
void auto_partition_all(struct meta *m);

#endif
