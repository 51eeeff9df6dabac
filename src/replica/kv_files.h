/* What a snapshot of a bucket consists of, read from remote storage for a client that wants to copy
 * it. Thread: shard; any set will do.
 */
#ifndef REPLICA_KV_FILES_H
#define REPLICA_KV_FILES_H

#include "base/arena.h"
#include "base/error.h"
#include "io/pool.h"

struct replica_set;

struct kv_file {
    const char *remote_path; /* as clients are told it */
    const char *name;        /* what it must be called in the database directory */
};

struct kv_files_op {
    int64_t snapshot_id;
    const char *metadata_path; /* of its document, as clients are told it; borrowed until done */
    struct arena *arena;       /* of the result; the operation's alone until done */
    void (*done)(struct kv_files_op *op);
    void *context;     /* the caller's */
    enum errcode code; /* ERR_KV_SNAPSHOT_NOT_EXIST: it cannot be had, whatever the reason */
    struct error error;
    int64_t log_offset;
    struct kv_file *files;
    size_t file_count;
    /* internal */
    struct pool_job job;
    struct replica_set *set;
};
void replica_kv_files(struct replica_set *set, struct kv_files_op *op);

#endif
