#include "../../support/unit.h"
#include "base/units.h"

struct sample {
    const char *text;
    int64_t value;
};

static void reads_durations(void **state)
{
    static const struct sample good[] = {
        {"7d", 604800000},       {"10 min", 600000},
        {"100ms", 100},          {"0s", 0},
        {" 3 HOURS ", 10800000}, {"1500us", 1},
        {"2000000 ns", 2},       {"5\xc2\xb5s", 0},
        {"1 Second", 1000},      {"9223372036854775807ms", INT64_MAX},
        {"2m", 120000},          {"3millis", 3},
    };
    static const char *const bad[] = {"",
                                      " ",
                                      "7",
                                      "d",
                                      "-1s",
                                      "1.5s",
                                      "7 weeks",
                                      "7d x",
                                      "9223372036854775807d",
                                      "99999999999999999999ms",
                                      "+1s"};
    int64_t value = 0;
    struct error e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(units_parse_duration_ms(good[i].text, &value, &e), ERR_OK);
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(units_parse_duration_ms(bad[i], &value, &e), ERR_INVALID_ARGUMENT);
    }
    assert_int_equal(units_parse_duration_ms("7", &value, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, "found \"7\", expected a duration such as 7d, 10 min or 100ms");
}

static void reads_memory_sizes(void **state)
{
    static const struct sample good[] = {
        {"1b", 1},
        {"64kb", 65536},
        {"128 MB", 128 << 20},
        {"1g", 1 << 30},
        {"2 tebibytes", INT64_C(2) << 40},
        {"0bytes", 0},
        {"16k", 16384},
    };
    static const char *const bad[] = {"", "5", "kb", "-1kb", "1.5gb", "8pb", "9999999999tb"};
    int64_t value = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(units_parse_memory_size(good[i].text, &value, NULL), ERR_OK);
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(units_parse_memory_size(bad[i], &value, NULL), ERR_INVALID_ARGUMENT);
    }
}

static void reads_numbers_and_booleans(void **state)
{
    static const char *const bad_numbers[] = {"", "x", "1x", " 1", "1 ", "+-1", "0x10", "1.0"};
    bool flag = false;
    int32_t small = 0;
    int64_t wide = 0;
    double real = 0;

    (void)state;
    assert_int_equal(units_parse_bool("TRUE", &flag, NULL), ERR_OK);
    assert_true(flag);
    assert_int_equal(units_parse_bool("False", &flag, NULL), ERR_OK);
    assert_false(flag);
    assert_int_equal(units_parse_bool("yes", &flag, NULL), ERR_INVALID_ARGUMENT);
    assert_int_equal(units_parse_i32("-2147483648", &small, NULL), ERR_OK);
    assert_int_equal(small, INT32_MIN);
    assert_int_equal(units_parse_i32("+7", &small, NULL), ERR_OK);
    assert_int_equal(small, 7);
    assert_int_equal(units_parse_i32("2147483648", &small, NULL), ERR_INVALID_ARGUMENT);
    assert_int_equal(units_parse_i64("9223372036854775807", &wide, NULL), ERR_OK);
    assert_int_equal(wide, INT64_MAX);
    assert_int_equal(units_parse_i64("9223372036854775808", &wide, NULL), ERR_INVALID_ARGUMENT);
    for (size_t i = 0; i < ARRAY_LEN(bad_numbers); i++) {
        assert_int_equal(units_parse_i64(bad_numbers[i], &wide, NULL), ERR_INVALID_ARGUMENT);
    }
    assert_int_equal(units_parse_double("0.95", &real, NULL), ERR_OK);
    assert_true(real == 0.95);
    assert_int_equal(units_parse_double("nan", &real, NULL), ERR_INVALID_ARGUMENT);
    assert_int_equal(units_parse_double("", &real, NULL), ERR_INVALID_ARGUMENT);
    assert_int_equal(units_parse_double("1,5", &real, NULL), ERR_INVALID_ARGUMENT);
}

static void writes_the_largest_exact_unit(void **state)
{
    char text[UNITS_TEXT_MAX];

    (void)state;
    units_format_duration_ms(604800000, text);
    assert_string_equal(text, "7 d");
    units_format_duration_ms(90000, text);
    assert_string_equal(text, "90 s");
    units_format_duration_ms(0, text);
    assert_string_equal(text, "0 ms");
    units_format_duration_ms(INT64_MAX, text);
    assert_string_equal(text, "9223372036854775807 ms");
    units_format_memory_size(INT64_C(512) << 20, text);
    assert_string_equal(text, "512 mb");
    units_format_memory_size(1500, text);
    assert_string_equal(text, "1500 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(reads_memory_sizes),
        cmocka_unit_test(reads_numbers_and_booleans),
        cmocka_unit_test(writes_the_largest_exact_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
