/* LIST_OFFSETS, GET_TABLE_STATS and LIMIT_SCAN: questions to buckets. */
#include "service.h"

/* ---- LIST_OFFSETS ---- */

enum { OFFSET_TYPE_EARLIEST = 0, OFFSET_TYPE_LATEST = 1, OFFSET_TYPE_TIMESTAMP = 2 };

struct list_offsets {
    struct fan fan;
    struct offset_op *offsets;
    struct msg_list_offsets_response response;
};

static void offsets_submit(struct replica_set *set, struct bucket_op *op)
{
    replica_list_offset(set, container_of(op, struct offset_op, op));
}

static void offsets_answer(struct fan *fan)
{
    struct list_offsets *l = container_of(fan, struct list_offsets, fan);

    for (size_t i = 0; i < fan->count; i++) {
        struct msg_pb_list_offsets_resp_for_bucket *response = &l->response.buckets_resp[i];
        const struct offset_op *o = &l->offsets[i];

        response->bucket_id = o->op.id.bucket;
        response->has_offset = o->op.code == ERR_OK;
        response->offset = o->offset;
        if (o->op.code != ERR_OK) {
            response->has_error_code = true;
            response->error_code = error_fluss_code(o->op.code);
            response->has_error_message =
                rpc_error_text(&o->op.error, &fan->request->arena, &response->error_message);
        }
    }
    request_answer(fan->request, &l->response);
}

/* Whether the type can be asked for; else the answer of every bucket. */
static bool offset_kind_of(const struct msg_list_offsets_request *m, struct offset_op *o)
{
    switch (m->offset_type) {
    case OFFSET_TYPE_EARLIEST:
        o->kind = OFFSET_EARLIEST;
        return true;
    case OFFSET_TYPE_LATEST:
        o->kind = OFFSET_LATEST;
        return true;
    case OFFSET_TYPE_TIMESTAMP:
        o->kind = OFFSET_AT;
        o->timestamp_ms = m->start_timestamp;
        if (m->has_start_timestamp) {
            return true;
        }
        o->op.code = error_set(&o->op.error, ERR_INVALID_ARGUMENT,
                               "offset by timestamp needs start_timestamp");
        return false;
    default:
        o->op.code = error_set(&o->op.error, ERR_INVALID_ARGUMENT,
                               "offset type is %d, 0, 1 or 2 expected", m->offset_type);
        return false;
    }
}

void handle_list_offsets(struct request *r)
{
    const struct msg_list_offsets_request *m = r->message;
    size_t count = m->bucket_id_count;
    struct list_offsets *l;
    bool fine = true;

    if (!fan_accepts(r, count)) {
        return;
    }
    l = arena_new(&r->arena, struct list_offsets);
    l->response.buckets_resp_count = count;
    l->response.buckets_resp = arena_array(&r->arena, count, sizeof *l->response.buckets_resp);
    l->offsets = arena_array(&r->arena, count, sizeof *l->offsets);
    l->fan = (struct fan){
        .request = r, .count = count, .submit = offsets_submit, .answer = offsets_answer};
    l->fan.ops = arena_array(&r->arena, count, sizeof(struct bucket_op *));
    for (size_t i = 0; i < count; i++) {
        l->offsets[i].op.id = (struct bucket_id){
            .table_id = m->table_id,
            .partition_id = m->has_partition_id ? m->partition_id : -1,
            .bucket = m->bucket_id[i],
        };
        l->fan.ops[i] = &l->offsets[i].op;
        fine &= offset_kind_of(m, &l->offsets[i]);
    }
    if (fine) {
        fan_run(&l->fan);
    } else {
        offsets_answer(&l->fan);
    }
}

/* ---- GET_TABLE_STATS ---- */

struct table_stats {
    struct fan fan;
    struct stats_op *stats;
    struct msg_get_table_stats_response response;
};

static void stats_submit(struct replica_set *set, struct bucket_op *op)
{
    replica_stats(set, container_of(op, struct stats_op, op));
}

static void stats_answer(struct fan *fan)
{
    struct table_stats *t = container_of(fan, struct table_stats, fan);

    for (size_t i = 0; i < fan->count; i++) {
        struct msg_pb_table_stats_resp_for_bucket *response = &t->response.buckets_resp[i];
        const struct stats_op *s = &t->stats[i];

        response->bucket_id = s->op.id.bucket;
        response->has_partition_id = s->op.id.partition_id >= 0;
        response->partition_id = s->op.id.partition_id;
        response->has_row_count = s->op.code == ERR_OK;
        response->row_count = s->row_count;
        if (s->op.code != ERR_OK) {
            response->has_error_code = true;
            response->error_code = error_fluss_code(s->op.code);
            response->has_error_message =
                rpc_error_text(&s->op.error, &fan->request->arena, &response->error_message);
        }
    }
    request_answer(fan->request, &t->response);
}

