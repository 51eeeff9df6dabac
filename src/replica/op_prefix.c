/* Lookups by prefix: what is in memory is taken at once, all other lists are read in one go.
 *
 *   run ──> answered                         everything in memory: inside the call
 *   run ──> reading (pool) ──> answered      some lists are not
 *   run ──> settling ──> reading (pool) ──> answered
 *
 * Settling is for prefixes that are no encoded bucket key, such as the beginning of an aligned row.
 * Nothing in memory is found by them, so what is shown goes into the store first. */
#include "kv_ops.h"
#include "kv_tablet.h"

#include "base/hash.h"

/* A list to read. */
struct missing {
    struct kv_prefix list;
    size_t place;    /* in the answer */
    bool bucket_key; /* what is in memory belongs to it, too */
};

struct prefix_lookup {
    struct prefix_op *op;
    struct bucket *bucket;
    uint64_t *hashes; /* of the prefixes */
    struct missing *missing;
    size_t missing_count;
    bool settle;
    struct kv_settled settled;
    struct arena own;
    struct pool_job job;
};

static enum errcode answer_full(struct error *e)
{
    return error_set(e, ERR_INVALID_ARGUMENT, "the rows have more than %zu bytes, ask for fewer",
                     KV_ANSWER_BYTES_MAX);
}

/* A copy of the values, which are borrowed or in the lookup's own arena. */
static struct row_list copy_list(const struct kv_items *items, struct arena *arena)
{
    struct row_list list = {.count = items->count};
    size_t size = 0;
    uint8_t *copy;

    for (size_t i = 0; i < items->count; i++) {
        size += items->items[i].value.len;
    }
    list.values = arena_alloc(arena, items->count * sizeof *list.values + size);
    copy = (uint8_t *)(list.values + items->count);
    for (size_t i = 0; i < list.count; i++) {
        struct bytes value = items->items[i].value;

        memcpy(copy, value.data, value.len);
        list.values[i] = bytes_of(copy, value.len);
        copy += value.len;
    }
    return list;
}

static void prefix_end(struct prefix_lookup *l, enum errcode code)
{
    arena_fini(&l->own);
    l->op->at.end = l->bucket->high_watermark;
    bucket_op_end(&l->op->op, code, &l->op->op.error);
}

/* ---- from the store ---- */

static void read_work(struct pool_job *job)
{
    struct prefix_lookup *l = container_of(job, struct prefix_lookup, job);
    struct bucket_op *op = &l->op->op;
    size_t left = KV_ANSWER_BYTES_MAX;

    op->code = ERR_OK;
    for (size_t i = 0; i < l->missing_count && op->code == ERR_OK; i++) {
        struct kv_prefix *list = &l->missing[i].list;

        list->bytes_max = left;
        op->code = kv_prefix_run(l->bucket->kv->store, list, &op->error);
        left -= op->code == ERR_OK ? list->items.bytes : 0;
    }
    if (op->code == ERR_RECORD_TOO_LARGE) {
        op->code = answer_full(&op->error);
    }
}

static void read_done(struct message *m)
{
    struct prefix_lookup *l = container_of(m, struct prefix_lookup, job.done);
    struct bucket_op *op = &l->op->op;
    struct bucket *b = l->bucket;

    if (b->state == BUCKET_GONE) {
        prefix_end(l, error_set(&op->error, ERR_UNKNOWN_TABLE_OR_BUCKET,
                                "the table or partition was dropped"));
    } else {
        for (size_t i = 0; i < l->missing_count && op->code == ERR_OK; i++) {
            struct missing *read = &l->missing[i];

            if (read->bucket_key) {
                kv_prefix_end(b->kv->rows, &read->list);
            }
            l->op->lists[read->place] = copy_list(&read->list.items, l->op->arena);
        }
        prefix_end(l, op->code);
    }
    bucket_job_end(b);
}

static void read_submit(struct prefix_lookup *l)
{
    struct replica_set *set = l->bucket->set;

    l->job = (struct pool_job){.work = read_work, .home = set->shard, .done.run = read_done};
    pool_submit(set->config.read_pool, &l->job);
}

static void read_settled(struct kv_settled *w)
{
    struct prefix_lookup *l = w->context;
    struct bucket *b = l->bucket;

    if (w->code == ERR_OK) {
        read_submit(l);
        return;
    }
    l->op->op.error = w->error;
    prefix_end(l, w->code);
    bucket_job_end(b);
}

static void read_start(struct prefix_lookup *l)
{
    bucket_job_begin(l->bucket);
    if (l->settle) {
        l->settled.done = read_settled;
        l->settled.context = l;
        kv_tablet_settle(l->bucket->kv, &l->settled);
    } else {
        read_submit(l);
    }
}

/* ---- from memory ---- */

static void note_missing(struct prefix_lookup *l, const struct missing *one)
{
    if (l->missing_count == 0) {
        l->missing = arena_alloc(&l->own, (l->op->count - one->place) * sizeof *l->missing);
    }
    l->settle = l->settle || !one->bucket_key;
    l->missing[l->missing_count++] = *one;
}

static bool is_bucket_key(const struct kv_tablet *t, struct bytes prefix)
{
    return t->prefix.count > 0 && key_prefix_size(&t->prefix, prefix) == prefix.len;
}

static enum errcode find_list(struct prefix_lookup *l, size_t i, struct error *e)
{
    struct prefix_op *op = l->op;
    struct kv_tablet *t = l->bucket->kv;
    struct missing one = {
        .list = {.prefix = op->prefixes[i], .hash = l->hashes[i], .arena = &l->own}, .place = i};

    if (op->prefixes[i].len == 0) {
        return error_set(e, ERR_INVALID_ARGUMENT, "prefix %zu is empty", i);
    }
    if (op->arena->total + l->own.total > KV_ANSWER_BYTES_MAX) {
        return answer_full(e);
    }
    one.bucket_key = is_bucket_key(t, op->prefixes[i]);
    if (one.bucket_key && kv_prefix_begin(t->rows, &one.list)) {
        op->lists[i] = copy_list(&one.list.items, op->arena);
    } else {
        note_missing(l, &one);
    }
    return ERR_OK;
}

static uint64_t *hash_all(const struct prefix_op *op, struct arena *arena)
{
    uint64_t *hashes = arena_alloc(arena, op->count * sizeof *hashes);

    for (size_t i = 0; i < op->count; i++) {
        hashes[i] = hash_bytes(op->prefixes[i]);
    }
    return hashes;
}

static void prefix_run(struct bucket_op *bucket_op, struct bucket *b)
{
    struct prefix_op *op = container_of(bucket_op, struct prefix_op, op);
    struct prefix_lookup *l;
    enum errcode code = ERR_OK;

    if (kv_tablet_for(bucket_op, b) == NULL) {
        return;
    }
    l = arena_new(op->arena, struct prefix_lookup);
    l->op = op;
    l->bucket = b;
    l->hashes = hash_all(op, &l->own);
    op->at.begin = b->high_watermark;
    op->lists = arena_alloc(op->arena, op->count * sizeof *op->lists);
    for (size_t i = 0; i < op->count && code == ERR_OK; i++) {
        kv_prefix_prefetch(b->kv->rows, l->hashes, op->count, i);
        code = find_list(l, i, &bucket_op->error);
    }
    if (code == ERR_OK && l->missing_count > 0) {
        read_start(l);
    } else {
        prefix_end(l, code);
    }
}

void replica_prefix(struct replica_set *set, struct prefix_op *op)
{
    op->op.run = prefix_run;
    bucket_submit(set, &op->op);
}
