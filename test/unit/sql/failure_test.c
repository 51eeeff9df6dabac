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

static void words_of_duckdb_have_states(void **state)
{
    struct sql_error e;

    (void)state;
    assert_string_equal(failure_duck_state("Parser Error: syntax error"), "42601");
    assert_string_equal(failure_duck_state("Catalog Error: Table with name x"), "42P01");
    assert_string_equal(failure_duck_state("Catalog Error: Scalar Function with name x"), "42883");
    assert_string_equal(failure_duck_state("INTERRUPT Error: Interrupted!"), "57014");
    assert_string_equal(failure_duck_state("something else"), "XX000");
    assert_string_equal(failure_duck_state(""), "XX000");
    assert_false(failure_of_duck(&e, "Parser Error: so\nand so\n\nLINE 1: text\n  ^"));
    failure_hide_line(&e);
    assert_string_equal(e.message, "Parser Error: so\nand so");
    failure_hide_line(&e);
    assert_false(failure_of_duck(&e, NULL));
    assert_string_equal(e.state, "XX000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(codes_have_states),
                                       cmocka_unit_test(words_of_duckdb_have_states)};

    return cmocka_run_group_tests_name("sql/failure", tests, NULL, NULL);
}
