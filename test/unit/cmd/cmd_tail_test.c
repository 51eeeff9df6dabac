#include "../../support/command_line.h"
#include "base/check.h"

static void usage_errors_exit_with_two(void **state)
{
    static const char *const wrong[] = {
        "tail",
        "tail t",
        "tail a.b c.d",
        "tail a.b --from now",
        "tail a.b --from time:",
        "tail a.b --from offset:x",
        "tail a.b --from offset:-1",
        "tail a.b --limit 0",
        "tail a.b --limit",
        "tail a.b --format json",
        "tail a.b --server h",
        "tail a.b --sql h:0",
        "tail a.b --what",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(exit_code(cmd_tail, wrong[i]), 2);
    }
    assert_int_equal(exit_code(cmd_tail, "tail --from=offset:7 --limit 1 --help"), 0);
}

static void nobody_listens_exits_with_two(void **state)
{
    (void)state;
    assert_int_equal(exit_code(cmd_tail, "tail a.b --server=127.0.0.1:1 --from time:1"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_errors_exit_with_two),
        cmocka_unit_test(nobody_listens_exits_with_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
