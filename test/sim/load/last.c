/* The last reader goes over all names, then over all buckets: where the log ends, its rows from the
 * first to the last, the state of all keys. What has no answer is asked again. */
#include "get.h"
#include "names.h"

#include <stdlib.h>

#define AGAIN_US 20000

enum step { STEP_NAMES, STEP_END, STEP_READ, STEP_GET, STEP_DONE };

struct last_reader {
    struct client client;
    enum step step;
    bool flying;
    struct name_call name;
    size_t names; /* that are described */
    struct call call;
    struct op *op;
    struct gets gets;
    /* the bucket */
    size_t table;
    int partition;
    struct target target;
    int64_t end;
    int64_t next;
};

static void landed(struct last_reader *l, bool good)
{
    l->flying = false;
    client_after(&l->client, good ? 0 : AGAIN_US);
}

/* ---- names ---- */

/* The name of that number; false: there are no more. */
static bool name_at(const struct load *load, size_t number, struct name_ref *ret)
{
    if (number < LOAD_CHURN) {
        *ret = (struct name_ref){.partition = -1, .churn = (unsigned)number};
        return true;
    }
    number -= LOAD_CHURN;
    for (size_t i = 0; i < load->table_count; i++) {
        struct table *t = load->tables[i];

        if (number <= t->partition_count) {
            *ret = (struct name_ref){.table = t, .partition = (int)number - 1};
            return true;
        }
        number -= t->partition_count + 1;
    }
    return false;
}

static void on_named(struct name_call *n, const struct op *op)
{
    struct last_reader *l = container_of(n, struct last_reader, name);

    l->names += op->status == OP_OK;
    landed(l, op->status == OP_OK);
}

static void describe(struct last_reader *l)
{
    struct name_ref ref;

    if (!name_at(l->client.load, l->names, &ref)) {
        l->step = STEP_END;
        landed(l, true);
        return;
    }
    name_send(&l->name, OP_DESCRIBE, ref, NULL);
}

/* ---- from bucket to bucket ---- */

/* Steps to the next bucket that exists, or ends. target.place.bucket -1: before the first. */
static void next_bucket(struct last_reader *l)
{
    struct load *load = l->client.load;

    for (; l->table < load->table_count; l->table++, l->partition = 0) {
        struct table *t = load->tables[l->table];
        int parts = t->partition_count == 0 ? 1 : (int)t->partition_count;

        for (; t->id >= 0 && l->partition < parts; l->partition++, l->target.place.bucket = -1) {
            int64_t id = t->partition_count == 0 ? -1 : t->partitions[l->partition].id;

            if (++l->target.place.bucket >= t->bucket_count || (t->partition_count > 0 && id < 0)) {
                continue;
            }
            l->target.table = t;
            l->target.place.table = t->id;
            l->target.place.partition = id;
            l->step = STEP_END;
            l->next = 0;
            return;
        }
    }
    l->step = STEP_DONE;
}

static void bucket_done(struct last_reader *l)
{
    next_bucket(l);
    landed(l, true);
}

static struct op *begin_op(struct last_reader *l, enum op_kind kind)
{
    l->op = client_begin(&l->client, kind);
    l->op->place = l->target.place;
    l->op->engine = l->target.table->engine;
    return l->op;
}

static void end_op(struct last_reader *l, bool good, enum errcode error)
{
    struct op *op = l->op;

    l->op = NULL;
    client_end(&l->client, op,
               good                                   ? OP_OK
               : error == ERR_LOG_OFFSET_OUT_OF_RANGE ? OP_FAILED
                                                      : OP_UNKNOWN,
               error);
}

/* ---- the end of the log ---- */

static void on_end(struct call *call, const void *response, enum errcode error)
{
    struct last_reader *l = container_of(call, struct last_reader, call);
    const struct msg_list_offsets_response *m = response;
    bool good = m != NULL && m->buckets_resp_count == 1 && m->buckets_resp->error_code == 0;

    if (good) {
        l->end = m->buckets_resp->offset;
        l->op->end.offset = l->end;
        l->step = STEP_READ;
    }
    end_op(l, good, error);
    landed(l, good);
}

static void ask_end(struct last_reader *l)
{
    int32_t bucket = l->target.place.bucket;
    struct msg_list_offsets_request request = {
        .follower_server_id = -1,
        .offset_type = 1,
        .table_id = l->target.place.table,
        .bucket_id = &bucket,
        .bucket_id_count = 1,
        .has_partition_id = l->target.place.partition >= 0,
        .partition_id = l->target.place.partition,
    };

    (void)begin_op(l, OP_END);
    l->call.done = on_end;
    session_send(&l->client.session, &l->call, API_LIST_OFFSETS, &request, CALL_TIMEOUT_US);
}

/* ---- rows ---- */

