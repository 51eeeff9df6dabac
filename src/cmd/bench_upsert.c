/* upsert: the rows of a new table, then other versions of them, again and again.
 *
 * All rows are prepared beforehand as batches, in an order without one, in each version. The first
 * pass inserts every key and is reported apart; the measured rest updates: every row differs from
 * the one it replaces. With a writer a batch is stamped with the next sequence number, and so gets
 * a new checksum; without one it is sent straight from memory. A server may refuse a batch because
 * it has too much to store; it is sent again after a moment. */
#include "bench_kv.h"
#include "bench_modes.h"
#include "bench_pump.h"
#include "bench_rows.h"

#include <stdlib.h>

#include "format/batch.h"
#include "format/kv_batch.h"
#include "io/blocking.h"
#include "io/clock.h"

#define SCHEMA_ID 1 /* of a new table */
#define VERSIONS  2 /* prepared of each row */
#define AGAIN_US  2000

/* A prepared batch, of no writer. */
struct prepared {
    struct list link;
    struct bytes bytes;
    int32_t rows;
};

struct refusal {
    struct list link;
    const struct prepared *batch;
};

struct kv_lane {
    struct list batches; /* one version after the other */
    struct list *next;   /* of them */
    struct list refused; /* struct refusal: to be sent again */
    struct list *second; /* the first batch that is not of the first version */
    struct bench_writer writer;
    struct kv_batch_writer batch; /* being prepared or stamped */
};

struct upsert {
    const struct bench_options *options;
    struct bench_kv *kv;
    struct bench_cluster cluster;
    struct bench_pump pump;
    struct arena arena;
    struct kv_lane lanes[BENCH_BUCKETS_MAX];
    uint32_t first_version; /* none that the rows may have already */
    int64_t batch_count;    /* of one version */
    int64_t refused;        /* batches, sent again since */
    bool inserting;         /* the first pass: each batch of the first version once */
    struct meter insert_meter;
    struct bench_counts inserted;
    struct meter meter;
};

static enum errcode prepare(struct upsert *u, struct error *e);
static enum errcode open_table(struct upsert *u, struct error *e);
static enum errcode begin_writers(struct upsert *u, struct error *e);
static enum errcode insert(struct upsert *u, const struct bench_work *work, struct error *e);
static struct bench_bounds bounds_of(const struct upsert *u);
static enum errcode next(void *context, struct bench_slot *slot, const void **ret, struct error *e);
static enum errcode take(void *context, struct bench_slot *slot, const void *response,
                         struct error *e);
static void report(struct upsert *u);

static void upsert_fini(struct upsert **upsert)
{
    struct upsert *u = *upsert;

    for (size_t i = 0; i < BENCH_BUCKETS_MAX; i++) {
        kv_batch_writer_fini(&u->lanes[i].batch);
    }
    bench_pump_close(&u->pump);
    cluster_close(&u->cluster);
    bench_kv_free(u->kv);
    arena_fini(&u->arena);
    free(u);
}

enum errcode bench_upsert(const struct bench_options *options, struct error *e)
{
    OWNED(upsert_fini) struct upsert *u = mem_new(struct upsert);
    struct bench_work work = {.api = API_PUT_KV, .context = u, .next = next, .take = take};

    u->options = options;
    if (options->existing) {
        u->first_version =
            VERSIONS + (uint32_t)(random_u64() % (BENCH_KV_VERSIONS_MAX - 2 * VERSIONS));
    }
    TRY(bench_kv_new(options, &u->kv, e));
    TRY(prepare(u, e));
    TRY(cluster_open(&u->cluster, options, e));
    TRY(open_table(u, e));
    TRY(bench_pump_open(&u->pump, &u->cluster, e));
    TRY(begin_writers(u, e));
    TRY(insert(u, &work, e));
    TRY(meter_start(&u->meter, options, e));
    TRY(bench_pump_run(&u->pump, &work, bounds_of(u), e));
    TRY(meter_stop(&u->meter, e));
    if (!options->keep) {
        TRY(cluster_drop_table(&u->cluster, e));
    }
    report(u);
    return ERR_OK;
}

/* ---- batches ---- */

static void finish_batch(struct upsert *u, struct kv_lane *lane)
{
    struct prepared *p = arena_new(&u->arena, struct prepared);

    p->rows = lane->batch.record_count;
    p->bytes = arena_copy(&u->arena, kv_batch_writer_finish(&lane->batch, BATCH_NO_WRITER_ID,
                                                            BATCH_NO_BATCH_SEQUENCE));
    list_push_back(&lane->batches, &p->link);
    kv_batch_writer_begin(&lane->batch, SCHEMA_ID);
}

