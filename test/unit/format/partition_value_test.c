#include <math.h>

#include "../../support/unit.h"
#include "format/partition_value.h"

static struct row_value value_of(enum type_root root, const char *text)
{
    static struct arena arena; /* of hexadecimal bytes: a few */
    const struct type type = {.root = root};
    struct row_value value = {.null = true};

    if (partition_value(&type, text, &arena, &value, NULL) != ERR_OK) {
        fail_msg("%s is refused", text);
    }
    assert_false(value.null);
    return value;
}

static bool refused(enum type_root root, const char *text)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type type = {.root = root};
    struct row_value value;
    struct error e;

    return partition_value(&type, text, &arena, &value, &e) == ERR_PARTITION_SPEC_INVALID &&
           strstr(e.message, text) != NULL;
}

static void texts_and_bytes(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type type = {.root = TYPE_BYTES};
    struct row_value value;

    (void)state;
    assert_true(bytes_equal_str(value_of(TYPE_STRING, "eu").bytes, "eu"));
    assert_true(bytes_equal_str(value_of(TYPE_CHAR, "eu").bytes, "eu"));
    assert_int_equal(partition_value(&type, "00fFa1", &arena, &value, NULL), ERR_OK);
    assert_true(bytes_equal(value.bytes, bytes_of("\x00\xff\xa1", 3)));
    assert_true(refused(TYPE_BYTES, "0"));
    assert_true(refused(TYPE_BINARY, "0g"));
}

static void numbers(void **state)
{
    (void)state;
    assert_true(value_of(TYPE_BOOLEAN, "TRUE").boolean);
    assert_false(value_of(TYPE_BOOLEAN, "false").boolean);
    assert_true(refused(TYPE_BOOLEAN, "1"));
    assert_int_equal(value_of(TYPE_TINYINT, "-128").integer, -128);
    assert_true(refused(TYPE_TINYINT, "128"));
    assert_true(refused(TYPE_SMALLINT, "-32769"));
    assert_int_equal(value_of(TYPE_INTEGER, "2147483647").integer, INT32_MAX);
    assert_true(refused(TYPE_INTEGER, "2147483648"));
    assert_int_equal(value_of(TYPE_BIGINT, "-9223372036854775808").integer, INT64_MIN);
    assert_true(refused(TYPE_BIGINT, "9223372036854775808"));
    assert_true(refused(TYPE_BIGINT, "1x"));
    assert_true(value_of(TYPE_FLOAT, "1_5").real32 == 1.5f);
    assert_true(value_of(TYPE_DOUBLE, "-2_5E10").real64 == -2.5e10);
    assert_true(isnan(value_of(TYPE_DOUBLE, "NaN").real64));
    assert_true(value_of(TYPE_FLOAT, "-Inf").real32 == -INFINITY);
    assert_true(refused(TYPE_DOUBLE, "1_2_3"));
    assert_true(refused(TYPE_DOUBLE, "infinity"));
}

static void days_and_times(void **state)
{
    struct row_value t;

    (void)state;
    assert_int_equal(value_of(TYPE_DATE, "1970-01-02").integer, 1);
    assert_int_equal(value_of(TYPE_DATE, "2026-08-22").integer, 20687);
    assert_true(refused(TYPE_DATE, "2026-02-29"));
    assert_true(refused(TYPE_DATE, "2026-13-01"));
    assert_true(refused(TYPE_DATE, "2026-01-01-"));
    assert_true(refused(TYPE_DATE, "2026"));
    assert_int_equal(value_of(TYPE_TIME, "01-02-03_004").integer, 3723004);
    assert_true(refused(TYPE_TIME, "24-00-00_000"));
    assert_true(refused(TYPE_TIME, "01-02-03"));
    t = value_of(TYPE_TIMESTAMP, "1970-01-02-00-00-01_123456789");
    assert_int_equal(t.timestamp.millis, 86401123);
    assert_int_equal(t.timestamp.nanos, 456789);
    t = value_of(TYPE_TIMESTAMP_LTZ, "1970-01-01-00-00-00_5");
    assert_int_equal(t.timestamp.millis, 500);
    t = value_of(TYPE_TIMESTAMP, "1970-01-02-00-00-01_");
    assert_int_equal(t.timestamp.millis, 86401000);
    t = value_of(TYPE_TIMESTAMP, "1970-01-02");
    assert_int_equal(t.timestamp.millis, 86400000);
    assert_true(refused(TYPE_TIMESTAMP, "1970-01-02-00"));
    assert_true(refused(TYPE_TIMESTAMP, "1970-01-02-00-00-01_1234567890"));
}

static void types_that_are_no_partition_columns(void **state)
{
    (void)state;
    assert_true(refused(TYPE_DECIMAL, "1"));
    assert_true(refused(TYPE_ARRAY, "1"));
}

static void check_text(enum type_root root, const char *text)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type type = {.root = root, .precision = 9};
    struct row_value value = value_of(root, text);
    const char *found;

    assert_int_equal(partition_value_text(&type, &value, &arena, &found, NULL), ERR_OK);
    assert_string_equal(found, text);
}

static void values_become_their_texts_again(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value null = {.null = true};
    const struct row_value real = {.real64 = 1};
    const struct type type = {.root = TYPE_DOUBLE};
    const char *text;

    (void)state;
    check_text(TYPE_STRING, "eu");
    check_text(TYPE_BYTES, "00ffa1");
    check_text(TYPE_BOOLEAN, "true");
    check_text(TYPE_BIGINT, "-9223372036854775808");
    check_text(TYPE_DATE, "0001-02-28");
    check_text(TYPE_TIME, "23-59-59_007");
    check_text(TYPE_TIMESTAMP, "1969-12-31-23-59-59_99999");
    check_text(TYPE_TIMESTAMP_LTZ, "2026-08-22-13-05-00_");
    assert_int_equal(partition_value_text(&type, &null, &arena, &text, NULL),
                     ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(partition_value_text(&type, &real, &arena, &text, NULL),
                     ERR_UNSUPPORTED_OPERATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_bytes),
        cmocka_unit_test(numbers),
        cmocka_unit_test(days_and_times),
        cmocka_unit_test(types_that_are_no_partition_columns),
        cmocka_unit_test(values_become_their_texts_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