void handle_table_stats(struct request *r)
{
    const struct msg_get_table_stats_request *m = r->message;
    size_t count = m->buckets_req_count;
    struct table_stats *t;

    if (!fan_accepts(r, count)) {
        return;
    }
    t = arena_new(&r->arena, struct table_stats);
    t->response.buckets_resp_count = count;
    t->response.buckets_resp = arena_array(&r->arena, count, sizeof *t->response.buckets_resp);
    t->stats = arena_array(&r->arena, count, sizeof *t->stats);
    t->fan =
        (struct fan){.request = r, .count = count, .submit = stats_submit, .answer = stats_answer};
    t->fan.ops = arena_array(&r->arena, count, sizeof(struct bucket_op *));
    for (size_t i = 0; i < count; i++) {
        const struct msg_pb_table_stats_req_for_bucket *b = &m->buckets_req[i];

        t->stats[i].op.id = (struct bucket_id){
            .table_id = m->table_id,
            .partition_id = b->has_partition_id ? b->partition_id : -1,
            .bucket = b->bucket_id,
        };
        t->fan.ops[i] = &t->stats[i].op;
    }
    fan_run(&t->fan);
}

/* ---- LIMIT_SCAN ---- */

/* Of one answer of log batches. More is refused: a frame ends at 2 GiB. */
#define LIMIT_SCAN_BYTES_MAX ((size_t)1000 << 20)

/* The last rows of a log, or the first ones of a primary-key table. */
struct limit_scan {
    struct fan fan;
    struct fetch_op fetch;
    struct rows_op rows;
    struct bucket_op *op; /* one of both */
    int32_t limit;
    struct msg_limit_scan_response response;
};

static void log_scan_submit(struct replica_set *set, struct bucket_op *op)
{
    struct limit_scan *l = container_of(op, struct limit_scan, fetch.op);
    struct part *part = op->context;

    pieces_init(&l->fetch.pieces, &part->arena);
    replica_fetch_last(set, &l->fetch, l->limit);
}

static void kv_scan_submit(struct replica_set *set, struct bucket_op *op)
{
    struct limit_scan *l = container_of(op, struct limit_scan, rows.op);
    struct part *part = op->context;

    pieces_init(&l->rows.rows, &part->arena);
    replica_first_rows(set, &l->rows);
}

static void scan_answer(struct fan *fan)
{
    struct limit_scan *l = container_of(fan, struct limit_scan, fan);
    struct msg_limit_scan_response *response = &l->response;
    bool is_log = l->op == &l->fetch.op;

    if (l->op->code == ERR_OK) {
        response->has_is_log_table = true;
        response->is_log_table = is_log;
        response->has_records = true;
        response->records_pieces = is_log ? &l->fetch.pieces : &l->rows.rows;
    } else {
        response->has_error_code = true;
        response->error_code = error_fluss_code(l->op->code);
        response->has_error_message =
            rpc_error_text(&l->op->error, &fan->request->arena, &response->error_message);
    }
    request_answer(fan->request, response);
}

void handle_limit_scan(struct request *r)
{
    struct limit_scan *l = arena_new(&r->arena, struct limit_scan);
    const struct msg_limit_scan_request *m = r->message;
    const struct meta_table *table = meta_view_table_by_id(request_view(r), m->table_id);
    bool is_log = table == NULL || !table_has_primary_key(table->descriptor);

    l->limit = m->limit;
    l->fetch.max_bytes = LIMIT_SCAN_BYTES_MAX;
    l->rows.limit = m->limit > 0 ? (size_t)m->limit : 0;
    l->rows.bytes_max = KV_ANSWER_BYTES_MAX;
    l->op = is_log ? &l->fetch.op : &l->rows.op;
    l->op->id = (struct bucket_id){
        .table_id = m->table_id,
        .partition_id = m->has_partition_id ? m->partition_id : -1,
        .bucket = m->bucket_id,
    };
    l->fan = (struct fan){.request = r,
                          .count = 1,
                          .ops = &l->op,
                          .submit = is_log ? log_scan_submit : kv_scan_submit,
                          .answer = scan_answer};
    fan_run(&l->fan);
}
