/* Rows of the buckets of one shard in memory, bounded: what the stores hold under the keys used
 * last, that a key has no row included.
 *
 * Entries lie one after the other in a ring of memory. New ones go to its tail; room is made at its
 * head, where an entry that was used since it was written moves to the tail (the second chance of
 * CLOCK) and any other is dropped. So memory is bounded exactly, does not fragment, and a put copies
 * a few entries at most.
 *
 * Coherence. An entry is never older than what has been in the store when the shard last said so
 * (kv_cache_update). A read of the store that was begun with a ticket may put what it found into
 * the cache (kv_cache_fill); that is refused when the key, or by chance another one, was updated
 * since: the read may have seen the row before.
 *
 * Owners of keys (a bucket, its lists of rows by prefix) are kept apart by spaces. Thread: shard.
 */
#ifndef KV_CACHE_H
#define KV_CACHE_H

#include "pending.h"

#include <stdatomic.h>

/* What the caches of all shards may take beyond their own, first come, first served: the shard of the
 * one bucket that is used gets all of it. */
struct kv_cache_pool {
    size_t bytes;
    _Atomic size_t left;
};
void kv_cache_pool_init(struct kv_cache_pool *pool, size_t bytes);

struct kv_cache;

/* bytes_own: what it may hold in any case, touched as it is used; at least KV_CACHE_BYTES_MIN. Then it
 * takes from the pool, and gives that back at its end. The pool may be NULL. */
#define KV_CACHE_BYTES_MIN ((size_t)64 << 10)
struct kv_cache *kv_cache_new(size_t bytes_own, struct kv_cache_pool *pool);
void kv_cache_free(struct kv_cache *c);

/* A namespace of keys; never given twice. What it holds is forgotten with time. */
uint32_t kv_cache_space(struct kv_cache *c);

/* *ret is borrowed until the next call that changes the cache. */
enum kv_found kv_cache_get(struct kv_cache *c, uint32_t space, struct bytes key, uint64_t hash,
                           struct bytes *ret);
/* Before a look at a key, in steps some time apart: where it may be, what is there, and of entries that
 * are expected to be large the rest. */
void kv_cache_prefetch(const struct kv_cache *c, uint32_t space, uint64_t hash);
void kv_cache_prefetch_entry(const struct kv_cache *c, uint32_t space, uint64_t hash);
void kv_cache_prefetch_rest(const struct kv_cache *c, uint32_t space, uint64_t hash);

/* The store holds this value from now on; empty: no row. */
void kv_cache_update(struct kv_cache *c, uint32_t space, struct bytes key, uint64_t hash,
                     struct bytes value);
/* What is known about the key is no longer true. */
void kv_cache_forget(struct kv_cache *c, uint32_t space, struct bytes key, uint64_t hash);

/* Key and value together that one entry has room for. */
size_t kv_cache_entry_max(const struct kv_cache *c);

uint64_t kv_cache_ticket(const struct kv_cache *c);
/* What a read begun with the ticket has found; empty: no row. */
void kv_cache_fill(struct kv_cache *c, uint32_t space, const struct kv_key *found, uint64_t ticket);

struct kv_cache_stats {
    uint64_t hits;
    uint64_t misses;
    uint64_t evictions;
    uint64_t refused; /* fills that came too late */
    size_t entries;
    size_t bytes; /* taken by entries, of bytes_max */
};
struct kv_cache_stats kv_cache_stats(const struct kv_cache *c);

#endif
