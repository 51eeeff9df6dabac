/* RocksDB's writer of table files throws what it has written out of the page cache, and nothing in its
 * C interface says that it must not; the rows would have to come back from the device for the first
 * lookups and the first compaction. So it writes into memory, and we write that to the file. */
#include "table_file.h"

#include "rocks.h"

#include "io/file.h"

#define COPY_BYTES ((size_t)256 << 10)
#define AHEAD      8u  /* changes looked at before their turn: they lie anywhere in memory */
#define LINE       64u /* of the processor's cache */
#define LINES      3u

/* RocksDB takes no null pointer, not even for a key without bytes. */
static const char *data_of(struct bytes b) { return b.len == 0 ? "" : (const char *)b.data; }

static void put(rocksdb_sstfilewriter_t *w, struct bytes key, struct bytes value, char **message)
{
    if (value.len == 0) {
        rocksdb_sstfilewriter_delete(w, data_of(key), key.len, message);
    } else {
        rocksdb_sstfilewriter_put(w, data_of(key), key.len, (const char *)value.data, value.len,
                                  message);
    }
}

/* The changes below the limit, from *i on. */
static char *put_changes(rocksdb_sstfilewriter_t *w, const struct kv_change *changes, size_t count,
                         const struct bytes *limit, size_t *i)
{
    char *message = NULL;

    for (; *i < count && message == NULL; ++*i) {
        const struct kv_change *c = &changes[*i];

        for (size_t n = 0; n < LINES && *i + AHEAD < count; n++) {
            __builtin_prefetch(c[AHEAD].key.data + n * LINE);
        }
        if (limit != NULL && bytes_compare(c->key, *limit) >= 0) {
            break;
        }
        put(w, c->key, c->value, &message);
    }
    return message;
}

/* In the order of keys, the state is one of them. */
static char *put_all(rocksdb_sstfilewriter_t *w, const struct kv_change *changes, size_t count,
                     struct bytes state)
{
    size_t i = 0;
    char *message = put_changes(w, changes, count, &kv_state_key, &i);

    if (message == NULL) {
        put(w, kv_state_key, state, &message);
    }
    if (i < count && !kv_key_allowed(changes[i].key)) {
        i++;
    }
    return message != NULL ? message : put_changes(w, changes, count, NULL, &i);
}

static char *make_table(struct kv_env *env, const char *path, const struct kv_change *changes,
                        size_t count, struct bytes state)
{
    rocksdb_sstfilewriter_t *w =
        rocksdb_sstfilewriter_create(env->file_options, env->table_options);
    char *message = NULL;

    rocksdb_sstfilewriter_open(w, path, &message);
    if (message == NULL) {
        message = put_all(w, changes, count, state);
    }
    if (message == NULL) {
        rocksdb_sstfilewriter_finish(w, &message);
    }
    rocksdb_sstfilewriter_destroy(w);
    return message;
}

static enum errcode copy(struct file *from, const char *path, struct error *e)
{
    OWNED(file_unrefp) struct file *to = NULL;
    OWNED(mem_freep) uint8_t *buffer = mem_alloc(COPY_BYTES);
    uint64_t size = 0;

    TRY(file_size(from, &size, e));
    TRY(path_remove(path, e)); /* not what a database may have taken it over as */
    TRY(file_open(path, FILE_CREATE_NEW, &to, e));
    for (uint64_t done = 0; done < size;) {
        size_t len = size - done < COPY_BYTES ? (size_t)(size - done) : COPY_BYTES;

        TRY(file_read_at(from, done, buffer, len, e));
        TRY(file_write_at(to, done, bytes_of(buffer, len), e));
        done += len;
    }
    return ERR_OK;
}

enum errcode table_file_write(struct kv_env *env, const char *path, const struct kv_change *changes,
                              size_t count, struct bytes state, struct error *e)
{
    OWNED(file_unrefp) struct file *table = NULL;
    struct error why;
    struct error ignored;
    enum errcode code = file_open_memory("table file", &table, &why);

    if (code == ERR_OK) {
        TRY(rocks_check(make_table(env, table->path, changes, count, state), "make", path, e));
        code = copy(table, path, &why);
    }
    if (code == ERR_OK) {
        return ERR_OK;
    }
    IGNORE(path_remove(path, &ignored) != ERR_OK);
    return error_set(e, code == ERR_DISK_FULL ? code : ERR_KV_STORAGE, "%s", why.message);
}
