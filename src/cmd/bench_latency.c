/* latency: one row per request at a fixed rate, and a consumer that waits for rows on a connection
 * of its own.
 *
 * Row i is due at start + i / rate, whether or not earlier ones have been answered, and times
 * count from then: a stall of the server shows in every row that was due during it. The table is
 * new and these rows are its only contents, so the offset of a row is its number. Row 0 is sent
 * beforehand, until the server takes it. */
#include "bench_cluster.h"
#include "bench_meter.h"
#include "bench_modes.h"
#include "bench_rows.h"

#include <stdlib.h>

#include "format/batch.h"
#include "io/blocking.h"
#include "io/clock.h"

#define FETCH_BYTES   (16 << 20)
#define FETCH_WAIT_MS 500
#define PRIME_FOR_US  60000000
#define AGAIN_US      20000
#define MESSAGES      256 /* different rows */

enum { PRODUCER, CONSUMER, LINKS };

struct latency {
    const struct bench_options *options;
    struct bench_cluster cluster;
    struct rpc_client *links[LINKS];
    struct arena arena;
    struct bytes messages[MESSAGES];
    struct bench_writer writer;
    int32_t first_id; /* request id of row 1; those of later rows follow */
    int64_t warm;     /* rows that are not measured, row 0 included */
    int64_t end;      /* one past the last row */
    int64_t sent;     /* one past the last one sent; likewise: */
    int64_t consumed;
    int64_t acked; /* number of them */
    int64_t bytes; /* of measured rows */
    int64_t start_us;
    struct meter meter;
    struct histogram acks;
    struct histogram arrivals;
};

static enum errcode prepare(struct latency *l, struct error *e);
static enum errcode load(struct latency *l, struct error *e);
static void report(struct latency *l);

static void latency_fini(struct latency **latency)
{
    struct latency *l = *latency;

    for (size_t i = 0; i < LINKS; i++) {
        rpc_client_free(l->links[i]);
    }
    cluster_close(&l->cluster);
    arena_fini(&l->arena);
    free(l);
}

enum errcode bench_latency(const struct bench_options *options, struct error *e)
{
    OWNED(latency_fini) struct latency *l = mem_new(struct latency);

    l->options = options;
    TRY(prepare(l, e));
    TRY(load(l, e));
    TRY(meter_stop(&l->meter, e));
    if (!options->keep) {
        TRY(cluster_drop_table(&l->cluster, e));
    }
    report(l);
    return ERR_OK;
}

/* ---- the producer ---- */

static struct bytes batch_of(const struct latency *l, int64_t row, struct arena *arena)
{
    struct bench_writer writer = l->writer;

    writer.sequence = l->options->idempotent ? (int32_t)row : BATCH_NO_BATCH_SEQUENCE;
    return bench_batch(l->messages[row % MESSAGES], 1, writer, arena);
}

static struct msg_produce_log_request request_of(const struct latency *l,
                                                 struct msg_pb_produce_log_req_for_bucket *bucket)
{
    return (struct msg_produce_log_request){
        .acks = l->options->acks,
        .table_id = l->cluster.table_id,
        .timeout_ms = (int32_t)(l->options->timeout_us / 1000),
        .buckets_req = bucket,
        .buckets_req_count = 1,
    };
}

static enum errcode check_produced(const struct msg_produce_log_response *m, int64_t row,
                                   struct error *e)
{
    const struct msg_pb_produce_log_resp_for_bucket *b = m->buckets_resp;

    if (m->buckets_resp_count != 1) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "a response for %zu buckets",
                         m->buckets_resp_count);
    }
    if (b->has_error_code && b->error_code != 0) {
        return error_set(e, error_from_fluss(b->error_code), "row %lld: error %d: %.*s",
                         (long long)row, b->error_code, (int)b->error_message.len,
                         (const char *)b->error_message.data);
    }
    return ERR_OK;
}

