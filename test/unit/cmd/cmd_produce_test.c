#include "../../support/command_line.h"
#include "base/check.h"

static void usage_errors_exit_with_two(void **state)
{
    static const char *const wrong[] = {
        "produce",          "produce a",       "produce a.b --format xml", "produce a.b --server h",
        "produce a.b --no", "produce a.b c.d",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(exit_code(cmd_produce, wrong[i]), 2);
    }
    assert_int_equal(exit_code(cmd_produce, "produce --format=csv --help"), 0);
    assert_int_equal(exit_code(cmd_produce, "produce a.b --server 127.0.0.1:1"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(usage_errors_exit_with_two)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
