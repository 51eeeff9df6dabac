/* From a KV batch to what it does: the changes of state and the changelog batch. Pure; the caller
 * reads old values, appends the batch, and makes the changes once it is durable.
 *
 *   begin    checks the batch and the request, lists the keys whose old value matters
 *   (caller) sets the old value of each of these keys, from pending writes or from the store
 *   finish   merges record after record, later records of a key seeing what the earlier did
 *
 * Records in their order, with the engine of merge.h:
 *   delete   behaviour IGNORE: nothing; DISABLE: the whole batch fails; without a row: nothing;
 *            else -D, or -U +U when something is left of the row
 *   upsert   without a row: +I; the row stays as it is: nothing; else -U +U
 * With the changelog image WAL there is no -U, and full rows of tables without auto-increment and
 * merge engine are written without looking at the old one: always +U.
 * An auto-increment column gets its value when a row is inserted; requests must name target columns
 * without it. A batch that changes nothing has a changelog batch without records.
 *
 * Memory is kept from batch to batch. Thread: one at a time, its owner.
 */
#ifndef KV_PREPARE_H
#define KV_PREPARE_H

#include "merge.h"

#include "format/kv_batch.h"

/* Gives the next number of the auto-increment column; an error fails the batch. */
typedef enum errcode (*kv_next_id_fn)(void *context, int64_t *ret, struct error *e);

struct kv_request {
    struct merge_request merge;
    kv_next_id_fn next_id; /* NULL only for tables without auto-increment */
    void *next_id_context;
};

/* A distinct key of the batch. */
struct kv_key {
    struct bytes key; /* borrowed from the batch */
    uint64_t hash;    /* hash_bytes */
    struct bytes old; /* set by the caller: the value (value_batch.h), borrowed; empty: none */
};

/* The state of a key after the batch. */
struct kv_change {
    struct bytes key;
    struct bytes value; /* empty: removed */
    uint64_t hash;
    int32_t record; /* the last changelog record of the key */
};

struct kv_prepared {
    struct bytes batch; /* base offset and time are still to be assigned */
    int32_t record_count;
    int64_t row_delta; /* rows inserted minus rows removed; not known with the image WAL */
    const struct kv_change *changes; /* one per key that has changed, in no order that matters */
    size_t change_count;
};

struct kv_prepare;

/* Takes a reference to the table. */
struct kv_prepare *kv_prepare_new(struct kv_table *table);
void kv_prepare_free(struct kv_prepare *p);
void kv_prepare_freep(struct kv_prepare **p); /* for OWNED */

/* Borrows batch, and the target columns, until finish. *ret_keys, *ret_count: the keys that need
 * their old value; none when no record does. ERR_CORRUPT_RECORD (for a key that is ours, too),
 * ERR_SCHEMA_NOT_EXIST, ERR_INVALID_TARGET_COLUMN, ERR_UNSUPPORTED_OPERATION. After an error begin again. */
MUST_USE enum errcode kv_prepare_begin(struct kv_prepare *p, struct bytes batch,
                                       const struct kv_request *request, struct kv_key **ret_keys,
                                       size_t *ret_count, struct error *e);

/* Records of the batch that was begun. */
int32_t kv_prepare_record_count(const struct kv_prepare *p);

/* Everything in ret lies in the arena. ERR_DELETION_DISABLED; ERR_CORRUPT_RECORD for a row that is
 * none, ERR_KV_STORAGE for an old value that is none; errors of merging and of next_id. */
MUST_USE enum errcode kv_prepare_finish(struct kv_prepare *p, struct arena *arena,
                                        struct kv_prepared *ret, struct error *e);

#endif
