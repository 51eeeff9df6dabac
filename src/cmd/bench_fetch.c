/* fetch and project: readers that go through the table from its earliest offset, one request in
 * flight each, all buckets of a server in every request, as the stock clients do. Batches are
 * walked by their headers and dropped. */
#include "bench_cluster.h"
#include "bench_meter.h"
#include "bench_modes.h"

#include <stdlib.h>

#include "format/batch.h"
#include "io/clock.h"

#define REQUEST_BYTES   (16 << 20) /* the default of the stock clients */
#define WAIT_MS         500
#define OFFSET_EARLIEST (-2)
#define EMPTY_MAX       1000 /* responses in a row without a batch before the end */

struct scanner {
    size_t tablet;
    size_t link;
    int32_t request; /* id in flight; -1: none */
    int32_t passes;  /* done */
    int32_t empty;   /* responses without anything, in a row */
    int64_t sent_us;
    int64_t offsets[BENCH_BUCKETS_MAX];
    bool ended[BENCH_BUCKETS_MAX]; /* at the high watermark, or not of this server */
};

struct fetch {
    const struct bench_options *options;
    struct bench_cluster cluster;
    struct bench_links links;
    struct scanner *readers;
    size_t reader_count;
    struct bench_counts counts;
    struct meter meter;
    struct histogram answers;
};

static void open_readers(struct fetch *f);
static enum errcode load(struct fetch *f, struct error *e);
static void report(struct fetch *f);

static void fetch_fini(struct fetch **fetch)
{
    struct fetch *f = *fetch;

    links_close(&f->links);
    cluster_close(&f->cluster);
    free(f->readers);
    free(f);
}

enum errcode bench_fetch(const struct bench_options *options, struct error *e)
{
    OWNED(fetch_fini) struct fetch *f = mem_new(struct fetch);

    f->options = options;
    TRY(cluster_open(&f->cluster, options, e));
    TRY(cluster_find_table(&f->cluster, e));
    TRY(links_open(&f->links, &f->cluster, e));
    open_readers(f);
    TRY(meter_start(&f->meter, options, e));
    TRY(load(f, e));
    TRY(meter_stop(&f->meter, e));
    report(f);
    return ERR_OK;
}

static void rewind_reader(const struct fetch *f, struct scanner *r)
{
    for (int32_t b = 0; b < f->cluster.bucket_count; b++) {
        r->offsets[b] = OFFSET_EARLIEST;
        r->ended[b] = f->cluster.leaders[b] != r->tablet;
    }
}

/* --outstanding readers for each server that leads a bucket. */
static void open_readers(struct fetch *f)
{
    size_t each = (size_t)f->options->outstanding;

    f->readers = mem_zalloc(f->cluster.tablet_count * each * sizeof *f->readers);
    for (int32_t b = 0; b < f->cluster.bucket_count; b++) {
        size_t tablet = f->cluster.leaders[b];
        bool known = false;

        for (size_t i = 0; i < f->reader_count; i++) {
            known = known || f->readers[i].tablet == tablet;
        }
        for (size_t i = 0; !known && i < each; i++) {
            struct scanner *r = &f->readers[f->reader_count++];

            r->tablet = tablet;
            r->link = links_of(&f->links, &f->cluster, b, i);
            r->request = -1;
            rewind_reader(f, r);
        }
    }
}

/* ---- requests ---- */

static bool pass_ended(const struct fetch *f, const struct scanner *r)
{
    for (int32_t b = 0; b < f->cluster.bucket_count; b++) {
        if (!r->ended[b]) {
            return false;
        }
    }
    return true;
}

static enum errcode send_next(struct fetch *f, struct scanner *r, struct error *e)
{
    struct msg_pb_fetch_log_req_for_bucket buckets[BENCH_BUCKETS_MAX];
    struct msg_pb_fetch_log_req_for_table table = {
        .table_id = f->cluster.table_id,
        .projection_pushdown_enabled = f->options->column_count > 0,
        .projected_fields = (int32_t *)(uintptr_t)f->options->columns,
        .projected_fields_count = f->options->column_count,
        .buckets_req = buckets,
    };
    struct msg_fetch_log_request request = {
        .follower_server_id = -1,
        .max_bytes = REQUEST_BYTES,
        .tables_req = &table,
        .tables_req_count = 1,
        .max_wait_ms = WAIT_MS,
        .min_bytes = 1,
        .has_max_wait_ms = true,
        .has_min_bytes = true,
    };

    for (int32_t b = 0; b < f->cluster.bucket_count; b++) {
        if (!r->ended[b]) {
            buckets[table.buckets_req_count++] = (struct msg_pb_fetch_log_req_for_bucket){
                .bucket_id = b,
                .fetch_offset = r->offsets[b],
                .max_fetch_bytes = f->options->fetch_bytes,
            };
        }
    }
    r->sent_us = clock_mono_us();
    return rpc_client_send(f->links.clients[r->link], API_FETCH_LOG, &request, &r->request, e);
}

/* ---- responses ---- */

