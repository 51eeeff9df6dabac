#include "toy.h"

static void fill(struct toy *t)
{
    OWNED(vectors_freep)
    json_t *r = toy_run(t, bench_produce,
                        "produce --buckets 2 --rows 100 --requests 60 --outstanding 2 --keep");

    assert_int_equal(vectors_i64(r, "rows"), 6000);
}

static void test_everything_is_read(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *r = NULL;

    fill(t);
    r = toy_run(t, bench_fetch, "fetch --passes 3");
    assert_int_equal(vectors_i64(r, "rows"), 3 * 6200);
    assert_int_equal(vectors_i64(r, "passes"), 3);
    assert_int_equal(t->projected, 0);
}

static void test_several_readers(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *r = NULL;

    fill(t);
    r = toy_run(t, bench_fetch, "fetch --outstanding 3 --connections 2 --passes 2");
    assert_int_equal(vectors_i64(r, "rows"), 6 * 6200);
}

static void test_projection_is_asked_for(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *one = NULL;
    OWNED(vectors_freep) json_t *three = NULL;

    fill(t);
    one = toy_run(t, bench_fetch, "project");
    assert_int_equal(t->projected, 1);
    assert_int_equal(vectors_i64(one, "columns"), 1);
    three = toy_run(t, bench_fetch, "project --columns 0,2,4");
    assert_int_equal(t->projected, 3);
    assert_int_equal(vectors_i64(three, "rows"), 6200);
}

static void test_bounded_by_time(void **state)
{
    struct toy *t = *state;
    OWNED(vectors_freep) json_t *r = NULL;

    fill(t);
    r = toy_run(t, bench_fetch, "fetch --duration 100ms");
    assert_true(json_number_value(vectors_get(r, "seconds")) >= 0.1);
}

static void test_nobody_there(void **state)
{
    char line[] = "fetch --passes 1";
    struct bench_options options = toy_options(*state, line);
    struct error e;

    options.port = 1;
    assert_int_equal(bench_fetch(&options, &e), ERR_NETWORK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_everything_is_read),
        TEST(test_several_readers),
        TEST(test_projection_is_asked_for),
        TEST(test_bounded_by_time),
        TEST(test_nobody_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