static enum errcode prepare_row(struct upsert *u, struct bench_kv_version which,
                                struct arena *scratch, struct error *e)
{
    struct kv_lane *lane;
    struct bytes key, row;
    int32_t bucket;

    TRY(bench_kv_bucket(u->kv, which.number, u->options->buckets, &bucket, e));
    TRY(bench_kv_key(u->kv, which.number, scratch, &key, e));
    TRY(bench_kv_row(u->kv, which, scratch, &row, e));
    lane = &u->lanes[bucket];
    kv_batch_writer_add(&lane->batch, key, row);
    if (lane->batch.record_count == u->options->rows) {
        finish_batch(u, lane);
        u->batch_count += which.version == u->first_version ? 1 : 0;
    }
    return ERR_OK;
}

static enum errcode prepare_version(struct upsert *u, uint32_t version, struct error *e)
{
    OWNED(arena_fini) struct arena scratch = ARENA_INIT;

    for (int64_t i = 0; i < u->options->keys; i++) {
        struct bench_kv_version which = {bench_kv_shuffled(u->options->keys, i),
                                         u->first_version + version};

        TRY(prepare_row(u, which, &scratch, e));
        arena_reset(&scratch);
    }
    for (int32_t b = 0; b < u->options->buckets; b++) {
        if (u->lanes[b].batch.record_count > 0) {
            finish_batch(u, &u->lanes[b]);
            u->batch_count += version == 0 ? 1 : 0;
        }
    }
    return ERR_OK;
}

static enum errcode prepare(struct upsert *u, struct error *e)
{
    for (int32_t b = 0; b < u->options->buckets; b++) {
        list_init(&u->lanes[b].batches);
        list_init(&u->lanes[b].refused);
        kv_batch_writer_begin(&u->lanes[b].batch, SCHEMA_ID);
    }
    TRY(prepare_version(u, 0, e));
    for (int32_t b = 0; b < u->options->buckets; b++) {
        if (list_empty(&u->lanes[b].batches)) {
            return error_set(e, ERR_INVALID_ARGUMENT, "bucket %d gets none of %lld keys", b,
                             (long long)u->options->keys);
        }
        u->lanes[b].second = u->lanes[b].batches.prev;
    }
    for (uint32_t version = 1; version < VERSIONS; version++) {
        TRY(prepare_version(u, version, e));
    }
    for (int32_t b = 0; b < u->options->buckets; b++) {
        u->lanes[b].next = u->lanes[b].batches.next;
        u->lanes[b].second = u->lanes[b].second->next;
    }
    return ERR_OK;
}

static enum errcode open_table(struct upsert *u, struct error *e)
{
    if (!u->options->existing) {
        return cluster_create_table(&u->cluster, bench_kv_descriptor(u->kv), e);
    }
    TRY(cluster_find_table(&u->cluster, e));
    if (u->cluster.bucket_count != u->options->buckets) {
        return error_set(e, ERR_INVALID_ARGUMENT, "the table has %d buckets instead of %d",
                         u->cluster.bucket_count, u->options->buckets);
    }
    return ERR_OK;
}

static enum errcode begin_writers(struct upsert *u, struct error *e)
{
    struct bench_writer first = {BATCH_NO_WRITER_ID, BATCH_NO_BATCH_SEQUENCE};

    if (u->options->idempotent) {
        TRY(cluster_new_writer(&u->cluster, u->pump.links.clients[0], &first.id, e));
        first.sequence = 0;
    }
    for (int32_t b = 0; b < u->cluster.bucket_count; b++) {
        u->lanes[b].writer = first;
    }
    return ERR_OK;
}

/* ---- the passes ---- */

/* Every key once: the first batches until the server knows the table, then the rest of them. */
static enum errcode insert(struct upsert *u, const struct bench_work *work, struct error *e)
{
    TRY(bench_pump_prime(&u->pump, work, e));
    if (u->options->existing) {
        return ERR_OK;
    }
    u->inserting = true;
    TRY(meter_start(&u->insert_meter, u->options, e));
    TRY(bench_pump_run(&u->pump, work, (struct bench_bounds){0}, e));
    TRY(meter_stop(&u->insert_meter, e));
    u->inserted = u->pump.counts;
    u->inserting = false;
    return ERR_OK;
}

