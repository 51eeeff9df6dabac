#include "bucket.h"

#include "engine.h"
#include "first.h"

#include <stdlib.h>

#include "base/hash.h"

#define LEVEL0_STOP     20u /* where RocksDB itself slows writes down */
#define PRESSURE_LIMIT  0.999
#define REFUSE_BUDGETS  2u /* pending changes of that many budgets: no more writes */
#define PREFETCH_AHEAD  8u
#define LIST_AHEAD      2u
#define FIRST_ROWS_MORE 32u
#define PREFIX_LIST_MAX ((size_t)64 << 10) /* a longer list of rows is not cached */

struct kv_bucket {
    struct kv_shard *shard;
    struct list link; /* in shard->buckets */
    struct kv_store *store;
    void *owner;
    struct kv_pending *pending;
    size_t pending_bytes; /* as counted in the shard */
    int64_t base_rows;    /* in the store when the bucket was made; -1: not kept */
    bool has_ids;
    struct kv_id_range ids;
    uint32_t row_space;
    uint32_t prefix_space; /* 0: no lookups by prefix */
    struct kv_first first;
};

void kv_shard_init(struct kv_shard *shard, const struct kv_budgets *budgets)
{
    *shard = (struct kv_shard){.cache = kv_cache_new(budgets->cache_bytes, budgets->cache_pool),
                               .budgets = *budgets};
    list_init(&shard->buckets);
}

void kv_shard_fini(struct kv_shard *shard)
{
    ASSERT(list_empty(&shard->buckets) && shard->pending_bytes == 0);
    kv_cache_free(shard->cache);
    shard->cache = NULL;
}

static void note_pending(struct kv_bucket *b, size_t now)
{
    size_t more = now - b->pending_bytes; /* or less: unsigned numbers wrap */

    b->shard->pending_bytes += more;
    if (b->shard->budgets.pending_held != NULL) {
        (void)atomic_fetch_add_explicit(b->shard->budgets.pending_held, more, memory_order_relaxed);
    }
    b->pending_bytes = now;
}

/* What counts against the budget of pending changes. */
static size_t pending_held(const struct kv_shard *shard)
{
    return shard->budgets.pending_held == NULL
               ? shard->pending_bytes
               : atomic_load_explicit(shard->budgets.pending_held, memory_order_relaxed);
}

/* An idle bucket keeps some tables, which no spill gives back: counted, those of very many would look
 * like changes that do not get into their stores. */
static void count_pending(struct kv_bucket *b)
{
    size_t now = kv_pending_count(b->pending) == 0 ? 0 : kv_pending_bytes(b->pending);

    ASSERT(b->shard->pending_bytes >= b->pending_bytes);
    note_pending(b, now);
}

struct kv_bucket *kv_bucket_new(const struct kv_bucket_params *params)
{
    struct kv_bucket *b = mem_new(struct kv_bucket);
    struct kv_state state = kv_store_state(params->store);

    b->shard = params->shard;
    b->store = params->store;
    b->owner = params->owner;
    b->pending = params->pending != NULL
                     ? params->pending
                     : kv_pending_new(state.offset, params->prefix_of, params->prefix_context);
    b->base_rows =
        state.row_count < 0 ? -1 : state.row_count - kv_pending_released_delta(b->pending);
    b->has_ids = state.has_ids;
    b->ids = state.ids;
    b->row_space = kv_cache_space(b->shard->cache);
    b->prefix_space = params->prefix_of == NULL ? 0 : kv_cache_space(b->shard->cache);
    kv_first_init(&b->first, b->shard->cache, b->pending);
    list_push_back(&b->shard->buckets, &b->link);
    count_pending(b);
    return b;
}

void kv_bucket_free(struct kv_bucket *b)
{
    if (b != NULL) {
        list_remove(&b->link);
        note_pending(b, 0);
        kv_first_fini(&b->first);
        kv_pending_free(b->pending);
        free(b);
    }
}

