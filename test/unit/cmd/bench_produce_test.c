#include "toy.h"

static void test_all_batches_arrive(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep)
    json_t *r = toy_run(
        t, bench_produce,
        "produce --buckets 3 --connections 2 --rows 7 --requests 100 --outstanding 4 --keep");

    assert_int_equal(vectors_i64(r, "requests"), 100);
    assert_int_equal(vectors_i64(r, "rows"), 700);
    assert_int_equal(vectors_i64(r, "bytes"), 100 * vectors_i64(r, "batch_bytes"));
    assert_int_equal(t->bucket_count, 3);
    /* one more per bucket, which is not counted */
    assert_int_equal(t->buckets[0].count + t->buckets[1].count + t->buckets[2].count, 103);
    assert_int_equal(t->buckets[0].end, 7 * (int64_t)t->buckets[0].count);
}

static void test_idempotent_and_dropped(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep)
    json_t *r = toy_run(t, bench_produce,
                        "produce --rows 1000 --compression zstd --idempotent --requests 40");

    assert_int_equal(vectors_i64(r, "rows"), 40000);
    assert_int_equal(t->buckets[0].sequence, 40);
    assert_int_equal(t->bucket_count, 0);
}

static void test_bounded_by_bytes_and_by_time(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep)
    json_t *bytes = toy_run(t, bench_produce, "produce --rows 500 --bytes 1mb");
    OWNED(vectors_freep)
    json_t *timed = toy_run(t, bench_produce, "produce --rows 500 --duration 100ms");

    assert_in_range(vectors_i64(bytes, "bytes"), 1 << 20, 1200000);
    assert_true(json_number_value(vectors_get(timed, "seconds")) >= 0.1);
}

/* A bucket that is not there yet is waited for; a failure later ends the run. */
static void test_errors(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *r = NULL;
    char line[] = "produce --rows 7 --requests 50";
    struct bench_options options;
    struct error e;

    t->unknown_buckets = 3;
    r = toy_run(t, bench_produce, "produce --rows 7 --requests 10");
    assert_int_equal(vectors_i64(r, "requests"), 10);
    t->produced = 0;
    t->broken_after = 20;
    options = toy_options(t, line);
    assert_int_equal(bench_produce(&options, &e), ERR_LOG_STORAGE);
    assert_non_null(strstr(e.message, "bucket 0: error 10"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_batches_arrive),
        TEST(test_idempotent_and_dropped),
        TEST(test_bounded_by_bytes_and_by_time),
        TEST(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