static struct bench_bounds bounds_of(const struct upsert *u)
{
    struct bench_bounds bounds = bench_bounds_of(u->options);

    if (u->options->passes > 0) {
        bounds.requests = u->options->passes * u->batch_count;
    }
    return bounds;
}

/* The batch with the lane's next sequence number, in the arena. */
static struct bytes stamp(struct kv_lane *lane, const struct prepared *p, struct arena *arena)
{
    struct bench_writer writer = bench_writer_next(&lane->writer);

    kv_batch_writer_begin(&lane->batch, SCHEMA_ID);
    buffer_bytes(&lane->batch.out,
                 bytes_slice(p->bytes, KV_BATCH_HEADER_SIZE, p->bytes.len - KV_BATCH_HEADER_SIZE));
    lane->batch.record_count = p->rows;
    return arena_copy(arena, kv_batch_writer_finish(&lane->batch, writer.id, writer.sequence));
}

/* NULL: the pass is over. */
static const struct prepared *next_batch(struct upsert *u, struct kv_lane *lane)
{
    struct list *again = list_pop_front(&lane->refused);
    struct list *link = lane->next;

    if (again != NULL) {
        return container_of(again, struct refusal, link)->batch;
    }
    if (u->inserting && link == lane->second) {
        return NULL;
    }
    if (link == &lane->batches) {
        link = lane->batches.next;
    }
    lane->next = link->next;
    return container_of(link, struct prepared, link);
}

static enum errcode next(void *context, struct bench_slot *slot, const void **ret, struct error *e)
{
    struct upsert *u = context;
    struct kv_lane *lane = &u->lanes[slot->lane->bucket];
    struct msg_put_kv_request *request = arena_new(&slot->arena, struct msg_put_kv_request);
    const struct prepared *p = next_batch(u, lane);

    (void)e;
    *ret = NULL;
    if (p == NULL) {
        return ERR_OK;
    }
    request->acks = u->options->acks;
    request->table_id = u->cluster.table_id;
    request->timeout_ms = (int32_t)(u->options->timeout_us / 1000);
    request->buckets_req = arena_new(&slot->arena, struct msg_pb_put_kv_req_for_bucket);
    request->buckets_req_count = 1;
    request->buckets_req->bucket_id = slot->lane->bucket;
    request->buckets_req->records =
        u->options->idempotent ? stamp(lane, p, &slot->arena) : p->bytes;
    slot->rows = p->rows;
    slot->bytes = (int64_t)p->bytes.len;
    slot->work = (void *)(uintptr_t)p;
    *ret = request;
    return ERR_OK;
}

static void send_again(struct upsert *u, struct bench_slot *slot)
{
    struct refusal *refusal = arena_new(&u->arena, struct refusal);

    refusal->batch = slot->work;
    list_push_back(&u->lanes[slot->lane->bucket].refused, &refusal->link);
    u->refused++;
    slot->rows = 0;
    slot->bytes = 0;
    thread_sleep_us(AGAIN_US);
}

static enum errcode take(void *context, struct bench_slot *slot, const void *response,
                         struct error *e)
{
    const struct msg_put_kv_response *m = response;
    struct upsert *u = context;

    for (size_t i = 0; i < m->buckets_resp_count; i++) {
        const struct msg_pb_put_kv_resp_for_bucket *b = &m->buckets_resp[i];
        enum errcode code = bench_check_bucket(b->bucket_id, b->error_code, b->error_message, e);

        if (code == ERR_STORAGE_BACKPRESSURE && !u->options->idempotent) {
            send_again(u, slot);
        } else if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

static void report_inserts(struct json_writer *w, const struct upsert *u)
{
    double rows = (double)(u->inserted.rows > 0 ? u->inserted.rows : 1);
    int64_t us = u->insert_meter.elapsed_us > 0 ? u->insert_meter.elapsed_us : 1;

    report_real(w, "insert_rows_per_s", rows / (double)us * 1e6);
    if (u->options->pid_count > 0) {
        report_real(w, "insert_server_cpu_s_per_million_rows",
                    (double)meter_server_cpu_us(&u->insert_meter) / rows);
    }
}

static void report(struct upsert *u)
{
    struct json_writer w;

    report_begin(&w, u->options);
    if (!u->options->existing) {
        report_inserts(&w, u);
    }
    json_write_int_member(&w, "refused", u->refused);
    report_counts(&w, &u->meter, &u->pump.counts);
    report_latencies(&w, "ack", &u->pump.answers);
    report_end(&w);
}
