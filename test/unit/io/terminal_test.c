#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "io/terminal.h"

static void a_terminal_is_known(void **state)
{
    struct winsize size = {.ws_row = 24, .ws_col = 77};
    int leader = posix_openpt(O_RDWR | O_NOCTTY);
    int null = open("/dev/null", O_RDWR);

    (void)state;
    assert_true(leader >= 0);
    assert_int_equal(ioctl(leader, TIOCSWINSZ, &size), 0);
    assert_true(terminal_is(leader));
    assert_int_equal(terminal_columns(leader), 77);
    assert_false(terminal_is(null));
    assert_int_equal(terminal_columns(null), 0);
    (void)close(leader);
    (void)close(null);
}

static void a_pipe_takes_what_fits_until_nobody_reads(void **state)
{
    struct error e;
    char got[8];
    int fds[2];

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(descriptor_write(fds[1], bytes_str("hello"), &e), ERR_OK);
    assert_int_equal(read(fds[0], got, sizeof got), 5);
    (void)close(fds[0]);
    assert_int_not_equal(descriptor_write(fds[1], bytes_str("x"), &e), ERR_OK);
    (void)close(fds[1]);
}

static void a_stream_is_read_to_its_end(void **state)
{
    FILE *in = tmpfile();
    char got[8];
    size_t len = 9;

    (void)state;
    assert_non_null(in);
    assert_true(fputs("hello", in) >= 0 && fseek(in, 0, SEEK_SET) == 0);
    assert_int_equal(stream_read(in, got, 3, &len, NULL), ERR_OK);
    assert_int_equal(len, 3);
    assert_int_equal(stream_read(in, got, 3, &len, NULL), ERR_OK);
    assert_int_equal(len, 2);
    assert_memory_equal(got, "lo", 2);
    assert_int_equal(stream_read(in, got, 3, &len, NULL), ERR_OK);
    assert_int_equal(len, 0);
    (void)fclose(in);
}

static void an_interrupt_is_a_fact_not_an_end(void **state)
{
    int fd = interrupt_open();

    (void)state;
    assert_true(fd >= 0);
    assert_false(interrupt_take(fd));
    assert_int_equal(kill(getpid(), SIGINT), 0);
    assert_true(interrupt_take(fd));
    assert_false(interrupt_take(fd));
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_is_known),
        cmocka_unit_test(a_pipe_takes_what_fits_until_nobody_reads),
        cmocka_unit_test(a_stream_is_read_to_its_end),
        cmocka_unit_test(an_interrupt_is_a_fact_not_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
