/* lookup, prefix, limit: reads of a table that upsert left behind (--keep), with the same --keys
 * and --prefix-rows.
 *
 *   lookup   --keys-per-request random keys of the working set
 *   prefix   as many random ids, all rows of each
 *   limit    the first --limit rows of the bucket
 *
 * Every answer has to have the rows that are asked for, and one row of every answer is compared
 * with what was upserted. */
#include "bench_kv.h"
#include "bench_modes.h"
#include "bench_pump.h"

#include <stdlib.h>

#include "base/hash.h"
#include "format/value_batch.h"

#define ROWS_EACH 64 /* of bench_lookup_once: enough that every bucket has one */

/* What may be asked for in one bucket. */
struct pool {
    struct bytes *keys;
    int64_t *numbers; /* of the rows; prefix: ids */
    size_t count;
};

struct lookup {
    const struct bench_options *options;
    struct bench_kv *kv;
    struct bench_cluster cluster;
    struct bench_pump pump;
    struct arena arena;
    struct pool pools[BENCH_BUCKETS_MAX];
    uint64_t draws;
    struct meter meter;
};

static enum errcode open_table(struct lookup *l, const struct bench_options *options,
                               struct error *e);
static enum errcode fill_pools(struct lookup *l, int64_t rows, struct error *e);
static struct bench_work work_of(struct lookup *l);
static enum errcode next_lookup(void *context, struct bench_slot *slot, const void **ret,
                                struct error *e);
static enum errcode take_lookup(void *context, struct bench_slot *slot, const void *response,
                                struct error *e);
static enum errcode next_prefix(void *context, struct bench_slot *slot, const void **ret,
                                struct error *e);
static enum errcode take_prefix(void *context, struct bench_slot *slot, const void *response,
                                struct error *e);
static enum errcode next_limit(void *context, struct bench_slot *slot, const void **ret,
                               struct error *e);
static enum errcode take_limit(void *context, struct bench_slot *slot, const void *response,
                               struct error *e);
static void report(struct lookup *l);

static void lookup_fini(struct lookup **lookup)
{
    struct lookup *l = *lookup;

    bench_pump_close(&l->pump);
    cluster_close(&l->cluster);
    bench_kv_free(l->kv);
    arena_fini(&l->arena);
    free(l);
}

enum errcode bench_lookup(const struct bench_options *options, struct error *e)
{
    OWNED(lookup_fini) struct lookup *l = mem_new(struct lookup);
    struct bench_bounds warm = {.seconds_us = options->warm_us};
    struct bench_work work;

    TRY(open_table(l, options, e));
    TRY(fill_pools(l, options->working_set, e));
    TRY(bench_pump_open(&l->pump, &l->cluster, e));
    work = work_of(l);
    TRY(bench_pump_prime(&l->pump, &work, e));
    if (warm.seconds_us > 0) {
        TRY(bench_pump_run(&l->pump, &work, warm, e));
    }
    TRY(meter_start(&l->meter, options, e));
    TRY(bench_pump_run(&l->pump, &work, bench_bounds_of(options), e));
    TRY(meter_stop(&l->meter, e));
    report(l);
    return ERR_OK;
}

static enum errcode open_table(struct lookup *l, const struct bench_options *options,
                               struct error *e)
{
    l->options = options;
    TRY(bench_kv_new(options, &l->kv, e));
    TRY(cluster_open(&l->cluster, options, e));
    return cluster_find_table(&l->cluster, e);
}

static struct bench_work work_of(struct lookup *l)
{
    switch (l->options->mode) {
    case BENCH_PREFIX:
        return (struct bench_work){API_PREFIX_LOOKUP, l, next_prefix, take_prefix};
    case BENCH_LIMIT:
        return (struct bench_work){API_LIMIT_SCAN, l, next_limit, take_limit};
    case BENCH_PRODUCE:
    case BENCH_FETCH:
    case BENCH_LATENCY:
    case BENCH_UPSERT:
    case BENCH_LOOKUP:
    case BENCH_START:
        break;
    }
    return (struct bench_work){API_LOOKUP, l, next_lookup, take_lookup};
}

/* ---- what is asked for ---- */

/* Sorts `count` shuffled numbers of `total` by bucket; those of prefixes are ids. */
static enum errcode fill_numbers(struct lookup *l, int64_t count, int64_t total, struct error *e)
{
    bool ids = l->options->mode == BENCH_PREFIX;
    int64_t rows_of_id = l->options->prefix_rows > 0 ? l->options->prefix_rows : 1;

