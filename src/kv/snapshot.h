/* Snapshots of a bucket's state in remote storage: what clients scan, and what a server without
 * local state starts from.
 *
 *   <remote>/snap-<id>/_METADATA     this document
 *   <remote>/snap-<id>/<uuid>        files of this snapshot alone
 *   <remote>/shared/<uuid>           table files, which later snapshots refer to as well
 *
 *   {"version":1,"table_id":12,"partition_id":77,"bucket_id":0,"snapshot_id":7,
 *    "snapshot_location":"<remote>/snap-7",
 *    "kv_snapshot_handle":{
 *      "shared_file_handles":[{"kv_file_handle":{"path":"<remote>/shared/<uuid>","size":123},
 *                              "local_path":"000012.sst","crc32c":305419896},...],
 *      "private_file_handles":[the same,...],
 *      "snapshot_incremental_size":123},
 *    "log_offset":1200,"row_count":55,
 *    "auto_inc_id_range":[{"column_id":2,"start":101,"end":100000}],
 *    "lineage":"0123456789abcdef","table_max":12,"checksum":305419896}
 *
 * partition_id, row_count and auto_inc_id_range are left out when there is none. The files under
 * their local names are a RocksDB database whose rows are those of the log below log_offset. The
 * incremental size is that of the files this snapshot has added. lineage and table_max are ours, see
 * struct kv_checkpoint; the original ignores them, and without them nothing is shared. So are crc32c, of
 * all bytes of the file as they were copied, and checksum, the CRC-32C of all of this document before
 * the comma in front of it: what has changed since is never started from.
 *
 * Order. Files are complete and durable before _METADATA names them, and go only when no snapshot
 * that is kept names them. A crash leaves files that nobody names; the next sweep takes them.
 * Source: CompletedSnapshot, CompletedSnapshotJsonSerde of Apache Fluss.
 * Thread: any; functions that are given a directory block (pool).
 */
#ifndef KV_SNAPSHOT_H
#define KV_SNAPSHOT_H

#include "store.h"

#include <stdatomic.h>

#include "format/json.h"

struct kv_snapshot_file {
    const char *path; /* where it is, complete */
    const char *name; /* in the database directory: no '/' */
    int64_t size;
    bool has_checksum;
    uint32_t checksum; /* CRC-32C of the file */
};

struct kv_snapshot_files {
    struct kv_snapshot_file *items;
    size_t count;
};

struct kv_snapshot {
    int64_t table_id;
    int64_t partition_id; /* -1: not partitioned */
    int32_t bucket;
    int64_t id;
    const char *location;
    struct kv_snapshot_files shared;
    struct kv_snapshot_files own;
    int64_t incremental_size;
    struct kv_checkpoint checkpoint; /* lineage 0: unknown */
};

/* ---- the document ---- */

#define KV_SNAPSHOT_SIZE_MAX  ((size_t)64 << 20)
#define KV_SNAPSHOT_FILES_MAX 1000000u

void kv_snapshot_format(const struct kv_snapshot *s, struct json_writer *ret);
/* Everything in ret lies in the arena. ERR_CORRUPT_FILE. */
MUST_USE enum errcode kv_snapshot_parse(struct bytes text, struct arena *arena,
                                        struct kv_snapshot *ret, struct error *e);

/* ---- decisions ---- */

/* A file of a checkpoint. */
struct kv_local_file {
    const char *name;
    int64_t size;
};

struct kv_snapshot_request {
    int64_t table_id;
    int64_t partition_id;
    int32_t bucket;
    int64_t id;
    const char *remote; /* the bucket's directory there, as clients are told it */
    struct kv_checkpoint checkpoint;
    const struct kv_local_file *files; /* of the checkpoint */
    size_t file_count;
    const struct kv_snapshot *base; /* the newest complete snapshot; NULL: none */
    uint64_t (*random)(void);
};

struct kv_snapshot_copy {
    const char *name;              /* in the checkpoint */
    const char *path;              /* below the remote directory */
    struct kv_snapshot_file *file; /* what the snapshot says of it */
};

struct kv_snapshot_plan {
    struct kv_snapshot snapshot; /* as it will be */
    struct kv_snapshot_copy *copies;
    size_t copy_count;
};

/* Whether the snapshot was made in this directory of remote storage, and not moved to it. */
bool kv_snapshot_is_of(const struct kv_snapshot *s, const char *remote);

/* Which files to copy, which to share with the base, unless it is of another directory. Everything
 * lies in the arena or is borrowed. */
void kv_snapshot_make_plan(const struct kv_snapshot_request *r, struct arena *arena,
                           struct kv_snapshot_plan *ret);

/* ---- files ---- */

/* The files of a checkpoint directory, in the arena. */
MUST_USE enum errcode kv_snapshot_local_files(const char *dir, struct arena *arena,
                                              struct kv_local_file **ret, size_t *ret_count,
                                              struct error *e);
/* Copies what the plan says from the checkpoint to the remote directory, noting the checksums in the
 * plan, then writes _METADATA: the snapshot exists when this returns. After an error it does not.
 * Gives up, with ERR_STORAGE, soon after *stop has become true; NULL: never. */
MUST_USE enum errcode kv_snapshot_upload(struct kv_snapshot_plan *plan, const char *checkpoint,
                                         const char *remote_dir, const atomic_bool *stop,
                                         struct error *e);
/* Ids of the snapshots there that have _METADATA, ascending, in the arena. */
MUST_USE enum errcode kv_snapshot_list(const char *remote_dir, struct arena *arena, int64_t **ret,
                                       size_t *ret_count, struct error *e);
/* ERR_KV_SNAPSHOT_NOT_EXIST, ERR_CORRUPT_FILE. */
MUST_USE enum errcode kv_snapshot_read(const char *remote_dir, int64_t id, struct arena *arena,
                                       struct kv_snapshot *ret, struct error *e);
/* Whether all its files are there, as long as they should be; it was read from remote_dir. Errors as
 * those of kv_snapshot_restore. */
MUST_USE enum errcode kv_snapshot_check(const struct kv_snapshot *s, const char *remote_dir,
                                        struct error *e);
/* Whether one of its files is what was copied there: reads all of it. */
MUST_USE enum errcode kv_snapshot_check_file(const struct kv_snapshot *s,
                                             const struct kv_snapshot_file *file,
                                             const char *remote_dir, struct error *e);
/* Removes all that the snapshots `kept` do not name, other snapshots first. Not beside an upload. An
 * error, and nothing is removed, when one of them cannot be read. */
MUST_USE enum errcode kv_snapshot_sweep(const char *remote_dir, const int64_t *kept, size_t count,
                                        struct error *e);
/* Makes a snapshot unreadable, for good; its files stay until a sweep. A missing one is success. */
MUST_USE enum errcode kv_snapshot_disown(const char *remote_dir, int64_t id, struct error *e);
/* Makes the database in the directory dir, which is replaced, for kv_rocksdb_open with the state of
 * the snapshot, which was read from remote_dir: its files are there now, wherever that was when it was
 * made. ERR_CORRUPT_FILE when a file is missing, or not what was copied there;
 * ERR_UNSUPPORTED_OPERATION for paths that are not of this machine. */
MUST_USE enum errcode kv_snapshot_restore(const struct kv_snapshot *s, const char *remote_dir,
                                          const char *dir, struct error *e);

#endif
