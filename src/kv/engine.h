/* Inside kv/: what an engine implements for store.h. */
#ifndef KV_ENGINE_H
#define KV_ENGINE_H

#include "store.h"

#include <stdatomic.h>

struct kv_engine {
    enum errcode (*close)(struct kv_store *s, struct error *e);
    enum errcode (*write)(struct kv_store *s, const struct kv_change *changes, size_t count,
                          const struct kv_state *state, struct error *e);
    /* After a write: flushes when the memory is needed. */
    enum errcode (*relieve)(struct kv_store *s, struct error *e);
    enum errcode (*flush)(struct kv_store *s, struct error *e);
    enum errcode (*multi_get)(struct kv_store *s, const struct bytes *keys, size_t count,
                              struct arena *arena, struct bytes *ret, struct error *e);
    enum errcode (*prefix)(struct kv_store *s, struct bytes prefix, size_t bytes_max,
                           struct arena *arena, struct kv_items *ret, struct error *e);
    enum errcode (*checkpoint)(struct kv_store *s, const char *dir, struct kv_checkpoint *ret,
                               struct error *e);
    /* cached: the blocks it reads are kept in memory. */
    enum errcode (*cursor_open)(struct kv_store *s, bool cached, struct kv_cursor **ret,
                                struct error *e);
    void (*cursor_close)(struct kv_cursor *c);
    enum errcode (*cursor_visit)(struct kv_cursor *c, kv_visit_fn visit, void *context,
                                 bool *ret_more, struct error *e);
};

/* The first member of an engine's own struct. */
struct kv_store {
    const struct kv_engine *engine;
    struct kv_state state; /* as of the newest write */
    uint64_t lineage;
    _Atomic int64_t durable_offset;
    _Atomic uint64_t memory_bytes; /* the rest as in struct kv_store_stats */
    _Atomic uint64_t disk_bytes;
    _Atomic uint32_t level0_files;
    atomic_bool damaged;
};

struct kv_cursor {
    struct kv_store *store;
    struct kv_state state;
};

/* Rows being collected: at most rows_max, as many as fit into bytes_max, at least one. A kv_visit_fn
 * with one as its context. */
struct kv_collect {
    struct kv_items items;
    size_t cap;
    size_t rows_max;
    size_t bytes_max;
    struct arena *arena;
};
bool kv_collect(void *context, struct bytes key, struct bytes value);

/* Where state and lineage are kept among the rows. The value, little endian:
 *
 *   offset size
 *        0    1  version, 1
 *        1    8  lineage
 *        9    8  log offset
 *       17    8  row count, -1: not kept
 *       25    1  0, or 1: an id range follows
 *       26    4  column id
 *       30    8  next id
 *       38    8  last id
 */
#define KV_STATE_SIZE 46u
extern const struct bytes kv_state_key;
struct bytes kv_state_encode(const struct kv_store *s, const struct kv_state *state,
                             uint8_t buffer[KV_STATE_SIZE]);
MUST_USE enum errcode kv_state_decode(struct bytes value, struct kv_state *ret,
                                      uint64_t *ret_lineage, struct error *e);

#endif
