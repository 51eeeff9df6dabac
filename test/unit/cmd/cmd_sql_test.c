#include "../../support/command_line.h"
#include "base/check.h"

static void usage_errors_exit_with_two(void **state)
{
    static const char *const wrong[] = {
        "sql word",         "sql --server nowhere", "sql --server", "sql -c",
        "sql --format xml", "sql --format=xml",     "sql --what",   "sql -cx",
        "sql --timing=1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(exit_code(cmd_sql, wrong[i]), 2);
    }
    assert_int_equal(exit_code(cmd_sql, "sql --help"), 0);
    assert_int_equal(exit_code(cmd_sql, "sql -d x --timing --format=csv -h"), 0);
}

static void nobody_listens_exits_with_two(void **state)
{
    (void)state;
    assert_int_equal(exit_code(cmd_sql, "sql --server=127.0.0.1:1 -c select"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_errors_exit_with_two),
        cmocka_unit_test(nobody_listens_exits_with_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
