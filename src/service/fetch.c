/* FETCH_LOG: read all buckets on their shards; when that is not enough, wait on all of them and
 * read again.
 *
 *   READING ──> ANSWERED
 *   READING ──> WAITING ──> UNHOOKING ──> READING ...
 *
 * WAITING: every bucket that was read has a waiter on its shard. The first that fires, or the
 * timer, starts UNHOOKING: every part takes its waiters back and reports home, so that no shard
 * knows of the request when it is read again or answered. */
#include "predicate.h"
#include "service.h"

#define DEFAULT_WAIT_MS 100 /* when min_bytes is given without max_wait_ms */
/* Of one answer, whatever the request allows: clients read on. */
#define FETCH_BYTES_MAX ((size_t)64 << 20)

enum fetch_state { FETCH_READING, FETCH_WAITING, FETCH_UNHOOKING };

struct fetch_part;

struct fetch_item {
    struct fetch_op fetch;
    struct replica_waiter waiter;
    struct fetch_part *part;
    const struct msg_pb_fetch_log_req_for_bucket *request;
    struct msg_pb_fetch_log_resp_for_bucket *response;
    size_t bytes_max;
    size_t asked_bytes; /* what the read under way may take of the part's bytes_left */
};

struct fetch_part {
    struct part part;
    struct message woken; /* home: a waiter fired */
    struct fetch *fetch;
    struct fetch_item **items;
    size_t count;
    size_t next;       /* item to be read */
    size_t reading;    /* items that are */
    size_t bytes_left; /* of the request's, for the next ones */
    bool found;        /* some item had bytes */
    bool submitting;   /* inside read_more */
    bool woken_sent;
};

struct fetch {
    struct list link; /* in service->parked */
    struct request *request;
    const struct msg_fetch_log_request *message;
    struct msg_fetch_log_response response;
    enum fetch_state state;
    size_t bytes_max;     /* of the answer; the first batch may exceed it */
    size_t charged_bytes; /* to the shard's budget while reading: see fetch_read */
    struct fetch_item *items;
    size_t item_count;
    struct fetch_part **parts;
    size_t part_count;
    size_t parts_waiting;
    int64_t deadline_us;
    struct timer timer;
    struct deferred wakeup;
};

static void fetch_read(struct fetch *f);
static void fetch_unhook(struct fetch *f);

/* ---- on the owner ---- */

static void read_item(struct fetch_part *p, struct fetch_item *item)
{
    struct fetch_op *op = &item->fetch;

    item->asked_bytes = item->bytes_max < p->bytes_left ? item->bytes_max : p->bytes_left;
    p->bytes_left -= item->asked_bytes;
    op->max_bytes = item->asked_bytes;
    op->min_one = !p->found;
    pieces_init(&op->pieces, &p->part.arena);
    p->reading++;
    p->part.waiting++;
    replica_fetch(p->part.owner->replicas, op);
}

/* The request's bytes are spent over the buckets in order. Reads that are under way (in the pool)
 * may give back some of theirs, so once all are spoken for the next read waits for them. */
static void read_more(struct fetch_part *p)
{
    if (p->submitting) {
        return; /* the loop below goes on */
    }
    p->submitting = true;
    while (p->next < p->count && (p->bytes_left > 0 || p->reading == 0)) {
        read_item(p, p->items[p->next++]);
    }
    p->submitting = false;
}

static void read_done(struct bucket_op *op)
{
    struct fetch_item *item = container_of(op, struct fetch_item, fetch.op);
    struct fetch_part *p = item->part;
    size_t got = op->code == ERR_OK ? item->fetch.pieces.len : 0;
    size_t over = got > item->asked_bytes ? got - item->asked_bytes : 0;

    p->reading--;
    p->found |= got > 0;
    p->bytes_left += over > 0 ? 0 : item->asked_bytes - got;
    p->bytes_left -= over < p->bytes_left ? over : p->bytes_left;
    read_more(p);
    part_operation_done(&p->part);
}

static void read_start(struct part *part)
{
    struct fetch_part *p = container_of(part, struct fetch_part, part);

    arena_fini(&part->arena); /* what an earlier round has read */
    p->next = 0;
    p->bytes_left = p->fetch->bytes_max;
    p->found = false;
    read_more(p);
}

static void tell_woken(struct fetch_part *p)
{
    if (p->woken_sent) {
        return;
    }
    p->woken_sent = true;
    if (p->part.owner == p->part.request->service) {
        shard_defer(p->part.owner->shard, DEFER_WORK, &p->fetch->wakeup);
    } else {
        shard_send(p->part.request->service->shard, &p->woken);
    }
}

