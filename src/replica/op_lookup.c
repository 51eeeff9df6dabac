/* Lookup: slice by slice, from memory or in the pool; then, if asked to, rows for missing keys.
 *
 *   run ──> slices ──> answered                    everything in memory: inside the call
 *           slices ──> reading (pool) ──> slices   some keys of a slice are not in memory
 *           slices ──> putting ──> slices          keys without a row get one; all are read again
 *           slices ──> slices                      in a later turn: there are very many keys
 *
 * Slices bound by how much the answer may exceed its limit before that is noticed. */
#include "insert_rows.h"

#include "base/hash.h"
#include "base/mutant.h"

#define SLICE_KEYS ((size_t)256)
#define TURN_KEYS  ((size_t)16384) /* looked up in one turn: a few milliseconds */

struct lookup {
    struct lookup_op *op;
    struct bucket *bucket;
    struct kv_key *keys; /* of the slice under way */
    size_t from;         /* its first key */
    struct kv_lookup found;
    struct arena own; /* of reading */
    struct pool_job job;
    struct put_op *put; /* NULL: nothing was put */
};

static void lookup_slices(struct lookup *l);

static void lookup_end(struct lookup *l, enum errcode code)
{
    arena_fini(&l->own);
    bucket_op_end(&l->op->op, code, &l->op->op.error);
}

/* false: the bucket is gone, and the lookup over. */
static bool still_there(struct lookup *l)
{
    if (l->bucket->state == BUCKET_GONE) {
        lookup_end(l, error_set(&l->op->op.error, ERR_UNKNOWN_TABLE_OR_BUCKET,
                                "the table or partition was dropped"));
        return false;
    }
    return true;
}

/* ---- one slice ---- */

static void slice_begin(struct lookup *l)
{
    size_t left = l->op->count - l->from;

    l->found = (struct kv_lookup){.keys = l->keys,
                                  .count = left < SLICE_KEYS ? left : SLICE_KEYS,
                                  .sight = MUTANT(LOOK_UP_EARLY) ? KV_SIGHT_NEWEST : KV_SIGHT_SHOWN,
                                  .arena = &l->own};
    for (size_t i = 0; i < l->found.count; i++) {
        struct bytes key = l->op->keys[l->from + i];

        l->keys[i].key = key;
        l->keys[i].hash = hash_bytes(key);
    }
}

/* The values are borrowed until anything else happens on the shard. */
static void slice_copy(struct lookup *l)
{
    struct bytes *values = l->op->values + l->from;
    size_t size = 0;
    uint8_t *copy;

    for (size_t i = 0; i < l->found.count; i++) {
        size += l->keys[i].old.len;
    }
    copy = arena_alloc(l->op->arena, size);
    for (size_t i = 0; i < l->found.count; i++) {
        struct bytes value = l->keys[i].old;

        values[i] = value.len == 0 ? BYTES_EMPTY : bytes_of(copy, value.len);
        if (value.len > 0) {
            memcpy(copy, value.data, value.len);
            copy += value.len;
        }
    }
    l->from += l->found.count;
}

static void read_work(struct pool_job *job)
{
    struct lookup *l = container_of(job, struct lookup, job);

    l->op->op.code = kv_lookup_run(l->bucket->kv->store, &l->found, &l->op->op.error);
}

static void read_done(struct message *m)
{
    struct lookup *l = container_of(m, struct lookup, job.done);
    struct bucket *b = l->bucket;

    if (l->op->op.code != ERR_OK) {
        lookup_end(l, l->op->op.code);
    } else if (still_there(l)) {
        kv_lookup_end(b->kv->rows, &l->found);
        slice_copy(l);
        arena_reset(&l->own);
        lookup_slices(l);
    }
    bucket_job_end(b);
}

static void slice_read(struct lookup *l)
{
    struct bucket *b = l->bucket;

    l->job = (struct pool_job){.work = read_work, .home = b->set->shard, .done.run = read_done};
    bucket_job_begin(b);
    pool_submit(b->set->config.read_pool, &l->job);
}

