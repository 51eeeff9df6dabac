/* The engine of real servers: one RocksDB database per bucket, all rows in its default column
 * family, and among them, under kv_state_key, the state that the rows are of.
 *
 * RocksDB's own log is off. A small write is one batch of rows and state; a batch lies in one table in
 * memory as a whole, tables go to files in their order, and a file belongs to the database once the
 * manifest says so, synced. A large write is such a file from the start: it costs half. So after a
 * crash the database is as after some write, and the state tells which. */
#include "engine.h"
#include "rocks.h"
#include "table_file.h"

#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/clock.h"
#include "io/file.h"

#define GET_MAX          128u /* keys of one call of RocksDB */
#define SMALL_TABLE_KEYS 8u
#define PATH_LEN_MAX     1024
#define TABLE_NAME       "spill" /* a table file until the database has taken it */
#define OPEN_BYTES_MIN   ((uint64_t)8 << 20)

struct rocks_store {
    struct kv_store store;
    struct kv_env *env;
    char *dir;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *rows;
    bool unflushed; /* something was written since the last flush */
};

struct rocks_cursor {
    struct kv_cursor cursor;
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *it;
};

static struct rocks_store *of(struct kv_store *s) { return (struct rocks_store *)s; }

/* RocksDB takes no null pointer, not even for a key without bytes. */
static const char *data_of(struct bytes b) { return b.len == 0 ? "" : (const char *)b.data; }

/* ---- open and close ---- */

/* Frees whatever there is, without looking at errors. */
static void store_free(struct rocks_store *s)
{
    if (s->rows != NULL) {
        rocksdb_column_family_handle_destroy(s->rows);
    }
    if (s->db != NULL) {
        rocksdb_close(s->db);
    }
    (void)atomic_fetch_sub(&s->env->unflushed, atomic_load(&s->store.memory_bytes));
    free(s->dir);
    free(s);
}

static void store_freep(struct rocks_store **s)
{
    if (*s != NULL) {
        store_free(*s);
    }
}

/* RocksDB logs whenever it opens a database, and must have room for that: see set_files in env.c. */
static enum errcode check_space(const char *dir, struct error *e)
{
    struct disk_usage disk;

    TRY(disk_usage(dir, &disk, e));
    return disk.free_bytes >= OPEN_BYTES_MIN
               ? ERR_OK
               : error_set(e, ERR_DISK_FULL,
                           "open %s: %llu bytes are left on the disk, it takes %llu", dir,
                           (unsigned long long)disk.free_bytes, (unsigned long long)OPEN_BYTES_MIN);
}

static enum errcode open_database(struct rocks_store *s, const rocksdb_options_t *options,
                                  struct error *e)
{
    static const char *const names[] = {"default"};
    char *message = NULL;

    TRY(check_space(s->dir, e));
    s->db = rocksdb_open_column_families(options, s->dir, 1, names, &options, &s->rows, &message);
    return rocks_check(message, "open", s->dir, e);
}

struct stored_state {
    bool found;
    struct kv_state state;
    uint64_t lineage;
};

static enum errcode read_state(struct rocks_store *s, const rocksdb_readoptions_t *options,
                               struct stored_state *ret, struct error *e)
{
    OWNED(mem_freep) char *value = NULL;
    char *message = NULL;
    size_t len = 0;

    value = rocksdb_get(s->db, options, (const char *)kv_state_key.data, kv_state_key.len, &len,
                        &message);
    TRY(rocks_check(message, "state of", s->dir, e));
    ret->found = value != NULL;
    return value == NULL ? ERR_OK
                         : kv_state_decode(bytes_of(value, len), &ret->state, &ret->lineage, e);
}

static bool is_empty(struct rocks_store *s)
{
    rocksdb_iterator_t *it = rocksdb_create_iterator(s->db, s->env->read_options);
    bool empty;

    rocksdb_iter_seek_to_first(it);
    empty = rocksdb_iter_valid(it) == 0;
    rocksdb_iter_destroy(it);
    return empty;
}

/* A directory without a state gets the one the caller knows. */
static enum errcode adopt(struct rocks_store *s, const struct kv_state *state, struct error *e)
{
    bool empty = is_empty(s);