/* ---- changes ---- */

void kv_bucket_add(struct kv_bucket *b, const struct kv_change *changes, size_t count,
                   int64_t end_offset, int64_t row_delta)
{
    uint64_t from = kv_pending_tail(b->pending);

    kv_pending_add(b->pending, changes, count, end_offset, row_delta);
    kv_first_added(&b->first, from);
    count_pending(b);
}

void kv_bucket_truncate(struct kv_bucket *b, int64_t end_offset)
{
    kv_pending_truncate(b->pending, end_offset);
    kv_first_trim(&b->first);
    count_pending(b);
}

void kv_bucket_show(struct kv_bucket *b, int64_t high_watermark)
{
    kv_pending_show(b->pending, high_watermark);
}

void kv_bucket_set_ids(struct kv_bucket *b, const struct kv_id_range *ids)
{
    b->has_ids = true;
    b->ids = *ids;
}

bool kv_bucket_ids(const struct kv_bucket *b, struct kv_id_range *ret)
{
    if (b->has_ids) {
        *ret = b->ids;
    }
    return b->has_ids;
}

int64_t kv_bucket_end_offset(const struct kv_bucket *b)
{
    return kv_pending_end_offset(b->pending);
}

int64_t kv_bucket_shown_offset(const struct kv_bucket *b)
{
    return kv_pending_shown_offset(b->pending);
}

int64_t kv_bucket_row_count(const struct kv_bucket *b)
{
    return b->base_rows < 0 ? -1 : b->base_rows + kv_pending_shown_delta(b->pending);
}

static double ramp(double value, double from, double to)
{
    double part = to > from ? (value - from) / (to - from) : 0;

    return part < 0 ? 0 : part > PRESSURE_LIMIT ? PRESSURE_LIMIT : part;
}

double kv_bucket_pressure(const struct kv_bucket *b, uint32_t level0_trigger)
{
    double budget = (double)b->shard->budgets.pending_bytes;
    double held = (double)pending_held(b->shard);
    double memory = ramp(held, budget, budget * REFUSE_BUDGETS);
    double files = ramp(kv_store_stats(b->store).level0_files, level0_trigger, LEVEL0_STOP);

    return held > budget * REFUSE_BUDGETS ? 1 : memory > files ? memory : files;
}

/* ---- lookups ---- */

static enum kv_found find_pending(const struct kv_bucket *b, enum kv_sight sight,
                                  struct kv_key *key)
{
    return sight == KV_SIGHT_NEWEST ? kv_pending_newest(b->pending, key->key, key->hash, &key->old)
                                    : kv_pending_shown(b->pending, key->key, key->hash, &key->old);
}

/* The key PREFETCH_AHEAD times two ahead of i: where it may be. The one half as far: what is there. */
static void prefetch(const struct kv_bucket *b, const struct kv_lookup *l, size_t i)
{
    if (i + PREFETCH_AHEAD * 2 < l->count) {
        kv_pending_prefetch(b->pending, l->keys[i + PREFETCH_AHEAD * 2].hash);
        kv_cache_prefetch(b->shard->cache, b->row_space, l->keys[i + PREFETCH_AHEAD * 2].hash);
    }
    if (i + PREFETCH_AHEAD < l->count) {
        kv_cache_prefetch_entry(b->shard->cache, b->row_space, l->keys[i + PREFETCH_AHEAD].hash);
    }
}

static void note_missing(struct kv_lookup *l, size_t i)
{
    if (l->missing_count == 0) {
        l->missing = arena_array(l->arena, l->count, sizeof *l->missing);
    }
    l->missing[l->missing_count++] = (uint32_t)i;
    l->keys[i].old = BYTES_EMPTY;
}

