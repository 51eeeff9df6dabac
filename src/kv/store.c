/* What is common to the engines of store.h. */
#include "store.h"

#include "engine.h"
#include "rocks.h"

#include <stdlib.h>

#define STATE_VERSION 1
#define COLLECT_MIN   16u

const struct bytes kv_state_key = {
    .data = (const uint8_t *)"\xff\xff\xff\xff"
                             "eider bucket state\xff\xff\xfe\x8b\x1d\xc3\x5a\x77\xe2\x94",
    .len = 32,
};

bool kv_key_allowed(struct bytes key) { return !bytes_equal(key, kv_state_key); }

struct bytes kv_state_encode(const struct kv_store *s, const struct kv_state *state,
                             uint8_t buffer[KV_STATE_SIZE])
{
    struct writer w = writer_of(buffer, KV_STATE_SIZE);

    writer_u8(&w, STATE_VERSION);
    writer_u64le(&w, s->lineage);
    writer_i64le(&w, state->offset);
    writer_i64le(&w, state->row_count);
    writer_u8(&w, state->has_ids);
    writer_i32le(&w, state->ids.column_id);
    writer_i64le(&w, state->ids.start);
    writer_i64le(&w, state->ids.end);
    ASSERT(w.len == KV_STATE_SIZE);
    return bytes_of(buffer, w.len);
}

enum errcode kv_state_decode(struct bytes value, struct kv_state *ret, uint64_t *ret_lineage,
                             struct error *e)
{
    struct reader r = reader_of(value);
    struct kv_state state = {0};
    uint8_t version = reader_u8(&r);
    uint64_t lineage = reader_u64le(&r);

    state.offset = reader_i64le(&r);
    state.row_count = reader_i64le(&r);
    state.has_ids = reader_u8(&r) != 0;
    state.ids.column_id = reader_i32le(&r);
    state.ids.start = reader_i64le(&r);
    state.ids.end = reader_i64le(&r);
    if (r.failed || r.rest.len > 0 || version != STATE_VERSION || state.offset < 0) {
        return error_set(e, ERR_CORRUPT_FILE, "bucket state of %zu bytes, version %u", value.len,
                         version);
    }
    *ret = state;
    *ret_lineage = lineage;
    return ERR_OK;
}

enum errcode kv_store_open(struct kv_env *env, const struct kv_open_params *params,
                           struct kv_store **ret, struct error *e)
{
    return env->in_memory ? kv_memory_open(env, params, ret, e)
                          : kv_rocksdb_open(env, params, ret, e);
}

/* ---- writing ---- */

/* Writes in key order cost half: neighbours in the memory table are still in the cache. */
static int compare_keys(const void *a, const void *b)
{
    return bytes_compare(((const struct kv_change *)a)->key, ((const struct kv_change *)b)->key);
}

/* The first eight bytes decide most comparisons; sorting these moves less memory. */
struct sort_key {
    uint64_t head; /* big endian, zero-filled */
    uint32_t index;
};

static int compare_heads(const void *a, const void *b)
{
    const struct sort_key *x = a;
    const struct sort_key *y = b;

    return (x->head > y->head) - (x->head < y->head);
}

static uint64_t key_head(struct bytes key)
{
    uint8_t head[8] = {0};

    if (key.len > 0) {
        memcpy(head, key.data, key.len < sizeof head ? key.len : sizeof head);
    }
    return get_u64be(head);
}

static void sort_changes(struct kv_change *changes, size_t count)
{
    OWNED(mem_freep) struct sort_key *keys = mem_alloc(count * sizeof *keys);
    OWNED(mem_freep) struct kv_change *sorted = mem_alloc(count * sizeof *sorted);
    size_t begin = 0;

    ASSERT(count <= UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        keys[i] = (struct sort_key){.head = key_head(changes[i].key), .index = (uint32_t)i};
    }
    qsort(keys, count, sizeof *keys, compare_heads);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = changes[keys[i].index];
        if (i + 1 == count || keys[i + 1].head != keys[i].head) {
            if (i > begin) {
                qsort(sorted + begin, i + 1 - begin, sizeof *sorted, compare_keys);
            }
            begin = i + 1;
        }
    }
    memcpy(changes, sorted, count * sizeof *sorted);
}

/* What an engine has come to. */
static enum errcode noted(struct kv_store *s, enum errcode code)
{
    if (code == ERR_CORRUPT_FILE) {
        atomic_store(&s->damaged, true);
    }
    return code;
}

