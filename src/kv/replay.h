/* From the changelog back to state: what a bucket does after a restart with the part of its log that
 * the store has not seen.
 *
 * Of each changelog batch: -U is skipped, -D removes the key, +I and +U put the row, written with the
 * latest schema (columns it had not got are null). Keys are encoded again from the rows, so the key
 * format must be the one of the clients. Rows count +1 for +I and +U, -1 for -D and -U, which is right
 * with the changelog image FULL only. Thread: one at a time, its owner.
 */
#ifndef KV_REPLAY_H
#define KV_REPLAY_H

#include "prepare.h"

#include "format/batch.h"
#include "format/key.h"

struct kv_replayed {
    const struct kv_change *changes; /* one per key, of its last change, in no order that matters */
    size_t change_count;
    int64_t row_delta;
    int64_t id_max; /* of the auto-increment column in +I rows; INT64_MIN: none */
};

struct kv_replay;

/* Takes a reference to the table, borrows the key format. */
struct kv_replay *kv_replay_new(struct kv_table *table, const struct key_format *key);
void kv_replay_free(struct kv_replay *r);
void kv_replay_freep(struct kv_replay **r); /* for OWNED */

/* data: a whole batch, whose header was parsed; its checksum is not looked at. Everything in ret lies
 * in the arena. ERR_CORRUPT_RECORD: not a changelog batch of the table; ERR_SCHEMA_NOT_EXIST;
 * ERR_UNSUPPORTED_OPERATION: the log format INDEXED. */
MUST_USE enum errcode kv_replay_batch(struct kv_replay *r, const struct batch_header *header,
                                      struct bytes data, struct arena *arena,
                                      struct kv_replayed *ret, struct error *e);

#endif
