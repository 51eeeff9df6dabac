/* produce: prebuilt batches, a fixed number of requests in flight per bucket.
 *
 * Without a writer the same few batches are sent again and again, straight from memory. With one,
 * each is rebuilt around its message with the next sequence number, and so gets a new checksum.
 * The first batch of each bucket is not measured: a new table may need a while. */
#include "bench_modes.h"
#include "bench_pump.h"
#include "bench_rows.h"

#include <stdlib.h>

#include "format/batch.h"

#define MESSAGES_MAX   16                 /* different ones, */
#define MESSAGES_BYTES ((size_t)16 << 20) /* as long as they are smaller than this together */

/* What is next in a bucket. */
struct bucket_state {
    struct bench_writer writer;
    size_t next; /* message */
};

struct produce {
    const struct bench_options *options;
    struct bench_cluster cluster;
    struct bench_pump pump;
    struct arena arena;
    size_t message_count;
    struct bytes messages[MESSAGES_MAX];
    struct bytes batches[MESSAGES_MAX]; /* without a writer */
    struct bucket_state buckets[BENCH_BUCKETS_MAX];
    struct meter meter;
};

static enum errcode build_messages(struct produce *p, struct error *e);
static enum errcode create_table(struct produce *p, struct error *e);
static enum errcode begin_writers(struct produce *p, struct error *e);
static enum errcode next(void *context, struct bench_slot *slot, const void **ret, struct error *e);
static enum errcode take(void *context, struct bench_slot *slot, const void *response,
                         struct error *e);
static void report(struct produce *p);

static void produce_fini(struct produce **produce)
{
    struct produce *p = *produce;

    bench_pump_close(&p->pump);
    cluster_close(&p->cluster);
    arena_fini(&p->arena);
    free(p);
}

enum errcode bench_produce(const struct bench_options *options, struct error *e)
{
    OWNED(produce_fini) struct produce *p = mem_new(struct produce);
    struct bench_work work = {.api = API_PRODUCE_LOG, .context = p, .next = next, .take = take};

    p->options = options;
    TRY(build_messages(p, e));
    TRY(cluster_open(&p->cluster, options, e));
    TRY(create_table(p, e));
    TRY(bench_pump_open(&p->pump, &p->cluster, e));
    TRY(begin_writers(p, e));
    TRY(bench_pump_prime(&p->pump, &work, e));
    TRY(meter_start(&p->meter, options, e));
    TRY(bench_pump_run(&p->pump, &work, bench_bounds_of(options), e));
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

static enum errcode create_table(struct produce *p, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes descriptor;

    TRY(bench_descriptor(p->options, &arena, &descriptor, e));
    return cluster_create_table(&p->cluster, descriptor, e);
}

static enum errcode begin_writers(struct produce *p, struct error *e)
{
    struct bench_writer first = {BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE};

    if (p->options->idempotent) {
        TRY(cluster_new_writer(&p->cluster, p->pump.links.clients[0], &first.id, e));
        first.sequence = 0;
    }
    for (int32_t b = 0; b < p->cluster.bucket_count; b++) {
        p->buckets[b].writer = first;
    }
    return ERR_OK;
}

/* ---- requests ---- */

/* The bucket's next batch; in `arena` when it is made for this request. */
static struct bytes next_batch(struct produce *p, struct bucket_state *bucket, struct arena *arena)
{
    size_t i = bucket->next++ % p->message_count;

    if (!p->options->idempotent) {
        return p->batches[i];
    }
    return bench_batch(p->messages[i], p->options->rows, bench_writer_next(&bucket->writer), arena);
}

static enum errcode next(void *context, struct bench_slot *slot, const void **ret, struct error *e)
{
    struct produce *p = context;
    int32_t b = slot->lane->bucket;
    struct msg_produce_log_request *request =
        arena_new(&slot->arena, struct msg_produce_log_request);

    (void)e;
    request->acks = p->options->acks;
    request->table_id = p->cluster.table_id;
    request->timeout_ms = (int32_t)(p->options->timeout_us / 1000);
    request->buckets_req = arena_new(&slot->arena, struct msg_pb_produce_log_req_for_bucket);
    request->buckets_req_count = 1;
    request->buckets_req->bucket_id = b;
    request->buckets_req->records = next_batch(p, &p->buckets[b], &slot->arena);
    slot->rows = p->options->rows;
    slot->bytes = (int64_t)request->buckets_req->records.len;
    *ret = request;
    return ERR_OK;
}

static enum errcode take(void *context, struct bench_slot *slot, const void *response,
                         struct error *e)
{
    const struct msg_produce_log_response *m = response;

    (void)context;
    (void)slot;
    for (size_t i = 0; i < m->buckets_resp_count; i++) {
        const struct msg_pb_produce_log_resp_for_bucket *b = &m->buckets_resp[i];

        TRY(bench_check_bucket(b->bucket_id, b->error_code, b->error_message, e));
    }
    return ERR_OK;
}

static void report(struct produce *p)
{
    struct json_writer w;

    report_begin(&w, p->options);
    json_write_int_member(&w, "batch_bytes", (int64_t)p->batches[0].len);
    report_counts(&w, &p->meter, &p->pump.counts);
    report_latencies(&w, "ack", &p->pump.answers);
    report_end(&w);
}