    for (int32_t b = 0; b < l->cluster.bucket_count; b++) {
        l->pools[b].numbers = arena_array(&l->arena, (size_t)count, sizeof(int64_t));
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t number = bench_kv_shuffled(total, i);
        struct pool *pool;
        int32_t bucket;

        TRY(bench_kv_bucket(l->kv, ids ? number * rows_of_id : number, l->cluster.bucket_count,
                            &bucket, e));
        pool = &l->pools[bucket];
        pool->numbers[pool->count++] = number;
    }
    return ERR_OK;
}

/* Of so many rows, and at least of one id. */
static enum errcode fill_pools(struct lookup *l, int64_t rows, struct error *e)
{
    bool ids = l->options->mode == BENCH_PREFIX;
    int64_t total = ids ? bench_kv_ids(l->kv) : l->options->keys;
    int64_t count = ids && l->options->prefix_rows > 0 ? rows / l->options->prefix_rows : rows;

    TRY(fill_numbers(l, count < 1 ? 1 : count > total ? total : count, total, e));
    for (int32_t b = 0; b < l->cluster.bucket_count; b++) {
        struct pool *pool = &l->pools[b];

        if (pool->count == 0) {
            return error_set(e, ERR_INVALID_ARGUMENT, "bucket %d has no key of the working set", b);
        }
        pool->keys = arena_array(&l->arena, pool->count, sizeof *pool->keys);
        for (size_t i = 0; i < pool->count; i++) {
            TRY(ids ? bench_kv_prefix(l->kv, pool->numbers[i], &l->arena, &pool->keys[i], e)
                    : bench_kv_key(l->kv, pool->numbers[i], &l->arena, &pool->keys[i], e));
        }
    }
    return ERR_OK;
}

/* Random keys of the slot's bucket, in its arena; their numbers become the slot's work. */
static struct bytes *draw(struct lookup *l, struct bench_slot *slot)
{
    const struct pool *pool = &l->pools[slot->lane->bucket];
    size_t count = (size_t)l->options->keys_per_request;
    struct bytes *keys = arena_array(&slot->arena, count, sizeof *keys);
    int64_t *numbers = arena_array(&slot->arena, count, sizeof *numbers);

    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)(hash_u64(++l->draws) % pool->count);

        keys[i] = pool->keys[at];
        numbers[i] = pool->numbers[at];
    }
    slot->work = numbers;
    return keys;
}

static enum errcode miscounted(size_t found, size_t expected, struct error *e)
{
    return error_set(e, ERR_CORRUPT_MESSAGE, "the answer has %zu entries instead of %zu", found,
                     expected);
}

/* Which of the keys of an answer is looked at closely: each in turn. */
static size_t sample_of(const struct lookup *l)
{
    return (size_t)(l->pump.counts.requests % l->options->keys_per_request);
}

/* ---- lookup ---- */

static enum errcode next_lookup(void *context, struct bench_slot *slot, const void **ret,
                                struct error *e)
{
    struct lookup *l = context;
    struct msg_lookup_request *request = arena_new(&slot->arena, struct msg_lookup_request);

    (void)e;
    request->table_id = l->cluster.table_id;
    request->buckets_req = arena_new(&slot->arena, struct msg_pb_lookup_req_for_bucket);
    request->buckets_req_count = 1;
    request->buckets_req->bucket_id = slot->lane->bucket;
    request->buckets_req->keys = draw(l, slot);
    request->buckets_req->keys_count = (size_t)l->options->keys_per_request;
    *ret = request;
    return ERR_OK;
}

static enum errcode take_lookup(void *context, struct bench_slot *slot, const void *response,
                                struct error *e)
{
    const struct msg_lookup_response *m = response;
    const struct msg_pb_lookup_resp_for_bucket *b = m->buckets_resp;
    const struct lookup *l = context;
    const int64_t *numbers = slot->work;
    size_t count = (size_t)l->options->keys_per_request;

    if (m->buckets_resp_count != 1) {
        return miscounted(m->buckets_resp_count, 1, e);
    }
    TRY(bench_check_bucket(b->bucket_id, b->error_code, b->error_message, e));
    if (b->values_count != count) {
        return miscounted(b->values_count, count, e);
    }
    for (size_t i = 0; i < count; i++) {
        if (!b->values[i].has_values) {
            return error_set(e, ERR_CORRUPT_MESSAGE, "row %lld is not found",
                             (long long)numbers[i]);
        }
        slot->bytes += (int64_t)b->values[i].values.len;
    }
    slot->rows = (int64_t)count;
    return bench_kv_check(l->kv, numbers[sample_of(l)], b->values[sample_of(l)].values, e);
}

