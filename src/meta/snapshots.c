/* Which snapshots of a bucket's state exist in remote storage: a node each, below the assignment of
 * the bucket, so that they go when the bucket is dropped (catalog.h). */
#include "catalog.h"

#include <inttypes.h>
#include <stdlib.h>

bool bucket_known(const struct meta_view *view, const struct meta_bucket_id *id)
{
    const struct meta_table *t = meta_view_table_by_id(view, id->table_id);
    const struct meta_partition *p;
    int32_t count;

    if (t == NULL || meta_table_partitioned(t) != (id->partition_id >= 0)) {
        return false;
    }
    p = meta_table_partitioned(t) ? meta_table_partition_by_id(t, id->partition_id) : NULL;
    count = !meta_table_partitioned(t) ? t->buckets.count : p == NULL ? 0 : p->buckets.count;
    return id->bucket >= 0 && id->bucket < count;
}

static enum errcode unknown(const struct meta_bucket_id *id, struct error *e)
{
    return error_set(e, ERR_UNKNOWN_TABLE_OR_BUCKET,
                     "table %" PRId64 " partition %" PRId64 " has no bucket %" PRId32, id->table_id,
                     id->partition_id, id->bucket);
}

static int compare_ids(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return *left < *right ? -1 : *left > *right;
}

/* The ids of a bucket's snapshots, ascending, with room for one more. */
static enum errcode read_ids(struct meta *m, const struct meta_bucket_id *id, struct arena *arena,
                             int64_t **ret, size_t *ret_count, struct error *e)
{
    const char *folder = znode_snapshots_path(arena, id->table_id, id->partition_id, id->bucket);
    struct store_names names = {0};
    int64_t *ids;

    TRY(store_children(m->store, folder, arena, &names, e));
    ids = arena_array(arena, names.count + 1, sizeof *ids);
    for (size_t i = 0; i < names.count; i++) {
        ids[i] = strtoll(names.names[i], NULL, 10);
    }
    qsort(ids, names.count, sizeof *ids, compare_ids);
    *ret = ids;
    *ret_count = names.count;
    return ERR_OK;
}

static char *snapshot_path(const struct meta_bucket_id *id, int64_t snapshot_id,
                           struct arena *arena)
{
    return arena_printf(arena, "%s/%" PRId64,
                        znode_snapshots_path(arena, id->table_id, id->partition_id, id->bucket),
                        snapshot_id);
}

enum errcode snapshot_exists(struct meta *m, const struct meta_bucket_id *id, int64_t snapshot_id,
                             bool *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    *ret = false;
    return snapshot_id < 0 || !bucket_known(m->view, id)
               ? ERR_OK
               : store_exists(m->store, snapshot_path(id, snapshot_id, &arena), ret, e);
}

static enum errcode read_snapshot(struct meta *m, const struct meta_bucket_id *id,
                                  int64_t snapshot_id, struct arena *arena,
                                  struct znode_snapshot *ret, struct error *e)
{
    const char *path = snapshot_path(id, snapshot_id, arena);
    struct store_node node = {0};
    bool exists = false;

    TRY(store_get(m->store, path, arena, &node, &exists, e));
    return znode_snapshot_decode(node.data, path, arena, ret, e);
}

/* ---- adding ---- */

static char *counter_path(const struct meta_bucket_id *id, struct arena *arena)
{
    return znode_snapshot_counter_path(arena, id->table_id, id->partition_id, id->bucket);
}

/* The id that the next snapshot of a bucket gets, whatever has become of those before. */
static enum errcode read_next_id(struct meta *m, const struct meta_bucket_id *id, int64_t *ret,
                                 struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *path = counter_path(id, &arena);
    struct store_node node = {0};
    bool exists = false;

    *ret = 0;
    TRY(store_get(m->store, path, &arena, &node, &exists, e));
    return exists ? znode_counter_decode(node.data, path, ret, e) : ERR_OK;
}

static enum errcode check_newest(struct meta *m, const struct meta_add_snapshot *job,
                                 const int64_t *ids, size_t count, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct znode_snapshot newest = {.id = -1, .log_offset = 0};
    int64_t next_id;

    TRY(read_next_id(m, &job->bucket, &next_id, e));
    if (count > 0) {
        TRY(read_snapshot(m, &job->bucket, ids[count - 1], &arena, &newest, e));
    }
    if (job->snapshot_id < next_id || job->snapshot_id <= newest.id ||
        job->log_offset < newest.log_offset) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "snapshot %" PRId64 " at offset %" PRId64 " does not follow snapshot "
                         "%" PRId64 " at offset %" PRId64 "; the next id is %" PRId64,
                         job->snapshot_id, job->log_offset, newest.id, newest.log_offset, next_id);
    }
    return ERR_OK;
}

static enum errcode batch_counter(struct meta *m, const struct meta_add_snapshot *job,
                                  struct store_batch *batch, struct error *e)
{
    char *path = counter_path(&job->bucket, batch->arena);
    struct bytes next = znode_counter_encode(job->snapshot_id + 1, batch->arena);
    bool exists = false;

    TRY(store_exists(m->store, path, &exists, e));
    if (exists) {
        store_batch_set(batch, path, next);
    } else {
        store_batch_create(batch, path, next);
    }
    return ERR_OK;
}