static void waiter_fired(struct replica_waiter *w)
{
    tell_woken(container_of(w, struct fetch_item, waiter)->part);
}

static void wait_start(struct part *part)
{
    struct fetch_part *p = container_of(part, struct fetch_part, part);

    p->woken_sent = false;
    for (size_t i = 0; i < p->count; i++) {
        struct fetch_item *item = p->items[i];

        if (item->fetch.op.code != ERR_OK) {
            continue;
        }
        item->waiter.offset = item->fetch.high_watermark; /* what was read reached up to there */
        item->waiter.wake = waiter_fired;
        if (!replica_wait(part->owner->replicas, &item->fetch.op.id, &item->waiter)) {
            tell_woken(p); /* it moved since it was read */
        }
    }
}

static void unhook_start(struct part *part)
{
    struct fetch_part *p = container_of(part, struct fetch_part, part);

    for (size_t i = 0; i < p->count; i++) {
        replica_unwait(&p->items[i]->waiter);
    }
}

/* ---- answering ---- */

static size_t bytes_read(const struct fetch *f, bool *ret_failed)
{
    size_t sum = 0;

    *ret_failed = false;
    for (size_t i = 0; i < f->item_count; i++) {
        const struct fetch_op *op = &f->items[i].fetch;

        if (op->op.code == ERR_OK) {
            sum += op->pieces.len;
            *ret_failed |= op->filtered_end_offset >= 0; /* progress to report */
        } else if (op->op.code != ERR_NOT_LEADER_OR_FOLLOWER &&
                   op->op.code != ERR_UNKNOWN_TABLE_OR_BUCKET) {
            *ret_failed = true;
        }
    }
    return sum;
}

static void fill_bucket(struct fetch *f, struct fetch_item *item, size_t *sum)
{
    struct msg_pb_fetch_log_resp_for_bucket *response = item->response;
    struct fetch_op *op = &item->fetch;

    if (op->op.code != ERR_OK) {
        response->has_error_code = true;
        response->error_code = error_fluss_code(op->op.code);
        response->has_error_message =
            rpc_error_text(&op->op.error, &f->request->arena, &response->error_message);
        return;
    }
    /* only the first bucket with data may exceed the limits */
    if (*sum > 0 && (op->pieces.len > item->bytes_max || *sum + op->pieces.len > f->bytes_max)) {
        pieces_fini(&op->pieces);
        op->filtered_end_offset = -1;
    }
    *sum += op->pieces.len;
    response->has_high_watermark = true;
    response->high_watermark = op->high_watermark;
    response->has_log_start_offset = true;
    response->has_records = true;
    response->records_pieces = &op->pieces;
    response->has_filtered_end_offset = op->filtered_end_offset >= 0;
    response->filtered_end_offset = op->filtered_end_offset;
}

static void fetch_answer(struct fetch *f)
{
    size_t sum = 0;

    timer_stop(&f->timer);
    list_remove(&f->link);
    for (size_t i = 0; i < f->item_count; i++) {
        fill_bucket(f, &f->items[i], &sum);
    }
    request_answer(f->request, &f->response);
}

static void drop_read(struct fetch *f)
{
    for (size_t i = 0; i < f->item_count; i++) {
        pieces_fini(&f->items[i].fetch.pieces);
    }
}

/* ---- rounds ---- */

static void fetch_round(struct fetch *f, void (*start)(struct part *),
                        void (*finished)(struct part *))
{
    f->parts_waiting = f->part_count;
    for (size_t i = 0; i < f->part_count; i++) {
        f->parts[i]->part.start = start;
        f->parts[i]->part.finished = finished;
    }
    for (size_t i = 0, n = f->part_count; i < n; i++) {
        part_send(&f->parts[i]->part); /* the last one may end the request */
    }
}

static void wait_registered(struct part *part)
{
    struct fetch *f = container_of(part, struct fetch_part, part)->fetch;

    if (--f->parts_waiting == 0 && f->state == FETCH_UNHOOKING) {
        fetch_unhook(f); /* woken while still registering */
    }
}

static void fetch_wait(struct fetch *f)
{
    struct service *s = f->request->service;

    drop_read(f);
    f->state = FETCH_WAITING;
    list_push_back(&s->parked, &f->link);
    timer_start(s->shard, &f->timer, f->deadline_us - shard_now_us(s->shard));
    fetch_round(f, wait_start, wait_registered);
}

/* What is worth an answer: never more than the answer may have. */
static size_t bytes_wanted(const struct fetch *f)
{
    size_t min = f->message->min_bytes > 0 ? (size_t)f->message->min_bytes : 0;

    return min < f->bytes_max ? min : f->bytes_max;
}

