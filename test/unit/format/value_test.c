#include <math.h>

#include "../../support/unit.h"
#include "format/value.h"

static struct value integer(int64_t i) { return (struct value){.kind = VALUE_INT, .integer = i}; }

static struct value real(double d) { return (struct value){.kind = VALUE_REAL, .real = d}; }

static struct value text(const char *s)
{
    return (struct value){.kind = VALUE_BYTES, .bytes = bytes_str(s)};
}

static struct value timestamp(int64_t millis, int32_t nanos)
{
    return (struct value){.kind = VALUE_TIMESTAMP, .timestamp = {.millis = millis, .nanos = nanos}};
}

static struct value decimal(const void *bytes, size_t len)
{
    struct value v = {0};

    assert_true(value_decimal_be(bytes_of(bytes, len), &v));
    return v;
}

/* Each value is before all that follow it and equal to itself. */
static void assert_ascending(const struct value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = value_compare(&values[i], &values[j]);

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void orders_values_of_each_kind(void **state)
{
    const struct value integers[] = {integer(INT64_MIN), integer(-1), integer(0),
                                     integer(INT64_MAX)};
    const struct value reals[] = {
        real(-(double)INFINITY), real(-1.5),       real(-0.0), real(0.0), real(1e-300),
        real((double)INFINITY),  real((double)NAN)};
    const struct value texts[] = {text(""), text("a"), text("aa"), text("b"), text("\xc3\xa9")};
    const struct value times[] = {timestamp(-1, 999999), timestamp(0, 0), timestamp(0, 1),
                                  timestamp(1, 0)};
    const struct value decimals[] = {decimal("\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16),
                                     decimal("\xff\x7f", 2),
                                     decimal("\xff", 1),
                                     decimal("\0", 1),
                                     decimal("\0\xff", 2),
                                     decimal("\x7f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16)};

    (void)state;
    assert_ascending(integers, ARRAY_LEN(integers));
    assert_ascending(reals, ARRAY_LEN(reals));
    assert_ascending(texts, ARRAY_LEN(texts));
    assert_ascending(times, ARRAY_LEN(times));
    assert_ascending(decimals, ARRAY_LEN(decimals));
}

static void decimals_are_written_in_as_few_bytes_as_hold_them(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } samples[] = {{"\0", 1},
                   {"\x7f", 1},
                   {"\0\x80", 2},
                   {"\xff", 1},
                   {"\x80", 1},
                   {"\xff\x7f", 2},
                   {"\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16},
                   {"\x7f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct value v = decimal(samples[i].bytes, samples[i].len);
        uint8_t out[VALUE_DECIMAL_SIZE_MAX];

        assert_int_equal(value_decimal_put_be(v.unscaled, out), samples[i].len);
        assert_memory_equal(out, samples[i].bytes, samples[i].len);
    }
}

static void decimals_have_one_to_sixteen_bytes(void **state)
{
    static const uint8_t zeros[17] = {0};
    struct value v = {0};

    (void)state;
    assert_false(value_decimal_be(bytes_of(zeros, 0), &v));
    assert_false(value_decimal_be(bytes_of(zeros, 17), &v));
    assert_true(decimal("\xff\xfe", 2).unscaled == -2);
    assert_true(decimal("\x01\x00", 2).unscaled == 256);
}

static void nested_types_have_no_kind(void **state)
{
    enum value_kind kind;

    (void)state;
    for (int root = 0; root < TYPE_ROOT_COUNT; root++) {
        struct type type = {.root = (enum type_root)root};

        assert_int_equal(value_kind_of(&type, &kind), !type_is_nested(&type));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_values_of_each_kind),
        cmocka_unit_test(decimals_are_written_in_as_few_bytes_as_hold_them),
        cmocka_unit_test(decimals_have_one_to_sixteen_bytes),
        cmocka_unit_test(nested_types_have_no_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
