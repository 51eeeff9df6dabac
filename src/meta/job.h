/* What can be asked of the catalog: jobs, which shards submit and the coordinator executes one after
 * the other. Each is a struct that the submitter fills in and owns again when it is done; outcomes
 * are durable by then.
 *
 * Snapshots of buckets: the servers make them, the catalog knows which exist. A bucket's newest
 * snapshots and those that a lease names are kept. A lease is what readers hold so that what they
 * read stays; it ends at a time, and can be extended.
 * Thread: as said at each function.
 */
#ifndef META_JOB_H
#define META_JOB_H

#include "base/bytes.h"
#include "io/shard.h"

#define META_NO_PARTITION INT64_C(-1)

struct arena;
struct meta;

enum meta_job_kind {
    META_CREATE_DATABASE,
    META_ALTER_DATABASE,
    META_DROP_DATABASE,
    META_CREATE_TABLE,
    META_ALTER_TABLE,
    META_DROP_TABLE,
    META_CREATE_PARTITION,
    META_DROP_PARTITION,
    META_INIT_WRITER,
    META_DELETION_DONE,
    META_ALLOCATE_IDS,
    META_ADD_SNAPSHOT,
    META_RETIRE_SNAPSHOTS,
    META_DISOWN_SNAPSHOTS,
    META_LIST_SNAPSHOTS,
    META_ACQUIRE_LEASE,
    META_RELEASE_LEASE,
    META_DROP_LEASE,
    META_JOB_KIND_COUNT
};

/* Embedded first in one of the structs below. What a job points to is borrowed and must stay until
 * it is done. */
struct meta_job {
    enum meta_job_kind kind;
    void (*done)(struct meta_job *job); /* on the submitting shard; owns the job from then on */
    enum errcode code;                  /* outcome; why, when it is not ERR_OK: */
    struct error error;

    struct message message; /* private */
    struct meta *meta;
    struct shard *home;
};

/* Runs the job on the coordinator and brings it back. Thread: a shard. */
void meta_submit(struct meta *m, struct meta_job *job);

/* A change of a property, in the protocol's numbering. */
enum meta_change_op { META_SET = 0, META_DELETE = 1, META_APPEND = 2, META_SUBTRACT = 3 };
struct meta_change {
    struct bytes key;
    struct bytes value; /* META_SET; may be empty */
    int32_t op;         /* as received: other numbers are refused */
};

struct meta_create_database {
    struct meta_job job;
    struct bytes database;
    struct bytes json; /* empty: an empty descriptor */
    bool ignore_if_exists;
};

struct meta_alter_database {
    struct meta_job job;
    struct bytes database;
    const struct meta_change *changes;
    size_t change_count;
    bool has_comment;
    struct bytes comment; /* empty: none from now on */
    bool ignore_if_not_exists;
};

struct meta_drop_database {
    struct meta_job job;
    struct bytes database;
    bool ignore_if_not_exists;
    bool cascade;
};

struct meta_create_table {
    struct meta_job job;
    struct bytes database;
    struct bytes table;
    struct bytes json; /* the table descriptor */
    bool ignore_if_exists;
};

struct meta_add_column {
    struct bytes name;
    struct bytes type_json;
    bool has_comment;
    struct bytes comment;
    bool has_agg_function;
    struct bytes agg_function_json;
    int32_t position; /* 0: last; others are refused */
};

struct meta_alter_table {
    struct meta_job job;
    struct bytes database;
    struct bytes table;
    const struct meta_change *changes;
    size_t change_count;
    const struct meta_add_column *columns;
    size_t column_count;
    bool unsupported; /* the request also drops, renames or modifies columns */
    bool ignore_if_not_exists;
};

struct meta_drop_table {
    struct meta_job job;
    struct bytes database;
    struct bytes table;
    bool ignore_if_not_exists;
};

struct meta_spec {
    struct bytes key;
    struct bytes value;
};