enum errcode kv_store_write(struct kv_store *s, struct kv_change *changes, size_t count,
                            const struct kv_state *state, struct error *e)
{
    ASSERT(state->offset >= s->state.offset);
    if (count > 1) {
        sort_changes(changes, count);
    }
    TRY(noted(s, s->engine->write(s, changes, count, state, e)));
    s->state = *state;
    return noted(s, s->engine->relieve(s, e));
}

enum errcode kv_store_flush(struct kv_store *s, struct error *e)
{
    return noted(s, s->engine->flush(s, e));
}

bool kv_store_damaged(const struct kv_store *s) { return atomic_load(&s->damaged); }

struct kv_state kv_store_state(const struct kv_store *s) { return s->state; }

int64_t kv_store_durable_offset(const struct kv_store *s)
{
    return atomic_load_explicit(&s->durable_offset, memory_order_acquire);
}

/* ---- the rest goes to the engine ---- */

enum errcode kv_store_close(struct kv_store *s, struct error *e)
{
    return s == NULL ? ERR_OK : s->engine->close(s, e);
}

enum errcode kv_store_multi_get(struct kv_store *s, const struct bytes *keys, size_t count,
                                struct arena *arena, struct bytes *ret, struct error *e)
{
    return count == 0 ? ERR_OK : noted(s, s->engine->multi_get(s, keys, count, arena, ret, e));
}

enum errcode kv_store_prefix(struct kv_store *s, struct bytes prefix, size_t bytes_max,
                             struct arena *arena, struct kv_items *ret, struct error *e)
{
    return noted(s, s->engine->prefix(s, prefix, bytes_max, arena, ret, e));
}

enum errcode kv_store_checkpoint(struct kv_store *s, const char *dir, struct kv_checkpoint *ret,
                                 struct error *e)
{
    return noted(s, s->engine->checkpoint(s, dir, ret, e));
}

uint64_t kv_table_number(const char *name)
{
    uint64_t number = 0;
    size_t digits = 0;

    for (; name[digits] >= '0' && name[digits] <= '9'; digits++) {
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(name[digits] - '0'), &number)) {
            return 0;
        }
    }
    return digits > 0 && strcmp(name + digits, ".sst") == 0 ? number : 0;
}

struct kv_store_stats kv_store_stats(const struct kv_store *s)
{
    return (struct kv_store_stats){
        .memory_bytes = atomic_load(&s->memory_bytes),
        .disk_bytes = atomic_load(&s->disk_bytes),
        .level0_files = atomic_load(&s->level0_files),
    };
}

enum errcode kv_cursor_open(struct kv_store *s, struct kv_cursor **ret, struct error *e)
{
    return noted(s, s->engine->cursor_open(s, false, ret, e));
}

enum errcode kv_cursor_open_cached(struct kv_store *s, struct kv_cursor **ret, struct error *e)
{
    return noted(s, s->engine->cursor_open(s, true, ret, e));
}

void kv_cursor_close(struct kv_cursor *c)
{
    if (c != NULL) {
        c->store->engine->cursor_close(c);
    }
}

struct kv_state kv_cursor_state(const struct kv_cursor *c) { return c->state; }

enum errcode kv_cursor_visit(struct kv_cursor *c, kv_visit_fn visit, void *context, bool *ret_more,
                             struct error *e)
{
    return noted(c->store, c->store->engine->cursor_visit(c, visit, context, ret_more, e));
}

bool kv_collect(void *context, struct bytes key, struct bytes value)
{
    struct kv_collect *c = context;
    struct kv_items *items = &c->items;

    if (items->count > 0 && (items->count == c->rows_max || c->bytes_max < items->bytes ||
                             key.len + value.len > c->bytes_max - items->bytes)) {
        return false;
    }
    if (items->count == c->cap) {
        struct kv_item *more;

        c->cap = c->cap == 0 ? COLLECT_MIN : c->cap * 2;
        more = arena_array(c->arena, c->cap, sizeof *more);
        if (items->count > 0) {
            memcpy(more, items->items, items->count * sizeof *more);
        }
        items->items = more;
    }
    items->items[items->count++] =
        (struct kv_item){.key = arena_copy(c->arena, key), .value = arena_copy(c->arena, value)};
    items->bytes += key.len + value.len;
    return true;
}

enum errcode kv_cursor_next(struct kv_cursor *c, size_t rows_max, size_t bytes_max,
                            struct arena *arena, struct kv_items *ret, struct error *e)
{
    struct kv_collect rows = {.rows_max = rows_max, .bytes_max = bytes_max, .arena = arena};
    bool more = false;

    ASSERT(rows_max > 0);
    TRY(kv_cursor_visit(c, kv_collect, &rows, &more, e));
    *ret = rows.items;
    return ERR_OK;
}
