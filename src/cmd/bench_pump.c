#include "bench_pump.h"

#include "io/blocking.h"
#include "io/clock.h"

#define PRIME_FOR_US 60000000
#define AGAIN_US     5000

enum errcode bench_pump_open(struct bench_pump *p, const struct bench_cluster *cluster,
                             struct error *e)
{
    size_t outstanding = (size_t)cluster->options->outstanding;

    memset(p, 0, sizeof *p);
    p->options = cluster->options;
    TRY(links_open(&p->links, cluster, e));
    p->lane_count = (size_t)cluster->bucket_count;
    p->slot_count = p->lane_count * outstanding;
    p->lanes = mem_zalloc(p->lane_count * sizeof *p->lanes);
    p->slots = mem_zalloc(p->slot_count * sizeof *p->slots);
    for (size_t b = 0; b < p->lane_count; b++) {
        struct bench_lane *lane = &p->lanes[b];

        lane->bucket = (int32_t)b;
        lane->link = links_of(&p->links, cluster, lane->bucket, b);
        list_init(&lane->free_slots);
        for (size_t i = 0; i < outstanding; i++) {
            struct bench_slot *slot = &p->slots[b * outstanding + i];

            slot->lane = lane;
            list_push_back(&lane->free_slots, &slot->link);
        }
    }
    return ERR_OK;
}

void bench_pump_close(struct bench_pump *p)
{
    for (size_t i = 0; i < p->links.count; i++) {
        map_fini(&p->inflight[i]);
    }
    links_close(&p->links);
    for (size_t i = 0; i < p->slot_count; i++) {
        arena_fini(&p->slots[i].arena);
    }
    arena_fini(&p->arena);
    mem_freep(&p->slots);
    mem_freep(&p->lanes);
}

struct bench_bounds bench_bounds_of(const struct bench_options *options)
{
    return (struct bench_bounds){options->seconds_us, options->requests_max, options->bytes_max};
}

enum errcode bench_check_bucket(int32_t bucket, int32_t error_code, struct bytes message,
                                struct error *e)
{
    if (error_code == 0) {
        return ERR_OK;
    }
    return error_set(e, error_from_fluss(error_code), "bucket %d: error %d: %.*s", bucket,
                     error_code, (int)message.len, (const char *)message.data);
}

/* ---- requests ---- */

static enum errcode make_request(struct bench_slot *slot, const struct bench_work *work,
                                 const void **ret, struct error *e)
{
    arena_reset(&slot->arena);
    slot->rows = 0;
    slot->bytes = 0;
    return work->next(work->context, slot, ret, e);
}

/* Waiting does not make it right. */
static bool wrong_answer(enum errcode code)
{
    return code == ERR_CORRUPT_MESSAGE || code == ERR_CORRUPT_RECORD;
}

static enum errcode prime_lane(struct bench_pump *p, const struct bench_work *work,
                               struct bench_slot *slot, struct error *e)
{
    size_t response_size = rpc_api_find((int16_t)work->api)->response->size;
    int64_t deadline_us = clock_mono_us() + PRIME_FOR_US;
    const void *request;

    TRY(make_request(slot, work, &request, e));
    ASSERT(request != NULL);
    for (;;) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        void *response = arena_zalloc(&arena, response_size);
        struct rpc_call call = {
            .key = work->api, .request = request, .timeout_us = p->options->timeout_us};
        enum errcode code;

        TRY(rpc_client_call(p->links.clients[slot->lane->link], &call, &arena, response, e));
        code = work->take(work->context, slot, response, e);
        if (code == ERR_OK || wrong_answer(code) || !error_retriable(code) ||
            clock_mono_us() > deadline_us) {
            return code;
        }
        thread_sleep_us(AGAIN_US);
    }
}

enum errcode bench_pump_prime(struct bench_pump *p, const struct bench_work *work, struct error *e)
{
    for (size_t b = 0; b < p->lane_count; b++) {
        struct list *link = p->lanes[b].free_slots.next; /* stays there */

        TRY(prime_lane(p, work, container_of(link, struct bench_slot, link), e));
    }
    return ERR_OK;
}

