#include "../../support/command_line.h"
#include "base/check.h"

static void usage_errors_exit_with_two(void **state)
{
    static const char *const wrong[] = {"tables a b", "tables --server h", "tables --format xml",
                                        "tables --buckets"};
    static const char *const wrong_describe[] = {"describe", "describe --server h:1",
                                                 "describe a.b c", "describe a.b --what"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(exit_code(cmd_tables, wrong[i]), 2);
        assert_int_equal(exit_code(cmd_describe, wrong_describe[i]), 2);
    }
    assert_int_equal(exit_code(cmd_tables, "tables x --format=csv --help"), 0);
    assert_int_equal(exit_code(cmd_describe, "describe a.b --buckets -h"), 0);
}

static void nobody_listens_exits_with_two(void **state)
{
    (void)state;
    assert_int_equal(exit_code(cmd_tables, "tables --server=127.0.0.1:1"), 2);
    assert_int_equal(exit_code(cmd_describe, "describe a.b --server 127.0.0.1:1"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_errors_exit_with_two),
        cmocka_unit_test(nobody_listens_exits_with_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
