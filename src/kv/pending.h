/* Changes of a bucket that its store does not hold yet, in the order of the log: the write path's
 * view of the newest rows, and the applied rows on their way into the store.
 *
 *      head               shown                    tail
 *       |  applied: below  |  appended to the log,  |
 *       |  the high water- |  may still be taken    |
 *       |  mark, clients   |  back; only the write  |
 *       |  see them        |  path sees them        |
 *
 * The changelog is the write-ahead log of the store, so applied changes may stay here, in memory,
 * until there are enough of them for one large sorted write; of several changes of a key only the
 * last one is then written. Batches are the unit: all changes of one changelog batch are added,
 * shown, taken back and released together. Offsets are those behind a batch.
 *
 * Memory: keys and values are copied into blocks that are freed in order as the head moves on.
 * Thread: shard; a spill's changes may be read elsewhere until it is released.
 */
#ifndef KV_PENDING_H
#define KV_PENDING_H

#include "prepare.h"

/* What is known about a key. */
enum kv_found {
    KV_UNKNOWN, /* nothing here: ask the next layer */
    KV_REMOVED, /* there is no row */
    KV_VALUE,
};

/* The leading part of a key by which rows are looked up together; 0: the key has none. */
typedef size_t (*kv_prefix_fn)(const void *context, struct bytes key);

struct kv_pending;

/* offset: the store holds everything below. prefix_of NULL: no lookups by prefix. */
struct kv_pending *kv_pending_new(int64_t offset, kv_prefix_fn prefix_of, const void *context);
void kv_pending_free(struct kv_pending *p);

/* The changes of one changelog batch that ends at end_offset: copied, not shown. May be none. */
void kv_pending_add(struct kv_pending *p, const struct kv_change *changes, size_t count,
                    int64_t end_offset, int64_t row_delta);
/* Takes back the batches that end beyond the offset, which is not below what was shown. */
void kv_pending_truncate(struct kv_pending *p, int64_t end_offset);
/* Batches that end at or below the high watermark become visible to clients. */
void kv_pending_show(struct kv_pending *p, int64_t high_watermark);

/* Behind the newest batch, behind the last one shown, and where the store will be. */
int64_t kv_pending_end_offset(const struct kv_pending *p);
int64_t kv_pending_shown_offset(const struct kv_pending *p);
/* Rows inserted minus removed by all batches shown so far, released ones included. */
int64_t kv_pending_shown_delta(const struct kv_pending *p);
int64_t kv_pending_released_delta(const struct kv_pending *p); /* of those in the store */
size_t kv_pending_shown_bytes(const struct kv_pending *p);     /* keys and values */
size_t kv_pending_bytes(const struct kv_pending *p);           /* memory held */
size_t kv_pending_count(const struct kv_pending *p);

/* What the batches say about a key; *ret is borrowed until the next change of p. */
enum kv_found kv_pending_newest(const struct kv_pending *p, struct bytes key, uint64_t hash,
                                struct bytes *ret);
enum kv_found kv_pending_shown(const struct kv_pending *p, struct bytes key, uint64_t hash,
                               struct bytes *ret);
void kv_pending_prefetch(const struct kv_pending *p, uint64_t hash);

/* Changes have numbers that only grow: those from head on, below tail, are here. */
uint64_t kv_pending_head(const struct kv_pending *p);
uint64_t kv_pending_tail(const struct kv_pending *p);
/* The change with a number; borrowed as above. */
struct kv_change kv_pending_change(const struct kv_pending *p, uint64_t number);
bool kv_pending_is_shown(const struct kv_pending *p, uint64_t number);

/* Visible changes of keys with this prefix, one per key, in key order; borrowed from p and the
 * arena. The prefix is one that prefix_of gives for its keys; hash: hash_bytes of it. */
size_t kv_pending_prefix(const struct kv_pending *p, struct bytes prefix, uint64_t hash,
                         struct arena *arena, struct kv_change **ret);
void kv_pending_prefetch_prefix(const struct kv_pending *p, uint64_t hash);

/* Visible batches that go into the store together: begun, collected in steps that bound how long the
 * shard is busy, written elsewhere, then released in steps or given back. */
struct kv_pending_spill {
    struct kv_change *changes; /* heap; one per key, no order; borrowing until they are released */
    size_t count;
    int64_t end_offset;
    int64_t delta; /* as kv_pending_shown_delta, when the spill ends at what is shown */
    uint64_t next; /* internal: of the changes to collect */
    uint64_t end;
};

/* The oldest visible batches of up to bytes_max, at least one batch. false: nothing is visible, or a
 * spill is under way. */
MUST_USE bool kv_pending_take(struct kv_pending *p, size_t bytes_max, struct kv_pending_spill *ret);
/* Looks at up to max more changes; true: that was the last of them. */
MUST_USE bool kv_pending_collect(const struct kv_pending *p, struct kv_pending_spill *s,
                                 size_t max);

/* Frees the list of changes once it is of no use. Thread: any. */
void kv_pending_spill_trim(struct kv_pending_spill *s);

struct kv_release {
    /* Told the last change of each key that is released; the bytes are gone afterwards. */
    void (*released)(void *context, const struct kv_change *change, size_t prefix_len);
    /* Told hashes of keys it may be told of later, `near` before `far`; NULL: it need not be. */
    void (*prefetch)(void *context, uint64_t far, uint64_t near);
    void *context;
};

/* The store holds what was taken: drops up to max changes of it. true: that was the last, the spill
 * is over and its memory freed. */
MUST_USE bool kv_pending_release(struct kv_pending *p, struct kv_pending_spill *s, size_t max,
                                 const struct kv_release *release);
/* The store does not: ends the spill, it may be taken again. */
void kv_pending_untake(struct kv_pending *p, struct kv_pending_spill *s);

#endif
