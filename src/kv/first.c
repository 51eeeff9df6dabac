/* A list in the cache: u32 rows, u32 bytes of the values, the values as in a value batch (u32 size,
 * value), and u32 size and key of each row. */
#include "first.h"

#include <stdlib.h>

#include "format/value_batch.h"

#define BYTES_MAX   ((size_t)512 << 10)
#define CHANGES_MAX 256u
#define WALK_MAX    65536u /* pending changes looked at when a list is made: a millisecond or two */
#define HEADER_SIZE (2 * sizeof(uint32_t))
#define ROW_SIZE    (2 * sizeof(uint32_t)) /* of a list, besides key and value */

void kv_first_init(struct kv_first *f, struct kv_cache *cache, const struct kv_pending *pending)
{
    *f = (struct kv_first){.cache = cache, .pending = pending, .space = kv_cache_space(cache)};
}

static void forget(struct kv_first *f)
{
    if (f->watched) {
        kv_cache_forget(f->cache, f->space, BYTES_EMPTY, 0);
    }
    free((void *)(uintptr_t)f->last.data);
    free(f->changes);
    f->last = BYTES_EMPTY;
    f->changes = NULL;
    f->change_count = 0;
    f->watched = false;
}

void kv_first_fini(struct kv_first *f) { forget(f); }

/* ---- what is pending ---- */

static bool in_range(const struct kv_first *f, struct bytes key)
{
    return f->watched && (f->all || bytes_compare(key, f->last) <= 0);
}

static struct kv_change change_at(const struct kv_first *f, size_t i)
{
    return kv_pending_change(f->pending, f->changes[i]);
}

