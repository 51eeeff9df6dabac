#include "client.h"

#include <stdlib.h>

#include "format/batch.h"

#define LANES_MAX    16
#define FLIGHT_MAX   5 /* requests of a lane, as of the stock clients */
#define ROWS_MAX     60
#define PUTS_MAX     6
#define AGAIN_US_MAX INT64_C(300000)

/* Rows to one bucket, in the order of their sequence. */
struct lane {
    struct target target;
    int64_t writer; /* of its rows */
    int64_t next_row;
    int32_t next_sequence;
    int32_t acked_sequence; /* the highest that was; -1: none */
    struct list batches;    /* not answered yet */
    size_t batch_count;
};

struct batch_out {
    struct call call;
    struct list link;
    struct row_writer *writer;
    struct lane *lane;
    struct op *ops[PUTS_MAX];
    size_t op_count;
    int32_t sequence;
    int32_t acks;
    uint8_t mask;
    bool flying;
    bool alone; /* all before it were acknowledged when it was sent last */
    struct bytes records;
    struct arena arena;
};

struct row_writer {
    struct client client;
    struct table *table;
    bool idempotent;
    int64_t id; /* BATCH_NO_WRITER_ID: to be asked for */
    bool asking;
    struct call ask;
    struct lane lanes[LANES_MAX];
    size_t lane_count;
    int64_t next_value;
    int64_t hold_until_us; /* nothing is sent again before */
};

static void act(struct client *c);

/* ---- the end of a batch ---- */

static void finish(struct batch_out *b, enum op_status status, enum errcode error)
{
    for (size_t i = 0; i < b->op_count; i++) {
        client_end(&b->writer->client, b->ops[i], status, error);
    }
    list_remove(&b->link);
    b->lane->batch_count--;
    arena_fini(&b->arena);
    free(b);
}

/* The place is gone: nobody will know what became of them. */
static void abandon(struct lane *lane)
{
    LIST_FOR_EACH(it, &lane->batches)
    {
        struct batch_out *b = container_of(it, struct batch_out, link);

        if (!b->flying) {
            finish(b, OP_UNKNOWN, ERR_UNKNOWN_TABLE_OR_BUCKET);
        }
    }
}

static void hold(struct row_writer *w)
{
    int64_t delay_us = prng_skewed(&w->client.prng, 1000, AGAIN_US_MAX);

    w->hold_until_us = client_now(&w->client) + delay_us;
    client_after(&w->client, delay_us);
}

static void refused(struct batch_out *b, enum errcode error)
{
    struct client *c = &b->writer->client;
    bool storm = error == ERR_OUT_OF_ORDER_SEQUENCE || error == ERR_UNKNOWN_WRITER_ID;

    if (!b->writer->idempotent || !target_alive(&b->lane->target)) {
        finish(b, OP_UNKNOWN, error);
        return;
    }
    if (storm && b->alone) {
        b->ops[0]->error_code = error_fluss_code(error);
        client_wrong(c, "writer", "the next batch of its writer, and refused as out of order",
                     b->ops[0]);
    } else if (!storm && !error_retriable(error)) {
        b->ops[0]->error_code = error_fluss_code(error);
        client_wrong(c, "writer", "refused for no reason", b->ops[0]);
    }
    hold(b->writer); /* then it is sent again */
}

static void answered(struct batch_out *b, enum errcode error, bool has_base, int64_t base)
{
    struct client *c = &b->writer->client;

    b->flying = false;
    if (error == ERR_OK || error == ERR_DUPLICATE_SEQUENCE) {
        if (b->sequence > b->lane->acked_sequence) {
            b->lane->acked_sequence = b->sequence;
        }
        if (b->ops[0]->kind == OP_APPEND) {
            b->ops[0]->append.base = has_base ? base : -1;
        }
        finish(b, OP_OK, ERR_OK);
    } else if (error == ERR_OUT_OF_ORDER_SEQUENCE && b->sequence < b->lane->acked_sequence) {
        /* One behind it was acknowledged: it was taken longer ago than the server remembers, and the stock
         * client, too, asks no more. */
        finish(b, OP_UNKNOWN, error);
    } else {
        refused(b, error);
    }
    c->act(c);
}

