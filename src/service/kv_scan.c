/* SCAN_KV: a scanner lives on the shard of its bucket; its id says which that is, so that calls find
 * it without the bucket. Errors are in the body of the answer. */
#include "service.h"

struct scan_part {
    struct part part;
    struct kv_scan_op op;
};

static void scan_fail(struct request *r, enum errcode code, const struct error *e)
{
    struct msg_scan_kv_response *response = arena_new(&r->arena, struct msg_scan_kv_response);

    response->has_error_code = true;
    response->error_code = error_fluss_code(code);
    response->has_error_message = rpc_error_text(e, &r->arena, &response->error_message);
    request_answer(r, response);
}

static void op_done(struct bucket_op *op) { part_operation_done(op->context); }

static void scan_start(struct part *part)
{
    struct scan_part *p = container_of(part, struct scan_part, part);

    part->waiting++;
    pieces_init(&p->op.rows, &part->arena);
    replica_kv_scan(part->owner->replicas, &p->op);
}

static void scan_finished(struct part *part)
{
    struct scan_part *p = container_of(part, struct scan_part, part);
    struct request *r = part->request;
    struct kv_scan_op *op = &p->op;
    struct msg_scan_kv_response *response;

    if (op->op.code != ERR_OK) {
        scan_fail(r, op->op.code, &op->op.error);
        return;
    }
    response = arena_new(&r->arena, struct msg_scan_kv_response);
    /* a bucket without rows needs no scanner */
    response->has_scanner_id = op->step != KV_SCAN_OPEN || op->rows.len > 0;
    response->scanner_id = bytes_of(op->scanner, sizeof op->scanner);
    response->has_has_more_results = true;
    response->has_more_results = op->more;
    response->records_pieces = op->rows.len > 0 ? &op->rows : NULL;
    response->has_log_offset = op->step == KV_SCAN_OPEN;
    response->log_offset = op->log_offset;
    request_answer(r, response);
}

/* ---- what is asked for ---- */

static enum errcode invalid(struct error *e, const char *what)
{
    return error_set(e, ERR_INVALID_SCAN_REQUEST, "%s", what);
}

static enum errcode check_request(const struct msg_scan_kv_request *m, struct error *e)
{
    bool closing = m->close_scanner;

    if ((m->bucket_scan_req != NULL) == m->has_scanner_id) {
        return invalid(e, "either bucket_scan_req or scanner_id is expected");
    }
    if (m->bucket_scan_req != NULL && closing) {
        return invalid(e, "close_scanner goes with scanner_id");
    }
    if (!closing && (!m->has_batch_size_bytes || m->batch_size_bytes <= 0)) {
        return invalid(e, "batch_size_bytes must be more than 0");
    }
    return !closing && !m->has_call_seq_id ? invalid(e, "call_seq_id is missing") : ERR_OK;
}

static struct bucket_id bucket_of(const struct msg_pb_scan_req_for_bucket *b)
{
    return (struct bucket_id){
        .table_id = b->table_id,
        .partition_id = b->has_partition_id ? b->partition_id : -1,
        .bucket = b->bucket_id,
    };
}

/* The shard of the scanner. ERR_UNKNOWN_SCANNER_ID. */
static enum errcode find_shard(struct request *r, unsigned *ret, struct error *e)
{
    const struct msg_scan_kv_request *m = r->message;
    unsigned shards = r->service->node->shard_count;

    if (m->bucket_scan_req != NULL) {
        struct bucket_id id = bucket_of(m->bucket_scan_req);

        *ret = bucket_shard(&id, shards);
        return ERR_OK;
    }
    if (!kv_scanner_shard(m->scanner_id, shards, ret)) {
        return error_set(e, ERR_UNKNOWN_SCANNER_ID, "there is no such scanner");
    }
    return ERR_OK;
}

static void fill_op(const struct msg_scan_kv_request *m, struct kv_scan_op *op)
{
    if (m->bucket_scan_req != NULL) {
        op->step = KV_SCAN_OPEN;
        op->op.id = bucket_of(m->bucket_scan_req);
        op->limit = m->bucket_scan_req->has_limit ? m->bucket_scan_req->limit : 0;
    } else {
        op->step = m->close_scanner ? KV_SCAN_CLOSE : KV_SCAN_NEXT;
        memcpy(op->scanner, m->scanner_id.data, sizeof op->scanner);
    }
    op->sequence = m->call_seq_id;
    op->batch_bytes = (size_t)m->batch_size_bytes;
}

/* Closing a scanner that is not known has succeeded. */
static void answer_closed(struct request *r, struct bytes id)
{
    struct msg_scan_kv_response *response = arena_new(&r->arena, struct msg_scan_kv_response);

    response->has_scanner_id = true;
    response->scanner_id = id;
    response->has_has_more_results = true;
    request_answer(r, response);
}

void handle_scan_kv(struct request *r)
{
    const struct msg_scan_kv_request *m = r->message;
    struct scan_part *p;
    unsigned shard = 0;
    enum errcode code;
    struct error e;

    code = check_request(m, &e);
    if (code == ERR_OK) {
        code = find_shard(r, &shard, &e);
        if (code != ERR_OK && m->close_scanner) {
            answer_closed(r, m->scanner_id);
            return;
        }
    }
    if (code != ERR_OK) {
        scan_fail(r, code, &e);
        return;
    }
    p = container_of(part_new(r, r->service->node->services[shard], sizeof *p), struct scan_part,
                     part);
    fill_op(m, &p->op);
    p->op.op.done = op_done;
    p->op.op.context = &p->part;
    p->part.start = scan_start;
    p->part.finished = scan_finished;
    r->owner = p->part.owner;
    part_send(&p->part);
}