static void take_rows(struct last_reader *l, const struct msg_pb_fetch_log_resp_for_bucket *b)
{
    struct rows rows = {0};

    table_read_log(l->target.table, b->records, false, &l->client.load->history.arena, &rows);
    l->op->read.rows = rows.items;
    l->op->read.count = rows.count;
    l->op->read.high_watermark = b->high_watermark;
    if (b->high_watermark > l->end) {
        l->end = b->high_watermark; /* rows not waited for (acks 1) may only now be durable */
    }
    if (rows.count > 0 && rows.items[rows.count - 1].offset >= l->next) {
        l->next = rows.items[rows.count - 1].offset + 1;
    } else if (b->has_filtered_end_offset && b->filtered_end_offset > l->next) {
        l->next = b->filtered_end_offset;
    }
}

static void on_fetched(struct call *call, const void *response, enum errcode error)
{
    struct last_reader *l = container_of(call, struct last_reader, call);
    const struct msg_fetch_log_response *m = response;
    bool good = m != NULL && m->tables_resp_count == 1 && m->tables_resp->buckets_resp_count == 1;

    if (good && m->tables_resp->buckets_resp->error_code != 0) {
        error = error_from_fluss(m->tables_resp->buckets_resp->error_code);
        good = false;
    }
    if (good) {
        take_rows(l, m->tables_resp->buckets_resp);
    }
    end_op(l, good, error);
    landed(l, good);
}

static void read_rows(struct last_reader *l)
{
    struct msg_pb_fetch_log_req_for_bucket bucket = {.bucket_id = l->target.place.bucket,
                                                     .has_partition_id =
                                                         l->target.place.partition >= 0,
                                                     .partition_id = l->target.place.partition,
                                                     .fetch_offset = l->next,
                                                     .max_fetch_bytes = 1 << 20};
    struct msg_pb_fetch_log_req_for_table table = {
        .table_id = l->target.place.table, .buckets_req = &bucket, .buckets_req_count = 1};
    struct msg_fetch_log_request request = {.follower_server_id = -1,
                                            .max_bytes = 1 << 20,
                                            .tables_req = &table,
                                            .tables_req_count = 1};

    if (l->next >= l->end) {
        l->step = STEP_GET;
        landed(l, true);
        return;
    }
    begin_op(l, OP_READ)->read.from = l->next;
    l->call.done = on_fetched;
    session_send(&l->client.session, &l->call, API_FETCH_LOG, &request, CALL_TIMEOUT_US);
}

/* ---- keys ---- */

static void on_looked_up(struct call *call, const void *response, enum errcode error)
{
    struct last_reader *l = container_of(call, struct last_reader, call);
    const struct msg_lookup_response *m = response;
    bool good = m != NULL && m->buckets_resp_count == 1 && m->buckets_resp->error_code == 0;

    if (good) {
        gets_take_lookup(&l->gets, &l->client, l->target.table, m);
        bucket_done(l);
    } else {
        gets_end(&l->gets, &l->client, OP_UNKNOWN, error);
        landed(l, false);
    }
}

static void look_up(struct last_reader *l)
{
    struct table *t = l->target.table;

    l->gets.last = true;
    for (int64_t key = 0; table_keyed(t) && key < t->keys; key++) {
        if (table_bucket_of(t, key) == l->target.place.bucket) {
            gets_add(&l->gets, &l->client, &l->target, key);
        }
    }
    if (l->gets.count == 0) {
        bucket_done(l);
        return;
    }
    l->call.done = on_looked_up;
    gets_send_lookup(&l->gets, &l->client, t, &l->call);
}

/* ---- the reader ---- */

static void act(struct client *c)
{
    struct last_reader *l = container_of(c, struct last_reader, client);

    if (!c->session.open || l->flying || !c->load->settled) {
        return;
    }
    l->flying = true;
    switch (l->step) {
    case STEP_NAMES:
        describe(l);
        return;
    case STEP_END:
        if (l->target.table == NULL) {
            bucket_done(l);
            return;
        }
        ask_end(l);
        return;
    case STEP_READ:
        read_rows(l);
        return;
    case STEP_GET:
        look_up(l);
        return;
    case STEP_DONE:
        l->flying = false;
        return;
    }
}

static bool idle(const struct client *c)
{
    return container_of(c, struct last_reader, client)->step == STEP_DONE;
}

static void last_free(struct client *c)
{
    client_fini(c);
    free(container_of(c, struct last_reader, client));
}

struct client *last_new(struct load *load, uint32_t number)
{
    struct last_reader *l = mem_new(struct last_reader);

    client_init(&l->client, load, number, act);
    l->client.idle = idle;
    l->client.free = last_free;
    l->name.client = &l->client;
    l->name.done = on_named;
    l->target.place.bucket = -1;
    return &l->client;
}
