/* The state of one primary-key bucket as of a log offset: encoded key -> value (value_batch.h).
 *
 * Two engines stand behind this interface: RocksDB (kv_rocksdb_open) and an ordered map in memory
 * for tests and simulation (kv_memory_open).
 *
 * Recovery. There is no log here: the changelog of the bucket is. A write makes its changes and the
 * offset they reach (struct kv_state) visible together, and they reach the device together, later.
 * After a crash the store is exactly what the log says below the offset of kv_store_state, which is
 * that of some write, and the log is replayed from there. A write never goes beyond the high
 * watermark; with log.durability=os a power failure may still leave a log that ends before the
 * state's offset: then the state is to be thrown away.
 *
 * Errors: ERR_KV_STORAGE, ERR_DISK_FULL, ERR_CORRUPT_FILE (what is on disk is damaged, or no state
 * of ours), ERR_STORAGE_BACKPRESSURE where stated. After the first two of a write the store may refuse
 * further ones until it is closed and opened again.
 *
 * Thread: pool; everything may block on the device unless stated. One write at a time; reads, and
 * writes beside them, from any number of threads.
 */
#ifndef KV_STORE_H
#define KV_STORE_H

#include "prepare.h"

struct kv_env; /* env.h */
struct kv_store;

/* Numbers of the auto-increment column that this bucket may still give. */
struct kv_id_range {
    int32_t column_id;
    int64_t start; /* the next one */
    int64_t end;   /* inclusive */
};

struct kv_state {
    int64_t offset;    /* everything in the log below it, and nothing else */
    int64_t row_count; /* -1: not kept */
    bool has_ids;
    struct kv_id_range ids;
};

struct kv_item {
    struct bytes key;
    struct bytes value;
};

struct kv_items {
    struct kv_item *items; /* in key order */
    size_t count;
    size_t bytes; /* keys and values */
};

/* ---- life ---- */

struct kv_open_params {
    const char *dir; /* created when missing, with its parents */
    /* State of what is in the directory when it says nothing itself: the unpacked files of a
     * snapshot, or an empty new one. Stored, durably, before the open returns. */
    struct kv_state state;
};

/* The engine that the env is for. It must outlive the store. */
MUST_USE enum errcode kv_store_open(struct kv_env *env, const struct kv_open_params *params,
                                    struct kv_store **ret, struct error *e);
MUST_USE enum errcode kv_rocksdb_open(struct kv_env *env, const struct kv_open_params *params,
                                      struct kv_store **ret, struct error *e);

MUST_USE enum errcode kv_memory_open(struct kv_env *env, const struct kv_open_params *params,
                                     struct kv_store **ret, struct error *e);
/* Frees one in memory as a crash would: what was not flushed is gone. */
void kv_memory_crash(struct kv_store *s);

/* Writes everything to the device and frees the store, whatever the outcome. No read, cursor or
 * write may be under way. Accepts NULL. */
MUST_USE enum errcode kv_store_close(struct kv_store *s, struct error *e);

/* ---- writing ---- */

/* Makes the changes, one per key, in any order (they are sorted in place), and moves the state; then
 * flushes when there is enough in memory. After a large write everything is on the device.
 * ERR_STORAGE_BACKPRESSURE: nothing was written, compaction is behind; try again later. */
MUST_USE enum errcode kv_store_write(struct kv_store *s, struct kv_change *changes, size_t count,
                                     const struct kv_state *state, struct error *e);
/* Brings all writes to the device. */
MUST_USE enum errcode kv_store_flush(struct kv_store *s, struct error *e);

/* As of the newest write. Not beside a write. Thread: any. */
struct kv_state kv_store_state(const struct kv_store *s);
/* What a crash would leave: as of the last flush. Thread: any. */
int64_t kv_store_durable_offset(const struct kv_store *s);
/* Whether a client's key may be stored. One 32-byte key is ours; no encoder of keys makes it by
 * accident. Changes of it are left out by kv_store_write. Thread: any. */
bool kv_key_allowed(struct bytes key);

/* Something in the store was damaged when it was read or written: no reason to trust the rest. The
 * log, or a snapshot, makes a new one. Thread: any. */
bool kv_store_damaged(const struct kv_store *s);

/* ---- reading ---- */

/* Values of the keys, in the arena; empty: no row. Each as of some moment during the call. */
MUST_USE enum errcode kv_store_multi_get(struct kv_store *s, const struct bytes *keys, size_t count,
                                         struct arena *arena, struct bytes *ret, struct error *e);
/* All rows whose key starts with the prefix, in the arena. ERR_RECORD_TOO_LARGE: more bytes. */
MUST_USE enum errcode kv_store_prefix(struct kv_store *s, struct bytes prefix, size_t bytes_max,
                                      struct arena *arena, struct kv_items *ret, struct error *e);

/* Reads all rows of one moment, in key order. */
struct kv_cursor;

/* What it reads takes nobody's place in memory. */
MUST_USE enum errcode kv_cursor_open(struct kv_store *s, struct kv_cursor **ret, struct error *e);
/* For rows that are likely to be read again. */
MUST_USE enum errcode kv_cursor_open_cached(struct kv_store *s, struct kv_cursor **ret,
                                            struct error *e);
void kv_cursor_close(struct kv_cursor *c); /* accepts NULL */
/* State as of the moment. Thread: any. */
struct kv_state kv_cursor_state(const struct kv_cursor *c);
/* false: refused, the row stays the next one. Key and value are borrowed for the call. */
typedef bool (*kv_visit_fn)(void *context, struct bytes key, struct bytes value);
/* Shows rows until one is refused (*ret_more) or there are no more. */
MUST_USE enum errcode kv_cursor_visit(struct kv_cursor *c, kv_visit_fn visit, void *context,
                                      bool *ret_more, struct error *e);
/* The next rows, in the arena: at most rows_max, and as many as fit into bytes_max, at least one. No
 * rows: that was all. */
MUST_USE enum errcode kv_cursor_next(struct kv_cursor *c, size_t rows_max, size_t bytes_max,
                                     struct arena *arena, struct kv_items *ret, struct error *e);

/* ---- snapshots and health ---- */

struct kv_checkpoint {
    struct kv_state state; /* of its rows */
    /* A random number that a store keeps for its life, restarts included: table files of equal
     * numbers in checkpoints of one lineage have equal contents, up to table_max; others are of one
     * checkpoint only. */
    uint64_t lineage;
    uint64_t table_max;
};

/* A complete database of all writes in the new directory dir, without anything of ours in it, so that
 * other programs see rows only. Its table files are links to ours. Of a store in memory it is the file
 * of that, with the state in it. */
MUST_USE enum errcode kv_store_checkpoint(struct kv_store *s, const char *dir,
                                          struct kv_checkpoint *ret, struct error *e);
/* The number of a table file, "000123.sst" -> 123; 0: it is none. */
uint64_t kv_table_number(const char *name);

struct kv_store_stats {
    uint64_t memory_bytes; /* written, not yet on the device */
    uint64_t disk_bytes;
    uint32_t level0_files;
};
/* As counted after the newest write. Never blocks. Thread: any. */
struct kv_store_stats kv_store_stats(const struct kv_store *s);

#endif
