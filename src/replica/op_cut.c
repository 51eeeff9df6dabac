/* Cuts, see cut.h. What has not been checked since the log was opened is checked here, as for
 * fetches; places that are not in memory are warmed in the pool first.
 *
 *   run ──> reading ──> answered        reading ──> later turn ──> reading
 *                                       reading ──> warming (pool) ──> reading
 */
#include "bucket.h"

#define READS_PER_TURN 4u

static void cut_read(struct cut_op *c, struct bucket *b);

static void cut_end(struct cut_op *c, enum errcode code)
{
    c->range.file = file_unref(c->range.file);
    if (code != ERR_OK) {
        pieces_fini(&c->ranges);
    }
    bucket_op_end(&c->op, code, &c->op.error);
}

/* Back on the shard: the bucket may be gone by now. */
static void cut_resume(struct cut_op *c)
{
    struct bucket *b = c->bucket;

    if (b->state == BUCKET_OPEN) {
        cut_read(c, b);
    } else {
        cut_end(c, error_set(&c->op.error, ERR_UNKNOWN_TABLE_OR_BUCKET,
                             "the table or partition was dropped"));
    }
    bucket_job_end(b);
}

static void warm_work(struct pool_job *job)
{
    struct cut_op *c = container_of(job, struct cut_op, job);

    file_warm(c->range.file, c->range.position, c->range.len);
}

static void warm_done(struct message *m)
{
    struct cut_op *c = container_of(m, struct cut_op, job.done);

    c->range.file = file_unref(c->range.file);
    c->warmed = true; /* what has been evicted again is waited for: no second round for one place */
    cut_resume(c);
}

static void next_turn(struct message *m) { cut_resume(container_of(m, struct cut_op, next)); }

static void cut_warm(struct cut_op *c, struct bucket *b)
{
    c->job = (struct pool_job){.work = warm_work, .home = b->set->shard, .done.run = warm_done};
    bucket_job_begin(b);
    pool_submit(b->set->config.read_pool, &c->job);
}

/* The range found is part of the cut; false: there is no way further, all that is left is damaged. */
static bool cut_take(struct cut_op *c)
{
    const struct log_range *range = &c->range;
    int64_t behind = range->next_offset >= 0 ? range->next_offset : range->end_offset;
    bool moves = behind > c->offset;

    if (range->len > 0) {
        pieces_add_file(&c->ranges, TAKE(c->range.file), range->position, range->len);
    }
    c->offset = behind;
    c->warmed = false;
    return moves;
}

static void cut_read(struct cut_op *c, struct bucket *b)
{
    for (unsigned i = 0; i < READS_PER_TURN; i++) {
        struct log_read read = {
            .offset = c->offset,
            .limit_offset = c->end_offset,
            .max_bytes = SIZE_MAX / 2,
            .min_one = true,
            .nowait = !c->warmed,
        };
        enum errcode code;

        if (c->offset >= c->end_offset || (c->limit_offset > 0 && c->offset >= c->limit_offset)) {
            cut_end(c, ERR_OK);
            return;
        }
        code = log_read(b->log, &read, &c->range, &c->op.error);
        if (code == ERR_LOG_OFFSET_OUT_OF_RANGE && c->offset < log_start_offset(b->log)) {
            c->offset = log_start_offset(b->log); /* retention was faster */
            continue;
        }
        if (code == ERR_OK && c->range.cold) {
            cut_warm(c, b);
            return;
        }
        if (code != ERR_OK || !cut_take(c)) {
            cut_end(c, code);
            return;
        }
    }
    c->next.run = next_turn;
    bucket_job_begin(b);
    shard_send(b->set->shard, &c->next);
}

static void cut_run(struct bucket_op *op, struct bucket *b)
{
    struct cut_op *c = container_of(op, struct cut_op, op);

    c->bucket = b;
    c->start_offset = log_start_offset(b->log);
    c->end_offset = b->high_watermark;
    c->offset = c->from_offset > c->start_offset ? c->from_offset : c->start_offset;
    c->range = (struct log_range){0};
    c->warmed = false;
    cut_read(c, b);
}

void replica_cut(struct replica_set *set, struct cut_op *c)
{
    c->op.run = cut_run;
    bucket_submit(set, &c->op);
}
