#include "toy.h"

static void fill(struct toy *t, const char *line)
{
    OWNED(vectors_freep) json_t *r = toy_run(t, bench_upsert, line);

    assert_int_equal(vectors_i64(r, "keys"), 1000);
}

static void test_rows_are_found(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *r = NULL;

    fill(t, "upsert --keys 1000 --rows 100 --buckets 3 --passes 1 --keep");
    r = toy_run(t, bench_lookup,
                "lookup --keys 1000 --keys-per-request 7 --requests 100 --warm 10ms");
    assert_int_equal(vectors_i64(r, "requests"), 100);
    assert_int_equal(vectors_i64(r, "rows"), 700);
    assert_int_equal(vectors_i64(r, "working_set"), 1000);
    assert_true(json_number_value(vectors_get(r, "response_p50_ms")) > 0);
}

static void test_prefixes_are_whole(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *r = NULL;

    fill(t, "upsert --keys 1000 --prefix-rows 10 --rows 100 --requests 1 --keep");
    r = toy_run(t, bench_lookup,
                "prefix --keys 1000 --prefix-rows 10 --keys-per-request 4 --working-set 500 "
                "--requests 20 --warm 0ms");
    assert_int_equal(vectors_i64(r, "rows"), 800);
}

static void test_limit(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *few = NULL;
    OWNED(vectors_freep) json_t *all = NULL;

    fill(t, "upsert --keys 1000 --rows 100 --requests 1 --keep");
    few = toy_run(t, bench_lookup, "limit --keys 1000 --limit 10 --requests 5 --warm 0ms");
    assert_int_equal(vectors_i64(few, "rows"), 50);
    all = toy_run(t, bench_lookup, "limit --keys 1000 --limit 5000 --requests 2 --warm 0ms");
    assert_int_equal(vectors_i64(all, "rows"), 2000);
}

static void assert_fails(struct toy *t, const char *text, const char *message)
{
    OWNED(mem_freep) char *line = mem_strdup(text);
    struct bench_options options = toy_options(t, line);
    struct error e;

    assert_int_not_equal(bench_lookup(&options, &e), ERR_OK);
    assert_string_equal(e.message, message);
}

static void test_wrong_answers_end_the_run(void **state)
{
    struct toy *t = *state;

    fill(t, "upsert --keys 1000 --rows 100 --requests 1 --keep");
    assert_fails(t, "limit --keys 999", "the answer has 1000 entries instead of 999");
    t->kv.lost = 1;
    assert_fails(t, "lookup --keys 1000 --working-set 1", "row 0 is not found");
    t->kv.lost = 0;
    t->kv.buckets[0].values[0] = t->kv.buckets[0].values[1];
    assert_fails(t, "lookup --keys 1000 --working-set 1",
                 "the value of row 0 is not what was upserted");
}

static void test_once(void **state)
{
    char line[] = "start --keys 1000 --lookup -- sleep 1";
    struct toy *t = *state;
    struct bench_options options;

    fill(t, "upsert --keys 1000 --rows 100 --buckets 3 --requests 1 --keep");
    options = toy_options(t, line);
    assert_int_equal(bench_lookup_once(&options, NULL), ERR_OK);
    t->kv.buckets[0].count = 0;
    assert_int_equal(bench_lookup_once(&options, NULL), ERR_CORRUPT_MESSAGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rows_are_found), TEST(test_prefixes_are_whole),
        TEST(test_limit),          TEST(test_wrong_answers_end_the_run),
        TEST(test_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
