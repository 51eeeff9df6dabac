/* produce: prebuilt batches, a fixed number of requests in flight per bucket.
 *
 * Without a writer the same few batches are sent again and again, straight from memory. With one,
 * each is rebuilt around its message with the next sequence number, and so gets a new checksum.
 * The first batch of each bucket is not measured: a new table may need a while. */
#include "bench_cluster.h"
#include "bench_meter.h"
#include "bench_modes.h"
#include "bench_rows.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "format/batch.h"
#include "io/blocking.h"
#include "io/clock.h"

#define MESSAGES_MAX   16                 /* different ones, */
#define MESSAGES_BYTES ((size_t)16 << 20) /* as long as they are smaller than this together */
#define PRIME_FOR_US   60000000
#define AGAIN_US       20000

/* One request in flight. */
struct slot {
    struct lane *lane;
    struct list link; /* among the free ones of the lane */
    int64_t sent_us;
    int64_t bytes;
    struct arena arena; /* of a rebuilt batch */
};

/* One bucket. */
struct lane {
    int32_t bucket;
    size_t link; /* connection */
    struct bench_writer writer;
    size_t next; /* message */
    struct list free_slots;
};

struct produce {
    const struct bench_options *options;
    struct bench_cluster cluster;
    struct bench_links links;
    struct arena arena;
    size_t message_count;
    struct bytes messages[MESSAGES_MAX];
    struct bytes batches[MESSAGES_MAX]; /* without a writer */
    struct lane *lanes;
    struct slot *slots;
    struct map inflight[RPC_CLIENTS_MAX]; /* by connection: request id to slot */
    size_t inflight_count;
    struct bench_counts counts;
    struct meter meter;
    struct histogram acks;
};

static enum errcode build_messages(struct produce *p, struct error *e);
static enum errcode open_lanes(struct produce *p, struct error *e);
static enum errcode prime(struct produce *p, struct lane *lane, struct error *e);
static enum errcode load(struct produce *p, struct error *e);
static void report(struct produce *p);

static void produce_fini(struct produce **produce)
{
    struct produce *p = *produce;
    size_t slots =
        p->slots == NULL ? 0 : (size_t)p->cluster.bucket_count * (size_t)p->options->outstanding;

    for (size_t i = 0; i < p->links.count; i++) {
        map_fini(&p->inflight[i]);
    }
    links_close(&p->links);
    for (size_t i = 0; i < slots; i++) {
        arena_fini(&p->slots[i].arena);
    }
    cluster_close(&p->cluster);
    arena_fini(&p->arena);
    free(p);
}

enum errcode bench_produce(const struct bench_options *options, struct error *e)
{
    OWNED(produce_fini) struct produce *p = mem_new(struct produce);

    p->options = options;
    TRY(build_messages(p, e));
    TRY(cluster_open(&p->cluster, options, e));
    TRY(cluster_create_table(&p->cluster, e));
    TRY(links_open(&p->links, &p->cluster, e));
    TRY(open_lanes(p, e));
    for (int32_t b = 0; b < p->cluster.bucket_count; b++) {
        TRY(prime(p, &p->lanes[b], e));
    }
    TRY(meter_start(&p->meter, options, e));
    TRY(load(p, e));
    TRY(meter_stop(&p->meter, e));
    if (!options->keep) {
        TRY(cluster_drop_table(&p->cluster, e));
    }
    report(p);
    return ERR_OK;
}

static enum errcode build_messages(struct produce *p, struct error *e)
{
    OWNED(bench_rows_freep) struct bench_rows *rows = bench_rows_new(p->options);
    struct bench_writer nobody = {BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE};
    size_t total = 0;

    while (p->message_count < MESSAGES_MAX && total < MESSAGES_BYTES) {
        size_t i = p->message_count++;

        TRY(bench_rows_message(rows, (int64_t)i * p->options->rows, p->options->rows, &p->arena,
                               &p->messages[i], e));
        p->batches[i] = bench_batch(p->messages[i], p->options->rows, nobody, &p->arena);
        total += p->messages[i].len;
    }
    return ERR_OK;
}

