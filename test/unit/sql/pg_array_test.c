#include "../../support/unit.h"
#include "sql/pg_array.h"

static void check_text(const char *given, enum errcode code, const char *expected)
{
    struct arena arena = ARENA_INIT;
    struct bytes found = {0};

    assert_int_equal(pg_array_of_text(bytes_str(given), &arena, &found, NULL), code);
    if (code == ERR_OK) {
        assert_true(bytes_equal_str(found, expected));
    }
    arena_fini(&arena);
}

static void arrays_as_text(void **state)
{
    (void)state;
    check_text("{}", ERR_OK, "[]");
    check_text(" { 1 , 2 } ", ERR_OK, "[\"1\", \"2\"]");
    check_text("{null,\"null\",NULL}", ERR_OK, "[NULL, \"null\", NULL]");
    check_text("{\"a,}\",\"b \\\"c\\\"\",\"\\\\\"}", ERR_OK,
               "[\"a,}\", \"b \\\"c\\\"\", \"\\\\\"]");
    check_text("{a b,it's}", ERR_OK, "[\"a b\", \"it's\"]");
    check_text("{\"\"}", ERR_OK, "[\"\"]");
}

static void what_is_no_array(void **state)
{
    static const char *const wrong[] = {"",       "{",     "}",       "1",      "{1",
                                        "{1,}",   "{,1}",  "{1} x",   "{\"1}",  "{\"1\"2}",
                                        "{1\"2}", "{\"\\", "{1,{2}}", "{a\\b}", "{ "};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        check_text(wrong[i], ERR_CORRUPT_MESSAGE, NULL);
    }
    check_text("{{1},{2}}", ERR_UNSUPPORTED_OPERATION, NULL);
}

#define HEAD(dimensions, element) "\0\0\0" dimensions "\0\0\0\1\0\0\0" element
#define SIZE(count)               "\0\0\0" count "\0\0\0\1"

static void check_binary(uint32_t oid, struct bytes given, enum errcode code, const char *expected)
{
    struct arena arena = ARENA_INIT;
    struct bytes found = {0};

    assert_int_equal(pg_array_of_binary(oid, given, &arena, &found, NULL), code);
    if (code == ERR_OK) {
        assert_true(bytes_equal_str(found, expected));
    }
    arena_fini(&arena);
}

#define CHECK(oid, raw, code, expected)                                                            \
    check_binary(oid, bytes_of(raw, sizeof(raw) - 1), code, expected)

static void arrays_in_binary(void **state)
{
    (void)state;
    CHECK(1007, HEAD("\0", "\27"), ERR_OK, "[]");
    CHECK(1007, HEAD("\1", "\27") SIZE("\2") "\0\0\0\4\0\0\0\7\377\377\377\377", ERR_OK,
          "[\"7\", NULL]");
    CHECK(1009, HEAD("\1", "\31") SIZE("\1") "\0\0\0\3a\"\\", ERR_OK, "[\"a\\\"\\\\\"]");
    CHECK(1009, HEAD("\1", "\27") SIZE("\0"), ERR_CORRUPT_MESSAGE, NULL);
    CHECK(1007, HEAD("\1", "\27") SIZE("\2") "\0\0\0\4\0\0\0\7", ERR_CORRUPT_MESSAGE, NULL);
    CHECK(1007, HEAD("\1", "\27") SIZE("\1") "\0\0\0\4\0\0\0\7x", ERR_CORRUPT_MESSAGE, NULL);
    CHECK(1007, HEAD("\1", "\27") SIZE("\1") "\0\0\0\3\0\0\7", ERR_CORRUPT_MESSAGE, NULL);
    CHECK(1007, HEAD("\2", "\27") SIZE("\1") SIZE("\1"), ERR_UNSUPPORTED_OPERATION, NULL);
    CHECK(1007, "", ERR_CORRUPT_MESSAGE, NULL);
}

static void types_of_elements(void **state)
{
    (void)state;
    assert_int_equal(pg_array_element(1007), 23);
    assert_int_equal(pg_array_element(1028), 26);
    assert_int_equal(pg_array_element(23), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_as_text),
        cmocka_unit_test(what_is_no_array),
        cmocka_unit_test(arrays_in_binary),
        cmocka_unit_test(types_of_elements),
    };

    return cmocka_run_group_tests_name("front/pg_array", tests, NULL, NULL);
}
