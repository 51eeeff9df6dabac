/* The engine of tests and simulations: all rows in one sorted array, replaced as a whole by every
 * write. So a cursor is a reference to an array, and a crash goes back to the array of the last
 * flush. Costs O(rows) a write: for small tables. */
#include "engine.h"

#include <stdlib.h>

#include "io/clock.h"

/* A row, shared by all versions that have it. */
struct row {
    atomic_uint refs;
    uint32_t key_len;
    uint32_t value_len;
    uint8_t data[];
};

/* All rows at one moment. */
struct version {
    atomic_uint refs;
    struct kv_state state;
    size_t count;
    struct row *rows[];
};

/* A directory: what would be on its device. */
struct disk {
    struct disk *next;
    char *dir;
    uint64_t lineage;
    struct version *flushed;
};

struct kv_memory {
    struct disk *disks;
};

struct memory_store {
    struct kv_store store;
    struct disk *disk;
    atomic_flag lock; /* of `current`: held for a few instructions */
    struct version *current;
};

struct memory_cursor {
    struct kv_cursor cursor;
    struct version *version;
    size_t next;
};

static struct memory_store *of(struct kv_store *s) { return (struct memory_store *)s; }

static struct bytes row_key(const struct row *r) { return bytes_of(r->data, r->key_len); }

static struct bytes row_value(const struct row *r)
{
    return bytes_of(r->data + r->key_len, r->value_len);
}

/* ---- versions ---- */

static struct row *row_new(const struct kv_change *change)
{
    size_t size = change->key.len + change->value.len;
    struct row *r = mem_alloc(sizeof *r + size);
    struct writer w = writer_of(r->data, size);

    atomic_init(&r->refs, 1);
    r->key_len = (uint32_t)change->key.len;
    r->value_len = (uint32_t)change->value.len;
    writer_bytes(&w, change->key);
    writer_bytes(&w, change->value);
    return r;
}

static struct row *row_ref(struct row *r)
{
    (void)atomic_fetch_add(&r->refs, 1);
    return r;
}

static struct version *version_new(size_t cap)
{
    struct version *v = mem_zalloc(sizeof *v + cap * sizeof *v->rows);

    atomic_init(&v->refs, 1);
    return v;
}

static struct version *version_ref(struct version *v)
{
    (void)atomic_fetch_add(&v->refs, 1);
    return v;
}

