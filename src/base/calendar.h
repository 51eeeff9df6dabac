/* The proleptic Gregorian calendar: days and seconds since 1970-01-01 to year, month, day and
 * back. No zones, no leap seconds, no clock. Thread: any.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include "check.h"

#define SECONDS_PER_DAY 86400

/* Years a 64-bit count of seconds is used with; everything here is exact within them. */
#define CALENDAR_YEAR_MIN (-999999)
#define CALENDAR_YEAR_MAX 999999

struct civil {
    int32_t year;  /* 0 is 1 BC */
    int32_t month; /* 1..12 */
    int32_t day;   /* 1..31 */
    int32_t hour;
    int32_t minute;
    int32_t second;
};

/* Days since 1970-01-01. month 1..12; any day, counted from the first of the month. */
int64_t calendar_days(int32_t year, int32_t month, int32_t day);
/* Seconds outside the years above are clamped to them. */
struct civil calendar_civil(int64_t seconds);
int64_t calendar_seconds(struct civil c);
int32_t calendar_month_days(int32_t year, int32_t month);
bool calendar_is_leap(int32_t year);

/* a / b and a % b rounded towards minus infinity, b > 0. */
static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static inline int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t rest = a % b;

    return rest < 0 ? rest + b : rest;
}

#endif
