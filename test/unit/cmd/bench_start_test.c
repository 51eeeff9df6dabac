#include "toy.h"

/* The toy serves already; what is started only has to be there. */
static void test_command_is_measured_and_ended(void **state)
{
    OWNED(vectors_freep) json_t *r = toy_run(*state, bench_start, "start --idle 200ms -- sleep 60");

    assert_int_equal(vectors_i64(r, "processes"), 1);
    assert_true(json_number_value(vectors_get(r, "first_request_ms")) > 0);
    assert_true(json_number_value(vectors_get(r, "idle_rss_mib")) > 0);
}

static void test_server_that_never_serves(void **state)
{
    char line[] = "start --timeout 100ms --idle 100ms -- sleep 60";
    struct bench_options options = toy_options(*state, line);
    struct error e;

    options.port = 1;
    assert_int_equal(bench_start(&options, &e), ERR_NETWORK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_command_is_measured_and_ended),
        TEST(test_server_that_never_serves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