static void read_finished(struct part *part)
{
    struct fetch *f = container_of(part, struct fetch_part, part)->fetch;
    struct service *s = f->request->service;
    bool failed;

    if (--f->parts_waiting > 0) {
        return;
    }
    budget_give(shard_budget(s->shard), f->charged_bytes);
    if (bytes_read(f, &failed) >= bytes_wanted(f) || failed || s->draining ||
        f->deadline_us <= shard_now_us(s->shard)) {
        fetch_answer(f);
    } else {
        fetch_wait(f);
    }
}

/* What a projection collects is memory, unlike the file ranges of a plain read: as much as may be
 * found is charged beforehand, so that requests read in the same turn see it. */
static size_t bytes_collected_max(const struct fetch *f)
{
    size_t sum = 0;

    for (size_t i = 0; i < f->item_count && sum < f->bytes_max; i++) {
        sum += f->items[i].fetch.projection != NULL ? f->items[i].bytes_max : 0;
    }
    return sum < f->bytes_max ? sum : f->bytes_max;
}

static void fetch_read(struct fetch *f)
{
    f->state = FETCH_READING;
    f->charged_bytes = bytes_collected_max(f);
    budget_overdraw(shard_budget(f->request->service->shard), f->charged_bytes);
    fetch_round(f, read_start, read_finished);
}

static void unhooked(struct part *part)
{
    struct fetch *f = container_of(part, struct fetch_part, part)->fetch;

    if (--f->parts_waiting == 0) {
        fetch_read(f);
    }
}

static void fetch_unhook(struct fetch *f)
{
    timer_stop(&f->timer);
    list_remove(&f->link);
    deferred_cancel(&f->wakeup);
    fetch_round(f, unhook_start, unhooked);
}

/* Something happened to a waiting request. */
static void fetch_wake(struct fetch *f)
{
    if (f->state != FETCH_WAITING) {
        return; /* already on its way */
    }
    f->state = FETCH_UNHOOKING;
    if (f->parts_waiting == 0) {
        fetch_unhook(f);
    }
}

static void wakeup_run(struct deferred *d) { fetch_wake(container_of(d, struct fetch, wakeup)); }

static void woken_run(struct message *m)
{
    fetch_wake(container_of(m, struct fetch_part, woken)->fetch);
}

static void timer_fired(struct timer *t) { fetch_wake(container_of(t, struct fetch, timer)); }

void service_drain(struct service *s)
{
    s->draining = true;
    LIST_FOR_EACH(it, &s->parked) { fetch_wake(container_of(it, struct fetch, link)); }
}

/* ---- starting ---- */

static struct fetch_part *fetch_part_of(struct fetch *f, unsigned shard)
{
    struct request *r = f->request;
    struct service *owner = r->service->node->services[shard];
    struct fetch_part *p;

    for (size_t i = 0; i < f->part_count; i++) {
        if (f->parts[i]->part.owner == owner) {
            return f->parts[i];
        }
    }
    p = container_of(part_new(r, owner, sizeof *p), struct fetch_part, part);
    p->fetch = f;
    p->woken.run = woken_run;
    p->items = arena_array(&r->arena, f->item_count, sizeof(struct fetch_item *));
    f->parts[f->part_count++] = p;
    return p;
}

static void fill_item(struct fetch *f, struct fetch_item *item,
                      const struct msg_pb_fetch_log_req_for_table *table)
{
    const struct msg_pb_fetch_log_req_for_bucket *b = item->request;
    struct bucket_id id = {
        .table_id = table->table_id,
        .partition_id = b->has_partition_id ? b->partition_id : -1,
        .bucket = b->bucket_id,
    };

    item->bytes_max = b->max_fetch_bytes > 0 ? (size_t)b->max_fetch_bytes : 0;
    if (item->bytes_max > f->bytes_max) {
        item->bytes_max = f->bytes_max;
    }
    item->fetch.op = (struct bucket_op){.id = id, .done = read_done};
    item->fetch.offset = b->fetch_offset;
    item->part = fetch_part_of(f, bucket_shard(&id, f->request->service->node->shard_count));
    item->part->items[item->part->count++] = item;
    list_init(&item->waiter.link);
    item->response->bucket_id = b->bucket_id;
    item->response->has_partition_id = b->has_partition_id;
    item->response->partition_id = b->partition_id;
}