static enum errcode send_next(struct bench_pump *p, const struct bench_work *work,
                              struct bench_lane *lane, struct bench_counts *sent, struct error *e)
{
    struct bench_slot *slot =
        container_of(list_pop_front(&lane->free_slots), struct bench_slot, link);
    const void *request;
    int32_t id;

    TRY(make_request(slot, work, &request, e));
    if (request == NULL) {
        list_push_front(&lane->free_slots, &slot->link);
        lane->ended = true;
        return ERR_OK;
    }
    slot->sent_us = clock_mono_us();
    TRY(rpc_client_send(p->links.clients[lane->link], work->api, request, &id, e));
    ASSERT(map_put(&p->inflight[lane->link], (uint64_t)id, slot) == NULL);
    p->inflight_count++;
    sent->requests++;
    sent->bytes += slot->bytes;
    return ERR_OK;
}

static bool reached(const struct bench_bounds *bounds, int64_t until_us,
                    const struct bench_counts *sent)
{
    return (bounds->seconds_us > 0 && clock_mono_us() >= until_us) ||
           (bounds->requests > 0 && sent->requests >= bounds->requests) ||
           (bounds->bytes > 0 && sent->bytes >= bounds->bytes);
}

/* ---- responses ---- */

static enum errcode take(struct bench_pump *p, const struct bench_work *work, size_t link,
                         const struct rpc_response *response, struct error *e)
{
    struct bench_slot *slot = map_remove(&p->inflight[link], (uint64_t)response->id);
    void *message;

    if (slot == NULL) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "a response to no request: id %d", response->id);
    }
    histogram_add(&p->answers, clock_mono_us() - slot->sent_us);
    arena_reset(&p->arena);
    message = arena_zalloc(&p->arena, rpc_api_find((int16_t)work->api)->response->size);
    TRY(rpc_response_decode(response, work->api, &p->arena, message, e));
    TRY(work->take(work->context, slot, message, e));
    p->counts.requests++;
    p->counts.rows += slot->rows;
    p->counts.bytes += slot->bytes;
    p->inflight_count--;
    slot->lane->ended = false; /* the answer may be a reason to ask again */
    list_push_back(&slot->lane->free_slots, &slot->link);
    return ERR_OK;
}

static enum errcode drain(struct bench_pump *p, const struct bench_work *work, bool *ret_any,
                          struct error *e)
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
            TRY(take(p, work, i, &response, e));
            *ret_any = true;
        }
    }
    return ERR_OK;
}

/* ---- the run ---- */

struct run {
    const struct bench_work *work;
    struct bench_bounds bounds;
    int64_t until_us;
    struct bench_counts sent;
};

/* One request per lane in turn. */
static enum errcode fill(struct bench_pump *p, struct run *run, struct error *e)
{
    bool any = true;

    while (any) {
        any = false;
        for (size_t b = 0; b < p->lane_count; b++) {
            if (list_empty(&p->lanes[b].free_slots) || p->lanes[b].ended ||
                reached(&run->bounds, run->until_us, &run->sent)) {
                continue;
            }
            TRY(send_next(p, run->work, &p->lanes[b], &run->sent, e));
            any = true;
        }
    }
    return ERR_OK;
}

enum errcode bench_pump_run(struct bench_pump *p, const struct bench_work *work,
                            struct bench_bounds bounds, struct error *e)
{
    int64_t heard_us = clock_mono_us();
    struct run run = {.work = work, .bounds = bounds, .until_us = heard_us + bounds.seconds_us};

    p->counts = (struct bench_counts){0};
    memset(&p->answers, 0, sizeof p->answers);
    for (size_t b = 0; b < p->lane_count; b++) {
        p->lanes[b].ended = false;
    }
    for (;;) {
        bool any;

        TRY(fill(p, &run, e));
        if (p->inflight_count == 0) {
            return ERR_OK;
        }
        TRY(rpc_clients_wait(p->links.clients, p->links.count, p->options->timeout_us, e));
        TRY(drain(p, work, &any, e));
        heard_us = any ? clock_mono_us() : heard_us;
        if (clock_mono_us() - heard_us > p->options->timeout_us) {
            return error_set(e, ERR_REQUEST_TIME_OUT, "%zu requests without a response",
                             p->inflight_count);
        }
    }
}
