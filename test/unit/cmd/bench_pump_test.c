#include "toy.h"

#include "cmd/bench_pump.h"

/* Lookups of a table without rows; each lane has a few. */
struct lookups {
    const struct bench_cluster *cluster;
    int left[TOY_BUCKETS];
    int taken;
    enum errcode failure; /* of the next take */
};

static enum errcode next(void *context, struct bench_slot *slot, const void **ret, struct error *e)
{
    struct lookups *l = context;
    struct msg_lookup_request *request = arena_new(&slot->arena, struct msg_lookup_request);

    (void)e;
    request->table_id = l->cluster->table_id;
    request->buckets_req = arena_new(&slot->arena, struct msg_pb_lookup_req_for_bucket);
    request->buckets_req_count = 1;
    request->buckets_req->bucket_id = slot->lane->bucket;
    slot->bytes = 10;
    *ret = l->left[slot->lane->bucket]-- > 0 ? request : NULL;
    return ERR_OK;
}

static enum errcode take(void *context, struct bench_slot *slot, const void *response,
                         struct error *e)
{
    const struct msg_lookup_response *m = response;
    struct lookups *l = context;
    enum errcode failure = l->failure;

    l->failure = ERR_OK;
    if (failure != ERR_OK) {
        return error_set(e, failure, "as told");
    }
    assert_int_equal(m->buckets_resp_count, 1);
    assert_int_equal(m->buckets_resp->bucket_id, slot->lane->bucket);
    slot->rows = 2;
    l->taken++;
    return ERR_OK;
}

struct fixture {
    struct bench_options options;
    struct bench_cluster cluster;
    struct bench_pump pump;
    struct lookups lookups;
    struct bench_work work;
};

static void open_fixture(struct fixture *f, struct toy *t, char *line, int each)
{
    t->bucket_count = 3;
    f->options = toy_options(t, line);
    assert_int_equal(cluster_open(&f->cluster, &f->options, NULL), ERR_OK);
    assert_int_equal(cluster_find_table(&f->cluster, NULL), ERR_OK);
    assert_int_equal(bench_pump_open(&f->pump, &f->cluster, NULL), ERR_OK);
    f->lookups.cluster = &f->cluster;
    for (size_t i = 0; i < TOY_BUCKETS; i++) {
        f->lookups.left[i] = each;
    }
    f->work = (struct bench_work){API_LOOKUP, &f->lookups, next, take};
}

static void close_fixture(struct fixture *f)
{
    bench_pump_close(&f->pump);
    cluster_close(&f->cluster);
    mem_freep(&f);
}

static void test_until_all_lanes_end(void **state)
{
    char line[] = "lookup --buckets 3 --connections 2";
    struct fixture *f = mem_new(struct fixture);
    struct bench_bounds endless = {0};

    open_fixture(f, *state, line, 20);
    f->lookups.left[1] = 3;
    assert_int_equal(bench_pump_run(&f->pump, &f->work, endless, NULL), ERR_OK);
    assert_int_equal(f->lookups.taken, 43);
    assert_int_equal(f->pump.counts.requests, 43);
    assert_int_equal(f->pump.counts.rows, 86);
    assert_int_equal(f->pump.counts.bytes, 430);
    assert_int_equal(f->pump.answers.count, 43);
    f->lookups.left[1] = 5; /* another run counts anew */
    assert_int_equal(bench_pump_run(&f->pump, &f->work, endless, NULL), ERR_OK);
    assert_int_equal(f->pump.counts.requests, 5);
    close_fixture(f);
}

static void test_bounds(void **state)
{
    char line[] = "lookup --buckets 3 --duration 1s --requests 7 --bytes 1kb";
    struct fixture *f = mem_new(struct fixture);
    struct bench_bounds bounds;

    open_fixture(f, *state, line, INT32_MAX);
    bounds = bench_bounds_of(&f->options);
    assert_int_equal(bounds.seconds_us, 1000000);
    assert_int_equal(bounds.requests, 7);
    assert_int_equal(bounds.bytes, 1024);
    assert_int_equal(bench_pump_run(&f->pump, &f->work, bounds, NULL), ERR_OK);
    assert_int_equal(f->pump.counts.requests, 7);
    bounds.requests = 0;
    assert_int_equal(bench_pump_run(&f->pump, &f->work, bounds, NULL), ERR_OK);
    assert_int_equal(f->pump.counts.requests, 103);
    bounds = (struct bench_bounds){.seconds_us = 20000};
    assert_int_equal(bench_pump_run(&f->pump, &f->work, bounds, NULL), ERR_OK);
    assert_true(f->pump.counts.requests > 0);
    close_fixture(f);
}

static void test_failures(void **state)
{
    char line[] = "lookup --buckets 3";
    struct fixture *f = mem_new(struct fixture);
    struct bench_bounds endless = {0};
    struct error e;

    open_fixture(f, *state, line, 20);
    f->lookups.failure = ERR_UNKNOWN_TABLE_OR_BUCKET; /* tried again */
    assert_int_equal(bench_pump_prime(&f->pump, &f->work, NULL), ERR_OK);
    assert_int_equal(f->lookups.taken, 3);
    f->lookups.failure = ERR_UNKNOWN_TABLE_OR_BUCKET; /* not during the run */
    assert_int_equal(bench_pump_run(&f->pump, &f->work, endless, &e), ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_string_equal(e.message, "as told");
    assert_int_equal(bench_check_bucket(1, 0, BYTES_EMPTY, NULL), ERR_OK);
    assert_int_equal(bench_check_bucket(1, 10, bytes_str("full"), &e), ERR_LOG_STORAGE);
    assert_string_equal(e.message, "bucket 1: error 10: full");
    close_fixture(f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_until_all_lanes_end),
        TEST(test_bounds),
        TEST(test_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
