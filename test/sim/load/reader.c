#include "client.h"

#include <stdlib.h>

#define TARGETS_MAX 3
#define WAIT_MS_MAX 3000

/* One bucket that is followed. */
struct followed {
    struct target target;
    int64_t next; /* offset */
    struct op *op;
};

struct follower {
    struct client client;
    struct table *table;
    struct followed followed[TARGETS_MAX];
    size_t count;
    bool narrow;
    uint64_t left; /* requests before it follows others */
    bool flying;
    struct call call;
};

/* ---- what came ---- */

static struct followed *find(struct follower *r, const struct msg_pb_fetch_log_resp_for_bucket *b)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct place *place = &r->followed[i].target.place;

        if (place->bucket == b->bucket_id &&
            (place->partition < 0 || place->partition == b->partition_id)) {
            return &r->followed[i];
        }
    }
    return NULL;
}

static void take_rows(struct follower *r, struct followed *f, struct bytes records,
                      int64_t high_watermark)
{
    struct rows rows = {0};
    struct op *op = f->op;

    table_read_log(r->table, records, r->narrow, &r->client.load->history.arena, &rows);
    op->read.rows = rows.items;
    op->read.count = rows.count;
    op->read.high_watermark = high_watermark;
    if (rows.count > 0) {
        f->next = rows.items[rows.count - 1].offset + 1;
    }
}

static void take_bucket(struct follower *r, const struct msg_pb_fetch_log_resp_for_bucket *b)
{
    struct followed *f = find(r, b);
    enum errcode error = b->has_error_code ? error_from_fluss(b->error_code) : ERR_OK;
    enum op_status status = OP_OK;

    if (f == NULL || f->op == NULL) {
        client_wrong(&r->client, "reader", "a bucket that nobody asked for", NULL);
        return;
    }
    if (error == ERR_OK) {
        take_rows(r, f, b->records, b->high_watermark);
    } else {
        status = error == ERR_LOG_OFFSET_OUT_OF_RANGE ? OP_FAILED : OP_UNKNOWN;
        r->left = 0;
    }
    client_end(&r->client, f->op, status, error);
    f->op = NULL;
}

static void on_fetched(struct call *call, const void *response, enum errcode error)
{
    struct follower *r = container_of(call, struct follower, call);
    const struct msg_fetch_log_response *m = response;

    r->flying = false;
    for (size_t t = 0; m != NULL && t < m->tables_resp_count; t++) {
        for (size_t i = 0; i < m->tables_resp[t].buckets_resp_count; i++) {
            take_bucket(r, &m->tables_resp[t].buckets_resp[i]);
        }
    }
    for (size_t i = 0; i < r->count; i++) {
        if (r->followed[i].op != NULL) {
            client_end(&r->client, r->followed[i].op, OP_UNKNOWN, error);
            r->followed[i].op = NULL;
        }
    }
    client_think(&r->client);
}

/* ---- what is asked ---- */

static bool follows(const struct follower *r, const struct place *place)
{
    for (size_t i = 0; i < r->count; i++) {
        if (place_equal(&r->followed[i].target.place, place)) {
            return true;
        }
    }
    return false;
}

/* From the start, or from some offset that may be there: the answer tells. */
static int64_t draw_start(struct follower *r, int64_t last)
{
    struct prng *prng = &r->client.prng;

    return prng_below(prng, 2) == 0 || last == 0 ? 0 : prng_between(prng, 0, last);
}

static void follow_others(struct follower *r)
{
    struct prng *prng = &r->client.prng;
    int64_t last = r->count > 0 ? r->followed[0].next : 0;
    size_t want = (size_t)prng_between(prng, 1, TARGETS_MAX);

    r->count = 0;
    r->left = (uint64_t)prng_skewed(prng, 1, 200);
    r->table = r->client.load->tables[prng_below(prng, r->client.load->table_count)];
    r->narrow = !table_keyed(r->table) && prng_below(prng, 3) == 0;
    for (size_t i = 0; i < want; i++) {
        struct target target;

        if (client_draw_target(&r->client, r->table, &target) && !follows(r, &target.place)) {
            int64_t start = r->count == 0 ? 0 : draw_start(r, last);

            r->followed[r->count++] = (struct followed){.target = target, .next = start};
        }
    }
}

static void fetch(struct follower *r)
{
    static const int32_t narrow_fields[] = {0, 1, 2};
    struct prng *prng = &r->client.prng;
    struct msg_pb_fetch_log_req_for_bucket buckets[TARGETS_MAX] = {{0}};
    struct msg_pb_fetch_log_req_for_table table = {.table_id = r->followed[0].target.place.table,
                                                   .projection_pushdown_enabled = r->narrow,
                                                   .buckets_req = buckets,
                                                   .buckets_req_count = r->count};
    struct msg_fetch_log_request request = {.follower_server_id = -1,
                                            .max_bytes = (int32_t)prng_skewed(prng, 100, 1 << 20),
                                            .tables_req = &table,
                                            .tables_req_count = 1};

    if (r->narrow) {
        table.projected_fields = (int32_t *)(uintptr_t)narrow_fields;
        table.projected_fields_count = ARRAY_LEN(narrow_fields);
    }
    if (prng_below(prng, 3) > 0) {
        request.has_min_bytes = true;
        request.min_bytes = (int32_t)prng_skewed(prng, 1, 10000);
        request.has_max_wait_ms = true;
        request.max_wait_ms = (int32_t)prng_skewed(prng, 0, WAIT_MS_MAX);
    }
    for (size_t i = 0; i < r->count; i++) {
        struct followed *f = &r->followed[i];

        buckets[i].bucket_id = f->target.place.bucket;
        buckets[i].has_partition_id = f->target.place.partition >= 0;
        buckets[i].partition_id = f->target.place.partition;
        buckets[i].fetch_offset = f->next;
        buckets[i].max_fetch_bytes = request.max_bytes;
        f->op = client_begin(&r->client, OP_READ);
        f->op->place = f->target.place;
        f->op->engine = r->table->engine;
        f->op->read.from = f->next;
    }
    r->flying = true;
    r->call.done = on_fetched;
    session_send(&r->client.session, &r->call, API_FETCH_LOG, &request, CALL_TIMEOUT_US);
}

static void act(struct client *c)
{
    struct follower *r = container_of(c, struct follower, client);

    if (!c->session.open || r->flying || c->load->finishing) {
        return;
    }
    for (size_t i = 0; i < r->count; i++) {
        if (!target_alive(&r->followed[i].target)) {
            r->left = 0;
        }
    }
    if (r->left == 0 || r->count == 0) {
        follow_others(r);
    }
    if (r->count == 0) {
        client_think(c);
        return;
    }
    r->left--;
    fetch(r);
}

static bool idle(const struct client *c)
{
    return c->load->finishing && !container_of(c, struct follower, client)->flying;
}

static void reader_free(struct client *c)
{
    client_fini(c);
    free(container_of(c, struct follower, client));
}

struct client *reader_new(struct load *load, uint32_t number)
{
    struct follower *r = mem_new(struct follower);

    client_init(&r->client, load, number, act);
    r->client.idle = idle;
    r->client.free = reader_free;
    return &r->client;
}
