/* The changelog batch of one KV batch: what happened to the rows of a bucket, one record for each
 * change, in the log format of the table (batch.h, magic 0, not append-only).
 *
 *   ARROW      change type bytes, one Arrow message with the codec of the table
 *   COMPACTED  records: i32 bytes after this field, change type, COMPACTED row
 *   INDEXED    the original refuses every record of it, and so do we
 * Rows have all columns of the latest schema, whatever schema they were written with. Without any
 * change the batch is its header, so that the sequence of the writer goes on. Thread: owner.
 */
#ifndef KV_CHANGELOG_H
#define KV_CHANGELOG_H

#include "merge.h"

enum change_type {
    CHANGE_APPEND, /* log tables only */
    CHANGE_INSERT,
    CHANGE_UPDATE_BEFORE,
    CHANGE_UPDATE_AFTER,
    CHANGE_DELETE
};

#define CHANGE_TYPE_MAX CHANGE_DELETE

struct changelog;

/* Takes a reference to the table. */
struct changelog *changelog_new(struct kv_table *table);
void changelog_free(struct changelog *c);
void changelog_freep(struct changelog **c); /* for OWNED */
/* Drops all changes, keeps the memory. */
void changelog_clear(struct changelog *c);

/* One more change; cells of the row must have been read, what they point to is borrowed until finish
 * or clear. ERR_CORRUPT_RECORD for a row, this or one before, that cannot be converted,
 * ERR_UNSUPPORTED_OPERATION for the log format INDEXED, ERR_RECORD_TOO_LARGE; then clear. */
MUST_USE enum errcode changelog_append(struct changelog *c, enum change_type type,
                                       const struct kv_row *row, struct error *e);
int32_t changelog_count(const struct changelog *c);
/* The batch, in the arena. ERR_RECORD_TOO_LARGE, ERR_CORRUPT_RECORD. */
MUST_USE enum errcode changelog_finish(struct changelog *c, int64_t writer_id,
                                       int32_t batch_sequence, struct arena *arena,
                                       struct bytes *ret, struct error *e);

#endif
