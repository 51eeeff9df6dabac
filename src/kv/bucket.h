/* The state of a bucket as its shard sees it: pending changes over the row cache over the store.
 * This is where the three are kept coherent; README.md has the rules.
 *
 *   write     kv_lookup (sight NEWEST) .. prepare .. append to the log .. kv_bucket_add
 *   watermark kv_bucket_show
 *   read      kv_lookup (sight SHOWN), kv_prefix, kv_bucket_first
 *   store     kv_spill, when kv_bucket_spill_due, or before a cursor or checkpoint that is to see
 *             all that is shown
 *
 * What may block is split in three: `begin` on the shard, `run` in a pool, `end` on the shard. The
 * bucket must not be freed in between. Thread: shard, but for the functions named *_run.
 */
#ifndef KV_BUCKET_H
#define KV_BUCKET_H

#include "cache.h"
#include "env.h"
#include "store.h"

#include "base/list.h"

/* What the buckets of a shard share. */
struct kv_shard {
    struct kv_cache *cache;
    struct kv_budgets budgets;
    size_t pending_bytes; /* held by the pending changes of all its buckets */
    struct list buckets;
};

void kv_shard_init(struct kv_shard *shard, const struct kv_budgets *budgets);
void kv_shard_fini(struct kv_shard *shard);

struct kv_bucket;

struct kv_bucket_params {
    struct kv_shard *shard;
    struct kv_store *store; /* borrowed, must outlive the bucket */
    void *owner;            /* the caller's, see kv_shard_spill_owner */
    kv_prefix_fn prefix_of; /* NULL: no lookups by prefix */
    const void *prefix_context;
    /* What was replayed, from the offset of the store on; made with the same prefix_of. NULL: nothing.
     * Taken over. */
    struct kv_pending *pending;
};

struct kv_bucket *kv_bucket_new(const struct kv_bucket_params *params);
/* What is not in the store is forgotten; the log has it. Accepts NULL. */
void kv_bucket_free(struct kv_bucket *b);

/* ---- changes ---- */

/* What kv_prepare or kv_replay made of the changelog batch that ends at end_offset: one call for
 * each batch of the log from the store's offset on. Keys and values are copied. */
void kv_bucket_add(struct kv_bucket *b, const struct kv_change *changes, size_t count,
                   int64_t end_offset, int64_t row_delta);
/* The log was cut back to an offset, not below what was shown. */
void kv_bucket_truncate(struct kv_bucket *b, int64_t end_offset);
/* Clients see the batches below the high watermark. */
void kv_bucket_show(struct kv_bucket *b, int64_t high_watermark);
/* What the store is to remember with the next spill. */
void kv_bucket_set_ids(struct kv_bucket *b, const struct kv_id_range *ids);
/* false: no range is known. */
bool kv_bucket_ids(const struct kv_bucket *b, struct kv_id_range *ret);

int64_t kv_bucket_end_offset(const struct kv_bucket *b);   /* behind what was added */
int64_t kv_bucket_shown_offset(const struct kv_bucket *b); /* behind what clients see */
int64_t kv_bucket_row_count(const struct kv_bucket *b);    /* that clients see; -1: not kept */
/* 0 .. 0.999 grows as writes come faster than the store takes them; 1: refuse them. level0_trigger:
 * kv.backpressure.l0-slowdown-trigger. */
double kv_bucket_pressure(const struct kv_bucket *b, uint32_t level0_trigger);

/* ---- lookups ---- */

enum kv_sight {
    KV_SIGHT_SHOWN,  /* clients: below the high watermark */
    KV_SIGHT_NEWEST, /* the write path: everything added */
};

struct kv_lookup {
    struct kv_key *keys; /* key and hash given, `old` is the answer; empty: no row */
    size_t count;
    enum kv_sight sight;
    struct arena *arena; /* of the request */
    /* internal */
    uint32_t *missing;
    size_t missing_count;
    uint64_t ticket;
};

/* true: answered from memory, values are borrowed until anything of this shard's buckets changes.
 * false: kv_lookup_run and kv_lookup_end must follow; values are then in the arena. */
