/* What a query reads of a table: all buckets as of one moment each.
 *
 * Of a log: the ranges of files below the high watermark. Of current rows: one scanner per bucket,
 * opened at that moment, which gives its rows once, call by call; or the rows of the keys that matter, if
 * that is known, which are looked up. The shards are asked by messages;
 * the caller waits, a shard never does. Thread: any but a shard's; a cut is shared.
 */
#ifndef SQL_CUT_H
#define SQL_CUT_H

#include "prune.h"

#include <stdatomic.h>

/* The shards of the server and what is on them. */
struct sql_world {
    struct shard *const *shards;
    struct replica_set *const *replicas; /* by shard */
    unsigned count;
    struct meta *meta; /* changes the catalog */
    /* A reference to the catalog as shards[0] has it. Thread: shards[0]. */
    struct meta_view *(*view)(void *context);
    void *context;
};

struct sql_bucket {
    struct bucket_id id;
    struct offset_op since; /* of a log: where the time begins that matters */
    struct stats_op stats;
    struct cut_op log; /* of a log: ranges, start and end */
    struct kv_scan_op rows;
    struct lookup_op lookup; /* instead of rows, of the keys that matter */
    struct prefix_op prefix; /* or the rows with these prefixes */
    struct arena arena;
    bool started; /* rows: the first batch has been taken */
};

struct sql_cut {
    atomic_uint refs;
    const struct sql_world *world;
    int64_t table_id;
    struct prune *prune; /* what is left out; owned */
    bool current;        /* current rows of a primary-key table */
    atomic_bool taken;   /* current: somebody reads it */
    struct sql_bucket *buckets;
    size_t count;
};

/* One reference. Takes over what is left out; NULL: nothing. Errors of the operations. */
MUST_USE enum errcode sql_cut_take(const struct sql_world *world, const struct meta_table *table,
                                   bool current, struct prune *prune, struct sql_cut **ret,
                                   struct error *e);
/* Where the logs of the table begin, end, or have this time (which, if it is in the future, is their end),
 * by bucket, in *ret. */
MUST_USE enum errcode sql_places_find(const struct sql_world *world, const struct meta_table *table,
                                      enum offset_kind kind, int64_t timestamp_ms,
                                      struct sql_places *ret, struct error *e);
/* How many rows the table has now, or its changelog, for plans: of many buckets some are asked, and those that
 * do not tell count as empty. */
uint64_t sql_rows_estimate(const struct sql_world *world, const struct meta_table *table,
                           bool changelog);
struct sql_cut *sql_cut_ref(struct sql_cut *cut);
/* Closes what is open with the last reference. Returns NULL; accepts NULL. */
void *sql_cut_unref(struct sql_cut *cut);

/* The next value batch (format/value_batch.h) of a bucket's current rows in *ret, on the heap;
 * *ret_found false: that were all. Thread: one at a time per bucket. */
MUST_USE enum errcode sql_cut_rows(struct sql_cut *cut, size_t bucket, struct buffer *ret,
                                   bool *ret_found, struct error *e);

#endif
