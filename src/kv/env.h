/* What all buckets of the process share: RocksDB's block cache, background threads and rate limiter,
 * and how the memory of primary-key state is divided.
 *
 * One option bounds it all (memory_bytes):
 *   1/2  rows used last, half of it per shard, half for those who need it (cache.h)
 *   1/4  blocks of table files, their indexes and filters included
 *   3/16 changes on their way into the stores (bucket.h)
 *   1/16 tables in memory that RocksDB has not yet written to files: small writes only
 * The last two are soft: whoever is beyond them writes at once. Not counted: the file that a large
 * write becomes until it is written, what cursors, reads and compactions under way hold, about 250 KB
 * for each open bucket and a few KB for each table file.
 * Thread: any, after the env is made.
 */
#ifndef KV_ENV_H
#define KV_ENV_H

#include "cache.h"

#include <stdatomic.h>

#include "base/error.h"

#define KV_MEMORY_BYTES_MIN ((size_t)8 << 20)

struct kv_env_options {
    size_t memory_bytes; /* raised to KV_MEMORY_BYTES_MIN */
    unsigned shard_count;
    unsigned background_threads; /* flushes and compactions of all buckets; at least 2 are used */
    uint64_t rate_bytes_per_second; /* of their writes; 0: no limit. Large writes are not theirs */
    bool in_memory;     /* for tests and simulations: stores are of kv_memory.c, without RocksDB */
    size_t spill_bytes; /* there: instead of a share of memory_bytes; 0: that */
};

struct kv_env;

struct kv_env *kv_env_new(const struct kv_env_options *options);
/* No store may be open. Accepts NULL. */
void kv_env_free(struct kv_env *env);

/* One that is made when it is first asked for: most of it is memory and threads that a process
 * without primary-key tables need not have. */
struct kv_env_lazy {
    struct kv_env_options options;
    _Atomic(struct kv_env *) env; /* NULL: not yet */
};
/* Thread: any. */
struct kv_env *kv_env_lazy_get(struct kv_env_lazy *lazy);
void kv_env_lazy_fini(struct kv_env_lazy *lazy);

struct kv_budgets {
    size_t cache_bytes;               /* of one shard's row cache in any case */
    size_t pending_bytes;             /* of the pending changes of all shards */
    size_t spill_bytes;               /* a bucket with that much to write should write */
    struct kv_cache_pool *cache_pool; /* what the row caches share; NULL: nothing */
    _Atomic size_t *pending_held;     /* by all shards; NULL: each is alone */
};
struct kv_budgets kv_env_budgets(const struct kv_env *env);

struct kv_env_stats {
    uint64_t block_cache_bytes;
    uint64_t block_cache_capacity;
    uint64_t unflushed_bytes; /* tables in memory */
};
struct kv_env_stats kv_env_stats(const struct kv_env *env);

#endif