MUST_USE bool kv_lookup_begin(struct kv_bucket *b, struct kv_lookup *l);
MUST_USE enum errcode kv_lookup_run(struct kv_store *s, struct kv_lookup *l, struct error *e);
/* After a run without error. */
void kv_lookup_end(struct kv_bucket *b, struct kv_lookup *l);

/* All rows under a prefix, which is one that prefix_of gives for its keys. */
struct kv_prefix {
    struct bytes prefix;
    uint64_t hash; /* hash_bytes of it */
    size_t bytes_max;
    struct arena *arena;
    struct kv_items items; /* the answer, in key order */
    /* internal */
    struct kv_change *pending;
    size_t pending_count;
    uint64_t ticket;
};

/* Before the begin of lookups one after the other, of prefixes with these hashes: fetches what those
 * after the next one will look at. */
void kv_prefix_prefetch(const struct kv_bucket *b, const uint64_t *hashes, size_t count,
                        size_t next);
/* As with kv_lookup_begin. */
MUST_USE bool kv_prefix_begin(struct kv_bucket *b, struct kv_prefix *l);
/* ERR_RECORD_TOO_LARGE: more than bytes_max. */
MUST_USE enum errcode kv_prefix_run(struct kv_store *s, struct kv_prefix *l, struct error *e);
void kv_prefix_end(struct kv_bucket *b, struct kv_prefix *l);

/* ---- the first rows ---- */

/* More than so many are always read from the store. */
#define KV_FIRST_ROWS_MAX ((size_t)4096)

/* The first rows that clients see, limit of them or all there are, as one value batch
 * (format/value_batch.h) in the arena. false: they are not in memory. */
MUST_USE bool kv_bucket_first(struct kv_bucket *b, size_t limit, struct arena *arena,
                              struct bytes *ret);

/* A read of the first rows, some more than the limit, which are then kept in memory. `all`: there are
 * no more. Of a limit that is too high, or of large rows, it reads fewer. */
struct kv_first_rows {
    size_t limit;
    struct arena *arena;
    struct kv_items rows; /* the answer: what the store has */
    bool all;
    /* internal */
    size_t bytes_max;
    uint64_t released;
};

void kv_first_rows_begin(struct kv_bucket *b, struct kv_first_rows *r);
/* The cursor was opened since the begin; it then shows what follows. */
MUST_USE enum errcode kv_first_rows_run(struct kv_cursor *cursor, struct kv_first_rows *r,
                                        struct error *e);
/* After a run without error. */
void kv_first_rows_end(struct kv_bucket *b, const struct kv_first_rows *r);

/* ---- into the store ---- */

/* One write of shown changes into the store. On the shard it is done in steps of KV_SPILL_STEP
 * changes, a fraction of a millisecond each: call again in a later turn while the answer is false. */
#define KV_SPILL_STEP 1024u

struct kv_spill {
    struct kv_store *store;
    struct kv_pending_spill taken;
    struct kv_state state;
    enum errcode code; /* of the run */
    struct error error;
};

/* Enough is shown for a write, or the shard's memory asks for it. */
bool kv_bucket_spill_due(const struct kv_bucket *b);
/* The owner of the bucket that should spill when all shards together hold too much; NULL: they do not,
 * or this one has nothing to spill. */
void *kv_shard_spill_owner(const struct kv_shard *shard);
/* false: there is nothing to write, or a spill is under way. */
MUST_USE bool kv_spill_begin(struct kv_bucket *b, struct kv_spill *s);
MUST_USE bool kv_spill_collect(struct kv_bucket *b, struct kv_spill *s);
void kv_spill_run(struct kv_spill *s);
/* After the run, or instead of it with s->code set. After an error what was taken stays pending:
 * with ERR_STORAGE_BACKPRESSURE a later spill may succeed, with others the store has to be opened
 * again. */
MUST_USE bool kv_spill_end(struct kv_bucket *b, struct kv_spill *s);

#endif