/* ---- rows for keys that have none ---- */

static void again_run(struct bucket_op *op, struct bucket *b)
{
    struct lookup *l = container_of(op, struct lookup_op, op)->work;

    if (kv_tablet_for(op, b) != NULL) {
        l->bucket = b;
        l->from = 0;
        lookup_slices(l);
    }
}

static void put_done(struct bucket_op *op)
{
    struct lookup *l = op->context;

    if (op->code != ERR_OK) {
        l->op->op.error = op->error;
        lookup_end(l, op->code);
        return;
    }
    arena_fini(&l->own); /* the bucket may be refused to the second round */
    l->op->op.run = again_run;
    bucket_submit(l->bucket->set, &l->op->op);
}

/* false: there is a row for every key. */
static bool lookup_put(struct lookup *l)
{
    struct lookup_op *op = l->op;
    struct bytes *missing = arena_alloc(op->arena, op->count * sizeof *missing);
    size_t count = 0;
    enum errcode code;

    for (size_t i = 0; i < op->count; i++) {
        if (op->values[i].len == 0) {
            missing[count++] = op->keys[i];
        }
    }
    if (count == 0) {
        return false;
    }
    l->put = arena_new(op->arena, struct put_op);
    code = insert_rows(l->bucket, missing, count, op->arena, l->put, &op->op.error);
    if (code != ERR_OK) {
        lookup_end(l, code);
        return true;
    }
    l->put->op.id = op->op.id;
    l->put->op.done = put_done;
    l->put->op.context = l;
    l->put->ack.acks = -1;
    l->put->ack.timeout_us = op->timeout_us;
    replica_put(l->bucket->set, l->put);
    return true;
}

/* ---- all slices ---- */

static void lookup_resume(struct message *m)
{
    struct lookup *l = container_of(m, struct lookup, job.done);
    struct bucket *b = l->bucket;

    if (still_there(l)) {
        lookup_slices(l);
    }
    bucket_job_end(b);
}

/* Lets others have the shard. */
static void lookup_pause(struct lookup *l)
{
    bucket_job_begin(l->bucket);
    l->job.done.run = lookup_resume;
    shard_send(l->bucket->set->shard, &l->job.done);
}

static void lookup_slices(struct lookup *l)
{
    size_t turn_end = l->from + TURN_KEYS;

    while (l->from < l->op->count) {
        if (l->from >= turn_end) {
            lookup_pause(l);
            return;
        }
        if (l->op->arena->total > KV_ANSWER_BYTES_MAX) {
            lookup_end(l, error_set(&l->op->op.error, ERR_INVALID_ARGUMENT,
                                    "the rows have more than %zu bytes, ask for fewer",
                                    KV_ANSWER_BYTES_MAX));
            return;
        }
        slice_begin(l);
        if (!kv_lookup_begin(l->bucket->kv->rows, &l->found)) {
            slice_read(l);
            return;
        }
        slice_copy(l);
    }
    l->op->at.end = l->bucket->high_watermark;
    if (!l->op->insert || l->put != NULL || !lookup_put(l)) {
        lookup_end(l, ERR_OK);
    }
}

static void lookup_run(struct bucket_op *bucket_op, struct bucket *b)
{
    struct lookup_op *op = container_of(bucket_op, struct lookup_op, op);
    size_t slice = op->count < SLICE_KEYS ? op->count : SLICE_KEYS;
    struct lookup *l;

    if (kv_tablet_for(bucket_op, b) == NULL) {
        return;
    }
    l = arena_new(op->arena, struct lookup);
    l->op = op;
    l->bucket = b;
    l->keys = arena_alloc(op->arena, slice * sizeof *l->keys);
    op->values = arena_alloc(op->arena, op->count * sizeof *op->values);
    op->work = l;
    op->at.begin = b->high_watermark;
    lookup_slices(l);
}

void replica_lookup(struct replica_set *set, struct lookup_op *op)
{
    op->op.run = lookup_run;
    bucket_submit(set, &op->op);
}
