#include "../../support/unit.h"
#include "sql/literal.h"

static const struct type integer = {.root = TYPE_INTEGER};
static const struct type text = {.root = TYPE_STRING};
static const struct type date = {.root = TYPE_DATE};
static const struct type stamp = {.root = TYPE_TIMESTAMP, .precision = 6};
static const struct type stamp_utc = {.root = TYPE_TIMESTAMP_LTZ, .precision = 3};

static bool taken(const char *word, const char *cast, const struct type *type, struct value *ret)
{
    struct operand o = {.kind = OPERAND_TEXT, .cast = cast, .text = bytes_str(word)};

    return literal_value(&o, type, NULL, ret);
}

static void numbers(void **state)
{
    struct operand o = {.kind = OPERAND_NUMBER, .number = 300};
    struct value v;

    (void)state;
    assert_true(literal_value(&o, &integer, NULL, &v));
    assert_int_equal(v.integer, 300);
    o.cast = "TINYINT";
    assert_false(literal_value(&o, &integer, NULL, &v));
    assert_false(literal_value(&o, &text, NULL, &v));
    assert_true(taken("-9223372036854775808", "BIGINT", &integer, &v));
    assert_true(v.integer == INT64_MIN);
    assert_false(taken("9223372036854775808", "BIGINT", &integer, &v));
    assert_false(taken("", NULL, &integer, &v));
    assert_false(taken("-", NULL, &integer, &v));
    assert_false(taken("1.0", NULL, &integer, &v));
    assert_false(taken(" 1", NULL, &integer, &v));
    assert_false(taken("1", "VARCHAR", &integer, &v));
    assert_false(taken("1", "DOUBLE", &integer, &v));
}

static void times(void **state)
{
    struct value v;

    (void)state;
    assert_true(taken("1970-02-01", NULL, &date, &v));
    assert_int_equal(v.integer, 31);
    assert_false(taken("1970-02-30", "DATE", &date, &v));
    assert_false(taken("1970-2-01", "DATE", &date, &v));
    assert_false(taken("1970-02-01", "TIMESTAMP", &date, &v));
    assert_true(taken("1970-01-01 00:00:01.0625", "TIMESTAMP", &stamp, &v));
    assert_int_equal(v.timestamp.millis, 1062);
    assert_int_equal(v.timestamp.nanos, 500000);
    assert_false(taken("1970-01-01 00:00:01+00", "TIMESTAMP", &stamp, &v));
    assert_true(taken("1970-01-01 00:00:01+00", "TIMESTAMP WITH TIME ZONE", &stamp_utc, &v));
    assert_false(taken("1970-01-01 00:00:01+01", "TIMESTAMP WITH TIME ZONE", &stamp_utc, &v));
    assert_false(taken("1970-01-01 24:00:00", NULL, &stamp, &v));
    assert_false(taken("1970-01-01 00:00:01.", NULL, &stamp, &v));
    assert_false(taken("1970-01-01 00:00:01.1234567", NULL, &stamp, &v));
}

static void parameters(void **state)
{
    struct sql_parameter values[] = {{.text = bytes_str("7")}, {.null = true}};
    struct literal_parameters given = {.values = values, .count = 2};
    struct operand o = {.kind = OPERAND_PARAMETER, .cast = "INTEGER"};
    struct value v;

    (void)state;
    assert_true(literal_value(&o, &integer, &given, &v));
    assert_int_equal(v.integer, 7);
    o.cast = NULL;
    assert_false(literal_value(&o, &integer, &given, &v));
    assert_false(literal_value(&o, &date, &given, &v));
    assert_true(literal_value(&o, &text, &given, &v));
    o.parameter = 1;
    assert_false(literal_value(&o, &text, &given, &v));
    o.parameter = 2;
    assert_false(literal_value(&o, &text, &given, &v));
}

static void texts(void **state)
{
    const struct type reals = {.root = TYPE_DOUBLE};
    struct value v;

    (void)state;
    assert_true(taken("", NULL, &text, &v));
    assert_int_equal(v.kind, VALUE_BYTES);
    assert_true(taken("x", "VARCHAR", &text, &v));
    assert_false(taken("x", "BLOB", &text, &v));
    assert_false(taken("\xff", NULL, &text, &v));
    assert_false(taken("1", NULL, &reals, &v));
    assert_false(literal_type_known(&reals));
    assert_true(literal_type_known(&text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(times),
        cmocka_unit_test(parameters),
        cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests_name("sql/literal", tests, NULL, NULL);
}
