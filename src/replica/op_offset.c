/* Offsets by kind or time, and row counts. */
#include "kv_tablet.h"

static void offset_run(struct bucket_op *op, struct bucket *b)
{
    struct offset_op *o = container_of(op, struct offset_op, op);
    int64_t now_ms = shard_wall_ms(b->set->shard);
    int64_t found = 0;
    enum errcode code;

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
    code = log_offset_at(b->log, o->timestamp_ms, &found, &op->error);
    if (code != ERR_OK) {
        bucket_op_end(op, code, &op->error);
        return;
    }
    o->offset = found < b->high_watermark ? found : b->high_watermark;
    bucket_op_end(op, ERR_OK, NULL);
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