/* ---- prefix ---- */

static enum errcode next_prefix(void *context, struct bench_slot *slot, const void **ret,
                                struct error *e)
{
    struct lookup *l = context;
    struct msg_prefix_lookup_request *request =
        arena_new(&slot->arena, struct msg_prefix_lookup_request);

    (void)e;
    request->table_id = l->cluster.table_id;
    request->buckets_req = arena_new(&slot->arena, struct msg_pb_prefix_lookup_req_for_bucket);
    request->buckets_req_count = 1;
    request->buckets_req->bucket_id = slot->lane->bucket;
    request->buckets_req->keys = draw(l, slot);
    request->buckets_req->keys_count = (size_t)l->options->keys_per_request;
    *ret = request;
    return ERR_OK;
}

/* The rows of each id are in the order of their keys, so the first is its item 0. */
static enum errcode take_prefix(void *context, struct bench_slot *slot, const void *response,
                                struct error *e)
{
    const struct msg_prefix_lookup_response *m = response;
    const struct msg_pb_prefix_lookup_resp_for_bucket *b = m->buckets_resp;
    const struct lookup *l = context;
    const int64_t *ids = slot->work;
    size_t count = (size_t)l->options->keys_per_request;
    size_t each = (size_t)l->options->prefix_rows;

    if (m->buckets_resp_count != 1) {
        return miscounted(m->buckets_resp_count, 1, e);
    }
    TRY(bench_check_bucket(b->bucket_id, b->error_code, b->error_message, e));
    if (b->value_lists_count != count) {
        return miscounted(b->value_lists_count, count, e);
    }
    for (size_t i = 0; i < count; i++) {
        const struct msg_pb_value_list *list = &b->value_lists[i];

        if (list->values_count != each) {
            return miscounted(list->values_count, each, e);
        }
        for (size_t k = 0; k < each; k++) {
            slot->bytes += (int64_t)list->values[k].len;
        }
    }
    slot->rows = (int64_t)(count * each);
    return bench_kv_check(l->kv, ids[sample_of(l)] * (int64_t)each,
                          b->value_lists[sample_of(l)].values[0], e);
}

/* ---- limit ---- */

static enum errcode next_limit(void *context, struct bench_slot *slot, const void **ret,
                               struct error *e)
{
    struct lookup *l = context;
    struct msg_limit_scan_request *request = arena_new(&slot->arena, struct msg_limit_scan_request);

    (void)e;
    request->table_id = l->cluster.table_id;
    request->bucket_id = slot->lane->bucket;
    request->limit = l->options->limit;
    *ret = request;
    return ERR_OK;
}

static enum errcode take_limit(void *context, struct bench_slot *slot, const void *response,
                               struct error *e)
{
    const struct msg_limit_scan_response *m = response;
    const struct lookup *l = context;
    size_t rows = l->pools[slot->lane->bucket].count;
    size_t expected = rows < (size_t)l->options->limit ? rows : (size_t)l->options->limit;
    struct value_batch_iterator it;
    struct bytes value;

    TRY(bench_check_bucket(slot->lane->bucket, m->error_code, m->error_message, e));
    TRY(value_batch_parse(m->records, &it, e));
    if (it.left != expected) {
        return miscounted(it.left, expected, e);
    }
    while (it.left > 0) {
        TRY(value_batch_next(&it, &value, e));
    }
    slot->rows = (int64_t)expected;
    slot->bytes = (int64_t)m->records.len;
    return ERR_OK;
}

/* ---- */

enum errcode bench_lookup_once(const struct bench_options *options, struct error *e)
{
    OWNED(lookup_fini) struct lookup *l = mem_new(struct lookup);
    struct bench_work work;

    TRY(open_table(l, options, e));
    TRY(fill_pools(l, (int64_t)l->cluster.bucket_count * ROWS_EACH, e));
    TRY(bench_pump_open(&l->pump, &l->cluster, e));
    work = work_of(l);
    return bench_pump_prime(&l->pump, &work, e);
}

static void report(struct lookup *l)
{
    struct json_writer w;

    report_begin(&w, l->options);
    report_counts(&w, &l->meter, &l->pump.counts);
    report_latencies(&w, "response", &l->pump.answers);
    report_end(&w);
}
