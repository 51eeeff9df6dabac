/* Writer snapshots: the idempotent writers of a log as of an end offset, <offset>.writer_snapshot.
 *
 *   {"version":1,
 *    "writer_id_entries":[{"writer_id":10,"last_batch_sequence":19,"last_batch_base_offset":38,
 *                          "offset_delta":0,"last_batch_timestamp":1700000039000},...],
 *    "earlier_batches":[the same five members,...],
 *    "checksum":1234567890}
 *
 * `last_batch_base_offset` holds the last offset of the batch (the reference names it wrongly).
 * `earlier_batches` is ours, left out when empty: the up to four batches of each writer before its
 * newest, oldest first. The reference ignores the member and knows only the newest batch after a
 * restart; a client that sends its other batches in flight again would then start over under a new
 * id and double them. `checksum` (format/json.h) is ours, too: a snapshot of the reference has none,
 * and no other member of ours. Without it a digit that decays would refuse a writer's next batch for ever.
 *
 * Valid: every last offset is below the snapshot's offset, deltas and sequences are not negative.
 * A crash can leave a torn file, which is no JSON document; an older snapshot then serves, and the
 * log from there on.
 * Source: WriterStateManager of Apache Fluss.
 */
#ifndef LOG_SNAPSHOT_H
#define LOG_SNAPSHOT_H

#include "writers.h"

#include "format/json.h"
#include "io/file.h"

void snapshot_format(const struct writers *writers, struct json_writer *ret);
/* Into writers that are initialised and empty; after an error their contents are arbitrary. */
MUST_USE enum errcode snapshot_parse(struct bytes text, int64_t offset, struct writers *ret,
                                     struct error *e);

/* Writes the file without waiting for the device; *ret_file is a reference for the caller to sync.
 * A file left by a failure is removed. Thread: shard. */
MUST_USE enum errcode snapshot_write(const char *dir, int64_t offset, const struct writers *writers,
                                     struct file **ret_file, struct error *e);
/* Replaces the file atomically and durably. Thread: pool. */
MUST_USE enum errcode snapshot_replace(const char *dir, int64_t offset,
                                       const struct writers *writers, struct error *e);
/* *ret_valid false: missing or damaged, *e says why; the writers are then empty. */
MUST_USE enum errcode snapshot_read(const char *dir, int64_t offset, struct writers *ret,
                                    bool *ret_valid, struct error *e);

#endif
