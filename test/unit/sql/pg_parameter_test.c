#include "../../support/unit.h"
#include "sql/pg_parameter.h"

static enum errcode text(uint32_t oid, struct bytes value, struct arena *arena, const char **ret)
{
    struct bytes found = {0};
    enum errcode code = pg_parameter_text(oid, value, arena, &found, NULL);

    *ret = code == ERR_OK ? arena_strndup(arena, found.data, found.len) : NULL;
    return code;
}

#define CHECK(oid, raw, expected)                                                                  \
    do {                                                                                           \
        const char *found;                                                                         \
        assert_int_equal(text(oid, bytes_of(raw, sizeof raw - 1), &arena, &found), ERR_OK);        \
        assert_string_equal(found, expected);                                                      \
    } while (0)

static void binary_values(void **state)
{
    struct arena arena = ARENA_INIT;

    (void)state;
    CHECK(16, "\1", "true");
    CHECK(21, "\377\376", "-2");
    CHECK(23, "\0\0\1\0", "256");
    CHECK(20, "\377\377\377\377\377\377\377\377", "-1");
    CHECK(26, "\377\377\377\377", "4294967295");
    CHECK(701, "\77\370\0\0\0\0\0\0", "1.5");
    CHECK(700, "\100\40\0\0", "2.5");
    CHECK(1082, "\0\0\0\1", "2000-01-02");
    CHECK(1082, "\200\0\0\0", "-infinity");
    CHECK(1114, "\177\377\377\377\377\377\377\377", "infinity");
    CHECK(1083, "\0\0\0\0\0\17\102\101", "00:00:01.000001");
    CHECK(1114, "\377\377\377\377\377\377\377\377", "1999-12-31 23:59:59.999999");
    CHECK(1184, "\0\0\0\0\0\0\0\0", "2000-01-01 00:00:00.000000+00");
    CHECK(25, "a'b", "a'b");
    CHECK(2950, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20",
          "01020304-0506-0708-090a-0b0c0d0e0f10");
    arena_fini(&arena);
}

static void binary_numerics(void **state)
{
    struct arena arena = ARENA_INIT;

    (void)state;
    CHECK(1700, "\0\3\0\1\0\0\0\3\0\1\11\51\32\174", "+00012345.678");
    CHECK(1700, "\0\1\377\377\100\0\0\2\1\364", "-0.05");
    CHECK(1700, "\0\1\377\376\0\0\0\5\3\350", "+0.00001");
    CHECK(1700, "\0\0\0\0\0\0\0\0", "+0000");
    CHECK(1700, "\0\1\0\1\0\0\0\0\0\1", "+00010000");
    arena_fini(&arena);
}

static void what_is_no_value(void **state)
{
    struct arena arena = ARENA_INIT;
    const char *found;

    (void)state;
    assert_int_equal(text(23, bytes_of("abc", 3), &arena, &found), ERR_CORRUPT_MESSAGE);
    assert_int_equal(text(1700, bytes_of("\0\1\0\0\0\0\0\0", 8), &arena, &found),
                     ERR_CORRUPT_MESSAGE);
    assert_int_equal(text(1700, bytes_of("\0\0\0\0\300\0\0\0", 8), &arena, &found),
                     ERR_CORRUPT_MESSAGE);
    assert_int_equal(text(1700, bytes_of("\0\0\177\377\0\0\377\377", 8), &arena, &found),
                     ERR_CORRUPT_MESSAGE);
    assert_int_equal(text(600, bytes_of("x", 1), &arena, &found), ERR_UNSUPPORTED_OPERATION);
    arena_fini(&arena);
}

static void hexadecimal_bytes(void **state)
{
    struct arena arena = ARENA_INIT;
    struct bytes found = {0};

    (void)state;
    assert_int_equal(pg_parameter_hex(bytes_str("\\x00Ff"), &arena, &found, NULL), ERR_OK);
    assert_true(bytes_equal(found, bytes_of("\0\377", 2)));
    assert_int_equal(pg_parameter_hex(bytes_str("\\x"), &arena, &found, NULL), ERR_OK);
    assert_int_equal(found.len, 0);
    assert_int_equal(pg_parameter_hex(bytes_str("\\x0"), &arena, &found, NULL),
                     ERR_CORRUPT_MESSAGE);
    assert_int_equal(pg_parameter_hex(bytes_str("plain!"), &arena, &found, NULL),
                     ERR_CORRUPT_MESSAGE);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_values),
        cmocka_unit_test(binary_numerics),
        cmocka_unit_test(what_is_no_value),
        cmocka_unit_test(hexadecimal_bytes),
    };

    return cmocka_run_group_tests_name("front/pg_parameter", tests, NULL, NULL);
}
