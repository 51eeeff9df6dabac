#include "../../support/unit.h"
#include "sql/duckdb.h"

static void a_wrong_path_is_an_error(void **state)
{
    struct error e;

    (void)state;
    assert_int_equal(duckdb_load("/nowhere/libduckdb.so", &e), ERR_UNSUPPORTED_OPERATION);
    assert_non_null(strstr(e.message, "/nowhere/libduckdb.so"));
    assert_int_equal(duckdb_load("libc.so.6", &e), ERR_UNSUPPORTED_OPERATION);
    assert_non_null(strstr(e.message, "has no function"));
}

static void the_library_beside_the_program(void **state)
{
    (void)state;
    if (duckdb_load(NULL, NULL) != ERR_OK) {
        skip();
    }
    assert_int_equal(duckdb()->vector_size(), DUCK_VECTOR_SIZE);
    /* The one that is pinned has it. With one that has not, SQL is slower and as right. */
    assert_non_null(duckdb()->vector_dictionary);
    assert_int_equal(duckdb_load(NULL, NULL), ERR_OK);
}

static void texts_in_place_and_by_pointer(void **state)
{
    struct duck_string s = {.len = 4, .prefix = "abcd"};

    (void)state;
    assert_true(bytes_equal_str(duck_string_bytes(&s), "abcd"));
    s.len = 13;
    s.value.pointer = "abcdefghijklm";
    assert_true(bytes_equal_str(duck_string_bytes(&s), "abcdefghijklm"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_path_is_an_error),
        cmocka_unit_test(the_library_beside_the_program),
        cmocka_unit_test(texts_in_place_and_by_pointer),
    };

    return cmocka_run_group_tests_name("sql/duckdb", tests, NULL, NULL);
}
