/* Append as leader: checksum, sequence check, page-cache write, then acknowledge by acks. */
#include "bucket.h"

static void append_park(struct append_op *a, struct bucket *b)
{
    struct replica_set *set = b->set;

    a->deadline_us = shard_now_us(set->shard) + a->timeout_us;
    list_push_back(&b->acks, &a->op.link);
    commit_parked(set);
    if (!list_linked(&b->acking)) {
        list_push_back(&set->acking, &b->acking);
    }
    if (!timer_running(&set->ack_timer)) {
        timer_start(set->shard, &set->ack_timer, ACK_TICK_US);
    }
}

static void append_run(struct bucket_op *op, struct bucket *b)
{
    struct append_op *a = container_of(op, struct append_op, op);
    struct replica_set *set = b->set;
    enum errcode code =
        log_append(b->log, a->data, a->len, shard_wall_ms(set->shard), &a->appended, &op->error);

    if (code != ERR_OK) {
        bucket_op_end(op, code, &op->error);
        return;
    }
    if (set->config.sync) {
        if (!a->appended.duplicate && a->appended.batches > 0) {
            commit_mark(b);
        }
    } else {
        log_assume_durable(b->log);
    }
    if (a->acks == -1 && set->config.sync && a->appended.end_offset > b->high_watermark) {
        append_park(a, b); /* a duplicate waits for its first copy as well */
        return;
    }
    bucket_op_end(op, ERR_OK, NULL);
    if (!set->config.sync && b->state == BUCKET_OPEN) {
        bucket_advance(b);
    }
}

void replica_append(struct replica_set *set, struct append_op *a)
{
    a->op.run = append_run;
    bucket_submit(set, &a->op);
}
