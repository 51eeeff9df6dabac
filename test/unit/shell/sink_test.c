#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "../../support/pg_fake.h"

static void what_is_given_arrives(void **state)
{
    struct sink s;

    (void)state;
    caught_begin(&s);
    sink_text(&s, "a");
    sink_printf(&s, "%d", 12);
    sink_repeat(&s, "xy", 2);
    sink_bytes(&s, BYTES_EMPTY);
    assert_string_equal(caught(&s), "a12xyxy");
    sink_repeat(&s, "z", 60000);
    assert_int_equal(strlen(caught(&s)), 60000);
    caught_end(&s);
}

static void it_turns_to_a_file_and_back(void **state)
{
    char path[] = "/tmp/sinkXXXXXX";
    struct error e;
    struct sink s;
    char got[16] = "";
    int fd = mkstemp(path);

    (void)state;
    caught_begin(&s);
    assert_int_equal(sink_turn(&s, path, &e), ERR_OK);
    sink_text(&s, "one");
    sink_flush(&s);
    sink_text(&s, "two");
    assert_int_not_equal(sink_turn(&s, "/proc/no/such", &e), ERR_OK);
    assert_int_equal(sink_turn(&s, NULL, &e), ERR_OK);
    sink_text(&s, "three");
    assert_string_equal(caught(&s), "three");
    assert_int_equal(read(fd, got, sizeof got), 6);
    assert_memory_equal(got, "onetwo", 6);
    caught_end(&s);
    (void)close(fd);
    (void)unlink(path);
}

static void an_error_sticks(void **state)
{
    int fd = open("/dev/full", O_WRONLY);
    struct sink s;

    (void)state;
    sink_init(&s, fd);
    sink_text(&s, "x");
    sink_flush(&s);
    assert_true(s.failed);
    assert_int_equal(s.error.os_errno, ENOSPC);
    sink_text(&s, "y");
    sink_fini(&s);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_arrives),
        cmocka_unit_test(it_turns_to_a_file_and_back),
        cmocka_unit_test(an_error_sticks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