static enum errcode bucket_error(bool has, int32_t code)
{
    return has && code != 0 ? error_from_fluss(code) : ERR_OK;
}

static void on_appended(struct call *call, const void *response, enum errcode error)
{
    struct batch_out *b = container_of(call, struct batch_out, call);
    const struct msg_produce_log_response *m = response;

    if (m == NULL || m->buckets_resp_count != 1) {
        answered(b, error == ERR_OK ? ERR_NETWORK : error, false, 0);
        return;
    }
    answered(b, bucket_error(m->buckets_resp->has_error_code, m->buckets_resp->error_code),
             m->buckets_resp->has_base_offset, m->buckets_resp->base_offset);
}

static void on_put(struct call *call, const void *response, enum errcode error)
{
    struct batch_out *b = container_of(call, struct batch_out, call);
    const struct msg_put_kv_response *m = response;

    if (m == NULL || m->buckets_resp_count != 1) {
        answered(b, error == ERR_OK ? ERR_NETWORK : error, false, 0);
        return;
    }
    answered(b, bucket_error(m->buckets_resp->has_error_code, m->buckets_resp->error_code), false,
             0);
}

/* ---- sending ---- */

static void send_append(struct batch_out *b)
{
    const struct place *place = &b->lane->target.place;
    struct msg_pb_produce_log_req_for_bucket bucket = {.bucket_id = place->bucket,
                                                       .records = b->records,
                                                       .has_partition_id = place->partition >= 0,
                                                       .partition_id = place->partition};
    struct msg_produce_log_request request = {.acks = b->acks,
                                              .table_id = place->table,
                                              .timeout_ms = 10000,
                                              .buckets_req = &bucket,
                                              .buckets_req_count = 1};

    b->call.done = on_appended;
    session_send(&b->writer->client.session, &b->call, API_PRODUCE_LOG, &request, CALL_TIMEOUT_US);
}

static void send_put(struct batch_out *b)
{
    const struct place *place = &b->lane->target.place;
    int32_t targets[2 + HISTORY_VALUES];
    struct msg_pb_put_kv_req_for_bucket bucket = {.bucket_id = place->bucket,
                                                  .records = b->records};
    struct msg_put_kv_request request = {.acks = b->acks,
                                         .table_id = place->table,
                                         .timeout_ms = 10000,
                                         .buckets_req = &bucket,
                                         .buckets_req_count = 1};

    if (b->mask != (1 << HISTORY_VALUES) - 1) {
        request.target_columns = targets;
        request.target_columns_count = table_targets(b->writer->table, b->mask, targets);
    }
    b->call.done = on_put;
    session_send(&b->writer->client.session, &b->call, API_PUT_KV, &request, CALL_TIMEOUT_US);
}

/* What is not on its way, in order; the first that may not be sent holds up the others. */
static void send_lane(struct lane *lane)
{
    LIST_FOR_EACH(it, &lane->batches)
    {
        struct batch_out *b = container_of(it, struct batch_out, link);

        if (b->flying) {
            continue;
        }
        b->flying = true;
        b->alone = lane->batches.next == it;
        if (table_keyed(b->writer->table)) {
            send_put(b);
        } else {
            send_append(b);
        }
    }
}

/* ---- new batches ---- */

static struct table_writer stamp(struct row_writer *w, struct batch_out *b)
{
    struct table_writer stamp = {BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE};

    if (w->idempotent) {
        b->sequence = b->lane->next_sequence++;
        stamp = (struct table_writer){w->id, b->sequence};
    }
    return stamp;
}

static struct op *begin_op(struct batch_out *b, enum op_kind kind)
{
    struct op *op = client_begin(&b->writer->client, kind);

    op->place = b->lane->target.place;
    op->engine = b->writer->table->engine;
    op->again = b->writer->idempotent;
    b->ops[b->op_count++] = op;
    return op;
}

