#include "parsing.h"

#include "sql/parse_type.h"

/* expected NULL: it is refused. */
static void check(const char *text, const char *expected)
{
    const struct type *type = NULL;
    struct parse p;

    parse_init(&p, bytes_str(text), &arena, &failure);
    assert_int_equal(parse_type(&p, &type) && parse_need_end(&p), expected != NULL);
    if (expected != NULL) {
        assert_string_equal(type_text(type).text, expected);
    }
}

static void refuse(const char *text, const char *state)
{
    check(text, NULL);
    assert_string_equal(failure.state, state);
}

static void plain_types(void **state)
{
    (void)state;
    check("Boolean", "BOOLEAN");
    check("int8", "BIGINT");
    check("double precision", "DOUBLE");
    check("numeric(10)", "DECIMAL(10, 0)");
    check("dec ( 38 , 38 )", "DECIMAL(38, 38)");
    check("character varying(3)", "STRING");
    check("character(3)", "CHAR(3)");
    check("char", "CHAR(1)");
    check("binary(7)", "BINARY(7)");
    check("time", "TIME(3)");
    check("timestamp", "TIMESTAMP(6)");
    check("timestamp(9) without time zone", "TIMESTAMP(9)");
    check("timestamp(3) with time zone", "TIMESTAMP_LTZ(3)");
    check("timestamp with local time zone", "TIMESTAMP_LTZ(6)");
}

static void nested_types(void **state)
{
    (void)state;
    check("int[][]", "ARRAY<ARRAY<INT>>");
    check("array<map<text, int not null>>", "ARRAY<MAP<STRING NOT NULL, INT NOT NULL>>");
    check("row<a int, \"B\" struct(c date)>[]", "ARRAY<ROW<`a` INT, `B` ROW<`c` DATE>>>");
}

static void what_is_none(void **state)
{
    (void)state;
    refuse("", "42601");
    refuse("\"int\"", "42601");
    refuse("nothing", "42704");
    refuse("decimal", "42601");
    refuse("decimal(39, 1)", "22023");
    refuse("decimal(3, 4)", "22023");
    refuse("char(0)", "22023");
    refuse("time(10)", "22023");
    refuse("uuid", "0A000");
    refuse("array<int", "42601");
    refuse("map<int>", "42601");
    refuse("row<>", "42601");
    refuse("int[3]", "42601");
}

static void depth_is_limited(void **state)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        buffer_bytes(&text, bytes_str("array<"));
    }
    buffer_u8(&text, 0);
    refuse((const char *)text.data, "54001");
    buffer_clear(&text);
    buffer_bytes(&text, bytes_str("int"));
    for (int i = 0; i < 40; i++) {
        buffer_bytes(&text, bytes_str("[]"));
    }
    buffer_u8(&text, 0);
    refuse((const char *)text.data, "54001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_types),
        cmocka_unit_test(nested_types),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(depth_is_limited),
    };

    return cmocka_run_group_tests_name("sql/parse_type", tests, NULL, teardown);
}