static void version_unref(struct version *v)
{
    if (v == NULL || atomic_fetch_sub(&v->refs, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < v->count; i++) {
        if (atomic_fetch_sub(&v->rows[i]->refs, 1) == 1) {
            free(v->rows[i]);
        }
    }
    free(v);
}

static void version_unrefp(struct version **v) { version_unref(*v); }

/* Both are sorted; a change replaces the row of its key. */
static struct version *version_merge(const struct version *old, const struct kv_change *changes,
                                     size_t count)
{
    struct version *v = version_new(old->count + count);
    size_t i = 0;

    for (size_t j = 0; j < count; j++) {
        while (i < old->count && bytes_compare(row_key(old->rows[i]), changes[j].key) < 0) {
            v->rows[v->count++] = row_ref(old->rows[i++]);
        }
        if (i < old->count && bytes_equal(row_key(old->rows[i]), changes[j].key)) {
            i++;
        }
        if (changes[j].value.len > 0 && kv_key_allowed(changes[j].key)) {
            v->rows[v->count++] = row_new(&changes[j]);
        }
    }
    while (i < old->count) {
        v->rows[v->count++] = row_ref(old->rows[i++]);
    }
    return v;
}

/* The first row whose key is not below. */
static size_t version_seek(const struct version *v, struct bytes key)
{
    size_t low = 0;
    size_t high = v->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (bytes_compare(row_key(v->rows[middle]), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct version *current(struct memory_store *s)
{
    struct version *v;

    while (atomic_flag_test_and_set_explicit(&s->lock, memory_order_acquire)) {
    }
    v = version_ref(s->current);
    atomic_flag_clear_explicit(&s->lock, memory_order_release);
    return v;
}

static void set_current(struct memory_store *s, struct version *v)
{
    struct version *old;

    while (atomic_flag_test_and_set_explicit(&s->lock, memory_order_acquire)) {
    }
    old = s->current;
    s->current = v;
    atomic_flag_clear_explicit(&s->lock, memory_order_release);
    version_unref(old);
}

/* ---- life ---- */

struct kv_memory *kv_memory_new(void) { return mem_new(struct kv_memory); }

void kv_memory_free(struct kv_memory *m)
{
    while (m != NULL && m->disks != NULL) {
        struct disk *d = m->disks;

        m->disks = d->next;
        version_unref(d->flushed);
        free(d->dir);
        free(d);
    }
    free(m);
}

static struct disk *find_disk(struct kv_memory *m, const struct kv_open_params *params)
{
    struct disk *d = m->disks;

    while (d != NULL && strcmp(d->dir, params->dir) != 0) {
        d = d->next;
    }
    if (d == NULL) {
        d = mem_new(struct disk);
        d->dir = mem_strdup(params->dir);
        d->lineage = random_u64();
        d->flushed = version_new(0);
        d->flushed->state = params->state;
        d->next = m->disks;
        m->disks = d;
    }
    return d;
}

static const struct kv_engine memory_engine;

enum errcode kv_memory_open(struct kv_memory *memory, const struct kv_open_params *params,
                            struct kv_store **ret, struct error *e)
{
    struct memory_store *s = mem_new(struct memory_store);

    (void)e;
    atomic_flag_clear(&s->lock);
    s->disk = find_disk(memory, params);
    s->current = version_ref(s->disk->flushed);
    s->store.engine = &memory_engine;
    s->store.lineage = s->disk->lineage;
    s->store.state = s->current->state;
    atomic_init(&s->store.durable_offset, s->store.state.offset);
    *ret = &s->store;
    return ERR_OK;
}

void kv_memory_crash(struct kv_store *store)
{
    version_unref(of(store)->current);
    free(store);
}

static enum errcode memory_flush(struct kv_store *store, struct error *e)
{
    struct memory_store *s = of(store);

    (void)e;
    version_unref(s->disk->flushed);
    s->disk->flushed = current(s);
    atomic_store(&store->durable_offset, s->disk->flushed->state.offset);
    return ERR_OK;
}

static enum errcode memory_close(struct kv_store *store, struct error *e)
{
    TRY(memory_flush(store, e));
    kv_memory_crash(store);
    return ERR_OK;
}

static enum errcode memory_write(struct kv_store *store, const struct kv_change *changes,
                                 size_t count, const struct kv_state *state, struct error *e)
{
    struct memory_store *s = of(store);
    struct version *v = version_merge(s->current, changes, count);

    (void)e;
    v->state = *state;
    set_current(s, v);
    return ERR_OK;
}

static enum errcode memory_relieve(struct kv_store *store, struct error *e)
{
    (void)store;
    (void)e;
    return ERR_OK;
}

/* ---- reading ---- */

static enum errcode memory_multi_get(struct kv_store *store, const struct bytes *keys, size_t count,
                                     struct arena *arena, struct bytes *ret, struct error *e)
{
    OWNED(version_unrefp) struct version *v = current(of(store));

    (void)e;
    for (size_t i = 0; i < count; i++) {
        size_t at = version_seek(v, keys[i]);

        ret[i] = BYTES_EMPTY;
        if (at < v->count && bytes_equal(row_key(v->rows[at]), keys[i])) {
            ret[i] = arena_copy(arena, row_value(v->rows[at]));
        }
    }
    return ERR_OK;
}

/* Rows [from, from + count). */
static void copy_rows(const struct version *v, size_t from, size_t count, struct arena *arena,
                      struct kv_items *ret)
{
    *ret =
        (struct kv_items){.items = arena_array(arena, count, sizeof *ret->items), .count = count};
    for (size_t i = 0; i < count; i++) {
        struct kv_item *item = &ret->items[i];

        item->key = arena_copy(arena, row_key(v->rows[from + i]));
        item->value = arena_copy(arena, row_value(v->rows[from + i]));
        ret->bytes += item->key.len + item->value.len;
    }
}

static bool has_prefix(struct bytes key, struct bytes prefix)
{
    return key.len >= prefix.len && bytes_equal(bytes_slice(key, 0, prefix.len), prefix);
}

static enum errcode memory_prefix(struct kv_store *store, struct bytes prefix, size_t bytes_max,
                                  struct arena *arena, struct kv_items *ret, struct error *e)
{
    OWNED(version_unrefp) struct version *v = current(of(store));
    size_t from = version_seek(v, prefix);
    size_t end = from;
    size_t bytes = 0;

    while (end < v->count && has_prefix(row_key(v->rows[end]), prefix)) {
        bytes += v->rows[end]->key_len + v->rows[end]->value_len;
        end++;
    }
    if (bytes > bytes_max) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "more than %zu bytes of rows under a prefix",
                         bytes_max);
    }
    copy_rows(v, from, end - from, arena, ret);
    return ERR_OK;
}

static struct memory_cursor *cursor_of(struct kv_cursor *c) { return (struct memory_cursor *)c; }

static enum errcode memory_cursor_open(struct kv_store *store, bool cached, struct kv_cursor **ret,
                                       struct error *e)
{
    struct memory_cursor *c = mem_new(struct memory_cursor);

    (void)cached;
    (void)e;
    c->version = current(of(store));
    c->cursor = (struct kv_cursor){.store = store, .state = c->version->state};
    *ret = &c->cursor;
    return ERR_OK;
}

static void memory_cursor_close(struct kv_cursor *cursor)
{
    version_unref(cursor_of(cursor)->version);
    free(cursor);
}

static enum errcode memory_cursor_visit(struct kv_cursor *cursor, kv_visit_fn visit, void *context,
                                        bool *ret_more, struct error *e)
{
    struct memory_cursor *c = cursor_of(cursor);
    const struct version *v = c->version;

    (void)e;
    while (c->next < v->count &&
           visit(context, row_key(v->rows[c->next]), row_value(v->rows[c->next]))) {
        c->next++;
    }
    *ret_more = c->next < v->count;
    return ERR_OK;
}

static enum errcode memory_checkpoint(struct kv_store *store, const char *dir,
                                      struct kv_checkpoint *ret, struct error *e)
{
    (void)store;
    (void)ret;
    return error_set(e, ERR_UNSUPPORTED_OPERATION, "%s: no checkpoints of a store in memory", dir);
}

static const struct kv_engine memory_engine = {
    .close = memory_close,
    .write = memory_write,
    .relieve = memory_relieve,
    .flush = memory_flush,
    .multi_get = memory_multi_get,
    .prefix = memory_prefix,
    .checkpoint = memory_checkpoint,
    .cursor_open = memory_cursor_open,
    .cursor_close = memory_cursor_close,
    .cursor_visit = memory_cursor_visit,
};