static enum errcode open_lanes(struct produce *p, struct error *e)
{
    size_t outstanding = (size_t)p->options->outstanding;
    size_t lanes = (size_t)p->cluster.bucket_count;
    int64_t writer_id = BATCH_NO_WRITER_ID;

    if (p->options->idempotent) {
        TRY(cluster_new_writer(&p->cluster, p->links.clients[0], &writer_id, e));
    }
    p->lanes = arena_array(&p->arena, lanes, sizeof *p->lanes);
    p->slots = arena_array(&p->arena, lanes * outstanding, sizeof *p->slots);
    for (size_t b = 0; b < lanes; b++) {
        struct lane *lane = &p->lanes[b];

        lane->bucket = (int32_t)b;
        lane->link = links_of(&p->links, &p->cluster, lane->bucket, b);
        lane->writer =
            (struct bench_writer){writer_id, p->options->idempotent ? 0 : BATCH_NO_BATCH_SEQUENCE};
        list_init(&lane->free_slots);
        for (size_t i = 0; i < outstanding; i++) {
            struct slot *slot = &p->slots[b * outstanding + i];

            slot->lane = lane;
            list_push_back(&lane->free_slots, &slot->link);
        }
    }
    return ERR_OK;
}

/* ---- requests ---- */

/* The lane's next batch; in `arena` when it is made for this request. */
static struct bytes next_batch(struct produce *p, struct lane *lane, struct arena *arena)
{
    size_t i = lane->next++ % p->message_count;
    struct bytes batch = p->batches[i];

    if (p->options->idempotent) {
        batch = bench_batch(p->messages[i], p->options->rows, lane->writer, arena);
        lane->writer.sequence = lane->writer.sequence == INT32_MAX ? 0 : lane->writer.sequence + 1;
    }
    return batch;
}

static struct msg_produce_log_request
request_of(const struct produce *p, const struct msg_pb_produce_log_req_for_bucket *bucket)
{
    return (struct msg_produce_log_request){
        .acks = p->options->acks,
        .table_id = p->cluster.table_id,
        .timeout_ms = (int32_t)(p->options->timeout_us / 1000),
        .buckets_req = (struct msg_pb_produce_log_req_for_bucket *)(uintptr_t)bucket,
        .buckets_req_count = 1,
    };
}

static enum errcode check_response(const struct msg_produce_log_response *m, struct error *e)
{
    for (size_t i = 0; i < m->buckets_resp_count; i++) {
        const struct msg_pb_produce_log_resp_for_bucket *b = &m->buckets_resp[i];

        if (b->has_error_code && b->error_code != 0) {
            return error_set(e, error_from_fluss(b->error_code), "bucket %d: error %d: %.*s",
                             b->bucket_id, b->error_code, (int)b->error_message.len,
                             (const char *)b->error_message.data);
        }
    }
    return ERR_OK;
}

/* The first batch of a bucket, tried again while the server does not know the bucket yet. */
static enum errcode prime(struct produce *p, struct lane *lane, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_pb_produce_log_req_for_bucket bucket = {.bucket_id = lane->bucket,
                                                       .records = next_batch(p, lane, &arena)};
    struct msg_produce_log_request request = request_of(p, &bucket);
    struct rpc_call call = {
        .key = API_PRODUCE_LOG, .request = &request, .timeout_us = p->options->timeout_us};
    int64_t deadline_us = clock_mono_us() + PRIME_FOR_US;

    for (;;) {
        struct msg_produce_log_response response;
        enum errcode code;

        TRY(rpc_client_call(p->links.clients[lane->link], &call, &arena, &response, e));
        code = check_response(&response, e);
        if (code == ERR_OK || !error_retriable(code) || clock_mono_us() > deadline_us) {
            return code;
        }
        thread_sleep_us(AGAIN_US);
    }
}

