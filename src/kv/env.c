#include "env.h"

#include "rocks.h"

#include <stdlib.h>

#include "base/bytes.h"

#define MIB                ((size_t)1 << 20)
#define LEVELS             7
#define SPILL_BYTES_MAX    (32 * MIB) /* a restart replays one or two */
#define SPILL_BYTES_MIN    (64u << 10)
#define MEMTABLE_BYTES_MAX (64 * MIB) /* never met: a flush comes before */
#define ARENA_BLOCK_BYTES  (64u << 10)

/* Every so many files of level 0 all of level 1 is written anew. More of them would cost lookups, and
 * tell writers to slow down (kv.backpressure.l0-slowdown-trigger) before anything is behind. */
#define LEVEL0_TRIGGER        6
#define COMPACTION_READ_BYTES (256u << 10) /* at a time; block by block would cost a third more */

#define TABLE_FILE_BYTES   (32 * MIB) /* its index and filter together: half a megabyte */
#define CACHE_PART_BYTES   (8 * MIB)
#define CACHE_BITS_MAX     6
#define BLOCK_BYTES        (2u << 10) /* what a lookup reads, copies and checks */
#define INDEX_RUN          8 /* keys told by what differs: the index is as small as with 4 KiB */
#define FLUSH_THREADS      4 /* a stop flushes many stores, which wait for the device */
#define BLOOM_BITS         10
#define HASH_INDEX_RATIO   0.75
#define CHECKSUM_XXH64     3
#define FORMAT_VERSION     5 /* known since RocksDB 6.6 */
#define RATE_REFILL_US     100000
#define RATE_FAIRNESS      10
#define INFO_LOG_FATAL     4
#define INFO_LOG_BYTES_MAX (1 * MIB)
#define INFO_LOG_FILES     2
#define MANIFEST_BYTES_MAX (4 * MIB) /* each snapshot has a copy */

