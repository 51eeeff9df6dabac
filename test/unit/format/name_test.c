#include "../../support/unit.h"
#include "format/name.h"

static void each_kind_has_its_code(void **state)
{
    struct error e;

    (void)state;
    assert_int_equal(name_check(NAME_DATABASE, bytes_str("my_db-1"), &e), ERR_OK);
    assert_int_equal(name_check(NAME_DATABASE, bytes_str("a.b"), &e), ERR_INVALID_DATABASE);
    assert_string_equal(e.message, "invalid database name 'a.b': only ASCII letters, digits, '_' "
                                   "and '-' are allowed");
    assert_int_equal(name_check(NAME_TABLE, bytes_str(""), &e), ERR_INVALID_TABLE);
    assert_string_equal(e.message, "invalid table name '': it is empty");
    assert_int_equal(name_check(NAME_NEW_PARTITION_VALUE, bytes_str("a$b"), &e),
                     ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(name_check(NAME_PRODUCER, bytes_str("a/b"), &e), ERR_INVALID_PRODUCER_ID);
}

static void the_system_prefix_is_reserved(void **state)
{
    struct bytes name = bytes_str("__x");

    (void)state;
    assert_int_equal(name_check(NAME_DATABASE, name, NULL), ERR_INVALID_DATABASE);
    assert_int_equal(name_check(NAME_TABLE, name, NULL), ERR_INVALID_TABLE);
    assert_int_equal(name_check(NAME_NEW_PARTITION_VALUE, name, NULL), ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(name_check(NAME_PARTITION_VALUE, name, NULL), ERR_OK);
    assert_int_equal(name_check(NAME_PRODUCER, name, NULL), ERR_OK);
    assert_int_equal(name_check(NAME_TABLE, bytes_str("_x"), NULL), ERR_OK);
    assert_int_equal(name_check(NAME_TABLE, bytes_str("_"), NULL), ERR_OK);
}

static void length_and_characters_are_limited(void **state)
{
    char name[NAME_LEN_MAX + 1];

    (void)state;
    memset(name, 'n', sizeof name);
    assert_int_equal(name_check(NAME_TABLE, bytes_of(name, NAME_LEN_MAX), NULL), ERR_OK);
    assert_int_equal(name_check(NAME_TABLE, bytes_of(name, NAME_LEN_MAX + 1), NULL),
                     ERR_INVALID_TABLE);
    assert_int_equal(name_check(NAME_TABLE, bytes_str("."), NULL), ERR_INVALID_TABLE);
    assert_int_equal(name_check(NAME_TABLE, bytes_str(".."), NULL), ERR_INVALID_TABLE);
    assert_int_equal(name_check(NAME_TABLE, bytes_str("\xc3\xa9"), NULL), ERR_INVALID_TABLE);
    assert_int_equal(name_check(NAME_TABLE, bytes_of("a\0b", 3), NULL), ERR_INVALID_TABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_code),
        cmocka_unit_test(the_system_prefix_is_reserved),
        cmocka_unit_test(length_and_characters_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