/* Row 0, tried again while the server does not know the bucket yet. */
static enum errcode prime(struct latency *l, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_pb_produce_log_req_for_bucket bucket = {.records = batch_of(l, 0, &arena)};
    struct msg_produce_log_request request = request_of(l, &bucket);
    struct rpc_call call = {
        .key = API_PRODUCE_LOG, .request = &request, .timeout_us = l->options->timeout_us};
    int64_t deadline_us = clock_mono_us() + PRIME_FOR_US;

    for (;;) {
        struct msg_produce_log_response response;
        enum errcode code;

        TRY(rpc_client_call(l->links[PRODUCER], &call, &arena, &response, e));
        code = check_produced(&response, 0, e);
        if (code == ERR_OK || !error_retriable(code) || clock_mono_us() > deadline_us) {
            return code;
        }
        thread_sleep_us(AGAIN_US);
    }
}

static enum errcode prepare(struct latency *l, struct error *e)
{
    OWNED(bench_rows_freep) struct bench_rows *rows = bench_rows_new(l->options);
    int64_t rate = l->options->rate;
    struct bytes descriptor;

    for (int32_t i = 0; i < MESSAGES; i++) {
        TRY(bench_rows_message(rows, i, 1, &l->arena, &l->messages[i], e));
    }
    l->warm = 1 + l->options->warm_us * rate / 1000000;
    l->end = l->options->requests_max > 0 ? l->warm + l->options->requests_max
                                          : l->warm + l->options->seconds_us * rate / 1000000;
    l->sent = 1;
    l->consumed = 1;
    TRY(cluster_open(&l->cluster, l->options, e));
    TRY(bench_descriptor(l->options, &l->arena, &descriptor, e));
    TRY(cluster_create_table(&l->cluster, descriptor, e));
    for (size_t i = 0; i < LINKS; i++) {
        TRY(cluster_connect(&l->cluster, l->cluster.leaders[0], &l->links[i], e));
    }
    l->writer = (struct bench_writer){BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE};
    if (l->options->idempotent) {
        TRY(cluster_new_writer(&l->cluster, l->links[PRODUCER], &l->writer.id, e));
    }
    return prime(l, e);
}

static int64_t due_us(const struct latency *l, int64_t row)
{
    return l->start_us + (row - 1) * 1000000 / l->options->rate;
}

static enum errcode send_row(struct latency *l, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_pb_produce_log_req_for_bucket bucket = {.records = batch_of(l, l->sent, &arena)};
    struct msg_produce_log_request request = request_of(l, &bucket);
    int32_t id;

    ASSERT(bucket.records.len < RPC_INLINE_MAX); /* the request keeps a copy */
    if (l->sent == l->warm) {
        TRY(meter_start(&l->meter, l->options, e));
    }
    TRY(rpc_client_send(l->links[PRODUCER], API_PRODUCE_LOG, &request, &id, e));
    if (l->sent == 1) {
        l->first_id = id;
    }
    l->bytes += l->sent >= l->warm ? (int64_t)bucket.records.len : 0;
    l->sent++;
    return ERR_OK;
}

static enum errcode send_due(struct latency *l, struct error *e)
{
    while (l->sent < l->end && due_us(l, l->sent) <= clock_mono_us()) {
        TRY(send_row(l, e));
        TRY(rpc_client_flush(l->links[PRODUCER], e));
    }
    return ERR_OK;
}

static enum errcode take_ack(struct latency *l, const struct rpc_response *response,
                             struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t row = (int64_t)response->id - l->first_id + 1;
    struct msg_produce_log_response message;
    int64_t now_us = clock_mono_us();

    if (row < 1 || row >= l->sent) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "a response to no request: id %d", response->id);
    }
    TRY(rpc_response_decode(response, API_PRODUCE_LOG, &arena, &message, e));
    TRY(check_produced(&message, row, e));
    l->acked++;
    if (row >= l->warm) {
        histogram_add(&l->acks, now_us - due_us(l, row));
    }
    return ERR_OK;
}

/* ---- the consumer ---- */

static enum errcode fetch_next(struct latency *l, struct error *e)
{
    struct msg_pb_fetch_log_req_for_bucket bucket = {.fetch_offset = l->consumed,
                                                     .max_fetch_bytes = FETCH_BYTES};
    struct msg_pb_fetch_log_req_for_table table = {
        .table_id = l->cluster.table_id, .buckets_req = &bucket, .buckets_req_count = 1};
    struct msg_fetch_log_request request = {
        .follower_server_id = -1,
        .max_bytes = FETCH_BYTES,
        .tables_req = &table,
        .tables_req_count = 1,
        .max_wait_ms = FETCH_WAIT_MS,
        .min_bytes = 1,
        .has_max_wait_ms = true,
        .has_min_bytes = true,
    };
    int32_t id;

