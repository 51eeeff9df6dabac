/* The first rows of a bucket: what is shown goes into the store, then a cursor reads them there.
 *
 *   run ──> settling ──> reading (pool) ──> answered
 *
 * Settling costs what the write path pays sooner or later for the same rows, and nothing when nothing
 * was written since; merging pending changes by key order would cost a walk over all of them each
 * time. */
#include "kv_ops.h"
#include "kv_tablet.h"
#include "row_batch.h"

struct first_rows {
    struct rows_op *op;
    struct bucket *bucket;
    struct kv_settled settled;
    struct pool_job job;
};

static void rows_end(struct first_rows *r)
{
    struct bucket *b = r->bucket;

    if (r->op->op.code != ERR_OK) {
        pieces_fini(&r->op->rows);
    }
    bucket_op_end(&r->op->op, r->op->op.code, &r->op->op.error);
    bucket_job_end(b);
}

/* ---- pool ---- */

static enum errcode rows_read(struct rows_op *op, struct kv_cursor *cursor, struct error *e)
{
    struct row_batch batch = {.rows_max = op->limit, .size_max = op->bytes_max + 1};
    bool more = false;

    TRY(row_batch_read(&batch, &op->rows, cursor, &more, e));
    if (batch.size > op->bytes_max) {
        return error_set(e, ERR_INVALID_ARGUMENT, "the first %zu rows have more than %zu bytes",
                         op->limit, op->bytes_max);
    }
    return ERR_OK;
}

static void rows_work(struct pool_job *job)
{
    struct first_rows *r = container_of(job, struct first_rows, job);
    struct bucket_op *op = &r->op->op;
    struct kv_cursor *cursor = NULL;

    op->code = kv_cursor_open_cached(r->bucket->kv->store, &cursor, &op->error);
    if (op->code == ERR_OK) {
        op->code = rows_read(r->op, cursor, &op->error);
        kv_cursor_close(cursor);
    }
}

/* ---- shard ---- */

static void rows_done(struct message *m) { rows_end(container_of(m, struct first_rows, job.done)); }

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
    r->job = (struct pool_job){.work = rows_work, .home = set->shard, .done.run = rows_done};
    pool_submit(set->config.read_pool, &r->job);
}

static void rows_run(struct bucket_op *bucket_op, struct bucket *b)
{
    struct rows_op *op = container_of(bucket_op, struct rows_op, op);
    struct first_rows *r;

    if (kv_tablet_for(bucket_op, b) == NULL) {
        return;
    }
    r = arena_new(op->rows.arena, struct first_rows);
    r->op = op;
    r->bucket = b;
    r->settled.done = rows_settled;
    r->settled.context = r;
    bucket_job_begin(b);
    kv_tablet_settle(b->kv, &r->settled);
}

void replica_first_rows(struct replica_set *set, struct rows_op *op)
{
    ASSERT(op->bytes_max <= INT32_MAX / 2); /* and one row more */
    op->op.run = rows_run;
    bucket_submit(set, &op->op);
}
