#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "io/blocking.h"
#include "io/clock.h"
#include "io/process.h"

static void test_own_usage(void **state)
{
    int64_t worked_us = clock_cpu_us() + 20000;
    struct process_usage before, after;

    (void)state;
    assert_int_equal(process_usage_of(getpid(), &before, NULL), ERR_OK);
    while (clock_cpu_us() < worked_us) {
    }
    assert_int_equal(process_usage_of(getpid(), &after, NULL), ERR_OK);
    assert_true(after.cpu_us > before.cpu_us);
    assert_true(after.rss_bytes > 100000 && after.rss_peak_bytes >= after.rss_bytes);
    process_reset_peak(getpid());
}

static void test_usage_of_nobody(void **state)
{
    struct process_usage usage;
    struct error e;

    (void)state;
    assert_int_equal(process_usage_of(INT32_MAX, &usage, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, "no process 2147483647");
}

/* A shell that leaves two processes behind: both are found, both are ended. */
static void test_descendants_are_ended(void **state)
{
    char *argv[] = {"sh", "-c", "sleep 60 & sleep 61 & exit 0", NULL};
    int64_t deadline_us = clock_mono_us() + 60000000;
    int64_t pids[PROCESS_DESCENDANTS_MAX];
    int64_t pid;
    size_t count;

    (void)state;
    process_adopt();
    assert_int_equal(process_start(argv, &pid, NULL), ERR_OK);
    do {
        thread_sleep_us(2000);
        count = process_descendants(pids, PROCESS_DESCENDANTS_MAX);
    } while ((count != 2 || pids[0] == pid || pids[1] == pid) && clock_mono_us() < deadline_us);
    assert_int_equal(count, 2);
    process_end(pids, count, 60000000);
    assert_int_equal(process_descendants(pids, PROCESS_DESCENDANTS_MAX), 0);
}

/* One that ignores SIGTERM is killed. */
static void test_stubborn_process_is_killed(void **state)
{
    char *argv[] = {"sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", NULL};
    int64_t pids[PROCESS_DESCENDANTS_MAX];
    int64_t pid;

    (void)state;
    assert_int_equal(process_start(argv, &pid, NULL), ERR_OK);
    thread_sleep_us(100000);
    process_end(&pid, 1, 200000);
    thread_sleep_us(100000);
    process_end(pids, process_descendants(pids, PROCESS_DESCENDANTS_MAX), 1000000);
    assert_int_equal(process_descendants(pids, PROCESS_DESCENDANTS_MAX), 0);
}

/* Without time to end by itself a process is not asked to. */
static void test_killed_at_once(void **state)
{
    char mark[] = "/tmp/eider-process-XXXXXX";
    int fd = mkstemp(mark);
    char script[128];
    char *argv[] = {"sh", "-c", script, NULL};
    int64_t pid;

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(script, sizeof script, "trap 'rm %s' TERM; while :; do sleep 0.05; done", mark);
    assert_int_equal(process_start(argv, &pid, NULL), ERR_OK);
    thread_sleep_us(100000);
    process_end(&pid, 1, 0);
    assert_int_equal(access(mark, F_OK), 0);
    assert_int_equal(unlink(mark), 0);
}

static void test_missing_program(void **state)
{
    char *argv[] = {"no-such-program-here", NULL};
    struct error e;
    int64_t pid;

    (void)state;
    assert_int_equal(process_start(argv, &pid, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, "cannot run no-such-program-here: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_usage),
        cmocka_unit_test(test_usage_of_nobody),
        cmocka_unit_test(test_descendants_are_ended),
        cmocka_unit_test(test_stubborn_process_is_killed),
        cmocka_unit_test(test_killed_at_once),
        cmocka_unit_test(test_missing_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