bool kv_lookup_begin(struct kv_bucket *b, struct kv_lookup *l)
{
    ASSERT(l->count <= UINT32_MAX);
    l->missing_count = 0;
    l->ticket = kv_cache_ticket(b->shard->cache);
    for (size_t i = 0; i < PREFETCH_AHEAD * 2 && i < l->count; i++) {
        kv_pending_prefetch(b->pending, l->keys[i].hash);
        kv_cache_prefetch(b->shard->cache, b->row_space, l->keys[i].hash);
    }
    for (size_t i = 0; i < l->count; i++) {
        struct kv_key *key = &l->keys[i];

        prefetch(b, l, i);
        if (find_pending(b, l->sight, key) == KV_UNKNOWN &&
            kv_cache_get(b->shard->cache, b->row_space, key->key, key->hash, &key->old) ==
                KV_UNKNOWN) {
            note_missing(l, i);
        }
    }
    if (l->missing_count == 0) {
        return true;
    }
    for (size_t i = 0; i < l->count; i++) {
        l->keys[i].old = arena_copy(l->arena, l->keys[i].old);
    }
    return false;
}

enum errcode kv_lookup_run(struct kv_store *s, struct kv_lookup *l, struct error *e)
{
    struct bytes *keys = arena_array(l->arena, l->missing_count, sizeof *keys);
    struct bytes *values = arena_array(l->arena, l->missing_count, sizeof *values);

    for (size_t i = 0; i < l->missing_count; i++) {
        keys[i] = l->keys[l->missing[i]].key;
    }
    TRY(kv_store_multi_get(s, keys, l->missing_count, l->arena, values, e));
    for (size_t i = 0; i < l->missing_count; i++) {
        l->keys[l->missing[i]].old = values[i];
    }
    return ERR_OK;
}

void kv_lookup_end(struct kv_bucket *b, struct kv_lookup *l)
{
    for (size_t i = 0; i < l->missing_count; i++) {
        kv_cache_fill(b->shard->cache, b->row_space, &l->keys[l->missing[i]], l->ticket);
    }
}

/* ---- lookups by prefix ----
 * A list in the cache: u32 rows; for each u32 key length, u32 value length, key, value. */

static struct bytes encode_list(const struct kv_items *items, struct arena *arena)
{
    size_t size = sizeof(uint32_t) + items->bytes + items->count * 2 * sizeof(uint32_t);
    struct writer w = writer_of(arena_alloc(arena, size), size);

    writer_u32le(&w, (uint32_t)items->count);
    for (size_t i = 0; i < items->count; i++) {
        writer_u32le(&w, (uint32_t)items->items[i].key.len);
        writer_u32le(&w, (uint32_t)items->items[i].value.len);
        writer_bytes(&w, items->items[i].key);
        writer_bytes(&w, items->items[i].value);
    }
    return bytes_of(w.data, w.len);
}

static struct kv_items decode_list(struct bytes list, struct arena *arena)
{
    struct reader r = reader_of(list);
    struct kv_items items = {.count = reader_u32le(&r)};

    items.items = arena_alloc(arena, items.count * sizeof *items.items);
    for (size_t i = 0; i < items.count; i++) {
        uint32_t key_len = reader_u32le(&r);
        uint32_t value_len = reader_u32le(&r);

        items.items[i].key = reader_bytes(&r, key_len);
        items.items[i].value = reader_bytes(&r, value_len);
        items.bytes += (size_t)key_len + value_len;
    }
    ASSERT(!r.failed && r.rest.len == 0);
    return items;
}

static void put_item(struct kv_items *items, struct kv_item item)
{
    if (item.value.len > 0) {
        items->items[items->count++] = item;
        items->bytes += item.key.len + item.value.len;
    }
}

/* Pending changes over what the store has; both are in key order. */
static struct kv_items merge(const struct kv_items *stored, const struct kv_prefix *l)
{
    struct kv_items all = {0};
    size_t i = 0;