    if (!empty && state->offset == 0) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: rows without an offset", s->dir);
    }
    s->store.lineage = random_u64();
    TRY(kv_store_write(&s->store, NULL, 0, state, e));
    return empty && state->offset == 0 ? ERR_OK : kv_store_flush(&s->store, e);
}

/* What a crash may have left. */
static enum errcode remove_table(const struct rocks_store *s, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    return path_remove(arena_printf(&arena, "%s/" TABLE_NAME, s->dir), e);
}

static const struct kv_engine rocks_engine;
static void measure(struct rocks_store *s);

enum errcode kv_rocksdb_open(struct kv_env *env, const struct kv_open_params *params,
                             struct kv_store **ret, struct error *e)
{
    OWNED(store_freep) struct rocks_store *s = NULL;
    struct stored_state stored = {0};

    TRY(dir_create(params->dir, e));
    s = mem_new(struct rocks_store);
    s->store.engine = &rocks_engine;
    s->env = env;
    s->dir = mem_strdup(params->dir);
    TRY(remove_table(s, e));
    TRY(open_database(s, env->options, e));
    TRY(read_state(s, env->read_options, &stored, e));
    if (stored.found) {
        s->store.state = stored.state;
        s->store.lineage = stored.lineage;
        atomic_store(&s->store.durable_offset, stored.state.offset);
    } else {
        TRY(adopt(s, &params->state, e));
    }
    measure(s);
    *ret = &TAKE(s)->store;
    return ERR_OK;
}

static enum errcode rocks_close(struct kv_store *store, struct error *e)
{
    OWNED(store_freep) struct rocks_store *s = of(store);

    return s->unflushed ? kv_store_flush(store, e) : ERR_OK;
}

/* ---- writing ---- */

static uint64_t property(const struct rocks_store *s, const char *name)
{
    uint64_t value = 0;

    return rocksdb_property_int(s->db, name, &value) == 0 ? value : 0;
}

/* Tells the env how much of this store is in memory only, and everybody how it is. */
static void measure(struct rocks_store *s)
{
    uint64_t now = s->unflushed ? property(s, "rocksdb.cur-size-all-mem-tables") : 0;
    uint64_t before = atomic_exchange(&s->store.memory_bytes, now);

    if (now > before) {
        (void)atomic_fetch_add(&s->env->unflushed, now - before);
    } else {
        (void)atomic_fetch_sub(&s->env->unflushed, before - now);
    }
    atomic_store(&s->store.level0_files, (uint32_t)property(s, "rocksdb.num-files-at-level0"));
    atomic_store(&s->store.disk_bytes, property(s, "rocksdb.total-sst-files-size"));
}

static enum errcode rocks_flush(struct kv_store *store, struct error *e)
{
    struct rocks_store *s = of(store);
    int64_t offset = store->state.offset;
    char *message = NULL;

    rocksdb_flush(s->db, s->env->flush_options, &message);
    TRY(rocks_check(message, "flush", s->dir, e));
    s->unflushed = false;
    measure(s);
    atomic_store_explicit(&store->durable_offset, offset, memory_order_release);
    return ERR_OK;
}

/* A table in memory that is full goes to a file; so does any larger than its share once all of them
 * take more than they may. */
static bool want_flush(const struct rocks_store *s)
{
    uint64_t mine = atomic_load(&s->store.memory_bytes);

    return mine >= s->env->flush_bytes ||
           (atomic_load(&s->env->unflushed) > s->env->unflushed_max &&
            mine >= s->env->flush_bytes / SMALL_TABLE_KEYS);
}

static void fill_batch(rocksdb_writebatch_t *batch, const struct kv_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = data_of(changes[i].key);

        if (!kv_key_allowed(changes[i].key)) {
            continue;
        }
        if (changes[i].value.len == 0) {
            rocksdb_writebatch_delete(batch, key, changes[i].key.len);
        } else {
            rocksdb_writebatch_put(batch, key, changes[i].key.len,
                                   (const char *)changes[i].value.data, changes[i].value.len);
        }
    }
}

/* Whether the changes alone would fill a table in memory well enough for a flush. */
static bool is_large(const struct rocks_store *s, const struct kv_change *changes, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += changes[i].key.len + changes[i].value.len;
    }
    return bytes >= s->env->large_bytes;
}

