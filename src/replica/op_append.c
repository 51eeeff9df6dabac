/* Append as leader: checksum, sequence check, page-cache write, then acknowledge by acks. */
#include "bucket.h"

static void append_run(struct bucket_op *op, struct bucket *b)
{
    struct append_op *a = container_of(op, struct append_op, op);
    enum errcode code;

    if (b->kv != NULL) {
        bucket_op_fail(op, ERR_INVALID_TABLE,
                       "table %lld has a primary key: its changelog follows from what is put",
                       (long long)b->id.table_id);
        return;
    }
    code =
        log_append(b->log, a->data, a->len, shard_wall_ms(b->set->shard), &a->appended, &op->error);
    if (code != ERR_OK) {
        bucket_op_end(op, code, &op->error);
        return;
    }
    ack_append(b, op, &a->ack, &a->appended);
}

void replica_append(struct replica_set *set, struct append_op *a)
{
    a->op.run = append_run;
    bucket_submit(set, &a->op);
}
