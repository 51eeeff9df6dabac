#include <unistd.h>

#include "../../support/unit.h"
#include "io/blocking.h"
#include "io/clock.h"

static void pair_open(int fds[2])
{
    struct error e;

    assert_int_equal(socket_pair(fds, &e), ERR_OK);
}

static void test_runs_arrive_in_order(void **state)
{
    struct bytes runs[] = {bytes_str("ab"), BYTES_EMPTY, bytes_str("cde")};
    char got[16];
    size_t n = 0;
    int fds[2];

    (void)state;
    pair_open(fds);
    assert_int_equal(socket_send_runs(fds[0], runs, 3, &n, NULL), ERR_OK);
    assert_int_equal(n, 5);
    assert_int_equal(socket_recv_some(fds[1], got, sizeof got, &n, NULL), ERR_OK);
    assert_true(bytes_equal_str(bytes_of(got, n), "abcde"));
    assert_int_equal(socket_recv_some(fds[1], got, sizeof got, &n, NULL), ERR_OK);
    assert_int_equal(n, 0);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void test_full_socket_takes_a_part(void **state)
{
    static uint8_t much[4 << 20];
    struct bytes run = bytes_of(much, sizeof much);
    size_t n = 0;
    int fds[2];

    (void)state;
    pair_open(fds);
    assert_int_equal(socket_send_runs(fds[0], &run, 1, &n, NULL), ERR_OK);
    assert_true(n > 0 && n < sizeof much);
    assert_int_equal(socket_send_runs(fds[0], &run, 1, &n, NULL), ERR_OK);
    assert_int_equal(n, 0);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void test_closed_peer_is_an_error(void **state)
{
    struct bytes run = bytes_str("x");
    struct error e;
    char got[4];
    size_t n = 0;
    int fds[2];

    (void)state;
    pair_open(fds);
    (void)close(fds[1]);
    assert_int_equal(socket_recv_some(fds[0], got, sizeof got, &n, &e), ERR_NETWORK);
    assert_string_equal(e.message, "the peer closed the connection");
    assert_int_equal(socket_send_runs(fds[0], &run, 1, &n, &e), ERR_NETWORK);
    (void)close(fds[0]);
}

static void test_wait_tells_who_is_ready(void **state)
{
    struct bytes run = bytes_str("x");
    struct socket_interest items[2];
    int64_t before;
    size_t n;
    int fds[2];

    (void)state;
    pair_open(fds);
    items[0] = (struct socket_interest){.fd = fds[0]};
    items[1] = (struct socket_interest){.fd = fds[1]};
    before = clock_mono_us();
    socket_wait(items, 2, 2000);
    assert_true(clock_mono_us() - before >= 2000);
    assert_false(items[0].ready || items[1].ready);
    assert_int_equal(socket_send_runs(fds[0], &run, 1, &n, NULL), ERR_OK);
    socket_wait(items, 2, -1);
    assert_true(!items[0].ready && items[1].ready);
    items[0].want_write = true;
    socket_wait(items, 2, 0);
    assert_true(items[0].ready && items[1].ready);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void test_sleep_is_long_enough(void **state)
{
    int64_t before = clock_mono_us();

    (void)state;
    thread_sleep_us(3000);
    assert_true(clock_mono_us() - before >= 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_arrive_in_order),
        cmocka_unit_test(test_full_socket_takes_a_part),
        cmocka_unit_test(test_closed_peer_is_an_error),
        cmocka_unit_test(test_wait_tells_who_is_ready),
        cmocka_unit_test(test_sleep_is_long_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
