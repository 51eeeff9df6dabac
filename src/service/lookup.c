/* LOOKUP and PREFIX_LOOKUP: rows of primary-key tables by key. */
#include "service.h"

static void fill_error(struct request *r, const struct bucket_op *op, int32_t *code,
                       struct bytes *message, bool *has_message)
{
    /* clients of these APIs do not know the code of back-pressure, which inserts may meet */
    *code = error_fluss_code(op->code == ERR_STORAGE_BACKPRESSURE ? ERR_KV_STORAGE : op->code);
    *has_message = rpc_error_text(&op->error, &r->arena, message);
}

/* Answers all operations with one error. */
static void fail_all(struct fan *fan, enum errcode code, const struct error *e)
{
    for (size_t i = 0; i < fan->count; i++) {
        fan->ops[i]->code = code;
        fan->ops[i]->error = *e;
    }
    fan->answer(fan);
}

/* ---- LOOKUP ---- */

struct lookup_request {
    struct fan fan;
    const struct msg_lookup_request *message;
    struct lookup_op *lookups;
    struct msg_lookup_response response;
};

static void lookup_submit(struct replica_set *set, struct bucket_op *op)
{
    struct lookup_op *l = container_of(op, struct lookup_op, op);
    struct part *part = op->context;

    l->arena = &part->arena;
    replica_lookup(set, l);
}

static void fill_values(struct request *r, const struct lookup_op *l,
                        struct msg_pb_lookup_resp_for_bucket *response)
{
    response->values_count = l->count;
    response->values = arena_alloc(&r->arena, l->count * sizeof *response->values);
    for (size_t i = 0; i < l->count; i++) {
        response->values[i] = (struct msg_pb_value){
            .values = l->values[i],
            .has_values = l->values[i].len > 0,
        };
    }
}

static void lookup_answer(struct fan *fan)
{
    struct lookup_request *q = container_of(fan, struct lookup_request, fan);

    for (size_t i = 0; i < fan->count; i++) {
        const struct msg_pb_lookup_req_for_bucket *asked = &q->message->buckets_req[i];
        struct msg_pb_lookup_resp_for_bucket *response = &q->response.buckets_resp[i];
        const struct lookup_op *l = &q->lookups[i];

        response->bucket_id = asked->bucket_id;
        response->has_partition_id = asked->has_partition_id;
        response->partition_id = asked->partition_id;
        response->has_original_partition_name = asked->has_original_partition_name;
        response->original_partition_name = asked->original_partition_name;
        if (l->op.code == ERR_OK) {
            fill_values(fan->request, l, response);
        } else {
            response->has_error_code = true;
            fill_error(fan->request, &l->op, &response->error_code, &response->error_message,
                       &response->has_error_message);
        }
    }
    request_answer(fan->request, &q->response);
}

static void fill_lookup(struct lookup_request *q, size_t i)
{
    const struct msg_lookup_request *m = q->message;
    const struct msg_pb_lookup_req_for_bucket *b = &m->buckets_req[i];

    q->lookups[i] = (struct lookup_op){
        .op.id = {.table_id = m->table_id,
                  .partition_id = b->has_partition_id ? b->partition_id : -1,
                  .bucket = b->bucket_id},
        .keys = b->keys,
        .count = b->keys_count,
        .insert = m->insert_if_not_exists,
        .timeout_us = (int64_t)m->timeout_ms * 1000,
    };
    q->fan.ops[i] = &q->lookups[i].op;
}

/* What makes all buckets fail. Rows of historical partitions are in a lake, and there is none here. */
static enum errcode check_lookup(struct request *r, struct error *e)
{
    const struct msg_lookup_request *m = r->message;

    for (size_t i = 0; i < m->buckets_req_count; i++) {
        if (m->buckets_req[i].has_original_partition_name) {
            return error_set(
                e, m->insert_if_not_exists ? ERR_INVALID_TABLE : ERR_PARTITION_SPEC_INVALID,
                "historical partitions cannot be looked up");
        }
    }
    return kv_version_check(r, m->table_id, e);
}