struct meta_create_partition {
    struct meta_job job;
    struct bytes database;
    struct bytes table;
    const struct meta_spec *spec;
    size_t spec_count;
    bool ignore_if_exists;
};

struct meta_drop_partition {
    struct meta_job job;
    struct bytes database;
    struct bytes table;
    const struct meta_spec *spec;
    size_t spec_count;
    bool ignore_if_not_exists;
};

struct meta_init_writer {
    struct meta_job job;
    int64_t writer_id; /* result */
};

struct meta_deletion_done {
    struct meta_job job;
    int64_t table_id;
    int64_t partition_id; /* META_NO_PARTITION: the whole table */
};

/* ---- state of primary-key tables ---- */

/* Numbers for the auto-increment column of a table: first .. first + count - 1 are the caller's and
 * are never given again. The first number of a table is 1. ERR_TABLE_NOT_EXIST;
 * ERR_UNKNOWN_SERVER_ERROR when there are not that many left (the original has no code for it). */
struct meta_allocate_ids {
    struct meta_job job;
    int64_t table_id;
    int32_t column_id;
    int64_t count; /* at least 1 */
    int64_t first; /* result */
};

struct meta_bucket_id {
    int64_t table_id;
    int64_t partition_id; /* META_NO_PARTITION: not partitioned */
    int32_t bucket;
};

struct meta_snapshot {
    int32_t bucket;
    int64_t id;
    int64_t log_offset;        /* it has the rows of the log below */
    const char *metadata_path; /* as clients are told it */
};

/* A snapshot is complete in remote storage. Its id is above all that the bucket ever had. Ids that the
 * result does not name may go from storage.
 * ERR_UNKNOWN_TABLE_OR_BUCKET: dropped meanwhile; ERR_INVALID_ARGUMENT: not the newest.
 * META_RETIRE_SNAPSHOTS, which looks at bucket and arena only, adds none: it takes off the list what
 * has stayed for a lease that has ended meanwhile. META_DISOWN_SNAPSHOTS, without result, takes off
 * those above log_offset, leased or not: the log ends there now, and their rows no longer exist. */
struct meta_add_snapshot {
    struct meta_job job;
    struct meta_bucket_id bucket;
    int64_t snapshot_id;
    int64_t log_offset;
    const char *metadata_path;
    struct arena *arena; /* of the result; the job's alone until done */
    int64_t *kept;       /* result: ids to keep, ascending; the new one is the last */
    size_t kept_count;
};

/* The snapshots that exist of a table that is not partitioned, or of a partition, by bucket, then id.
 * ERR_UNKNOWN_TABLE_OR_BUCKET. */
struct meta_list_snapshots {
    struct meta_job job;
    int64_t table_id;
    int64_t partition_id;
    int32_t bucket;      /* of this one only; -1: of all */
    struct arena *arena; /* of the result; the job's alone until done */
    struct meta_snapshot *snapshots;
    size_t count;
    int64_t next_id; /* of one bucket: above all that it ever had */
};

struct meta_leased {
    struct meta_bucket_id bucket;
    int64_t snapshot_id;
    bool unavailable; /* result of acquiring: there is no such snapshot */
};

/* Begins a lease or extends it to now + duration, and adds the snapshots, in the place of those it
 * had of the same buckets. What is unavailable is left out. ERR_INVALID_ARGUMENT for an id or a
 * duration that cannot be. */
struct meta_acquire_lease {
    struct meta_job job;
    struct bytes lease_id;
    int64_t duration_ms;
    struct meta_leased *snapshots;
    size_t count;
};

/* Takes buckets out of a lease; with the last one it ends. An unknown lease is success. */
struct meta_release_lease {
    struct meta_job job;
    struct bytes lease_id;
    const struct meta_bucket_id *buckets;
    size_t count;
};

/* Ends a lease; an unknown one is success. */
struct meta_drop_lease {
    struct meta_job job;
    struct bytes lease_id;
};

#endif
