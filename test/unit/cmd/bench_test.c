#include "../../support/unit.h"
#include "cmd/cmd.h"

static int run(int argc, char **argv) { return cmd_bench(argc, argv); }

static void test_exit_codes(void **state)
{
    char *nothing[] = {"bench"};
    char *help[] = {"bench", "--help"};
    char *unknown[] = {"bench", "fly"};
    char *nobody[] = {"bench", "fetch", "--server", "127.0.0.1:1"};
    char *theirs[] = {"bench", "start", "--server", "127.0.0.1:1", "--timeout",
                      "50ms",  "--",    "sleep",    "--help",      NULL};

    (void)state;
    assert_int_equal(run(1, nothing), 2);
    assert_int_equal(run(2, help), 0);
    assert_int_equal(run(2, unknown), 2);
    assert_int_equal(run(4, nobody), 1);
    assert_int_equal(run(9, theirs), 1); /* the command's own --help */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
