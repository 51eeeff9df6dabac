/* Leases of snapshots: all of them in memory, each a node in the store (catalog.h).
 *
 * A lease is changed by making its next contents, storing them, and only then putting them in force.
 * Leases that have ended, and what they hold of tables and partitions that are gone, are taken away
 * by leases_sweep: at a start, after drops, and every check interval.
 */
#include "catalog.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/diag.h"

#define LEASES_MAX 10000

struct lease {
    struct list link; /* in meta->leases */
    char *id;
    struct znode_lease held; /* items on the heap */
};

/* ---- one lease ---- */

static void lease_free(struct lease *l)
{
    list_remove(&l->link);
    free(l->held.items);
    free(l->id);
    free(l);
}

static struct lease *lease_new(struct meta *m, const char *id)
{
    struct lease *l = mem_new(struct lease);

    l->id = mem_strdup(id);
    list_init(&l->link);
    list_push_back(&m->leases, &l->link);
    m->lease_count++;
    return l;
}

static void lease_remove(struct meta *m, struct lease *l)
{
    lease_free(l);
    m->lease_count--;
}

static struct lease *lease_find(struct meta *m, const char *id)
{
    LIST_FOR_EACH(link, &m->leases)
    {
        struct lease *l = container_of(link, struct lease, link);

        if (strcmp(l->id, id) == 0) {
            return l;
        }
    }
    return NULL;
}

static int compare_leased(const void *a, const void *b)
{
    const struct znode_leased *left = a;
    const struct znode_leased *right = b;

    if (left->table_id != right->table_id) {
        return left->table_id < right->table_id ? -1 : 1;
    }
    if (left->partition_id != right->partition_id) {
        return left->partition_id < right->partition_id ? -1 : 1;
    }
    return left->bucket < right->bucket ? -1 : left->bucket > right->bucket;
}

static struct znode_leased *held_find(const struct znode_lease *held,
                                      const struct meta_bucket_id *id)
{
    struct znode_leased key = {
        .table_id = id->table_id, .partition_id = id->partition_id, .bucket = id->bucket};

    return held->count == 0 ? NULL
                            : bsearch(&key, held->items, held->count, sizeof key, compare_leased);
}

bool lease_holds(const struct meta *m, const struct meta_bucket_id *id, int64_t snapshot_id)
{
    LIST_FOR_EACH(link, &m->leases)
    {
        const struct lease *l = container_of(link, struct lease, link);
        const struct znode_leased *leased = held_find(&l->held, id);

        if (leased != NULL && leased->snapshot_id == snapshot_id) {
            return true;
        }
    }
    return false;
}

/* The next contents of a lease come into force; the items are copied. */
static void lease_set(struct lease *l, const struct znode_lease *next)
{
    struct znode_leased *items = mem_alloc((next->count + 1) * sizeof *items);

    if (next->count > 0) {
        memcpy(items, next->items, next->count * sizeof *items);
    }
    free(l->held.items);
    l->held =
        (struct znode_lease){.expires_ms = next->expires_ms, .items = items, .count = next->count};
}

/* ---- jobs ---- */

/* A lease id becomes the name of a node. */
static enum errcode id_take(struct bytes from, struct arena *arena, const char **ret,
                            struct error *e)
{
    TRY(text_take(from, "the lease id", ERR_INVALID_ARGUMENT, arena, ret, e));
    if (from.len == 0 || from.len > STORE_NAME_MAX || memchr(from.data, '/', from.len) != NULL ||
        strcmp(*ret, ".") == 0 || strcmp(*ret, "..") == 0) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "the lease id \"%.80s\" is no name: 1 to %d bytes without '/'", *ret,
                         STORE_NAME_MAX);
    }
    return ERR_OK;
}

struct ordered {
    struct znode_leased leased;
    size_t order;
};

static int compare_ordered(const void *a, const void *b)
{
    const struct ordered *left = a;
    const struct ordered *right = b;
    int found = compare_leased(&left->leased, &right->leased);

    return found != 0 ? found : left->order < right->order ? -1 : left->order > right->order;
}