static enum errcode check_bucket(const struct fetch *f,
                                 const struct msg_pb_fetch_log_resp_for_bucket *b, struct error *e)
{
    if (b->has_error_code && b->error_code != 0) {
        return error_set(e, error_from_fluss(b->error_code), "bucket %d: error %d: %.*s",
                         b->bucket_id, b->error_code, (int)b->error_message.len,
                         (const char *)b->error_message.data);
    }
    if (b->remote_log_fetch_info != NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "bucket %d: the server points to remote storage, which is not measured",
                         b->bucket_id);
    }
    if (b->bucket_id < 0 || b->bucket_id >= f->cluster.bucket_count) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "a response for bucket %d", b->bucket_id);
    }
    return ERR_OK;
}

static enum errcode take_bucket(struct fetch *f, struct scanner *r,
                                const struct msg_pb_fetch_log_resp_for_bucket *b, struct error *e)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = true;

    TRY(check_bucket(f, b, e));
    batch_iterator_init(&it, b->records);
    for (;;) {
        TRY(batch_next(&it, &batch, &found, e));
        if (!found) {
            break;
        }
        r->offsets[b->bucket_id] = batch_next_offset(&batch.header);
        r->empty = 0;
        f->counts.rows += batch.header.record_count;
    }
    f->counts.bytes += (int64_t)b->records.len;
    r->ended[b->bucket_id] = b->has_high_watermark && r->offsets[b->bucket_id] >= b->high_watermark;
    if (r->offsets[b->bucket_id] < 0 && b->high_watermark == 0) {
        r->ended[b->bucket_id] = true; /* an empty table */
    }
    return ERR_OK;
}

static enum errcode take(struct fetch *f, struct scanner *r, const struct rpc_response *response,
                         struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct msg_fetch_log_response message;

    TRY(rpc_response_decode(response, API_FETCH_LOG, &arena, &message, e));
    histogram_add(&f->answers, clock_mono_us() - r->sent_us);
    r->request = -1;
    r->empty++;
    f->counts.requests++;
    for (size_t t = 0; t < message.tables_resp_count; t++) {
        const struct msg_pb_fetch_log_resp_for_table *table = &message.tables_resp[t];

        for (size_t i = 0; i < table->buckets_resp_count; i++) {
            TRY(take_bucket(f, r, &table->buckets_resp[i], e));
        }
    }
    if (r->empty > EMPTY_MAX) {
        return error_set(e, ERR_REQUEST_TIME_OUT, "the server sends no more records");
    }
    if (pass_ended(f, r)) {
        r->passes++;
        rewind_reader(f, r);
    }
    return ERR_OK;
}

static struct scanner *scanner_of(const struct fetch *f, size_t link, int32_t request)
{
    for (size_t i = 0; i < f->reader_count; i++) {
        if (f->readers[i].link == link && f->readers[i].request == request) {
            return &f->readers[i];
        }
    }
    return NULL;
}

static enum errcode drain(struct fetch *f, struct error *e)
{
    for (size_t i = 0; i < f->links.count; i++) {
        for (;;) {
            struct rpc_response response;
            struct scanner *r;
            bool found;

            TRY(rpc_client_next(f->links.clients[i], &response, &found, e));
            if (!found) {
                break;
            }
            r = scanner_of(f, i, response.id);
            if (r == NULL) {
                return error_set(e, ERR_CORRUPT_MESSAGE, "a response to no request: id %d",
                                 response.id);
            }
            TRY(take(f, r, &response, e));
        }
    }
    return ERR_OK;
}

/* Sends for whoever has nothing in flight and not read enough. *ret: somebody waits. */
static enum errcode fill(struct fetch *f, bool *ret, struct error *e)
{
    int64_t end_us = f->meter.started_us + f->options->seconds_us;
    bool over = f->options->seconds_us > 0 && clock_mono_us() >= end_us;

    *ret = false;
    for (size_t i = 0; i < f->reader_count; i++) {
        struct scanner *r = &f->readers[i];

        if (r->request < 0 && !over && r->passes < f->options->passes) {
            TRY(send_next(f, r, e));
        }
        *ret = *ret || r->request >= 0;
    }
    return ERR_OK;
}

static enum errcode load(struct fetch *f, struct error *e)
{
    for (;;) {
        int64_t requests = f->counts.requests;
        int64_t before_us = clock_mono_us();
        bool waiting;

        TRY(fill(f, &waiting, e));
        if (!waiting) {
            return ERR_OK;
        }
        do {
            if (clock_mono_us() - before_us > f->options->timeout_us) {
                return error_set(e, ERR_REQUEST_TIME_OUT, "no response in time");
            }
            TRY(rpc_clients_wait(f->links.clients, f->links.count, f->options->timeout_us, e));
            TRY(drain(f, e));
        } while (f->counts.requests == requests);
    }
}

static void report(struct fetch *f)
{
    struct json_writer w;
    int64_t passes = 0;

    for (size_t i = 0; i < f->reader_count; i++) {
        passes += f->readers[i].passes;
    }
    report_begin(&w, f->options);
    json_write_int_member(&w, "passes", passes);
    report_counts(&w, &f->meter, &f->counts);
    report_latencies(&w, "response", &f->answers);
    report_end(&w);
}