    if (l->pending_count == 0) {
        return *stored;
    }
    all.items = arena_array(l->arena, stored->count + l->pending_count, sizeof *all.items);
    for (size_t j = 0; j < l->pending_count; j++) {
        const struct kv_change *change = &l->pending[j];
        int order = -1;

        while (i < stored->count &&
               (order = bytes_compare(stored->items[i].key, change->key)) < 0) {
            put_item(&all, stored->items[i++]);
        }
        i += i < stored->count && order == 0;
        put_item(&all, (struct kv_item){.key = change->key, .value = change->value});
    }
    while (i < stored->count) {
        put_item(&all, stored->items[i++]);
    }
    return all;
}

static void prefetch_list(const struct kv_bucket *b, uint64_t hash)
{
    kv_pending_prefetch_prefix(b->pending, hash);
    kv_cache_prefetch(b->shard->cache, b->prefix_space, hash);
}

void kv_prefix_prefetch(const struct kv_bucket *b, const uint64_t *hashes, size_t count,
                        size_t next)
{
    for (size_t i = 0; next == 0 && i < LIST_AHEAD * 3 && i < count; i++) {
        prefetch_list(b, hashes[i]);
    }
    if (next + LIST_AHEAD * 3 < count) {
        prefetch_list(b, hashes[next + LIST_AHEAD * 3]);
    }
    if (next + LIST_AHEAD * 2 < count) {
        kv_cache_prefetch_entry(b->shard->cache, b->prefix_space, hashes[next + LIST_AHEAD * 2]);
    }
    if (next + LIST_AHEAD < count) {
        kv_cache_prefetch_rest(b->shard->cache, b->prefix_space, hashes[next + LIST_AHEAD]);
    }
}

bool kv_prefix_begin(struct kv_bucket *b, struct kv_prefix *l)
{
    struct kv_items stored;
    struct bytes list = BYTES_EMPTY;

    ASSERT(b->prefix_space != 0);
    l->ticket = kv_cache_ticket(b->shard->cache);
    l->pending_count = kv_pending_prefix(b->pending, l->prefix, l->hash, l->arena, &l->pending);
    if (kv_cache_get(b->shard->cache, b->prefix_space, l->prefix, l->hash, &list) != KV_UNKNOWN) {
        stored = decode_list(list, l->arena);
        l->items = merge(&stored, l);
        return true;
    }
    for (size_t i = 0; i < l->pending_count; i++) {
        l->pending[i].key = arena_copy(l->arena, l->pending[i].key);
        l->pending[i].value = arena_copy(l->arena, l->pending[i].value);
    }
    return false;
}

enum errcode kv_prefix_run(struct kv_store *s, struct kv_prefix *l, struct error *e)
{
    return kv_store_prefix(s, l->prefix, l->bytes_max, l->arena, &l->items, e);
}

void kv_prefix_end(struct kv_bucket *b, struct kv_prefix *l)
{
    struct kv_key found = {.key = l->prefix, .hash = l->hash};

    if (l->items.bytes <= PREFIX_LIST_MAX) {
        found.old = encode_list(&l->items, l->arena);
        kv_cache_fill(b->shard->cache, b->prefix_space, &found, l->ticket);
    }
    l->items = merge(&l->items, l);
}

/* ---- the first rows ---- */

/* More than asked for, so that some may be removed before the store is read again. */
static size_t rows_to_read(size_t limit)
{
    return limit > KV_FIRST_ROWS_MAX ? 0 : limit + limit / 8 + FIRST_ROWS_MORE;
}

bool kv_bucket_first(struct kv_bucket *b, size_t limit, struct arena *arena, struct bytes *ret)
{
    return limit <= KV_FIRST_ROWS_MAX && kv_first_get(&b->first, limit, arena, ret);
}

void kv_first_rows_begin(struct kv_bucket *b, struct kv_first_rows *r)
{
    r->bytes_max = kv_first_bytes_max(&b->first);
    r->released = b->first.released;
}

