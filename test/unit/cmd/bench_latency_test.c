#include "toy.h"

static void test_every_row_is_timed(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep)
    json_t *r = toy_run(t, bench_latency, "latency --rate 500 --requests 200 --warm 100ms --keep");

    assert_int_equal(vectors_i64(r, "rows"), 200);
    assert_int_equal(t->buckets[0].end, 251); /* row 0, 50 warm ones, the measured ones */
    assert_true(json_number_value(vectors_get(r, "seconds")) >= 0.39);
    assert_true(json_number_value(vectors_get(r, "ack_p50_ms")) > 0);
    assert_true(json_number_value(vectors_get(r, "arrival_p99_ms")) <=
                json_number_value(vectors_get(r, "arrival_max_ms")));
}

static void test_idempotent(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep)
    json_t *r = toy_run(t, bench_latency,
                        "latency --rate 1000 --duration 100ms --warm 0ms --idempotent --keep");

    assert_int_equal(vectors_i64(r, "rows"), 100);
    assert_int_equal(t->buckets[0].sequence, 100);
}

static void test_failed_row_ends_the_run(void **state)
{
    char line[] = "latency --rate 1000 --duration 100ms --warm 0ms";
    struct toy *t = *state;
    struct bench_options options = toy_options(t, line);
    struct error e;

    t->broken_after = 10;
    assert_int_equal(bench_latency(&options, &e), ERR_LOG_STORAGE);
    assert_non_null(strstr(e.message, "row 9: error 10"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_row_is_timed),
        TEST(test_idempotent),
        TEST(test_failed_row_ends_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
