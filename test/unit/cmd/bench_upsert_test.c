#include "toy.h"

static void test_every_key_then_more(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep)
    json_t *r = toy_run(t, bench_upsert, "upsert --keys 1000 --rows 30 --passes 3 --keep");
    int batches = (1000 + 29) / 30;

    assert_int_equal(vectors_i64(r, "requests"), 3 * batches);
    assert_int_equal(vectors_i64(r, "rows"), 3000);
    assert_int_equal(t->kv.buckets[0].count, 1000);
    assert_int_equal(t->kv.upserts, 4000); /* the first pass is not counted */
    assert_int_equal(t->kv.batches, 4 * batches);
    assert_true(json_number_value(vectors_get(r, "insert_rows_per_s")) > 0);
}

static void test_buckets_writers_and_dropped(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep)
    json_t *r = toy_run(t, bench_upsert,
                        "upsert --keys 1000 --prefix-rows 10 --rows 10 --buckets 3 --connections 2 "
                        "--idempotent --requests 50");
    size_t rows = 0;
    int32_t batches = 0;

    assert_int_equal(vectors_i64(r, "requests"), 50);
    for (size_t b = 0; b < 3; b++) {
        rows += t->kv.buckets[b].count;
        batches += t->kv.buckets[b].sequence + 1;
    }
    assert_int_equal(rows, 1000);
    assert_int_equal(batches, t->kv.batches);
    assert_int_equal(t->bucket_count, 0);
}

static void test_existing(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *first = NULL;
    OWNED(vectors_freep) json_t *again = NULL;
    char line[] = "upsert --existing --buckets 2";
    struct bench_options options;

    first = toy_run(t, bench_upsert, "upsert --keys 1000 --rows 100 --requests 1 --keep");
    again = toy_run(t, bench_upsert, "upsert --keys 1000 --rows 100 --passes 1 --keep --existing");
    assert_int_equal(vectors_i64(again, "rows"), 1000);
    assert_null(json_object_get(again, "insert_rows_per_s"));
    assert_int_equal(t->kv.upserts, 1000 + 100 + 100 + 1000);
    options = toy_options(t, line);
    assert_int_equal(bench_upsert(&options, NULL), ERR_INVALID_ARGUMENT);
}

/* Every batch arrives all the same. */
static void test_refused_batches_are_sent_again(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *r = NULL;

    r = toy_run(t, bench_upsert, "upsert --keys 1000 --rows 100 --requests 1 --keep");
    t->kv.refusals = 15;
    vectors_freep(&r);
    r = toy_run(t, bench_upsert, "upsert --keys 1000 --rows 100 --passes 2 --keep --existing");
    assert_int_equal(vectors_i64(r, "refused"), 15);
    assert_int_equal(t->kv.buckets[0].count, 1000);
}

static void test_too_few_keys(void **state)
{
    char line[] = "upsert --keys 2 --buckets 4";
    struct bench_options options = toy_options(*state, line);
    struct error e;

    assert_int_equal(bench_upsert(&options, &e), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.message, "gets none of 2 keys"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_key_then_more),
        TEST(test_buckets_writers_and_dropped),
        TEST(test_existing),
        TEST(test_refused_batches_are_sent_again),
        TEST(test_too_few_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