enum errcode kv_first_rows_run(struct kv_cursor *cursor, struct kv_first_rows *r, struct error *e)
{
    struct kv_collect rows = {
        .rows_max = rows_to_read(r->limit), .bytes_max = r->bytes_max, .arena = r->arena};
    bool more = true;

    if (rows.rows_max > 0) {
        TRY(kv_cursor_visit(cursor, kv_collect, &rows, &more, e));
    }
    r->rows = rows.items;
    r->all = !more;
    return ERR_OK;
}

void kv_first_rows_end(struct kv_bucket *b, const struct kv_first_rows *r)
{
    if (r->limit <= KV_FIRST_ROWS_MAX) {
        kv_first_keep(&b->first, &r->rows, r->all, r->released);
    }
}

/* ---- into the store ---- */

bool kv_bucket_spill_due(const struct kv_bucket *b)
{
    return kv_pending_shown_bytes(b->pending) >= b->shard->budgets.spill_bytes;
}

void *kv_shard_spill_owner(const struct kv_shard *shard)
{
    const struct kv_bucket *most = NULL;
    size_t most_bytes = 0;

    if (pending_held(shard) <= shard->budgets.pending_bytes) {
        return NULL;
    }
    LIST_FOR_EACH(it, &shard->buckets)
    {
        const struct kv_bucket *b = container_of(it, struct kv_bucket, link);
        size_t bytes = kv_pending_shown_bytes(b->pending);

        if (bytes > most_bytes) {
            most = b;
            most_bytes = bytes;
        }
    }
    return most == NULL ? NULL : most->owner;
}

bool kv_spill_begin(struct kv_bucket *b, struct kv_spill *s)
{
    *s = (struct kv_spill){.store = b->store, .code = ERR_OK};
    if (!kv_pending_take(b->pending, b->shard->budgets.spill_bytes, &s->taken)) {
        return false;
    }
    s->state = (struct kv_state){
        .offset = s->taken.end_offset,
        .row_count = b->base_rows < 0 ? -1 : b->base_rows + s->taken.delta,
        .has_ids = b->has_ids,
        .ids = b->ids,
    };
    return true;
}

bool kv_spill_collect(struct kv_bucket *b, struct kv_spill *s)
{
    return kv_pending_collect(b->pending, &s->taken, KV_SPILL_STEP);
}

void kv_spill_run(struct kv_spill *s)
{
    s->code = kv_store_write(s->store, s->taken.changes, s->taken.count, &s->state, &s->error);
    kv_pending_spill_trim(&s->taken); /* megabytes: not on the shard */
}

/* From the pending changes into the cache: who looks now must not find anything older there. */
static void released(void *context, const struct kv_change *change, size_t prefix_len)
{
    struct kv_bucket *b = context;

    kv_cache_update(b->shard->cache, b->row_space, change->key, change->hash, change->value);
    kv_first_released(&b->first, change->key);
    if (prefix_len > 0) {
        struct bytes prefix = bytes_slice(change->key, 0, prefix_len);

        kv_cache_forget(b->shard->cache, b->prefix_space, prefix, hash_bytes(prefix));
    }
}

static void release_prefetch(void *context, uint64_t far, uint64_t near)
{
    const struct kv_bucket *b = context;

    kv_cache_prefetch(b->shard->cache, b->row_space, far);
    kv_cache_prefetch_entry(b->shard->cache, b->row_space, near);
}

bool kv_spill_end(struct kv_bucket *b, struct kv_spill *s)
{
    const struct kv_release release = {
        .released = released, .prefetch = release_prefetch, .context = b};
    bool over = true;

    if (s->code != ERR_OK) {
        kv_pending_untake(b->pending, &s->taken);
    } else {
        over = kv_pending_release(b->pending, &s->taken, KV_SPILL_STEP, &release);
        kv_first_trim(&b->first);
    }
    count_pending(b);
    return over;
}