static size_t clamp(size_t value, size_t min, size_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* Parts of the cache are apart so that threads do not wait for each other; but a part that the index
 * and the filter of one file fill would have to drop them for the next. */
static rocksdb_cache_t *make_block_cache(size_t bytes)
{
    rocksdb_lru_cache_options_t *o = rocksdb_lru_cache_options_create();
    rocksdb_cache_t *cache;
    int bits = 0;

    while (bits < CACHE_BITS_MAX && bytes >> (bits + 1) >= CACHE_PART_BYTES) {
        bits++;
    }
    rocksdb_lru_cache_options_set_capacity(o, bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(o, bits);
    cache = rocksdb_cache_create_lru_opts(o);
    rocksdb_lru_cache_options_destroy(o);
    return cache;
}

static void divide_memory(struct kv_env *env, const struct kv_env_options *options)
{
    size_t total = clamp(options->memory_bytes, KV_MEMORY_BYTES_MIN, SIZE_MAX);
    size_t shards = options->shard_count > 0 ? options->shard_count : 1;

    env->budgets.cache_bytes = clamp(total / 4 / shards, KV_CACHE_BYTES_MIN, SIZE_MAX);
    env->budgets.cache_pool = &env->cache_pool;
    kv_cache_pool_init(&env->cache_pool, total / 4);
    env->budgets.pending_bytes = total / 16 * 3;
    env->budgets.pending_held = &env->pending_held;
    env->budgets.spill_bytes =
        clamp(env->budgets.pending_bytes / 3, SPILL_BYTES_MIN, SPILL_BYTES_MAX);
    env->unflushed_max = total / 16;
    env->flush_bytes = env->budgets.spill_bytes;
    env->large_bytes = env->budgets.spill_bytes / 2; /* many updates of few rows are less */
    if (options->in_memory && options->spill_bytes > 0) {
        env->budgets.spill_bytes = options->spill_bytes;
        env->flush_bytes = options->spill_bytes;
    }
    env->block_cache_bytes = total / 4;
}

/* Blocks that RocksDB 6.20 can read, found by hash within, all of them in the shared cache. */
static void set_tables(rocksdb_options_t *o, rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *t = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(t, cache);
    rocksdb_block_based_options_set_block_size(t, BLOCK_BYTES);
    rocksdb_block_based_options_set_index_block_restart_interval(t, INDEX_RUN);
    rocksdb_block_based_options_set_format_version(t, FORMAT_VERSION);
    rocksdb_block_based_options_set_checksum(t, CHECKSUM_XXH64);
    rocksdb_block_based_options_set_filter_policy(
        t, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    rocksdb_block_based_options_set_data_block_index_type(
        t, rocksdb_block_based_table_data_block_index_type_binary_search_and_hash);
    rocksdb_block_based_options_set_data_block_hash_ratio(t, HASH_INDEX_RATIO);
    /* whole, not in parts: a lookup is a quarter cheaper, and files are small enough */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(t, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(t, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(t, 1);
    rocksdb_options_set_block_based_table_factory(o, t);
    rocksdb_block_based_options_destroy(t);
}

/* As the original has it, LZ4 and the two coldest levels ZSTD, but for the two levels that all rows
 * pass and small tables stay in: there it would be a third of the work. */
static void set_compression(rocksdb_options_t *o)
{
    static const int levels[LEVELS] = {
        rocksdb_no_compression,   rocksdb_no_compression,  rocksdb_lz4_compression,
        rocksdb_lz4_compression,  rocksdb_lz4_compression, rocksdb_zstd_compression,
        rocksdb_zstd_compression,
    };

    rocksdb_options_set_compression_per_level(o, levels, LEVELS);
}

static void set_files(rocksdb_options_t *o)
{
    rocksdb_options_set_max_open_files(o, -1);
    rocksdb_options_set_max_file_opening_threads(o, 1);
    rocksdb_options_set_skip_stats_update_on_db_open(o, 1);
    rocksdb_options_set_skip_checking_sst_file_sizes_on_db_open(o, 1);
    rocksdb_options_set_max_manifest_file_size(o, MANIFEST_BYTES_MAX);
    /* callers are told what else it would say; and on a full disk it would end the process: a line that
     * follows one which could not be written fails an assertion */
    rocksdb_options_set_info_log_level(o, INFO_LOG_FATAL);
    rocksdb_options_set_max_log_file_size(o, INFO_LOG_BYTES_MAX);
    rocksdb_options_set_keep_log_file_num(o, INFO_LOG_FILES);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
    rocksdb_options_set_avoid_unnecessary_blocking_io(o, 1);
}

static rocksdb_options_t *make_options(const struct kv_env *env, int threads)
{
    rocksdb_options_t *o = rocksdb_options_create();

    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_env(o, env->world);
    rocksdb_options_set_max_background_jobs(o, threads);
    rocksdb_options_set_write_buffer_size(o, MEMTABLE_BYTES_MAX);
    rocksdb_options_set_max_write_buffer_number(o, 4);
    rocksdb_options_set_target_file_size_base(o, TABLE_FILE_BYTES);
    rocksdb_options_set_arena_block_size(o, ARENA_BLOCK_BYTES);
    rocksdb_options_set_allow_concurrent_memtable_write(o, 0); /* there is one writer */
    rocksdb_options_set_level0_file_num_compaction_trigger(o, LEVEL0_TRIGGER);
    rocksdb_options_compaction_readahead_size(o, COMPACTION_READ_BYTES);
    set_tables(o, env->block_cache);
    set_compression(o);
    set_files(o);
    if (env->limiter != NULL) {
        rocksdb_options_set_ratelimiter(o, env->limiter);
    }
    return o;
}

/* What large writes need. Their files are of level 0: not compressed. */
static void set_ingestion(struct kv_env *env, int threads)
{
    static const int compression = rocksdb_no_compression;

    env->table_options = make_options(env, threads);
    rocksdb_options_set_compression_per_level(env->table_options, &compression, 1);
    env->file_options = rocksdb_envoptions_create();
    env->ingest_options = rocksdb_ingestexternalfileoptions_create();
    rocksdb_ingestexternalfileoptions_set_move_files(env->ingest_options, 1);
}

static void start_rocks(struct kv_env *env, const struct kv_env_options *options)
{
    int threads = options->background_threads < 2 ? 2 : (int)options->background_threads;

    env->block_cache = make_block_cache(env->block_cache_bytes);
    env->world = rocksdb_create_default_env();
    rocksdb_env_set_background_threads(env->world, threads);
    rocksdb_env_set_high_priority_background_threads(env->world, FLUSH_THREADS);
    if (options->rate_bytes_per_second > 0) {
        env->limiter = rocksdb_ratelimiter_create((int64_t)options->rate_bytes_per_second,
                                                  RATE_REFILL_US, RATE_FAIRNESS);
    }
    env->options = make_options(env, threads);
    env->checkpoint_options = make_options(env, threads);
    rocksdb_options_set_create_if_missing(env->checkpoint_options, 0);
    rocksdb_options_set_disable_auto_compactions(env->checkpoint_options, 1);
    set_ingestion(env, threads);
    env->write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(env->write_options, 1);
    rocksdb_writeoptions_set_no_slowdown(env->write_options, 1);
    env->flush_options = rocksdb_flushoptions_create();
    env->read_options = rocksdb_readoptions_create();
    env->passing_options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(env->passing_options, 0);
}

static void stop_rocks(struct kv_env *env)
{
    rocksdb_readoptions_destroy(env->passing_options);
    rocksdb_readoptions_destroy(env->read_options);
    rocksdb_ingestexternalfileoptions_destroy(env->ingest_options);
    rocksdb_envoptions_destroy(env->file_options);
    rocksdb_options_destroy(env->table_options);
    rocksdb_flushoptions_destroy(env->flush_options);
    rocksdb_writeoptions_destroy(env->write_options);
    rocksdb_options_destroy(env->checkpoint_options);
    rocksdb_options_destroy(env->options);
    if (env->limiter != NULL) {
        rocksdb_ratelimiter_destroy(env->limiter);
    }
    rocksdb_env_destroy(env->world);
    rocksdb_cache_destroy(env->block_cache);
}

struct kv_env *kv_env_new(const struct kv_env_options *options)
{
    struct kv_env *env = mem_new(struct kv_env);

    env->in_memory = options->in_memory;
    divide_memory(env, options);
    if (!env->in_memory) {
        start_rocks(env, options);
    }
    return env;
}

void kv_env_free(struct kv_env *env)
{
    if (env == NULL) {
        return;
    }
    ASSERT(atomic_load(&env->unflushed) == 0);
    if (!env->in_memory) {
        stop_rocks(env);
    }
    free(env);
}

/* Two threads may both make one; the second is thrown away. */
struct kv_env *kv_env_lazy_get(struct kv_env_lazy *lazy)
{
    struct kv_env *env = atomic_load(&lazy->env);
    struct kv_env *made;

    if (env != NULL) {
        return env;
    }
    made = kv_env_new(&lazy->options);
    if (atomic_compare_exchange_strong(&lazy->env, &env, made)) {
        return made;
    }
    kv_env_free(made);
    return env;
}

void kv_env_lazy_fini(struct kv_env_lazy *lazy) { kv_env_free(atomic_exchange(&lazy->env, NULL)); }

struct kv_budgets kv_env_budgets(const struct kv_env *env) { return env->budgets; }

struct kv_env_stats kv_env_stats(const struct kv_env *env)
{
    return (struct kv_env_stats){
        .block_cache_bytes = env->in_memory ? 0 : rocksdb_cache_get_usage(env->block_cache),
        .block_cache_capacity = env->block_cache_bytes,
        .unflushed_bytes = atomic_load(&env->unflushed),
    };
}

enum errcode rocks_check(char *message, const char *what, const char *dir, struct error *e)
{
    static const struct {
        const char *start;
        enum errcode code;
    } kinds[] = {
        {"IO error: No space left on device", ERR_DISK_FULL},
        {"Corruption: ", ERR_CORRUPT_FILE},
        {"IO error: No such file or directory", ERR_CORRUPT_FILE}, /* one that must be there */
        {"Result incomplete: ", ERR_STORAGE_BACKPRESSURE},
    };
    OWNED(mem_freep) char *owned = message;
    enum errcode code = ERR_KV_STORAGE;

    if (message == NULL) {
        return ERR_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strncmp(message, kinds[i].start, strlen(kinds[i].start)) == 0) {
            code = kinds[i].code;
        }
    }
    return error_set(e, code, "%s %s: %s", what, dir, owned);
}