/* RocksDB refuses writes that would have to wait; of files it takes any number. */
static enum errcode check_stall(const struct rocks_store *s, struct error *e)
{
    if (property(s, "rocksdb.is-write-stopped") == 0 &&
        property(s, "rocksdb.actual-delayed-write-rate") == 0) {
        return ERR_OK;
    }
    return error_set(e, ERR_STORAGE_BACKPRESSURE, "write to %s: compaction is behind", s->dir);
}

/* The file has the state's key, as every table in memory has that is not empty: RocksDB flushes it
 * first, and so all writes are on the device afterwards. */
static enum errcode write_file(struct rocks_store *s, const struct kv_change *changes, size_t count,
                               const struct kv_state *state, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = arena_printf(&arena, "%s/" TABLE_NAME, s->dir);
    uint8_t buffer[KV_STATE_SIZE];
    char *message = NULL;

    TRY(check_stall(s, e));
    TRY(table_file_write(s->env, path, changes, count, kv_state_encode(&s->store, state, buffer),
                         e));
    rocksdb_ingest_external_file(s->db, &path, 1, s->env->ingest_options, &message);
    if (message != NULL) {
        IGNORE(path_remove(path, NULL) != ERR_OK);
    }
    TRY(rocks_check(message, "write to", s->dir, e));
    s->unflushed = false;
    measure(s);
    atomic_store_explicit(&s->store.durable_offset, state->offset, memory_order_release);
    return ERR_OK;
}

static enum errcode write_batch(struct rocks_store *s, const struct kv_change *changes,
                                size_t count, const struct kv_state *state, struct error *e)
{
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    uint8_t buffer[KV_STATE_SIZE];
    struct bytes value = kv_state_encode(&s->store, state, buffer);
    char *message = NULL;

    fill_batch(batch, changes, count);
    rocksdb_writebatch_put(batch, (const char *)kv_state_key.data, kv_state_key.len,
                           (const char *)value.data, value.len);
    rocksdb_write(s->db, s->env->write_options, batch, &message);
    rocksdb_writebatch_destroy(batch);
    TRY(rocks_check(message, "write to", s->dir, e));
    s->unflushed = true;
    measure(s);
    return ERR_OK;
}

static enum errcode rocks_write(struct kv_store *store, const struct kv_change *changes,
                                size_t count, const struct kv_state *state, struct error *e)
{
    struct rocks_store *s = of(store);

    return is_large(s, changes, count) ? write_file(s, changes, count, state, e)
                                       : write_batch(s, changes, count, state, e);
}

static enum errcode rocks_relieve(struct kv_store *store, struct error *e)
{
    return want_flush(of(store)) ? rocks_flush(store, e) : ERR_OK;
}

/* ---- reading ---- */

static struct bytes copy_pinned(rocksdb_pinnableslice_t *slice, struct arena *arena)
{
    struct bytes value;
    size_t len = 0;

    if (slice == NULL) {
        return BYTES_EMPTY;
    }
    value.data = (const uint8_t *)rocksdb_pinnableslice_value(slice, &len);
    value.len = len;
    value = arena_copy(arena, value);
    rocksdb_pinnableslice_destroy(slice);
    return value;
}

/* The rows found are kept by themselves. Their blocks are while there is room: to take that of another
 * block, only to be dropped for the next, would be a fifth of a lookup. */
static const rocksdb_readoptions_t *lookup_options(const struct kv_env *env)
{
    size_t used = rocksdb_cache_get_usage(env->block_cache);

    return used < env->block_cache_bytes / 4 * 3 ? env->read_options : env->passing_options;
}

static enum errcode get_some(struct rocks_store *s, const struct bytes *keys, size_t count,
                             struct arena *arena, struct bytes *ret, struct error *e)
{
    const char *data[GET_MAX] = {0}; /* gcc does not see that count are set */
    size_t lens[GET_MAX] = {0};
    rocksdb_pinnableslice_t *values[GET_MAX];
    char *messages[GET_MAX];
    enum errcode code = ERR_OK;