static enum errcode send_next(struct produce *p, struct lane *lane, struct error *e)
{
    struct slot *slot = container_of(list_pop_front(&lane->free_slots), struct slot, link);
    struct msg_pb_produce_log_req_for_bucket bucket = {
        .bucket_id = lane->bucket, .records = next_batch(p, lane, &slot->arena)};
    struct msg_produce_log_request request = request_of(p, &bucket);
    int32_t id;

    slot->bytes = (int64_t)bucket.records.len;
    slot->sent_us = clock_mono_us();
    TRY(rpc_client_send(p->links.clients[lane->link], API_PRODUCE_LOG, &request, &id, e));
    ASSERT(map_put(&p->inflight[lane->link], (uint64_t)id, slot) == NULL);
    p->inflight_count++;
    return ERR_OK;
}

/* Whether another request may be sent. */
static bool wanted(const struct produce *p, int64_t now_us, int64_t sent, int64_t sent_bytes)
{
    const struct bench_options *o = p->options;

    return (o->seconds_us == 0 || now_us < p->meter.started_us + o->seconds_us) &&
           (o->requests_max == 0 || sent < o->requests_max) &&
           (o->bytes_max == 0 || sent_bytes < o->bytes_max);
}

static enum errcode fill(struct produce *p, int64_t *sent, int64_t *sent_bytes, struct error *e)
{
    bool any = true;

    while (any) { /* one request per bucket in turn */
        any = false;
        for (int32_t b = 0; b < p->cluster.bucket_count; b++) {
            struct lane *lane = &p->lanes[b];

            if (list_empty(&lane->free_slots) || !wanted(p, clock_mono_us(), *sent, *sent_bytes)) {
                continue;
            }
            TRY(send_next(p, lane, e));
            ++*sent;
            *sent_bytes += (int64_t)p->batches[0].len;
            any = true;
        }
    }
    return ERR_OK;
}

/* ---- responses ---- */

static enum errcode take(struct produce *p, size_t link, const struct rpc_response *response,
                         struct error *e)
{
    struct slot *slot = map_remove(&p->inflight[link], (uint64_t)response->id);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_produce_log_response message;

    if (slot == NULL) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "a response to no request: id %d", response->id);
    }
    TRY(rpc_response_decode(response, API_PRODUCE_LOG, &arena, &message, e));
    TRY(check_response(&message, e));
    histogram_add(&p->acks, clock_mono_us() - slot->sent_us);
    p->counts.requests++;
    p->counts.rows += p->options->rows;
    p->counts.bytes += slot->bytes;
    p->inflight_count--;
    arena_fini(&slot->arena);
    list_push_back(&slot->lane->free_slots, &slot->link);
    return ERR_OK;
}

static enum errcode drain(struct produce *p, bool *ret_any, struct error *e)
{
    *ret_any = false;
    for (size_t i = 0; i < p->links.count; i++) {
        for (;;) {
            struct rpc_response response;
            bool found;

            TRY(rpc_client_next(p->links.clients[i], &response, &found, e));
            if (!found) {
                break;
            }
            TRY(take(p, i, &response, e));
            *ret_any = true;
        }
    }
    return ERR_OK;
}

static enum errcode load(struct produce *p, struct error *e)
{
    int64_t heard_us = clock_mono_us();
    int64_t sent = 0;
    int64_t sent_bytes = 0;

    for (;;) {
        bool any;

        TRY(fill(p, &sent, &sent_bytes, e));
        if (p->inflight_count == 0) {
            return ERR_OK;
        }
        TRY(rpc_clients_wait(p->links.clients, p->links.count, p->options->timeout_us, e));
        TRY(drain(p, &any, e));
        heard_us = any ? clock_mono_us() : heard_us;
        if (clock_mono_us() - heard_us > p->options->timeout_us) {
            return error_set(e, ERR_REQUEST_TIME_OUT, "%zu requests without a response",
                             p->inflight_count);
        }
    }
}

static void report(struct produce *p)
{
    struct json_writer w;

    report_begin(&w, p->options);
    json_write_int_member(&w, "batch_bytes", (int64_t)p->batches[0].len);
    report_counts(&w, &p->meter, &p->counts);
    report_latencies(&w, "ack", &p->acks);
    report_end(&w);
}
