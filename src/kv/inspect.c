#include "inspect.h"

#include "engine.h"
#include "rocks.h"

#include <stdlib.h>

struct kv_inspect {
    rocksdb_t *db;
    rocksdb_readoptions_t *options;
    char *dir;
    struct kv_state state;
};

void kv_inspect_close(struct kv_inspect *i)
{
    if (i == NULL) {
        return;
    }
    rocksdb_readoptions_destroy(i->options);
    if (i->db != NULL) {
        rocksdb_close(i->db);
    }
    free(i->dir);
    free(i);
}

void kv_inspect_closep(struct kv_inspect **i) { kv_inspect_close(*i); }

static enum errcode read_state(struct kv_inspect *i, struct error *e)
{
    OWNED(mem_freep) char *value = NULL;
    char *message = NULL;
    uint64_t lineage;
    size_t len = 0;

    value = rocksdb_get(i->db, i->options, (const char *)kv_state_key.data, kv_state_key.len, &len,
                        &message);
    TRY(rocks_check(message, "state of", i->dir, e));
    if (value == NULL) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: rows without an offset", i->dir);
    }
    return kv_state_decode(bytes_of(value, len), &i->state, &lineage, e);
}

enum errcode kv_inspect_open(struct kv_env *env, const char *dir, struct kv_inspect **ret,
                             struct error *e)
{
    OWNED(kv_inspect_closep) struct kv_inspect *i = mem_new(struct kv_inspect);
    char *message = NULL;

    i->dir = mem_strdup(dir);
    i->options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(i->options, 1);
    rocksdb_readoptions_set_fill_cache(i->options, 0);
    rocksdb_readoptions_set_readahead_size(i->options, (size_t)1 << 20);
    i->db = rocksdb_open_for_read_only(env->options, dir, 0, &message);
    TRY(rocks_check(message, "open", dir, e));
    TRY(read_state(i, e));
    *ret = TAKE(i);
    return ERR_OK;
}

struct kv_state kv_inspect_state(const struct kv_inspect *i) { return i->state; }

enum errcode kv_inspect_visit(struct kv_inspect *i, kv_visit_fn visit, void *context,
                              struct error *e)
{
    rocksdb_iterator_t *it = rocksdb_create_iterator(i->db, i->options);
    char *message = NULL;

    for (rocksdb_iter_seek_to_first(it); rocksdb_iter_valid(it) != 0; rocksdb_iter_next(it)) {
        size_t key_len = 0;
        size_t value_len = 0;
        const char *key = rocksdb_iter_key(it, &key_len);
        const char *value = rocksdb_iter_value(it, &value_len);

        if (!bytes_equal(bytes_of(key, key_len), kv_state_key)) {
            (void)visit(context, bytes_of(key, key_len), bytes_of(value, value_len));
        }
    }
    rocksdb_iter_get_error(it, &message);
    rocksdb_iter_destroy(it);
    return rocks_check(message, "rows of", i->dir, e);
}