    ASSERT(count <= GET_MAX);
    for (size_t i = 0; i < count; i++) {
        data[i] = data_of(keys[i]);
        lens[i] = keys[i].len;
    }
    rocksdb_batched_multi_get_cf(s->db, lookup_options(s->env), s->rows, count, data, lens, values,
                                 messages, false);
    for (size_t i = 0; i < count; i++) {
        enum errcode one = rocks_check(messages[i], "read", s->dir, e);

        code = code == ERR_OK ? one : code;
        ret[i] = copy_pinned(values[i], arena);
        if (!kv_key_allowed(keys[i])) {
            ret[i] = BYTES_EMPTY;
        }
    }
    return code;
}

static enum errcode rocks_multi_get(struct kv_store *store, const struct bytes *keys, size_t count,
                                    struct arena *arena, struct bytes *ret, struct error *e)
{
    for (size_t done = 0; done < count; done += GET_MAX) {
        size_t n = count - done < GET_MAX ? count - done : GET_MAX;

        TRY(get_some(of(store), keys + done, n, arena, ret + done, e));
    }
    return ERR_OK;
}

static struct bytes iter_key(const rocksdb_iterator_t *it)
{
    size_t len = 0;
    const char *data = rocksdb_iter_key(it, &len);

    return bytes_of(data, len);
}

static struct bytes iter_value(const rocksdb_iterator_t *it)
{
    size_t len = 0;
    const char *data = rocksdb_iter_value(it, &len);

    return bytes_of(data, len);
}

static enum errcode visit_rows(struct rocks_store *s, rocksdb_iterator_t *it, kv_visit_fn visit,
                               void *context, bool *ret_more, struct error *e)
{
    char *message = NULL;

    for (; rocksdb_iter_valid(it) != 0; rocksdb_iter_next(it)) {
        struct bytes key = iter_key(it);

        if (kv_key_allowed(key) && !visit(context, key, iter_value(it))) {
            *ret_more = true;
            return ERR_OK;
        }
    }
    *ret_more = false;
    rocksdb_iter_get_error(it, &message);
    return rocks_check(message, "scan", s->dir, e);
}

/* The smallest key behind all with the prefix; empty: there is none. */
static struct bytes prefix_end(struct bytes prefix, struct arena *arena)
{
    uint8_t *end;
    size_t len = prefix.len;

    while (len > 0 && prefix.data[len - 1] == UINT8_MAX) {
        len--;
    }
    if (len == 0) {
        return BYTES_EMPTY;
    }
    end = arena_alloc(arena, len);
    memcpy(end, prefix.data, len);
    end[len - 1]++;
    return bytes_of(end, len);
}

static enum errcode rocks_prefix(struct kv_store *store, struct bytes prefix, size_t bytes_max,
                                 struct arena *arena, struct kv_items *ret, struct error *e)
{
    struct rocks_store *s = of(store);
    struct kv_collect c = {.rows_max = SIZE_MAX, .bytes_max = bytes_max, .arena = arena};
    struct bytes end = prefix_end(prefix, arena);
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *it;
    enum errcode code;
    bool more = false;

    if (end.len > 0) {
        rocksdb_readoptions_set_iterate_upper_bound(options, (const char *)end.data, end.len);
    }
    it = rocksdb_create_iterator(s->db, options);
    rocksdb_iter_seek(it, data_of(prefix), prefix.len);
    code = visit_rows(s, it, kv_collect, &c, &more, e);
    rocksdb_iter_destroy(it);
    rocksdb_readoptions_destroy(options);
    TRY(code);
    if (more || c.items.bytes > bytes_max) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "more than %zu bytes of rows under a prefix",
                         bytes_max);
    }
    *ret = c.items;
    return ERR_OK;
}

/* ---- cursors ---- */

static struct rocks_cursor *cursor_of(struct kv_cursor *c) { return (struct rocks_cursor *)c; }

static void rocks_cursor_close(struct kv_cursor *cursor)
{
    struct rocks_cursor *c = cursor_of(cursor);

    if (c->it != NULL) {
        rocksdb_iter_destroy(c->it);
    }
    rocksdb_readoptions_destroy(c->options);
    rocksdb_release_snapshot(of(cursor->store)->db, c->snapshot);
    free(c);
}

static void cursor_freep(struct rocks_cursor **c)
{
    if (*c != NULL) {
        rocks_cursor_close(&(*c)->cursor);
    }
}

static enum errcode rocks_cursor_open(struct kv_store *store, bool cached, struct kv_cursor **ret,
                                      struct error *e)
{
    struct rocks_store *s = of(store);
    OWNED(cursor_freep) struct rocks_cursor *c = mem_new(struct rocks_cursor);
    struct stored_state stored = {0};

