/* The engine of tests and simulations: all rows in one sorted array, replaced as a whole by every
 * write, so that a cursor is a reference to an array. Costs O(rows) a write: for small tables.
 *
 * On the device it is one file, "rows", replaced as a whole by every flush. Little endian:
 *
 *   offset size
 *        0    4  CRC-32C of all that follows
 *        4   46  state and lineage (engine.h)
 *       50       rows in key order: key length (4), value length (4), key, value
 */
#include "engine.h"
#include "rocks.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/crc32c.h"
#include "io/clock.h"
#include "io/file.h"

#define ROWS_FILE      "rows"
#define ROWS_BYTES_MAX ((size_t)1 << 30)
#define ROW_HEAD       8u
#define CRC_BYTES      4u

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

struct memory_store {
    struct kv_store store;
    struct kv_env *env;
    char *path;       /* of the file */
    bool failed;      /* a flush: no write is taken any more */
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

/* ---- the file ---- */

static struct bytes version_encode(const struct memory_store *s, const struct version *v,
                                   struct buffer *out)
{
    uint8_t state[KV_STATE_SIZE];
    size_t size = CRC_BYTES + KV_STATE_SIZE;
    struct writer w;

    for (size_t i = 0; i < v->count; i++) {
        size += ROW_HEAD + v->rows[i]->key_len + v->rows[i]->value_len;
    }
    w = writer_of(buffer_room(out, size), size);
    writer_u32le(&w, 0);
    writer_bytes(&w, kv_state_encode(&s->store, &v->state, state));
    for (size_t i = 0; i < v->count; i++) {
        writer_u32le(&w, v->rows[i]->key_len);
        writer_u32le(&w, v->rows[i]->value_len);
        writer_bytes(&w, row_key(v->rows[i]));
        writer_bytes(&w, row_value(v->rows[i]));
    }
    put_u32le(w.data, crc32c(bytes_of(w.data + CRC_BYTES, size - CRC_BYTES)));
    return bytes_of(w.data, size);
}

static enum errcode version_decode(struct memory_store *s, struct bytes file, struct version **ret,
                                   struct error *e)
{
    OWNED(version_unrefp) struct version *v = version_new(file.len / ROW_HEAD);
    struct reader r = reader_of(file);
    uint32_t crc = reader_u32le(&r);

    if (r.failed || crc != crc32c(r.rest)) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: wrong checksum", s->path);
    }
    TRY(kv_state_decode(reader_bytes(&r, KV_STATE_SIZE), &v->state, &s->store.lineage, e));
    while (r.rest.len > 0) {
        uint32_t key_len = reader_u32le(&r);
        uint32_t value_len = reader_u32le(&r);
        struct kv_change row = {.key = reader_bytes(&r, key_len)};

        row.value = reader_bytes(&r, value_len);
        if (r.failed) {
            return error_set(e, ERR_CORRUPT_FILE, "%s: a row is cut short", s->path);
        }
        v->rows[v->count++] = row_new(&row);
    }
    *ret = TAKE(v);
    return ERR_OK;
}

/* What io says, in the words of a store. */
static enum errcode storage(struct memory_store *s, enum errcode code, struct error *e)
{
    if (code == ERR_LOG_STORAGE) {
        code = ERR_KV_STORAGE;
        if (e != NULL) {
            e->code = code;
        }
    }
    s->failed = s->failed || code != ERR_OK;
    return code;
}

static void account(struct memory_store *s, uint64_t bytes)
{
    uint64_t before = atomic_exchange(&s->store.memory_bytes, bytes);

    (void)atomic_fetch_add(&s->env->unflushed, bytes - before);
}

static enum errcode memory_flush(struct kv_store *store, struct error *e)
{
    struct memory_store *s = of(store);
    OWNED(version_unrefp) struct version *v = current(s);
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct bytes file = version_encode(s, v, &out);

    TRY(storage(s, file_replace(s->path, file, e), e));
    account(s, 0);
    atomic_store(&store->disk_bytes, file.len);
    atomic_store(&store->durable_offset, v->state.offset);
    return ERR_OK;
}

/* ---- life ---- */

void kv_memory_crash(struct kv_store *store)
{
    struct memory_store *s = of(store);

    account(s, 0);
    version_unref(s->current);
    free(s->path);
    free(s);
}

static void crashp(struct kv_store **store)
{
    if (*store != NULL) {
        kv_memory_crash(*store);
    }
}

static enum errcode load(struct memory_store *s, const struct kv_state *state, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes file;
    bool exists = false;

    TRY(storage(s, file_read_whole(s->path, ROWS_BYTES_MAX, &arena, &file, &exists, e), e));
    if (exists) {
        TRY(version_decode(s, file, &s->current, e));
        s->store.state = s->current->state;
        atomic_store(&s->store.durable_offset, s->store.state.offset);
        return ERR_OK;
    }
    s->store.lineage = random_u64();
    s->store.state = *state;
    s->current = version_new(0);
    s->current->state = *state;
    return memory_flush(&s->store, e);
}

static const struct kv_engine memory_engine;

enum errcode kv_memory_open(struct kv_env *env, const struct kv_open_params *params,
                            struct kv_store **ret, struct error *e)
{
    OWNED(crashp) struct kv_store *store = NULL;
    size_t size = strlen(params->dir) + sizeof "/" ROWS_FILE;
    struct memory_store *s = mem_new(struct memory_store);

    store = &s->store;
    s->store.engine = &memory_engine;
    s->env = env;
    s->path = mem_alloc(size);
    (void)snprintf(s->path, size, "%s/" ROWS_FILE, params->dir);
    atomic_flag_clear(&s->lock);
    TRY(storage(s, dir_create(params->dir, e), e));
    TRY(load(s, &params->state, e));
    *ret = TAKE(store);
    return ERR_OK;
}

static enum errcode memory_close(struct kv_store *store, struct error *e)
{
    enum errcode code = of(store)->failed ? ERR_OK : memory_flush(store, e);

    kv_memory_crash(store);
    return code;
}

/* ---- writing ---- */

static enum errcode memory_write(struct kv_store *store, const struct kv_change *changes,
                                 size_t count, const struct kv_state *state, struct error *e)
{
    struct memory_store *s = of(store);
    struct version *v;
    uint64_t bytes = atomic_load(&store->memory_bytes);

    if (s->failed) {
        return error_set(e, ERR_KV_STORAGE, "%s: a flush has failed", s->path);
    }
    v = version_merge(s->current, changes, count);
    v->state = *state;
    set_current(s, v);
    for (size_t i = 0; i < count; i++) {
        bytes += changes[i].key.len + changes[i].value.len;
    }
    account(s, bytes);
    return ERR_OK;
}

static enum errcode memory_relieve(struct kv_store *store, struct error *e)
{
    return atomic_load(&store->memory_bytes) >= of(store)->env->flush_bytes ? memory_flush(store, e)
                                                                            : ERR_OK;
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
    struct memory_store *s = of(store);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(version_unrefp) struct version *v = current(s);
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;

    TRY(dir_create(dir, e));
    TRY(file_replace(arena_printf(&arena, "%s/" ROWS_FILE, dir), version_encode(s, v, &out), e));
    *ret = (struct kv_checkpoint){.state = v->state, .lineage = store->lineage};
    return ERR_OK;
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