static void make_append(struct row_writer *w, struct batch_out *b)
{
    struct prng *prng = &w->client.prng;
    struct lane *lane = b->lane;
    struct table_run run = {.writer = lane->writer,
                            .first = lane->next_row,
                            .count = (int32_t)prng_skewed(prng, 1, ROWS_MAX)};
    struct op *op = begin_op(b, OP_APPEND);

    if (lane->target.partition >= 0) {
        run.partition = w->table->partitions[lane->target.partition].name;
    }
    op->append.writer = run.writer;
    op->append.first = run.first;
    op->append.count = run.count;
    op->append.idempotent = w->idempotent;
    op->append.durable = b->acks == -1;
    lane->next_row += run.count;
    b->records = table_log_batch(w->table, &run, stamp(w, b), &b->arena);
}

static void draw_put(struct row_writer *w, struct batch_out *b, int64_t key, struct table_put *put)
{
    struct prng *prng = &w->client.prng;
    int64_t value = (int64_t)w->client.number << 32 | w->next_value++;
    struct op *op = begin_op(b, OP_PUT);

    *put = (struct table_put){.key = key, .values = {.v = {value, value, value}}};
    put->remove = w->table->engine == ENGINE_LAST_ROW && b->mask == 7 && prng_below(prng, 5) == 0;
    if (w->table->engine == ENGINE_SUM) {
        put->values.v[1] = prng_between(prng, -5, 1000);
    } else if (w->table->engine == ENGINE_VERSIONED) {
        put->values.v[1] = prng_between(prng, 0, 50) + w->next_value / 4;
    }
    op->put.key = key;
    op->put.remove = put->remove;
    op->put.mask = b->mask;
    op->put.values = put->values;
    for (unsigned i = 0; i < HISTORY_VALUES; i++) {
        if ((b->mask >> i & 1) == 0) {
            put->values.nulls |= (uint8_t)(1u << i);
            op->put.values.v[i] = 0;
        }
    }
}

/* false: the bucket has no keys. */
static bool make_put(struct row_writer *w, struct batch_out *b)
{
    struct prng *prng = &w->client.prng;
    struct table_put puts[PUTS_MAX];
    size_t count = (size_t)prng_skewed(prng, 1, PUTS_MAX);
    int64_t start = prng_between(prng, 0, w->table->keys - 1);
    size_t n = 0;

    if (w->table->engine == ENGINE_LAST_ROW && prng_below(prng, 4) == 0) {
        b->mask = (uint8_t)prng_between(prng, 1, 6);
    }
    for (int64_t i = 0; i < w->table->keys && n < count; i++) {
        int64_t key = (start + i) % w->table->keys;

        if (table_bucket_of(w->table, key) == b->lane->target.place.bucket) {
            draw_put(w, b, key, &puts[n++]);
        }
    }
    if (n > 0) {
        b->records = table_kv_batch(w->table, puts, n, stamp(w, b), &b->arena);
    }
    return n > 0;
}

static void make_batch(struct row_writer *w, struct lane *lane)
{
    struct batch_out *b = mem_new(struct batch_out);

    b->writer = w;
    b->lane = lane;
    b->mask = (1 << HISTORY_VALUES) - 1;
    b->acks =
        w->idempotent || prng_below(&w->client.prng, 2) == 0 || table_keyed(w->table) ? -1 : 1;
    if (!table_keyed(w->table)) {
        make_append(w, b);
    } else if (!make_put(w, b)) {
        free(b);
        return;
    }
    list_push_back(&lane->batches, &b->link);
    lane->batch_count++;
}

static struct lane *find_lane(struct row_writer *w, const struct target *target)
{
    for (size_t i = 0; i < w->lane_count; i++) {
        if (place_equal(&w->lanes[i].target.place, &target->place)) {
            return &w->lanes[i];
        }
    }
    return NULL;
}

static struct lane *new_lane(struct row_writer *w, const struct target *target)
{
    struct lane *lane = NULL;

