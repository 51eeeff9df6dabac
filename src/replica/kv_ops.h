/* Reads of buckets of primary-key tables. The rules of operations are in replica.h (writes are there,
 * too); what a bucket's state is, and how it follows its changelog, is in kv/README.md.
 *
 * On a bucket of a log table each of them fails with ERR_NON_PRIMARY_KEY_TABLE. Clients see what is
 * below the high watermark, nothing above. What is in memory is answered inside the call, on the
 * shard; whatever needs the device runs in a pool. Answers lie in the arena of the operation; those of
 * lookups are allocated from on the shard only, so that operations may share them.
 * Thread: shard.
 */
#ifndef REPLICA_KV_OPS_H
#define REPLICA_KV_OPS_H

#include "replica.h"

/* An arena that has grown beyond this takes no further rows: ERR_INVALID_ARGUMENT. */
#define KV_ANSWER_BYTES_MAX ((size_t)256 << 20)

/* The high watermark when an operation began and ended: where they are the same, all of its values are
 * of that one moment. */
struct kv_moments {
    int64_t begin;
    int64_t end;
};

/* LOOKUP of one bucket. Each value is that of some moment during the operation. */
struct lookup_op {
    struct bucket_op op;
    const struct bytes *keys; /* borrowed until done */
    size_t count;
    struct arena *arena;
    /* Puts rows for keys that have none, acknowledged as by acks = -1, so that nothing is answered
     * that could be taken back; then looks all up again. */
    bool insert;
    int64_t timeout_us;   /* of that put */
    struct bytes *values; /* result: one per key; empty: no row */
    struct kv_moments at; /* result */
    struct lookup *work;  /* internal */
};
void replica_lookup(struct replica_set *set, struct lookup_op *op);

struct row_list {
    struct bytes *values; /* in key order */
    size_t count;
};

/* PREFIX_LOOKUP of one bucket: the rows whose keys begin with these bytes. Encoded bucket keys are
 * looked up fast, other bytes as a scan of the store. ERR_INVALID_ARGUMENT for an empty prefix. */
struct prefix_op {
    struct bucket_op op;
    const struct bytes *prefixes; /* borrowed until done */
    size_t count;
    struct arena *arena;
    struct row_list *lists; /* result: one per prefix */
    struct kv_moments at;   /* result */
};
void replica_prefix(struct replica_set *set, struct prefix_op *op);

/* LIMIT_SCAN: the first rows in key order, as of one moment. ERR_INVALID_ARGUMENT when they have more
 * than bytes_max. */
struct rows_op {
    struct bucket_op op;
    size_t limit;
    size_t bytes_max;
    struct pieces rows; /* result: a value batch (format/value_batch.h), maybe of no rows;
                           initialised by the caller with an arena of this op alone */
};
void replica_first_rows(struct replica_set *set, struct rows_op *op);

/* ---- SCAN_KV: all rows of one moment, call by call ---- */

#define KV_SCANNER_ID_SIZE 16

enum kv_scan_step { KV_SCAN_OPEN, KV_SCAN_NEXT, KV_SCAN_CLOSE };

/* A scanner ends with its last row, an error, KV_SCAN_CLOSE, its bucket, or when it was not used for
 * a while. Errors: ERR_INVALID_SCAN_REQUEST (not the next sequence, or another call is under way),
 * ERR_SCANNER_EXPIRED, ERR_UNKNOWN_SCANNER_ID, ERR_TOO_MANY_SCANNERS. */
struct kv_scan_op {
    struct bucket_op op; /* op.id: of KV_SCAN_OPEN */
    enum kv_scan_step step;
    uint8_t scanner[KV_SCANNER_ID_SIZE]; /* given, but for KV_SCAN_OPEN: result */
    int32_t sequence;                    /* 0 to open, then one more with each call */
    size_t batch_bytes;
    int64_t limit;      /* KV_SCAN_OPEN: of rows; <= 0: none */
    struct pieces rows; /* result: a value batch, or nothing; as above */
    bool more;          /* result: the scanner waits for the next call */
    int64_t log_offset; /* result of KV_SCAN_OPEN: the rows are of the log below it */
};
void replica_kv_scan(struct replica_set *set, struct kv_scan_op *op);
/* The shard that has given the id; false: none of ours. Thread: any. */
MUST_USE bool kv_scanner_shard(struct bytes id, unsigned shards, unsigned *ret);

#endif
