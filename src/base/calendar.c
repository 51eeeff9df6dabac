#include "calendar.h"

/* Eras of 400 years start on 1 March, so that the leap day is the last day of a computed year. */
#define DAYS_PER_ERA      146097
#define DAYS_TO_EPOCH     719468 /* from 0000-03-01 to 1970-01-01 */
#define DAYS_PER_4_YEARS  1460
#define DAYS_PER_CENTURY  36524
#define DAYS_PER_5_MONTHS 153 /* March to July, August to December */

int64_t calendar_days(int32_t year, int32_t month, int32_t day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (DAYS_PER_5_MONTHS * month_from_march + 2) / 5;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    ASSERT(month >= 1 && month <= 12);
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH + day - 1;
}

static int64_t clamp_seconds(int64_t seconds)
{
    int64_t low = calendar_days(CALENDAR_YEAR_MIN, 1, 1) * SECONDS_PER_DAY;
    int64_t high = calendar_days(CALENDAR_YEAR_MAX + 1, 1, 1) * SECONDS_PER_DAY - 1;

    return seconds < low ? low : seconds > high ? high : seconds;
}

struct civil calendar_civil(int64_t seconds)
{
    int64_t days = floor_div(clamp_seconds(seconds), SECONDS_PER_DAY) + DAYS_TO_EPOCH;
    int64_t of_day = floor_mod(clamp_seconds(seconds), SECONDS_PER_DAY);
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era = (day_of_era - day_of_era / DAYS_PER_4_YEARS +
                           day_of_era / DAYS_PER_CENTURY - day_of_era / (DAYS_PER_ERA - 1)) /
                          365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / DAYS_PER_5_MONTHS;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    return (struct civil){
        .year = (int32_t)(year_of_era + era * 400 + (month <= 2)),
        .month = (int32_t)month,
        .day = (int32_t)(day_of_year - (DAYS_PER_5_MONTHS * month_from_march + 2) / 5 + 1),
        .hour = (int32_t)(of_day / 3600),
        .minute = (int32_t)(of_day / 60 % 60),
        .second = (int32_t)(of_day % 60),
    };
}

int64_t calendar_seconds(struct civil c)
{
    return calendar_days(c.year, c.month, c.day) * SECONDS_PER_DAY + c.hour * 3600 + c.minute * 60 +
           c.second;
}

bool calendar_is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t calendar_month_days(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    ASSERT(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && calendar_is_leap(year));
}