    for (size_t i = 0; i < w->lane_count && lane == NULL; i++) {
        if (!target_alive(&w->lanes[i].target) && w->lanes[i].batch_count == 0) {
            lane = &w->lanes[i];
        }
    }
    if (lane == NULL && w->lane_count < LANES_MAX) {
        lane = &w->lanes[w->lane_count++];
    }
    if (lane != NULL) {
        *lane = (struct lane){
            .target = *target, .writer = w->client.load->next_writer++, .acked_sequence = -1};
        list_init(&lane->batches);
    }
    return lane;
}

static void write_something(struct row_writer *w)
{
    struct target target;
    struct lane *lane;

    if (!client_draw_target(&w->client, w->table, &target)) {
        return;
    }
    lane = find_lane(w, &target);
    lane = lane == NULL ? new_lane(w, &target) : lane;
    if (lane != NULL && lane->batch_count < (w->idempotent ? FLIGHT_MAX : 1)) {
        make_batch(w, lane);
    }
}

/* ---- the writer ---- */

static bool idle(const struct client *c)
{
    const struct row_writer *w = container_of(c, struct row_writer, client);

    for (size_t i = 0; i < w->lane_count; i++) {
        if (w->lanes[i].batch_count > 0) {
            return false;
        }
    }
    return c->load->finishing;
}

static void on_asked(struct call *call, const void *response, enum errcode error)
{
    struct row_writer *w = container_of(call, struct row_writer, ask);
    const struct msg_init_writer_response *m = response;

    (void)error;
    w->asking = false;
    if (m != NULL) {
        w->id = m->writer_id;
    }
    client_think(&w->client);
}

static void ask_for_id(struct row_writer *w)
{
    struct msg_pb_table_path path = {.database_name = bytes_str(w->table->database),
                                     .table_name = bytes_str(w->table->name)};
    struct msg_init_writer_request request = {.table_path = &path, .table_path_count = 1};

    w->asking = true;
    w->ask.done = on_asked;
    session_send(&w->client.session, &w->ask, API_INIT_WRITER, &request, CALL_TIMEOUT_US);
}

/* A writer that is replaced by another: sequences start anew. Only without anything open. */
static void replace(struct row_writer *w)
{
    for (size_t i = 0; i < w->lane_count; i++) {
        if (w->lanes[i].batch_count > 0) {
            return;
        }
    }
    w->id = BATCH_NO_WRITER_ID;
    w->lane_count = 0;
}

static void act(struct client *c)
{
    struct row_writer *w = container_of(c, struct row_writer, client);

    for (size_t i = 0; i < w->lane_count; i++) {
        if (!target_alive(&w->lanes[i].target)) {
            abandon(&w->lanes[i]);
        }
    }
    if (!c->session.open || w->asking) {
        return; /* acts again when that has changed */
    }
    if (w->table->id >= 0 && w->idempotent && w->id == BATCH_NO_WRITER_ID && !c->load->finishing) {
        ask_for_id(w);
        return;
    }
    if (!c->load->finishing && !client_waits(c)) {
        write_something(w);
    }
    for (size_t i = 0; i < w->lane_count && client_now(c) >= w->hold_until_us; i++) {
        send_lane(&w->lanes[i]);
    }
    if (w->idempotent && prng_below(&c->prng, 200) == 0) {
        replace(w);
    }
    if (!client_waits(c)) {
        client_think(c);
    }
}

static void writer_free(struct client *c)
{
    struct row_writer *w = container_of(c, struct row_writer, client);

    client_fini(c);
    for (size_t i = 0; i < w->lane_count; i++) {
        LIST_FOR_EACH(it, &w->lanes[i].batches)
        {
            struct batch_out *b = container_of(it, struct batch_out, link);

            arena_fini(&b->arena);
            free(b);
        }
    }
    free(w);
}

struct client *writer_new(struct load *load, uint32_t number)
{
    struct row_writer *w = mem_new(struct row_writer);

    client_init(&w->client, load, number, act);
    w->client.idle = idle;
    w->client.free = writer_free;
    w->table = load->tables[number % load->table_count];
    w->idempotent = prng_below(&w->client.prng, 4) != 0;
    w->id = BATCH_NO_WRITER_ID;
    return &w->client;
}
