/* The first rows of a bucket: from memory when it has them, else what is shown goes into the store, and
 * a cursor reads them there.
 *
 *   run ──> answered                           in memory: inside the call
 *   run ──> settling ──> reading (pool) ──> answered
 *
 * Settling costs what the write path pays sooner or later for the same rows, and nothing when nothing
 * was written since. What was read stays in memory, within bounds, for the next one (kv/first.h). */
#include "kv_ops.h"
#include "kv_tablet.h"
#include "row_batch.h"

struct first_rows {
    struct rows_op *op;
    struct bucket *bucket;
    struct kv_settled settled;
    struct kv_first_rows first;
    struct arena own; /* of what was read */
    struct pool_job job;
};

static void rows_end(struct first_rows *r)
{
    struct bucket *b = r->bucket;

    arena_fini(&r->own);
    if (r->op->op.code != ERR_OK) {
        pieces_fini(&r->op->rows);
    }
    bucket_op_end(&r->op->op, r->op->op.code, &r->op->op.error);
    bucket_job_end(b);
}

static enum errcode check_size(const struct rows_op *op, size_t size, struct error *e)
{
    return size <= op->bytes_max
               ? ERR_OK
               : error_set(e, ERR_INVALID_ARGUMENT, "the first %zu rows have more than %zu bytes",
                           op->limit, op->bytes_max);
}

/* ---- pool ---- */

static enum errcode rows_read(struct first_rows *r, struct kv_cursor *cursor, struct error *e)
{
    struct rows_op *op = r->op;
    struct row_batch batch = {
        .rows_max = op->limit, .size_max = op->bytes_max + 1, .before = &r->first.rows};
    bool more = false;

    TRY(kv_first_rows_run(cursor, &r->first, e));
    TRY(row_batch_read(&batch, &op->rows, cursor, &more, e));
    return check_size(op, batch.size, e);
}

static void rows_work(struct pool_job *job)
{
    struct first_rows *r = container_of(job, struct first_rows, job);
    struct bucket_op *op = &r->op->op;
    struct kv_cursor *cursor = NULL;

    op->code = kv_cursor_open_cached(r->bucket->kv->store, &cursor, &op->error);
    if (op->code == ERR_OK) {
        op->code = rows_read(r, cursor, &op->error);
        kv_cursor_close(cursor);
    }
}

/* ---- shard ---- */

static void rows_done(struct message *m)
{
    struct first_rows *r = container_of(m, struct first_rows, job.done);

    if (r->op->op.code == ERR_OK) {
        kv_first_rows_end(r->bucket->kv->rows, &r->first);
    }
    rows_end(r);
}

static void rows_settled(struct kv_settled *w)
{
    struct first_rows *r = w->context;
    struct replica_set *set = r->bucket->set;

    if (w->code != ERR_OK) {
        r->op->op.code = w->code;
        r->op->op.error = w->error;
        rows_end(r);
        return;
    }
    r->first = (struct kv_first_rows){.limit = r->op->limit, .arena = &r->own};
    kv_first_rows_begin(r->bucket->kv->rows, &r->first);
    r->job = (struct pool_job){.work = rows_work, .home = set->shard, .done.run = rows_done};
    pool_submit(set->config.read_pool, &r->job);
}

/* false: they are not in memory. */
static bool rows_from_memory(struct rows_op *op, struct kv_tablet *t)
{
    struct bytes batch;

    if (!kv_bucket_first(t->rows, op->limit, op->rows.arena, &batch)) {
        return false;
    }
    op->op.code = check_size(op, batch.len, &op->op.error);
    if (op->op.code == ERR_OK) {
        pieces_add_bytes(&op->rows, batch);
    }
    bucket_op_end(&op->op, op->op.code, &op->op.error);
    return true;
}

static void rows_run(struct bucket_op *bucket_op, struct bucket *b)
{
    struct rows_op *op = container_of(bucket_op, struct rows_op, op);
    struct kv_tablet *t = kv_tablet_for(bucket_op, b);
    struct first_rows *r;

    if (t == NULL || rows_from_memory(op, t)) {
        return;
    }
    r = arena_new(op->rows.arena, struct first_rows);
    r->op = op;
    r->bucket = b;
    r->settled.done = rows_settled;
    r->settled.context = r;
    bucket_job_begin(b);
    kv_tablet_settle(t, &r->settled);
}

void replica_first_rows(struct replica_set *set, struct rows_op *op)
{
    ASSERT(op->bytes_max <= INT32_MAX / 2); /* and one row more */
    op->op.run = rows_run;
    bucket_submit(set, &op->op);
}
