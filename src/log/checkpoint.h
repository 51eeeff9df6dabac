/* Offset checkpoint files of a data directory: recovery-point-offset-checkpoint and
 * high-watermark-checkpoint.
 *
 * Text: line 1 "0" (version), line 2 the number of entries, then one entry a line:
 * "tableId bucket offset" or "tableId partitionId bucket offset". Replaced atomically.
 * A file that cannot be parsed is an error naming the line; the caller falls back to offset 0.
 * Source: OffsetCheckpointFile of Apache Fluss. Thread: pool (blocks).
 */
#ifndef LOG_CHECKPOINT_H
#define LOG_CHECKPOINT_H

#include "base/arena.h"
#include "base/error.h"

struct checkpoint_entry {
    int64_t table_id;
    int64_t partition_id; /* -1: not partitioned */
    int32_t bucket;
    int64_t offset;
};

struct checkpoint {
    struct checkpoint_entry *entries;
    size_t count;
};

MUST_USE enum errcode checkpoint_parse(struct bytes text, struct arena *arena,
                                       struct checkpoint *ret, struct error *e);
struct bytes checkpoint_format(const struct checkpoint *c, struct arena *arena);
/* A missing file is an empty checkpoint. */
MUST_USE enum errcode checkpoint_read(const char *path, struct arena *arena, struct checkpoint *ret,
                                      struct error *e);
MUST_USE enum errcode checkpoint_write(const char *path, const struct checkpoint *c,
                                       struct error *e);
/* NULL when there is none. */
const struct checkpoint_entry *checkpoint_find(const struct checkpoint *c, int64_t table_id,
                                               int64_t partition_id, int32_t bucket);

#endif
