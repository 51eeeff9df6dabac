#include <stdlib.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "cmd/bench_meter.h"
#include "io/clock.h"
#include "io/process.h"

static void test_quantiles(void **state)
{
    struct histogram *h = mem_new(struct histogram);

    (void)state;
    assert_int_equal(histogram_quantile(h, 0.5), 0);
    for (int64_t i = 1; i <= 100; i++) {
        histogram_add(h, i);
    }
    assert_int_equal(histogram_quantile(h, 0.5), 50);
    assert_int_equal(histogram_quantile(h, 0.99), 99);
    assert_int_equal(histogram_quantile(h, 1), 100);
    histogram_add(h, -5); /* a clock that went back */
    assert_int_equal(histogram_quantile(h, 0), 0);
    free(h);
}

static void test_large_values_are_close(void **state)
{
    struct histogram *h = mem_new(struct histogram);

    (void)state;
    for (int64_t value = 1; value > 0 && value < INT64_MAX / 3; value = value * 3 + 1) {
        memset(h, 0, sizeof *h);
        histogram_add(h, value);
        histogram_add(h, INT64_MAX);
        assert_true(histogram_quantile(h, 0.5) >= value);
        assert_true(histogram_quantile(h, 0.5) - value <= value / 100);
        assert_int_equal(histogram_quantile(h, 1), INT64_MAX);
    }
    free(h);
}

static void test_meter(void **state)
{
    struct bench_options options = {.pids = {getpid()}, .pid_count = 1};
    int64_t until_us;
    struct meter m;

    (void)state;
    assert_int_equal(meter_start(&m, &options, NULL), ERR_OK);
    until_us = clock_mono_us() + 20000;
    while (clock_mono_us() < until_us) {
    }
    assert_int_equal(meter_stop(&m, NULL), ERR_OK);
    assert_true(m.elapsed_us >= 19000);
    assert_true(m.client_cpu_us > 0 && meter_server_cpu_us(&m) > 0);
    assert_true(m.server_rss > 0 && m.server_rss_peak > 0);
    options.pids[0] = INT32_MAX;
    assert_int_equal(meter_start(&m, &options, NULL), ERR_INVALID_ARGUMENT);
}

/* A server that works on for a moment; whether that was longer than its measurement. */
static bool is_done_afterwards(void)
{
    char *argv[] = {"sh", "-c", "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; sleep 60", NULL};
    struct bench_options options = {.pid_count = 1, .settle_us = 20000000};
    struct meter m;

    assert_int_equal(process_start(argv, &options.pids[0], NULL), ERR_OK);
    assert_int_equal(meter_start(&m, &options, NULL), ERR_OK);
    assert_int_equal(meter_stop(&m, NULL), ERR_OK);
    process_end(options.pids, 1, 0);
    return meter_server_cpu_us(&m) > m.elapsed_us;
}

/* On a machine that stands still the measurement may be the longer one. */
static void test_what_is_done_afterwards(void **state)
{
    int rounds = 0;

    (void)state;
    while (!is_done_afterwards()) {
        assert_true(++rounds < 20);
    }
}

static void test_numbers_are_short(void **state)
{
    struct json_writer w;
    struct bytes text;

    (void)state;
    json_writer_init(&w, NULL);
    json_write_object(&w);
    report_real(&w, "a", 1.23456789);
    report_real(&w, "b", 0.000123456);
    report_real(&w, "c", 1234567.8);
    report_real(&w, "d", 0);
    json_write_end(&w);
    text = json_writer_text(&w);
    assert_true(bytes_equal_str(text, "{\"a\":1.235,\"b\":0.0001235,\"c\":1234568,\"d\":0.0}"));
    json_writer_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_large_values_are_close),
        cmocka_unit_test(test_meter),
        cmocka_unit_test(test_what_is_done_afterwards),
        cmocka_unit_test(test_numbers_are_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
