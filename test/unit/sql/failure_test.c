#include "../../support/unit.h"
#include "sql/failure.h"

static void codes_have_states(void **state)
{
    struct sql_error e = {.hint = "old", .position = 7};
    struct error why;

    (void)state;
    assert_string_equal(failure_state(ERR_TABLE_ALREADY_EXIST), "42P07");
    assert_string_equal(failure_state(ERR_UNKNOWN_SERVER_ERROR), "XX000");
    (void)error_set(&why, ERR_REQUEST_TIME_OUT, "late");
    assert_false(failure_of(&e, &why));
    assert_string_equal(e.state, "08007");
    assert_string_equal(e.message, "late");
    assert_string_equal(e.hint, "");
    assert_int_equal(e.position, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(codes_have_states)};

    return cmocka_run_group_tests_name("sql/failure", tests, NULL, NULL);
}
