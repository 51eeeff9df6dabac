/* PRODUCE_LOG: append to each bucket, answer when all have been acknowledged. */
#include "service.h"

struct produce {
    struct fan fan;
    const struct msg_produce_log_request *message;
    struct append_op *appends; /* as many as buckets in the message */
    struct msg_produce_log_response response;
};

static void produce_submit(struct replica_set *set, struct bucket_op *op)
{
    replica_append(set, container_of(op, struct append_op, op));
}

static void fill_response(struct request *r, const struct append_op *a,
                          struct msg_pb_produce_log_resp_for_bucket *response)
{
    response->bucket_id = a->op.id.bucket;
    response->has_partition_id = a->op.id.partition_id >= 0;
    response->partition_id = a->op.id.partition_id;
    if (a->op.code == ERR_OK) {
        response->has_base_offset = true;
        response->base_offset = a->appended.base_offset;
        return;
    }
    response->has_error_code = true;
    response->error_code = error_fluss_code(a->op.code);
    response->has_error_message = rpc_error_text(&a->op.error, &r->arena, &response->error_message);
}

static void produce_answer(struct fan *fan)
{
    struct produce *p = container_of(fan, struct produce, fan);

    for (size_t i = 0; i < fan->count; i++) {
        fill_response(fan->request, &p->appends[i], &p->response.buckets_resp[i]);
    }
    request_answer(fan->request, &p->response);
}

static void fill_append(struct append_op *a, const struct msg_produce_log_request *m, size_t i)
{
    const struct msg_pb_produce_log_req_for_bucket *b = &m->buckets_req[i];

    a->op.id = (struct bucket_id){
        .table_id = m->table_id,
        .partition_id = b->has_partition_id ? b->partition_id : -1,
        .bucket = b->bucket_id,
    };
    /* the frame is ours alone until the batches are stored: header fields are assigned there */
    a->data = (uint8_t *)(uintptr_t)b->records.data;
    a->len = b->records.len;
    a->ack.acks = m->acks;
    a->ack.timeout_us = (int64_t)m->timeout_ms * 1000;
}

void handle_produce_log(struct request *r)
{
    const struct msg_produce_log_request *m = r->message;
    size_t count = m->buckets_req_count;
    struct produce *p;

    if (m->acks < -1 || m->acks > 1) {
        request_failf(r, ERR_INVALID_REQUIRED_ACKS, "acks is %d, -1, 0 or 1 expected", m->acks);
        return;
    }
    if (!fan_accepts(r, count)) {
        return;
    }
    p = arena_new(&r->arena, struct produce);
    p->message = m;
    p->response.buckets_resp_count = count;
    p->response.buckets_resp = arena_array(&r->arena, count, sizeof *p->response.buckets_resp);
    p->appends = arena_array(&r->arena, count, sizeof *p->appends);
    p->fan = (struct fan){
        .request = r, .count = count, .submit = produce_submit, .answer = produce_answer};
    p->fan.ops = arena_array(&r->arena, count, sizeof(struct bucket_op *));
    for (size_t i = 0; i < count; i++) {
        fill_append(&p->appends[i], m, i);
        p->fan.ops[i] = &p->appends[i].op;
    }
    fan_run(&p->fan);
}
