/* Lookups by prefix: what is in memory is taken at once, all other lists are read in one go.
 *
 *   run ──> answered                         everything in memory: inside the call
 *   run ──> reading (pool) ──> answered      some lists are not
 */
#include "kv_ops.h"
#include "kv_tablet.h"

struct prefix_lookup {
    struct prefix_op *op;
    struct bucket *bucket;
    struct kv_prefix *missing; /* lists to read */
    size_t *places;            /* of these in the answer */
    size_t missing_count;
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
        l->missing[i].bytes_max = left;
        op->code = kv_prefix_run(l->bucket->kv->store, &l->missing[i], &op->error);
        left -= op->code == ERR_OK ? l->missing[i].items.bytes : 0;
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
            struct kv_prefix *read = &l->missing[i];

            kv_prefix_end(b->kv->rows, read);
            l->op->lists[l->places[i]] = copy_list(&read->items, l->op->arena);
        }
        prefix_end(l, op->code);
    }
    bucket_job_end(b);
}

static void read_start(struct prefix_lookup *l)
{
    struct bucket *b = l->bucket;

    l->job = (struct pool_job){.work = read_work, .home = b->set->shard, .done.run = read_done};
    bucket_job_begin(b);
    pool_submit(b->set->config.disk, &l->job);
}

/* ---- from memory ---- */

static void note_missing(struct prefix_lookup *l, const struct kv_prefix *one, size_t place)
{
    if (l->missing_count == 0) {
        size_t left = l->op->count - place;

        l->missing = arena_alloc(&l->own, left * sizeof *l->missing);
        l->places = arena_alloc(&l->own, left * sizeof *l->places);
    }
    l->missing[l->missing_count] = *one;
    l->places[l->missing_count++] = place;
}

static enum errcode find_list(struct prefix_lookup *l, size_t i, struct error *e)
{
    struct prefix_op *op = l->op;
    struct kv_prefix one = {.prefix = op->prefixes[i], .arena = &l->own};

    if (one.prefix.len == 0 ||
        key_prefix_size(&l->bucket->kv->prefix, one.prefix) != one.prefix.len) {
        return error_set(e, ERR_INVALID_ARGUMENT, "prefix %zu is no encoded bucket key", i);
    }
    if (op->arena->total + l->own.total > KV_ANSWER_BYTES_MAX) {
        return answer_full(e);
    }
    if (kv_prefix_begin(l->bucket->kv->rows, &one)) {
        op->lists[i] = copy_list(&one.items, op->arena);
    } else {
        note_missing(l, &one, i);
    }
    return ERR_OK;
}

static void prefix_run(struct bucket_op *bucket_op, struct bucket *b)
{
    struct prefix_op *op = container_of(bucket_op, struct prefix_op, op);
    struct prefix_lookup *l;
    enum errcode code = ERR_OK;

    if (kv_tablet_for(bucket_op, b) == NULL) {
        return;
    }
    if (b->kv->prefix.count == 0) {
        bucket_op_fail(bucket_op, ERR_INVALID_ARGUMENT,
                       "the bucket key of table %s.%s is no prefix of its primary key",
                       b->kv->meta->database, b->kv->meta->name);
        return;
    }
    l = arena_new(op->arena, struct prefix_lookup);
    l->op = op;
    l->bucket = b;
    op->lists = arena_alloc(op->arena, op->count * sizeof *op->lists);
    for (size_t i = 0; i < op->count && code == ERR_OK; i++) {
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