/* Takes away what is neither among the newest nor leased; those kept move to the front. */
static size_t batch_retire(struct meta *m, const struct meta_bucket_id *id, int64_t *ids,
                           size_t count, struct store_batch *batch)
{
    size_t retained = m->options.snapshots_retained > 1 ? (size_t)m->options.snapshots_retained : 1;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (count - i <= retained || lease_holds(m, id, ids[i])) {
            ids[kept++] = ids[i];
        } else {
            store_batch_delete_tree(batch, snapshot_path(id, ids[i], batch->arena));
        }
    }
    return kept;
}

enum errcode snapshot_add(struct meta *m, struct meta_add_snapshot *job, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct znode_snapshot s = {
        .id = job->snapshot_id, .log_offset = job->log_offset, .metadata_path = job->metadata_path};
    struct store_batch batch;
    int64_t *ids = NULL;
    size_t count = 0;

    if (!bucket_known(m->view, &job->bucket)) {
        return unknown(&job->bucket, e);
    }
    store_batch_init(&batch, &arena);
    TRY(read_ids(m, &job->bucket, job->arena, &ids, &count, e));
    TRY(check_newest(m, job, ids, count, e));
    store_batch_create(&batch, snapshot_path(&job->bucket, s.id, &arena),
                       znode_snapshot_encode(&s, &arena));
    TRY(batch_counter(m, job, &batch, e));
    ids[count++] = s.id;
    count = batch_retire(m, &job->bucket, ids, count, &batch);
    TRY(store_batch_commit(m->store, &batch, e));
    job->kept = ids;
    job->kept_count = count;
    return ERR_OK;
}

enum errcode snapshots_retire(struct meta *m, struct meta_add_snapshot *job, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct store_batch batch;
    int64_t *ids = NULL;
    size_t count = 0;
    size_t kept;

    if (!bucket_known(m->view, &job->bucket)) {
        return unknown(&job->bucket, e);
    }
    store_batch_init(&batch, &arena);
    TRY(read_ids(m, &job->bucket, job->arena, &ids, &count, e));
    kept = batch_retire(m, &job->bucket, ids, count, &batch);
    if (kept < count) {
        TRY(store_batch_commit(m->store, &batch, e));
    }
    job->kept = ids;
    job->kept_count = kept;
    return ERR_OK;
}

/* ---- giving up ---- */

enum errcode snapshots_disown(struct meta *m, const struct meta_add_snapshot *job, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct store_batch batch;
    int64_t *ids = NULL;
    size_t count = 0;
    size_t gone = 0;

    if (!bucket_known(m->view, &job->bucket)) {
        return unknown(&job->bucket, e);
    }
    store_batch_init(&batch, &arena);
    TRY(read_ids(m, &job->bucket, &arena, &ids, &count, e));
    for (size_t i = 0; i < count; i++) {
        struct znode_snapshot s = {0};

        TRY(read_snapshot(m, &job->bucket, ids[i], &arena, &s, e));
        if (s.log_offset > job->log_offset) {
            store_batch_delete_tree(&batch, snapshot_path(&job->bucket, s.id, &arena));
            gone++;
        }
    }
    return gone == 0 ? ERR_OK : store_batch_commit(m->store, &batch, e);
}

/* ---- listing ---- */

struct found {
    struct meta_snapshot *items;
    size_t count;
    size_t cap;
};

static struct meta_snapshot *found_add(struct found *f, struct arena *arena)
{
    if (f->count == f->cap) {
        size_t cap = f->cap == 0 ? 16 : f->cap * 2;
        struct meta_snapshot *items = arena_array(arena, cap, sizeof *items);

        if (f->count > 0) {
            memcpy(items, f->items, f->count * sizeof *items);
        }
        f->items = items;
        f->cap = cap;
    }
    return &f->items[f->count++];
}

static enum errcode list_bucket(struct meta *m, const struct meta_bucket_id *id,
                                struct arena *arena, struct found *f, struct error *e)
{
    int64_t *ids = NULL;
    size_t count = 0;

    TRY(read_ids(m, id, arena, &ids, &count, e));
    for (size_t i = 0; i < count; i++) {
        struct znode_snapshot s = {0};

        TRY(read_snapshot(m, id, ids[i], arena, &s, e));
        *found_add(f, arena) = (struct meta_snapshot){.bucket = id->bucket,
                                                      .id = s.id,
                                                      .log_offset = s.log_offset,
                                                      .metadata_path = s.metadata_path};
    }
    return ERR_OK;
}

enum errcode snapshots_list(struct meta *m, struct meta_list_snapshots *job, struct error *e)
{
    struct meta_bucket_id id = {.table_id = job->table_id,
                                .partition_id = job->partition_id,
                                .bucket = job->bucket < 0 ? 0 : job->bucket};
    struct found f = {0};

    if (!bucket_known(m->view, &id)) {
        return unknown(&id, e);
    }
    if (job->bucket >= 0) {
        TRY(read_next_id(m, &id, &job->next_id, e));
    }
    do {
        TRY(list_bucket(m, &id, job->arena, &f, e));
        id.bucket++;
    } while (job->bucket < 0 && bucket_known(m->view, &id));
    job->snapshots = f.items;
    job->count = f.count;
    return ERR_OK;
}