/* Projection and filter are the table's, shared by its buckets. */
static enum errcode prepare_table(struct request *r,
                                  const struct msg_pb_fetch_log_req_for_table *table,
                                  struct fetch_item *items, size_t count)
{
    struct fetch_projection *projection = NULL;
    const struct filter *filter = NULL;

    if (table->projection_pushdown_enabled) {
        projection = arena_new(&r->arena, struct fetch_projection);
        projection->positions = (const uint32_t *)table->projected_fields;
        projection->count = table->projected_fields_count;
    }
    if (table->filter_predicate != NULL) {
        if (!table->has_filter_schema_id || table->filter_schema_id < 0) {
            return error_set(&r->error, ERR_INVALID_ARGUMENT,
                             "a filter needs the id of the schema it was made for");
        }
        filter = predicate_build(request_view(r), table->table_id, table->filter_schema_id,
                                 table->filter_predicate, &r->arena);
    }
    for (size_t i = 0; i < count; i++) {
        items[i].fetch.projection = projection;
        items[i].fetch.filter = filter;
    }
    return ERR_OK;
}

static enum errcode fetch_prepare(struct fetch *f)
{
    struct request *r = f->request;
    const struct msg_fetch_log_request *m = f->message;
    size_t at = 0;

    f->response.tables_resp_count = m->tables_req_count;
    f->response.tables_resp =
        arena_array(&r->arena, m->tables_req_count, sizeof *f->response.tables_resp);
    for (size_t i = 0; i < m->tables_req_count; i++) {
        const struct msg_pb_fetch_log_req_for_table *table = &m->tables_req[i];
        struct msg_pb_fetch_log_resp_for_table *response = &f->response.tables_resp[i];

        response->table_id = table->table_id;
        response->buckets_resp_count = table->buckets_req_count;
        response->buckets_resp =
            arena_array(&r->arena, table->buckets_req_count, sizeof *response->buckets_resp);
        for (size_t k = 0; k < table->buckets_req_count; k++) {
            f->items[at + k].request = &table->buckets_req[k];
            f->items[at + k].response = &response->buckets_resp[k];
            fill_item(f, &f->items[at + k], table);
        }
        TRY(prepare_table(r, table, &f->items[at], table->buckets_req_count));
        at += table->buckets_req_count;
    }
    return ERR_OK;
}

static int64_t wait_us(const struct service *s, const struct msg_fetch_log_request *m)
{
    int64_t ms = m->has_max_wait_ms ? m->max_wait_ms : DEFAULT_WAIT_MS;
    int64_t us = ms > 0 ? ms * 1000 : 0;

    if (!m->has_min_bytes || m->min_bytes <= 0) {
        return 0;
    }
    return us < s->node->wait_us_max ? us : s->node->wait_us_max;
}

/* A follower asks: no bucket has one. */
static void fetch_refuse(struct fetch *f)
{
    for (size_t i = 0; i < f->item_count; i++) {
        struct bucket_op *op = &f->items[i].fetch.op;

        op->code =
            error_set(&op->error, ERR_NOT_LEADER_OR_FOLLOWER,
                      "server %d is no replica of the bucket", f->message->follower_server_id);
    }
    fetch_answer(f);
}

void handle_fetch_log(struct request *r)
{
    struct service *s = r->service;
    struct fetch *f = arena_new(&r->arena, struct fetch);
    enum errcode code;

    f->request = r;
    f->message = r->message;
    f->bytes_max = f->message->max_bytes > 0 ? (size_t)f->message->max_bytes : 0;
    if (f->bytes_max > FETCH_BYTES_MAX) {
        f->bytes_max = FETCH_BYTES_MAX;
    }
    list_init(&f->link);
    timer_init(&f->timer, timer_fired);
    deferred_init(&f->wakeup, wakeup_run);
    f->deadline_us = shard_now_us(s->shard) + wait_us(s, f->message);
    for (size_t i = 0; i < f->message->tables_req_count; i++) {
        f->item_count += f->message->tables_req[i].buckets_req_count;
    }
    if (!fan_accepts(r, f->item_count)) {
        return;
    }
    f->items = arena_array(&r->arena, f->item_count, sizeof *f->items);
    f->parts = arena_array(&r->arena, s->node->shard_count, sizeof(struct fetch_part *));
    code = fetch_prepare(f);
    if (code != ERR_OK) {
        request_fail(r, code, &r->error);
    } else if (f->message->follower_server_id >= 0) {
        fetch_refuse(f);
    } else if (f->part_count == 0) {
        request_answer(r, &f->response);
    } else {
        r->owner = f->part_count == 1 ? f->parts[0]->part.owner : NULL;
        fetch_read(f);
    }
}
