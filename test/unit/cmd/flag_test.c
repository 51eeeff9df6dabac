#include "../../support/unit.h"
#include "cmd/flag.h"

static void a_value_is_behind_the_sign_or_the_next_word(void **state)
{
    char *argv[] = {"x", "--at=here", "--at", "there", "--attic", "--at=", "--at"};
    int at = 1;

    (void)state;
    assert_string_equal(flag_value("--at", 7, argv, &at), "here");
    assert_int_equal(at, 1);
    at = 2;
    assert_string_equal(flag_value("--at", 7, argv, &at), "there");
    assert_int_equal(at, 3);
    at = 4;
    assert_null(flag_value("--at", 7, argv, &at));
    assert_int_equal(at, 4);
    at = 5;
    assert_string_equal(flag_value("--at", 7, argv, &at), "");
    at = 6;
    assert_string_equal(flag_value("--at", 7, argv, &at), "");
    assert_int_equal(at, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_behind_the_sign_or_the_next_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
