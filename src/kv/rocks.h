/* Inside kv/: RocksDB as env.c sets it up and kv_rocksdb.c uses it. Nothing else includes its header.
 *
 * Pitfalls of RocksDB 7.8 behind its C interface, as met here:
 * - A manual flush writes the named column family only, whatever atomic_flush says. So rows and
 *   offset share one family: then they share every memory table and reach the device together.
 * - The default checksum of blocks, XXH3, is unknown to RocksDB 6.20, with which the stock clients
 *   open snapshots: XXH64 is not. CRC-32C is slow in Debian's build.
 * - A writer of table files takes the compression of the lowest level, heeds no rate limiter, and drops
 *   its pages from the page cache. Taking a file over waits for no compaction, however late it is.
 * - Closing while a column family handle lives aborts.
 */
#ifndef KV_ROCKS_H
#define KV_ROCKS_H

#include "env.h"

#include <rocksdb/c.h>
#include <stdatomic.h>

struct kv_env {
    bool in_memory; /* then there is nothing of RocksDB */
    struct kv_budgets budgets;
    struct kv_cache_pool cache_pool; /* which they point to */
    _Atomic size_t pending_held;     /* likewise */
    size_t block_cache_bytes;
    rocksdb_cache_t *block_cache;
    rocksdb_env_t *world; /* RocksDB's files and threads */
    rocksdb_ratelimiter_t *limiter;
    rocksdb_options_t *options;            /* of a bucket's database */
    rocksdb_options_t *checkpoint_options; /* of one that is opened to be cleaned */
    rocksdb_options_t *table_options;      /* of a table file made outside of a database */
    rocksdb_envoptions_t *file_options;    /* likewise */
    rocksdb_ingestexternalfileoptions_t *ingest_options;
    rocksdb_writeoptions_t *write_options;
    rocksdb_flushoptions_t *flush_options;
    rocksdb_readoptions_t *read_options;
    rocksdb_readoptions_t *passing_options; /* the blocks of rows that are read are not kept */
    size_t unflushed_max;
    size_t flush_bytes;      /* a table in memory of that size is flushed */
    size_t large_bytes;      /* a write of that size is a table file of its own */
    atomic_size_t unflushed; /* sum over all open stores */
};

/* Turns RocksDB's message, which is freed, into an error. ERR_OK when there is none. */
MUST_USE enum errcode rocks_check(char *message, const char *what, const char *dir,
                                  struct error *e);

#endif