    c->cursor.store = store;
    c->snapshot = rocksdb_create_snapshot(s->db);
    c->options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(c->options, c->snapshot);
    rocksdb_readoptions_set_fill_cache(c->options, cached);
    TRY(read_state(s, c->options, &stored, e));
    ASSERT(stored.found);
    c->cursor.state = stored.state;
    c->it = rocksdb_create_iterator(s->db, c->options);
    rocksdb_iter_seek_to_first(c->it);
    *ret = &TAKE(c)->cursor;
    return ERR_OK;
}

static enum errcode rocks_cursor_visit(struct kv_cursor *cursor, kv_visit_fn visit, void *context,
                                       bool *ret_more, struct error *e)
{
    return visit_rows(of(cursor->store), cursor_of(cursor)->it, visit, context, ret_more, e);
}

/* ---- checkpoints ---- */

static enum errcode make_checkpoint(struct rocks_store *s, const char *dir, struct error *e)
{
    char *message = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(s->db, &message);

    TRY(rocks_check(message, "checkpoint of", s->dir, e));
    rocksdb_checkpoint_create(checkpoint, dir, 0, &message);
    rocksdb_checkpoint_object_destroy(checkpoint);
    return rocks_check(message, "checkpoint of", s->dir, e);
}

/* Takes the state out of a checkpoint. The table files it shares with the store are not written to:
 * the removal is a new, small one. */
static enum errcode take_state(struct kv_env *env, const char *dir, struct kv_state *ret,
                               struct error *e)
{
    OWNED(store_freep) struct rocks_store *copy = mem_new(struct rocks_store);
    char *message = NULL;
    struct stored_state stored = {0};

    copy->env = env;
    copy->dir = mem_strdup(dir);
    TRY(open_database(copy, env->checkpoint_options, e));
    TRY(read_state(copy, env->read_options, &stored, e));
    ASSERT(stored.found);
    *ret = stored.state;
    rocksdb_delete(copy->db, env->write_options, (const char *)kv_state_key.data, kv_state_key.len,
                   &message);
    TRY(rocks_check(message, "write to", dir, e));
    rocksdb_flush(copy->db, env->flush_options, &message);
    return rocks_check(message, "flush", dir, e);
}

static bool starts_with(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

/* Only what a database consists of: no lock, no diagnostics, no empty logs. */
static enum errcode remove_leftovers(const char *dir, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct dir_list list;

    TRY(dir_read(dir, &arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        const char *name = list.entries[i].name;
        const char *dot = strrchr(name, '.');
        char path[PATH_LEN_MAX];

        if (!starts_with(name, "LOG") && !starts_with(name, "LOCK") &&
            (dot == NULL || strcmp(dot, ".log") != 0)) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", dir, name);
        TRY(path_remove(path, e));
    }
    return ERR_OK;
}

static enum errcode highest_table(const char *dir, uint64_t *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct dir_list list;

    TRY(dir_read(dir, &arena, &list, e));
    *ret = 0;
    for (size_t i = 0; i < list.count; i++) {
        uint64_t number = kv_table_number(list.entries[i].name);

        *ret = number > *ret ? number : *ret;
    }
    return ERR_OK;
}

static enum errcode rocks_checkpoint(struct kv_store *store, const char *dir,
                                     struct kv_checkpoint *ret, struct error *e)
{
    struct kv_checkpoint made = {.lineage = store->lineage};

    TRY(make_checkpoint(of(store), dir, e));
    TRY(highest_table(dir, &made.table_max, e));
    TRY(take_state(of(store)->env, dir, &made.state, e));
    TRY(remove_leftovers(dir, e));
    *ret = made;
    return ERR_OK;
}

static const struct kv_engine rocks_engine = {
    .close = rocks_close,
    .write = rocks_write,
    .relieve = rocks_relieve,
    .flush = rocks_flush,
    .multi_get = rocks_multi_get,
    .prefix = rocks_prefix,
    .checkpoint = rocks_checkpoint,
    .cursor_open = rocks_cursor_open,
    .cursor_close = rocks_cursor_close,
    .cursor_visit = rocks_cursor_visit,
};