/* Sorts by bucket; of several of one bucket the last one given stays. */
static void held_normalize(struct znode_lease *held, struct arena *arena)
{
    struct ordered *ordered = arena_array(arena, held->count + 1, sizeof *ordered);
    size_t kept = 0;

    for (size_t i = 0; i < held->count; i++) {
        ordered[i] = (struct ordered){.leased = held->items[i], .order = i};
    }
    qsort(ordered, held->count, sizeof *ordered, compare_ordered);
    for (size_t i = 0; i < held->count; i++) {
        if (kept > 0 && compare_leased(&held->items[kept - 1], &ordered[i].leased) == 0) {
            kept--;
        }
        held->items[kept++] = ordered[i].leased;
    }
    held->count = kept;
}

/* What a lease has after an acquisition: what it had, then what exists of what is asked for. */
static enum errcode held_extend(struct meta *m, const struct lease *l,
                                struct meta_acquire_lease *job, struct arena *arena,
                                struct znode_lease *ret, struct error *e)
{
    size_t had = l == NULL ? 0 : l->held.count;

    ret->items = arena_array(arena, had + job->count + 1, sizeof *ret->items);
    ret->count = had;
    if (had > 0) {
        memcpy(ret->items, l->held.items, had * sizeof *ret->items);
    }
    for (size_t i = 0; i < job->count; i++) {
        struct meta_leased *asked = &job->snapshots[i];
        bool exists = false;

        TRY(snapshot_exists(m, &asked->bucket, asked->snapshot_id, &exists, e));
        asked->unavailable = !exists;
        if (exists) {
            ret->items[ret->count++] =
                (struct znode_leased){.table_id = asked->bucket.table_id,
                                      .partition_id = asked->bucket.partition_id,
                                      .bucket = asked->bucket.bucket,
                                      .snapshot_id = asked->snapshot_id};
        }
    }
    held_normalize(ret, arena);
    return ERR_OK;
}

static enum errcode lease_store(struct meta *m, const char *id, bool exists,
                                const struct znode_lease *next, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *path = znode_lease_path(&arena, id);
    struct store_batch batch;

    store_batch_init(&batch, &arena);
    if (exists) {
        store_batch_set(&batch, path, znode_lease_encode(next, &arena));
    } else {
        store_batch_create(&batch, path, znode_lease_encode(next, &arena));
    }
    return store_batch_commit(m->store, &batch, e);
}

enum errcode lease_acquire(struct meta *m, struct meta_acquire_lease *job, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct znode_lease next = {0};
    struct lease *l;
    const char *id;

    TRY(id_take(job->lease_id, &arena, &id, e));
    if (job->duration_ms < 0) {
        return error_set(e, ERR_INVALID_ARGUMENT, "a lease of %" PRId64 " ms", job->duration_ms);
    }
    l = lease_find(m, id);
    TRY(held_extend(m, l, job, &arena, &next, e));
    if (__builtin_add_overflow(m->now_ms, job->duration_ms, &next.expires_ms)) {
        next.expires_ms = INT64_MAX;
    }
    if (l == NULL && next.count == 0) {
        return ERR_OK; /* nothing to hold */
    }
    if (l == NULL && m->lease_count >= LEASES_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "there are %d leases already", LEASES_MAX);
    }
    TRY(lease_store(m, id, l != NULL, &next, e));
    lease_set(l != NULL ? l : lease_new(m, id), &next);
    return ERR_OK;
}

static enum errcode lease_end(struct meta *m, struct lease *l, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct store_batch batch;

    store_batch_init(&batch, &arena);
    store_batch_delete_tree(&batch, znode_lease_path(&arena, l->id));
    TRY(store_batch_commit(m->store, &batch, e));
    lease_remove(m, l);
    return ERR_OK;
}

/* Without the buckets of the job. */
static void held_reduce(const struct lease *l, const struct meta_release_lease *job,
                        struct arena *arena, struct znode_lease *ret)
{
    bool *released = arena_zalloc(arena, l->held.count + 1);

