/* Offsets by kind or time, and row counts. */
#include "kv_tablet.h"

#include <stdlib.h>

/* Of a search by time: index entries and a few headers. What has been evicted again after so many
 * rounds is waited for. */
#define WARM_ROUNDS 8

struct search {
    struct offset_op *op;
    struct bucket *bucket;
    struct pool_job job;
    struct log_range cold;
    uint32_t rounds;
};

static void search_run(struct search *s);

static void warm_work(struct pool_job *job)
{
    struct search *s = container_of(job, struct search, job);

    file_warm(s->cold.file, s->cold.position, s->cold.len);
}

static void search_end(struct search *s, enum errcode code)
{
    struct bucket_op *op = &s->op->op;

    free(s);
    bucket_op_end(op, code, &op->error);
}

static void warm_done(struct message *m)
{
    struct search *s = container_of(m, struct search, job.done);
    struct bucket *b = s->bucket;

    s->cold.file = file_unref(s->cold.file);
    if (b->state == BUCKET_OPEN) {
        search_run(s);
    } else {
        search_end(s, error_set(&s->op->op.error, ERR_UNKNOWN_TABLE_OR_BUCKET,
                                "the table or partition was dropped"));
    }
    bucket_job_end(b);
}

static void search_run(struct search *s)
{
    struct bucket *b = s->bucket;
    struct log_range *cold = s->rounds++ < WARM_ROUNDS ? &s->cold : NULL;
    int64_t found = 0;
    enum errcode code = log_offset_at(b->log, s->op->timestamp_ms, cold, &found, &s->op->op.error);

    if (code == ERR_OK && s->cold.file != NULL) {
        s->job = (struct pool_job){.work = warm_work, .home = b->set->shard, .done.run = warm_done};
        bucket_job_begin(b);
        pool_submit(b->set->config.read_pool, &s->job);
        return;
    }
    s->op->offset = found < b->high_watermark ? found : b->high_watermark;
    search_end(s, code);
}

static void offset_run(struct bucket_op *op, struct bucket *b)
{
    struct offset_op *o = container_of(op, struct offset_op, op);
    int64_t now_ms = shard_wall_ms(b->set->shard);
    struct search *s;

    if (o->kind != OFFSET_AT) {
        o->offset = o->kind == OFFSET_EARLIEST ? log_start_offset(b->log) : b->high_watermark;
        bucket_op_end(op, ERR_OK, NULL);
        return;
    }
    if (o->timestamp_ms > now_ms) {
        bucket_op_fail(op, ERR_INVALID_TIMESTAMP, "timestamp %lld is in the future (now is %lld)",
                       (long long)o->timestamp_ms, (long long)now_ms);
        return;
    }
    s = mem_new(struct search);
    s->op = o;
    s->bucket = b;
    search_run(s);
}

void replica_list_offset(struct replica_set *set, struct offset_op *o)
{
    o->op.run = offset_run;
    bucket_submit(set, &o->op);
}

static void stats_run(struct bucket_op *op, struct bucket *b)
{
    struct stats_op *s = container_of(op, struct stats_op, op);

    if (b->kv == NULL) {
        s->row_count = b->high_watermark - log_start_offset(b->log);
    } else if (kv_tablet_for(op, b) == NULL) {
        return;
    } else {
        s->row_count = kv_bucket_row_count(b->kv->rows);
    }
    if (s->row_count < 0) {
        bucket_op_fail(op, ERR_INVALID_TABLE,
                       "rows are not counted in tables with 'table.changelog.image' = 'WAL'");
        return;
    }
    bucket_op_end(op, ERR_OK, NULL);
}

void replica_stats(struct replica_set *set, struct stats_op *s)
{
    s->op.run = stats_run;
    bucket_submit(set, &s->op);
}