/* Behind all changes of the key and of those before it. */
static size_t place_of(const struct kv_first *f, struct bytes key)
{
    size_t from = 0;
    size_t to = f->change_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (bytes_compare(change_at(f, middle).key, key) <= 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static void watch(struct kv_first *f, uint64_t number)
{
    struct bytes key = kv_pending_change(f->pending, number).key;
    size_t at;

    if (!in_range(f, key)) {
        return;
    }
    if (f->change_count == CHANGES_MAX) {
        forget(f);
        return;
    }
    at = place_of(f, key);
    memmove(f->changes + at + 1, f->changes + at, (f->change_count - at) * sizeof *f->changes);
    f->changes[at] = number;
    f->change_count++;
}

void kv_first_added(struct kv_first *f, uint64_t from)
{
    for (uint64_t n = from; f->watched && n < kv_pending_tail(f->pending); n++) {
        watch(f, n);
    }
}

void kv_first_trim(struct kv_first *f)
{
    uint64_t head = kv_pending_head(f->pending);
    uint64_t tail = kv_pending_tail(f->pending);
    size_t kept = 0;

    for (size_t i = 0; i < f->change_count; i++) {
        if (f->changes[i] >= head && f->changes[i] < tail) {
            f->changes[kept++] = f->changes[i];
        }
    }
    f->change_count = kept;
}

void kv_first_released(struct kv_first *f, struct bytes key)
{
    f->released++;
    if (in_range(f, key)) {
        forget(f);
    }
}

/* The next key with a visible change, and the newest of these. */
static bool next_change(const struct kv_first *f, size_t *at, struct kv_change *ret)
{
    bool found = false;

    for (; *at < f->change_count; (*at)++) {
        if (kv_pending_is_shown(f->pending, f->changes[*at])) {
            struct kv_change change = change_at(f, *at);

            if (found && !bytes_equal(change.key, ret->key)) {
                break;
            }
            *ret = change;
            found = true;
        }
    }
    return found;
}

/* ---- scans ---- */

/* Part of the answer: values as the list has them, or the value of a change. */
struct part {
    struct bytes bytes;
    bool is_value;
};

struct merge {
    struct reader values;
    struct reader keys;
    size_t left;  /* rows of the list */
    size_t limit; /* rows still to come */
    struct part *parts;
    size_t count;
    size_t size; /* of the answer */
};

static void add_part(struct merge *m, struct bytes bytes, bool is_value)
{
    if (bytes.len > 0) {
        m->parts[m->count++] = (struct part){bytes, is_value};
        m->size += bytes.len + (is_value ? VALUE_RECORD_OVERHEAD : 0);
    }
}

/* Rows of the list with keys before this one, which is skipped; NULL: all. */
static void take_rows(struct merge *m, const struct bytes *key)
{
    const uint8_t *from = m->values.rest.data;
    const uint8_t *to = from;
    int order = -1;

    while (m->left > 0 && m->limit > 0 && order < 0) {
        if (key != NULL) {
            struct reader at = m->keys;

            order = bytes_compare(reader_bytes(&at, reader_u32le(&at)), *key);
            if (order > 0) {
                break;
            }
            m->keys = at;
        }
        (void)reader_bytes(&m->values, reader_u32le(&m->values));
        m->left--;
        if (order < 0) {
            m->limit--;
            to = m->values.rest.data;
        }
    }
    ASSERT(!m->values.failed && !m->keys.failed);
    add_part(m, bytes_of(from, (size_t)(to - from)), false);
}

/* The parts of the answer. */
static void merge(const struct kv_first *f, struct merge *m)
{
    struct kv_change change;
    size_t at = 0;

    while (m->limit > 0 && next_change(f, &at, &change)) {
        take_rows(m, &change.key);
        if (m->limit > 0 && change.value.len > 0) {
            add_part(m, change.value, true);
            m->limit--;
        }
    }
    take_rows(m, NULL);
}

static struct bytes write_batch(const struct merge *m, size_t rows, struct arena *arena)
{
    size_t size = VALUE_BATCH_HEADER_SIZE + m->size;
    struct writer w = writer_of(arena_alloc(arena, size), size);

    value_header_write(&w, size, (uint32_t)rows);
    for (size_t i = 0; i < m->count; i++) {
        if (m->parts[i].is_value) {
            value_record_write(&w, m->parts[i].bytes);
        } else {
            writer_bytes(&w, m->parts[i].bytes);
        }
    }
    ASSERT(w.len == size);
    return bytes_of(w.data, w.len);
}

bool kv_first_get(struct kv_first *f, size_t limit, struct arena *arena, struct bytes *ret)
{
    struct part parts[CHANGES_MAX * 2 + 1];
    struct merge m = {.limit = limit, .parts = parts};
    struct bytes list = BYTES_EMPTY;
    struct reader r;
    size_t size;

    if (!f->watched || (limit > f->rows + f->change_count && !f->all)) {
        return false;
    }
    if (kv_cache_get(f->cache, f->space, BYTES_EMPTY, 0, &list) == KV_UNKNOWN) {
        forget(f);
        return false;
    }
    r = reader_of(list);
    m.left = reader_u32le(&r);
    size = reader_u32le(&r);
    m.values = reader_of(reader_bytes(&r, size));
    m.keys = r;
    merge(f, &m);
    if ((m.limit > 0 && !f->all) || m.size > BYTES_MAX * 2) {
        return false;
    }
    *ret = write_batch(&m, limit - m.limit, arena);
    return true;
}

/* ---- making a list ---- */

size_t kv_first_bytes_max(const struct kv_first *f)
{
    size_t max = kv_cache_entry_max(f->cache);

    return max < BYTES_MAX ? max : BYTES_MAX;
}

static size_t list_size(const struct kv_items *rows)
{
    return HEADER_SIZE + rows->bytes + rows->count * ROW_SIZE;
}

/* The leading rows that a list has room for. */
static struct kv_items fitting(const struct kv_first *f, const struct kv_items *rows)
{
    struct kv_items fit = *rows;

    while (fit.count > 0 && list_size(&fit) > kv_first_bytes_max(f)) {
        const struct kv_item *last = &fit.items[--fit.count];

        fit.bytes -= last->key.len + last->value.len;
    }
    return fit;
}

static struct bytes encode(const struct kv_items *rows, struct arena *arena)
{
    size_t size = list_size(rows);
    struct writer w = writer_of(arena_alloc(arena, size), size);
    size_t values = rows->count * VALUE_RECORD_OVERHEAD;

    for (size_t i = 0; i < rows->count; i++) {
        values += rows->items[i].value.len;
    }
    writer_u32le(&w, (uint32_t)rows->count);
    writer_u32le(&w, (uint32_t)values);
    for (size_t i = 0; i < rows->count; i++) {
        value_record_write(&w, rows->items[i].value);
    }
    for (size_t i = 0; i < rows->count; i++) {
        writer_u32le(&w, (uint32_t)rows->items[i].key.len);
        writer_bytes(&w, rows->items[i].key);
    }
    ASSERT(w.len == size);
    return bytes_of(w.data, w.len);
}

static void begin_watch(struct kv_first *f, const struct kv_items *rows, bool all)
{
    f->watched = true;
    f->all = all;
    f->rows = rows->count;
    f->changes = mem_alloc(CHANGES_MAX * sizeof *f->changes);
    if (rows->count > 0) {
        struct bytes last = rows->items[rows->count - 1].key;
        struct writer w = writer_of(mem_alloc(last.len + 1), last.len);

        writer_bytes(&w, last);
        f->last = bytes_of(w.data, w.len);
    }
    kv_first_added(f, kv_pending_head(f->pending));
}

void kv_first_keep(struct kv_first *f, const struct kv_items *rows, bool all, uint64_t released)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_items fit = fitting(f, rows);
    struct bytes list;

    forget(f);
    all = all && fit.count == rows->count;
    if (f->released != released || (fit.count == 0 && !all) ||
        kv_pending_count(f->pending) > WALK_MAX) {
        return;
    }
    list = encode(&fit, &arena);
    begin_watch(f, &fit, all);
    if (f->watched) {
        kv_cache_update(f->cache, f->space, BYTES_EMPTY, 0, list);
    }
}
