/* PUT_KV: a batch of rows for each bucket, answered when all have been acknowledged. */
#include "service.h"

/* From this version on clients know the code of back-pressure. */
#define PUT_VERSION_BACKPRESSURE 2

#define MERGE_OVERWRITE 1 /* msg_put_kv_request.agg_mode; any other number is the default */

struct put {
    struct fan fan;
    struct put_op *puts; /* as many as buckets in the message */
    struct msg_put_kv_response response;
};

static void put_submit(struct replica_set *set, struct bucket_op *op)
{
    replica_put(set, container_of(op, struct put_op, op));
}

static void fill_error(struct request *r, const struct put_op *p,
                       struct msg_pb_put_kv_resp_for_bucket *response)
{
    enum errcode code = p->op.code;

    if (code == ERR_STORAGE_BACKPRESSURE && r->version < PUT_VERSION_BACKPRESSURE) {
        code = ERR_KV_STORAGE;
    }
    response->has_error_code = true;
    response->error_code = error_fluss_code(code);
    response->has_error_message = rpc_error_text(&p->op.error, &r->arena, &response->error_message);
}

static void put_answer(struct fan *fan)
{
    struct put *q = container_of(fan, struct put, fan);

    for (size_t i = 0; i < fan->count; i++) {
        const struct put_op *p = &q->puts[i];
        struct msg_pb_put_kv_resp_for_bucket *response = &q->response.buckets_resp[i];

        response->bucket_id = p->op.id.bucket;
        response->has_partition_id = p->op.id.partition_id >= 0;
        response->partition_id = p->op.id.partition_id;
        response->has_pressure = p->pressure > 0;
        response->pressure = (float)p->pressure;
        if (p->op.code != ERR_OK) {
            fill_error(fan->request, p, response);
        } else {
            response->has_log_end_offset = true;
            response->log_end_offset = p->end_offset;
        }
    }
    request_answer(fan->request, &q->response);
}

static void fill_put(struct put_op *p, const struct msg_put_kv_request *m, size_t i)
{
    const struct msg_pb_put_kv_req_for_bucket *b = &m->buckets_req[i];

    p->op.id = (struct bucket_id){
        .table_id = m->table_id,
        .partition_id = b->has_partition_id ? b->partition_id : -1,
        .bucket = b->bucket_id,
    };
    p->batch = b->records;
    p->target_columns = m->target_columns;
    p->target_count = m->target_columns_count;
    p->overwrite = m->has_agg_mode && m->agg_mode == MERGE_OVERWRITE;
    p->ack = (struct ack){.acks = m->acks, .timeout_us = (int64_t)m->timeout_ms * 1000};
}

/* All buckets are refused for the same reason. */
static void refuse_all(struct put *q, enum errcode code, const struct error *e)
{
    for (size_t i = 0; i < q->fan.count; i++) {
        q->puts[i].op.code = code;
        q->puts[i].op.error = *e;
    }
    put_answer(&q->fan);
}

void handle_put_kv(struct request *r)
{
    const struct msg_put_kv_request *m = r->message;
    size_t count = m->buckets_req_count;
    struct put *q;
    struct error e;
    enum errcode code;

    if (m->acks < -1 || m->acks > 1) {
        request_failf(r, ERR_INVALID_REQUIRED_ACKS, "acks is %d, -1, 0 or 1 expected", m->acks);
        return;
    }
    if (!fan_accepts(r, count)) {
        return;
    }
    q = arena_new(&r->arena, struct put);
    q->response.buckets_resp_count = count;
    q->response.buckets_resp = arena_array(&r->arena, count, sizeof *q->response.buckets_resp);
    q->puts = arena_array(&r->arena, count, sizeof *q->puts);
    q->fan = (struct fan){.request = r, .count = count, .submit = put_submit, .answer = put_answer};
    q->fan.ops = arena_array(&r->arena, count, sizeof(struct bucket_op *));
    for (size_t i = 0; i < count; i++) {
        fill_put(&q->puts[i], m, i);
        q->fan.ops[i] = &q->puts[i].op;
    }
    code = kv_version_check(r, m->table_id, &e);
    if (code != ERR_OK) {
        refuse_all(q, code, &e);
    } else {
        fan_run(&q->fan);
    }
}
