/* The nodes of the store: their paths and their documents, byte for byte as in the reference's
 * ZooKeeper tree below its root.
 *
 *   /coordinators/epoch                                     decimal text
 *   /metadata/databases/<db>                                database registration
 *   /metadata/databases/<db>/tables/<t>                     table registration
 *   /metadata/databases/<db>/tables/<t>/schemas/<n>         schema JSON, n = 1, 2, ...
 *   /metadata/databases/<db>/tables/<t>/partitions/<name>   partition registration
 *   /metadata/{table_seqid,partition_seqid,writer_id}       counters: the next value, i64be
 *   /tabletservers/tables/<table id>                        table assignment        } + /buckets/<b>
 *   /tabletservers/partitions/<partition id>                partition assignment    } /leader_isr
 *     .../buckets/<b>/snapshots/<id>                        snapshot of a bucket's state
 *     .../buckets/<b>/snapshot_seqid                        counter: the next snapshot id
 *   /metadata/databases/<db>/tables/<t>/auto_inc/col_<id>   counter: the last number given
 *   /leases/kv_snapshot/<lease id>                          lease of snapshots
 *
 * Every document is a JSON object with "version" first; unknown keys are ignored, optional ones may
 * be missing. An assignment whose table or partition has been dropped gets a key of our own,
 * "dropped": {"database","table"[,"partition"]}, which names the directory that is still to be
 * removed; other readers ignore it. A lease lists its snapshots itself, where the reference's names
 * files in remote storage that do.
 * Errors: ERR_CORRUPT_FILE with the path of what is wrong. Thread: any.
 */
#ifndef META_ZNODE_H
#define META_ZNODE_H

#include "format/text_map.h"

#define ZNODE_COORDINATOR_EPOCH     "/coordinators/epoch"
#define ZNODE_DATABASES             "/metadata/databases"
#define ZNODE_TABLE_COUNTER         "/metadata/table_seqid"
#define ZNODE_PARTITION_COUNTER     "/metadata/partition_seqid"
#define ZNODE_WRITER_COUNTER        "/metadata/writer_id"
#define ZNODE_TABLE_ASSIGNMENTS     "/tabletservers/tables"
#define ZNODE_PARTITION_ASSIGNMENTS "/tabletservers/partitions"
#define ZNODE_LEASES                "/leases/kv_snapshot"

/* Paths, in the arena. */
char *znode_database_path(struct arena *arena, const char *database);
char *znode_tables_path(struct arena *arena, const char *database);
char *znode_table_path(struct arena *arena, const char *database, const char *table);
char *znode_schemas_path(struct arena *arena, const char *database, const char *table);
char *znode_schema_path(struct arena *arena, const char *database, const char *table, int32_t id);
char *znode_partitions_path(struct arena *arena, const char *database, const char *table);
/* partition_id < 0: of the table. */
char *znode_assignment_path(struct arena *arena, int64_t table_id, int64_t partition_id);
char *znode_leader_path(struct arena *arena, int64_t table_id, int64_t partition_id,
                        int32_t bucket);

char *znode_snapshots_path(struct arena *arena, int64_t table_id, int64_t partition_id,
                           int32_t bucket);
char *znode_snapshot_counter_path(struct arena *arena, int64_t table_id, int64_t partition_id,
                                  int32_t bucket);
char *znode_auto_increment_path(struct arena *arena, const char *database, const char *table,
                                int32_t column_id);
char *znode_lease_path(struct arena *arena, const char *lease_id);

struct znode_database {
    const char *comment; /* NULL: none */
    struct text_map properties;
    int64_t created_ms;
    int64_t modified_ms;
};

struct znode_table {
    int64_t table_id;
    const char *comment; /* NULL: none */
    struct text_list partition_keys;
    struct text_list bucket_keys;
    int32_t bucket_count;
    struct text_map properties;
    struct text_map custom_properties;
    const char *remote_data_dir; /* NULL: none */
    int64_t created_ms;
    int64_t modified_ms;
};

struct znode_partition {
    int64_t table_id;
    int64_t partition_id;
    const char *remote_data_dir; /* NULL: none */
};

/* All buckets on one server: this one. */
struct znode_assignment {
    int64_t table_id; /* written for a partition only; -1 otherwise */
    int32_t bucket_count;
    int32_t server_id;
    const char *dropped_database; /* NULL: in use */
    const char *dropped_table;
    const char *dropped_partition; /* NULL: a table's */
};

struct znode_leader {
    int32_t leader;
    int32_t leader_epoch;
    int32_t coordinator_epoch;
    int32_t bucket_epoch;
};

struct znode_snapshot {
    int64_t id;
    int64_t log_offset;
    const char *metadata_path;
};

/* A snapshot in a lease. */
struct znode_leased {
    int64_t table_id;
    int64_t partition_id; /* -1: not partitioned */
    int32_t bucket;
    int64_t snapshot_id;
};

struct znode_lease {
    int64_t expires_ms;
    struct znode_leased *items; /* by table, partition, bucket; each once */
    size_t count;
};

#define ZNODE_LEASE_BUCKETS_MAX 1000000 /* of one lease, those without a snapshot included */

/* Documents, in the arena; the in-sync set is the leader alone. */
struct bytes znode_database_encode(const struct znode_database *d, struct arena *arena);
struct bytes znode_table_encode(const struct znode_table *t, struct arena *arena);
struct bytes znode_partition_encode(const struct znode_partition *p, struct arena *arena);
struct bytes znode_assignment_encode(const struct znode_assignment *a, struct arena *arena);
struct bytes znode_leader_encode(const struct znode_leader *l, struct arena *arena);
struct bytes znode_snapshot_encode(const struct znode_snapshot *s, struct arena *arena);
struct bytes znode_lease_encode(const struct znode_lease *l, struct arena *arena);
struct bytes znode_counter_encode(int64_t next, struct arena *arena);

/* Texts live in the arena. `name` says which node it is. */
MUST_USE enum errcode znode_open(struct bytes data, const char *name, struct arena *arena,
                                 const struct json **ret, struct error *e); /* any document */
MUST_USE enum errcode znode_database_decode(struct bytes data, const char *name,
                                            struct arena *arena, struct znode_database *ret,
                                            struct error *e);
MUST_USE enum errcode znode_table_decode(struct bytes data, const char *name, struct arena *arena,
                                         struct znode_table *ret, struct error *e);
MUST_USE enum errcode znode_partition_decode(struct bytes data, const char *name,
                                             struct arena *arena, struct znode_partition *ret,
                                             struct error *e);
/* Bucket ids must be 0 .. count-1; of the replicas only the first of bucket 0 is looked at. */
MUST_USE enum errcode znode_assignment_decode(struct bytes data, const char *name,
                                              struct arena *arena, struct znode_assignment *ret,
                                              struct error *e);
MUST_USE enum errcode znode_leader_decode(struct bytes data, const char *name, struct arena *arena,
                                          struct znode_leader *ret, struct error *e);
MUST_USE enum errcode znode_snapshot_decode(struct bytes data, const char *name,
                                            struct arena *arena, struct znode_snapshot *ret,
                                            struct error *e);
MUST_USE enum errcode znode_lease_decode(struct bytes data, const char *name, struct arena *arena,
                                         struct znode_lease *ret, struct error *e);
MUST_USE enum errcode znode_counter_decode(struct bytes data, const char *name, int64_t *ret,
                                           struct error *e);

#endif
