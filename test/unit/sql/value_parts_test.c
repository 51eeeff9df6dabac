#include <stdio.h>
#include <stdlib.h>

#include "../../support/unit.h"
#include "sql/value.h"
#include "sql/value_parts.h"

#define CHECK(expected, ...)                                                                       \
    do {                                                                                           \
        struct buffer out = BUFFER_INIT;                                                           \
        __VA_ARGS__;                                                                               \
        assert_true(bytes_equal_str(buffer_view(&out), expected));                                 \
        buffer_fini(&out);                                                                         \
    } while (0)

static void numbers(void **state)
{
    (void)state;
    CHECK("0.1", parts_real(0.1, false, &out));
    CHECK("0.1", parts_real(0.1f, true, &out));
    CHECK("3.4028235e+38", parts_real(3.4028234663852886e38, true, &out));
    CHECK("5e-324", parts_real(5e-324, false, &out));
    CHECK("-0", parts_real(-0.0, false, &out));
    CHECK("-Infinity", parts_real(-1.0 / 0.0, false, &out));
    CHECK("-0.05", parts_decimal(-5, false, 2, &out));
    CHECK("12.30", parts_decimal(1230, false, 2, &out));
    CHECK("0", parts_decimal(0, false, 0, &out));
    CHECK("340282366920938463463374607431768211455", parts_decimal(-1, true, 0, &out));
    CHECK("-170141183460469231731687303715884105728",
          parts_decimal((__int128)((unsigned __int128)1 << 127), false, 0, &out));
}

static void expect_shortest(double value)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    char text[400];
    int digits = 15;

    do {
        (void)snprintf(text, sizeof text, "%.*g", digits++, value);
    } while (strtod(text, NULL) != value);
    parts_real(value, false, &out);
    buffer_u8(&out, '\0');
    assert_string_equal((const char *)out.data, text);
}

static void shortest_digits(void **state)
{
    static const double edges[] = {0,
                                   1,
                                   0.1,
                                   0.3,
                                   1e-4,
                                   9.9999e-5,
                                   1e14,
                                   999999999999999.,
                                   1e15,
                                   1e16,
                                   123.456,
                                   1.5e300,
                                   100,
                                   1e6,
                                   0.1 + 0.2,
                                   1e-5,
                                   1234567,
                                   0.0625,
                                   1.1,
                                   2.5e-4,
                                   0.0001001,
                                   0.1234567,
                                   99999999.99999,
                                   4503599627370497.5};
    uint64_t bits = 88172645463325252u;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        expect_shortest(edges[i]);
        expect_shortest(-edges[i]);
    }
    for (uint64_t i = 0; i < 200000; i++) {
        double any;

        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&any, &bits, sizeof any);
        if (any - any == 0 && (any > 1e-300 || any < -1e-300)) {
            expect_shortest(any);
        }
        expect_shortest((double)(int64_t)(bits % 2000000000000) / 100);
        expect_shortest((double)(bits % 100000000000000) / 1000000);
        expect_shortest((double)bits / 18446744073709551616.0);
    }
}

static void times(void **state)
{
    struct duck_interval i = {.months = 14, .days = -1, .micros = -1500000};

    (void)state;
    CHECK("2000-01-01", parts_date(10957, &out));
    CHECK("0001-12-31 BC", parts_date(-719163, &out));
    CHECK("infinity", parts_date(INT32_MAX, &out));
    CHECK("12000-02-29", parts_date(3663441, &out));
    CHECK("00:00:00", parts_time(0, &out));
    CHECK("24:00:00", parts_time(INT64_C(86400000000), &out));
    CHECK("01:02:03.12", parts_time(INT64_C(3723120000), &out));
    CHECK("1969-12-31 23:59:59.5", parts_timestamp(-500000, false, &out));
    CHECK("1970-01-01 00:00:00.000001+00", parts_timestamp(1, true, &out));
    CHECK("-infinity", parts_timestamp(-INT64_MAX, false, &out));
    CHECK("23:59:59.999999", parts_time(INT64_C(86399999999), &out));
    CHECK("1 year 2 mons -1 days -00:00:01.5", parts_interval(&i, &out));
    i = (struct duck_interval){.months = 12};
    CHECK("1 year", parts_interval(&i, &out));
    i = (struct duck_interval){0};
    CHECK("00:00:00", parts_interval(&i, &out));
    assert_int_equal(parts_pg_date(10957), 0);
    assert_int_equal(parts_pg_timestamp(INT64_C(946684800000000)), 0);
    assert_true(parts_pg_timestamp(INT64_MAX) == INT64_MAX);
    assert_true(parts_scale(INT64_MAX / 2, 1000) == INT64_MAX);
}

static void quoting(void **state)
{
    (void)state;
    CHECK("\"a\\\"b\\\\c\\u000ad\"", parts_json_string(bytes_str("a\"b\\c\nd"), &out));
    CHECK("plain", parts_array_element(bytes_str("plain"), &out));
    CHECK("\"\"", parts_array_element(BYTES_EMPTY, &out));
    CHECK("\"NULL\"", parts_array_element(bytes_str("NULL"), &out));
    CHECK("\"a,b\\\"\"", parts_array_element(bytes_str("a,b\""), &out));
    CHECK("\\x00ff", parts_hex(bytes_of("\0\377", 2), &out));
    CHECK("80000000-0000-0000-0000-000000000001", parts_uuid(1, &out));
}

/* digits, weight, sign, scale, groups */
static void check_numeric(const char *text, const uint16_t *words, size_t count)
{
    struct buffer out = BUFFER_INIT;

    value_numeric_binary(text, &out);
    assert_int_equal(out.len, count * 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(get_u16be(out.data + 2 * i), words[i]);
    }
    buffer_fini(&out);
}

static void binary_numerics(void **state)
{
    (void)state;
    check_numeric("0", (uint16_t[]){0, 0, 0, 0}, 4);
    check_numeric("0.00", (uint16_t[]){0, 0, 0, 2}, 4);
    check_numeric("12345.678", (uint16_t[]){3, 1, 0, 3, 1, 2345, 6780}, 7);
    check_numeric("-0.05", (uint16_t[]){1, 0xffff, 0x4000, 2, 500}, 5);
    check_numeric("10000", (uint16_t[]){1, 1, 0, 0, 1}, 5);
    check_numeric("0.00001", (uint16_t[]){1, 0xfffe, 0, 5, 1000}, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(shortest_digits), cmocka_unit_test(times),
        cmocka_unit_test(quoting), cmocka_unit_test(binary_numerics),
    };

    return cmocka_run_group_tests_name("sql/value_parts", tests, NULL, NULL);
}
