#include "../../support/unit.h"
#include "base/calendar.h"

static void knows_some_dates(void **state)
{
    struct civil c = calendar_civil(1700000000);

    (void)state;
    assert_int_equal(calendar_days(1970, 1, 1), 0);
    assert_int_equal(calendar_days(2024, 1, 1), 19723);
    assert_int_equal(calendar_days(1969, 12, 31), -1);
    assert_int_equal(calendar_days(1, 1, 1), -719162);
    assert_int_equal(c.year, 2023);
    assert_int_equal(c.month, 11);
    assert_int_equal(c.day, 14);
    assert_int_equal(c.hour, 22);
    assert_int_equal(c.minute, 13);
    assert_int_equal(c.second, 20);
    assert_int_equal(calendar_seconds(c), 1700000000);
    c = calendar_civil(-1);
    assert_int_equal(c.year, 1969);
    assert_int_equal(c.month, 12);
    assert_int_equal(c.day, 31);
    assert_int_equal(c.second, 59);
}

static void days_follow_each_other(void **state)
{
    int64_t day = calendar_days(1896, 1, 1);

    (void)state;
    for (int32_t year = 1896; year <= 2104; year++) {
        for (int32_t month = 1; month <= 12; month++) {
            for (int32_t d = 1; d <= calendar_month_days(year, month); d++, day++) {
                struct civil c = calendar_civil(day * SECONDS_PER_DAY + 3661);

                assert_int_equal(calendar_days(year, month, d), day);
                assert_true(c.year == year && c.month == month && c.day == d);
                assert_true(c.hour == 1 && c.minute == 1 && c.second == 1);
            }
        }
    }
}

static void far_away_seconds_are_clamped(void **state)
{
    (void)state;
    assert_int_equal(calendar_civil(INT64_MAX).year, CALENDAR_YEAR_MAX);
    assert_int_equal(calendar_civil(INT64_MIN).year, CALENDAR_YEAR_MIN);
    assert_int_equal(calendar_month_days(2000, 2), 29);
    assert_int_equal(calendar_month_days(1900, 2), 28);
    assert_int_equal(floor_div(-1, 400), -1);
    assert_int_equal(floor_mod(-1, 400), 399);
    assert_int_equal(floor_mod(400, 400), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_some_dates),
        cmocka_unit_test(days_follow_each_other),
        cmocka_unit_test(far_away_seconds_are_clamped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