    TRY(rpc_client_send(l->links[CONSUMER], API_FETCH_LOG, &request, &id, e));
    return rpc_client_flush(l->links[CONSUMER], e);
}

/* Rows up to `end` (exclusive) have arrived. */
static void note_arrivals(struct latency *l, int64_t end, int64_t now_us)
{
    for (; l->consumed < end; l->consumed++) {
        if (l->consumed >= l->warm) {
            histogram_add(&l->arrivals, now_us - due_us(l, l->consumed));
        }
    }
}

static enum errcode take_records(struct latency *l,
                                 const struct msg_pb_fetch_log_resp_for_bucket *b, struct error *e)
{
    int64_t now_us = clock_mono_us();
    struct batch_iterator it;
    struct batch batch;
    bool found = true;

    if (b->has_error_code && b->error_code != 0) {
        return error_set(e, error_from_fluss(b->error_code), "fetch: error %d: %.*s", b->error_code,
                         (int)b->error_message.len, (const char *)b->error_message.data);
    }
    batch_iterator_init(&it, b->records);
    for (;;) {
        TRY(batch_next(&it, &batch, &found, e));
        if (!found) {
            return ERR_OK;
        }
        if (batch_next_offset(&batch.header) > l->sent) {
            return error_set(e, ERR_CORRUPT_MESSAGE, "offset %lld has not been produced",
                             (long long)batch.header.base_offset);
        }
        note_arrivals(l, batch_next_offset(&batch.header), now_us);
    }
}

static enum errcode take_fetched(struct latency *l, const struct rpc_response *response,
                                 struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_fetch_log_response message;

    TRY(rpc_response_decode(response, API_FETCH_LOG, &arena, &message, e));
    for (size_t t = 0; t < message.tables_resp_count; t++) {
        for (size_t i = 0; i < message.tables_resp[t].buckets_resp_count; i++) {
            TRY(take_records(l, &message.tables_resp[t].buckets_resp[i], e));
        }
    }
    return fetch_next(l, e);
}

/* ---- both ---- */

static enum errcode drain(struct latency *l, struct error *e)
{
    for (size_t i = 0; i < LINKS; i++) {
        for (;;) {
            struct rpc_response response;
            bool found;

            TRY(rpc_client_next(l->links[i], &response, &found, e));
            if (!found) {
                break;
            }
            TRY(i == PRODUCER ? take_ack(l, &response, e) : take_fetched(l, &response, e));
        }
    }
    return ERR_OK;
}

static enum errcode load(struct latency *l, struct error *e)
{
    int64_t deadline_us;

    TRY(fetch_next(l, e));
    l->start_us = clock_mono_us() + AGAIN_US;
    deadline_us = due_us(l, l->end) + l->options->timeout_us;
    while (l->acked < l->end - 1 || l->consumed < l->end) {
        int64_t now_us = clock_mono_us();
        int64_t wait_us = deadline_us - now_us;

        if (wait_us < 0) {
            return error_set(
                e, ERR_REQUEST_TIME_OUT, "%lld rows sent, %lld acknowledged, %lld consumed",
                (long long)l->sent - 1, (long long)l->acked, (long long)l->consumed - 1);
        }
        if (l->sent < l->end) {
            wait_us = due_us(l, l->sent) > now_us ? due_us(l, l->sent) - now_us : 0;
        }
        TRY(rpc_clients_wait(l->links, LINKS, wait_us, e));
        TRY(send_due(l, e));
        TRY(drain(l, e));
    }
    return ERR_OK;
}

static void report(struct latency *l)
{
    int64_t rows = l->end - l->warm;
    struct bench_counts counts = {.requests = rows, .rows = rows, .bytes = l->bytes};
    struct json_writer w;

    report_begin(&w, l->options);
    json_write_int_member(&w, "rate", l->options->rate);
    report_counts(&w, &l->meter, &counts);
    report_latencies(&w, "ack", &l->acks);
    report_latencies(&w, "arrival", &l->arrivals);
    report_end(&w);
}
