/* All stored bytes of a bucket as of one moment, for readers that decode them elsewhere.
 *
 * A cut ends at the high watermark of the moment it was taken. Its file references stay readable
 * whatever happens to the log: segments are never changed below the high watermark, and one that is
 * removed lives as long as a reference to it. Thread: shard.
 */
#ifndef REPLICA_CUT_H
#define REPLICA_CUT_H

#include "replica.h"

struct cut_op {
    struct bucket_op op;
    struct pieces ranges; /* result: file ranges of whole batches in offset order; initialised by
                             the caller with an arena of this op alone */
    int64_t from_offset;  /* batches that end at or below it are not needed */
    int64_t limit_offset; /* nor segments that begin at or above it; <= 0: no limit */
    int64_t start_offset; /* result: below it nothing is left */
    int64_t end_offset;   /* result: the high watermark */
    /* internal */
    struct pool_job job;
    struct message next; /* goes on in a later turn */
    struct bucket *bucket;
    struct log_range range;
    int64_t offset;
    bool warmed;
};
/* Damaged batches are left out, as for fetches. Long logs are cut in several turns of the shard, so
 * that nobody waits. */
void replica_cut(struct replica_set *set, struct cut_op *cut);

#endif