void handle_lookup(struct request *r)
{
    const struct msg_lookup_request *m = r->message;
    size_t count = m->buckets_req_count;
    struct lookup_request *q;
    enum errcode code;
    struct error e;

    if (m->insert_if_not_exists && (!m->has_acks || !m->has_timeout_ms)) {
        request_failf(r, ERR_INVALID_ARGUMENT, "insert_if_not_exists needs acks and timeout_ms");
        return;
    }
    if (m->insert_if_not_exists && (m->acks < -1 || m->acks > 1)) {
        request_failf(r, ERR_INVALID_REQUIRED_ACKS, "acks is %d, -1, 0 or 1 expected", m->acks);
        return;
    }
    if (!fan_accepts(r, count)) {
        return;
    }
    q = arena_new(&r->arena, struct lookup_request);
    q->message = m;
    q->response.buckets_resp_count = count;
    q->response.buckets_resp = arena_array(&r->arena, count, sizeof *q->response.buckets_resp);
    q->lookups = arena_alloc(&r->arena, count * sizeof *q->lookups);
    q->fan = (struct fan){
        .request = r, .count = count, .submit = lookup_submit, .answer = lookup_answer};
    q->fan.ops = arena_alloc(&r->arena, count * sizeof(struct bucket_op *));
    for (size_t i = 0; i < count; i++) {
        fill_lookup(q, i);
    }
    code = check_lookup(r, &e);
    if (code == ERR_OK) {
        fan_run(&q->fan);
    } else {
        fail_all(&q->fan, code, &e);
    }
}

/* ---- PREFIX_LOOKUP ---- */

struct prefix_request {
    struct fan fan;
    const struct msg_prefix_lookup_request *message;
    struct prefix_op *lookups;
    struct msg_prefix_lookup_response response;
};

static void prefix_submit(struct replica_set *set, struct bucket_op *op)
{
    struct prefix_op *l = container_of(op, struct prefix_op, op);
    struct part *part = op->context;

    l->arena = &part->arena;
    replica_prefix(set, l);
}

static void fill_lists(struct request *r, const struct prefix_op *l,
                       struct msg_pb_prefix_lookup_resp_for_bucket *response)
{
    response->value_lists_count = l->count;
    response->value_lists = arena_alloc(&r->arena, l->count * sizeof *response->value_lists);
    for (size_t i = 0; i < l->count; i++) {
        response->value_lists[i] = (struct msg_pb_value_list){
            .values = l->lists[i].values,
            .values_count = l->lists[i].count,
        };
    }
}

static void prefix_answer(struct fan *fan)
{
    struct prefix_request *q = container_of(fan, struct prefix_request, fan);

    for (size_t i = 0; i < fan->count; i++) {
        const struct msg_pb_prefix_lookup_req_for_bucket *asked = &q->message->buckets_req[i];
        struct msg_pb_prefix_lookup_resp_for_bucket *response = &q->response.buckets_resp[i];
        const struct prefix_op *l = &q->lookups[i];

        response->bucket_id = asked->bucket_id;
        response->has_partition_id = asked->has_partition_id;
        response->partition_id = asked->partition_id;
        if (l->op.code == ERR_OK) {
            fill_lists(fan->request, l, response);
        } else {
            response->has_error_code = true;
            fill_error(fan->request, &l->op, &response->error_code, &response->error_message,
                       &response->has_error_message);
        }
    }
    request_answer(fan->request, &q->response);
}

static void fill_prefix(struct prefix_request *q, size_t i)
{
    const struct msg_pb_prefix_lookup_req_for_bucket *b = &q->message->buckets_req[i];

    q->lookups[i] = (struct prefix_op){
        .op.id = {.table_id = q->message->table_id,
                  .partition_id = b->has_partition_id ? b->partition_id : -1,
                  .bucket = b->bucket_id},
        .prefixes = b->keys,
        .count = b->keys_count,
    };
    q->fan.ops[i] = &q->lookups[i].op;
}

void handle_prefix_lookup(struct request *r)
{
    const struct msg_prefix_lookup_request *m = r->message;
    size_t count = m->buckets_req_count;
    struct prefix_request *q;
    enum errcode code;
    struct error e;

    if (!fan_accepts(r, count)) {
        return;
    }
    q = arena_new(&r->arena, struct prefix_request);
    q->message = m;
    q->response.buckets_resp_count = count;
    q->response.buckets_resp = arena_array(&r->arena, count, sizeof *q->response.buckets_resp);
    q->lookups = arena_alloc(&r->arena, count * sizeof *q->lookups);
    q->fan = (struct fan){
        .request = r, .count = count, .submit = prefix_submit, .answer = prefix_answer};
    q->fan.ops = arena_alloc(&r->arena, count * sizeof(struct bucket_op *));
    for (size_t i = 0; i < count; i++) {
        fill_prefix(q, i);
    }
    code = kv_version_check(r, m->table_id, &e);
    if (code == ERR_OK) {
        fan_run(&q->fan);
    } else {
        fail_all(&q->fan, code, &e);
    }
}
