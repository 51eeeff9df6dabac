/* Inside kv/: the first rows of a bucket in key order, for scans with a limit.
 *
 * A list of them, as the store has them, lies in the row cache, where it takes part in what is dropped
 * when room is needed. Its range is all keys up to its last one, or every key when it has all rows.
 * What is pending in that range is watched, in key order, so that a scan merges it without looking
 * at the rest. Once a change in the range is in the store the list is no longer what the store has,
 * and is forgotten; when too much is pending in the range, or rows of it were removed so that too few
 * are left, the store is to be read again. Thread: shard.
 */
#ifndef KV_FIRST_H
#define KV_FIRST_H

#include "cache.h"
#include "store.h"

struct kv_first {
    struct kv_cache *cache;
    const struct kv_pending *pending;
    uint32_t space;    /* in the cache */
    uint64_t released; /* changes, so far */
    bool watched;      /* a list was made, and holds if the cache still has it */
    bool all;          /* it has all rows */
    size_t rows;       /* of it */
    struct bytes last; /* its last key, owned */
    uint64_t *changes; /* numbers of pending changes in the range, by key, then by number */
    size_t change_count;
};

void kv_first_init(struct kv_first *f, struct kv_cache *cache, const struct kv_pending *pending);
void kv_first_fini(struct kv_first *f);

/* Pending changes from this number on were added. */
void kv_first_added(struct kv_first *f, uint64_t from);
/* The last change of this key is in the store and about to leave the pending ones. */
void kv_first_released(struct kv_first *f, struct bytes key);
/* Changes have left the pending ones, released or taken back. */
void kv_first_trim(struct kv_first *f);

/* As kv_bucket_first. */
MUST_USE bool kv_first_get(struct kv_first *f, size_t limit, struct arena *arena,
                           struct bytes *ret);
/* How large a list may be. */
size_t kv_first_bytes_max(const struct kv_first *f);
/* The first rows that the store had when `released` was this, or later. all: there are no more. */
void kv_first_keep(struct kv_first *f, const struct kv_items *rows, bool all, uint64_t released);

#endif