    for (size_t i = 0; i < job->count; i++) {
        const struct znode_leased *leased = held_find(&l->held, &job->buckets[i]);

        if (leased != NULL) {
            released[leased - l->held.items] = true;
        }
    }
    ret->items = arena_array(arena, l->held.count + 1, sizeof *ret->items);
    ret->count = 0;
    ret->expires_ms = l->held.expires_ms;
    for (size_t i = 0; i < l->held.count; i++) {
        if (!released[i]) {
            ret->items[ret->count++] = l->held.items[i];
        }
    }
}

enum errcode lease_release(struct meta *m, const struct meta_release_lease *job, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct znode_lease next;
    struct lease *l;
    const char *id;

    TRY(id_take(job->lease_id, &arena, &id, e));
    l = lease_find(m, id);
    if (l == NULL) {
        return ERR_OK;
    }
    held_reduce(l, job, &arena, &next);
    if (next.count == 0) {
        return lease_end(m, l, e);
    }
    TRY(lease_store(m, id, true, &next, e));
    lease_set(l, &next);
    return ERR_OK;
}

enum errcode lease_drop(struct meta *m, const struct meta_drop_lease *job, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct lease *l;
    const char *id;

    TRY(id_take(job->lease_id, &arena, &id, e));
    l = lease_find(m, id);
    return l == NULL ? ERR_OK : lease_end(m, l, e);
}

/* ---- all leases ---- */

enum errcode leases_load(struct meta *m, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct store_names names = {0};

    TRY(store_children(m->store, ZNODE_LEASES, &arena, &names, e));
    for (size_t i = 0; i < names.count; i++) {
        const char *path = znode_lease_path(&arena, names.names[i]);
        struct znode_lease held = {0};
        struct store_node node = {0};
        bool exists = false;

        TRY(store_get(m->store, path, &arena, &node, &exists, e));
        TRY(znode_lease_decode(node.data, path, &arena, &held, e));
        held_normalize(&held, &arena);
        lease_set(lease_new(m, names.names[i]), &held);
    }
    return ERR_OK;
}

void leases_free(struct meta *m)
{
    struct list *link;

    while ((link = list_pop_front(&m->leases)) != NULL) {
        lease_free(container_of(link, struct lease, link));
    }
}

/* What is left of a lease: nothing when it has ended. */
static struct znode_lease held_left(const struct meta *m, const struct lease *l,
                                    struct arena *arena)
{
    struct znode_lease left = {.expires_ms = l->held.expires_ms};

    if (l->held.expires_ms <= m->now_ms) {
        return left;
    }
    left.items = arena_array(arena, l->held.count + 1, sizeof *left.items);
    for (size_t i = 0; i < l->held.count; i++) {
        const struct znode_leased *leased = &l->held.items[i];
        struct meta_bucket_id id = {.table_id = leased->table_id,
                                    .partition_id = leased->partition_id,
                                    .bucket = leased->bucket};

        if (bucket_known(m->view, &id)) {
            left.items[left.count++] = *leased;
        }
    }
    return left;
}

static enum errcode sweep_one(struct meta *m, struct lease *l, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct znode_lease left = held_left(m, l, &arena);

    if (left.count == 0) {
        diag_info("meta", "lease %s of snapshots has ended", l->id);
        return lease_end(m, l, e);
    }
    if (left.count == l->held.count) {
        return ERR_OK;
    }
    TRY(lease_store(m, l->id, true, &left, e));
    lease_set(l, &left);
    return ERR_OK;
}

void leases_sweep(struct meta *m)
{
    LIST_FOR_EACH(link, &m->leases)
    {
        struct lease *l = container_of(link, struct lease, link);
        struct error e;

        if (sweep_one(m, l, &e) != ERR_OK) {
            diag_warn("meta", "lease %s of snapshots: %s", l->id, e.message);
            return;
        }
    }
}
