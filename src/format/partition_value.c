/* Texts of partition columns as values, see partition_value.h. */
#include "partition_value.h"

#include <math.h>

#include "base/calendar.h"
#include "base/units.h"

#define FRACTION_DIGITS 9
#define NUMBER_TEXT_MAX 64
#define YEAR_DIGITS_MAX 6
#define MILLIS_PER_DAY  INT64_C(86400000)
#define NANOS_PER_MILLI 1000000

/* ---- parts of a text; a failed one stays failed ---- */

struct text_reader {
    const char *at;
    bool failed;
};

static int64_t read_digits(struct text_reader *r, size_t min, size_t max)
{
    int64_t number = 0;
    size_t count = 0;

    for (; count < max && *r->at >= '0' && *r->at <= '9'; count++) {
        number = number * 10 + (*r->at++ - '0');
    }
    r->failed |= count < min;
    return r->failed ? 0 : number;
}

static int64_t read_ranged(struct text_reader *r, int64_t low, int64_t high)
{
    int64_t number = read_digits(r, 1, YEAR_DIGITS_MAX);

    r->failed |= number < low || number > high;
    return r->failed ? low : number;
}

static void read_char(struct text_reader *r, char expected)
{
    r->failed |= *r->at != expected;
    r->at += !r->failed;
}

static int64_t read_day(struct text_reader *r)
{
    int32_t year = (int32_t)read_ranged(r, 0, CALENDAR_YEAR_MAX);
    int32_t month;
    int32_t day;

    read_char(r, '-');
    month = (int32_t)read_ranged(r, 1, 12);
    read_char(r, '-');
    day = (int32_t)read_ranged(r, 1, calendar_month_days(year, month));
    return calendar_days(year, month, day);
}

static int64_t read_second_of_day(struct text_reader *r)
{
    int64_t seconds = read_ranged(r, 0, 23) * 3600;

    read_char(r, '-');
    seconds += read_ranged(r, 0, 59) * 60;
    read_char(r, '-');
    return seconds + read_ranged(r, 0, 59);
}

/* Behind the underscore: nanoseconds of up to nine digits, "5" is half a second. */
static int64_t read_fraction(struct text_reader *r)
{
    const char *start = r->at;
    int64_t nanos = read_digits(r, 0, FRACTION_DIGITS);

    for (size_t digits = (size_t)(r->at - start); digits < FRACTION_DIGITS; digits++) {
        nanos *= 10;
    }
    return nanos;
}

static void read_timestamp(struct text_reader *r, struct row_value *ret)
{
    int64_t millis = read_day(r) * MILLIS_PER_DAY;
    int64_t nanos = 0;

    if (*r->at == '-') {
        read_char(r, '-');
        millis += read_second_of_day(r) * 1000;
    }
    if (*r->at == '_') {
        read_char(r, '_');
        nanos = read_fraction(r);
    }
    ret->timestamp.millis = millis + nanos / NANOS_PER_MILLI;
    ret->timestamp.nanos = (int32_t)(nanos % NANOS_PER_MILLI);
}

static int64_t read_time(struct text_reader *r)
{
    int64_t seconds = read_second_of_day(r);

    read_char(r, '_');
    return seconds * 1000 + read_digits(r, 1, 3);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static struct bytes read_hex(struct text_reader *r, struct arena *arena)
{
    size_t len = strlen(r->at) / 2;
    uint8_t *bytes = arena_alloc(arena, len);

    r->failed |= r->at[len * 2] != '\0';
    for (size_t i = 0; i < len && !r->failed; i++) {
        int high = hex_digit(r->at[0]);
        int low = hex_digit(r->at[1]);

        r->failed |= high < 0 || low < 0;
        bytes[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
        r->at += 2;
    }
    return bytes_of(bytes, len);
}

/* ---- numbers ---- */

static bool integer_fits(enum type_root root, int64_t value)
{
    switch ((int)root) {
    case TYPE_TINYINT:
        return value >= INT8_MIN && value <= INT8_MAX;
    case TYPE_SMALLINT:
        return value >= INT16_MIN && value <= INT16_MAX;
    case TYPE_INTEGER:
        return value >= INT32_MIN && value <= INT32_MAX;
    default:
        return true;
    }
}

static bool parse_real(const char *text, double *ret)
{
    char number[NUMBER_TEXT_MAX];
    size_t len = strlen(text);

    if (strcmp(text, "NaN") == 0) {
        *ret = (double)NAN;
        return true;
    }
    if (strcmp(text, "Inf") == 0 || strcmp(text, "-Inf") == 0) {
        *ret = *text == '-' ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (len >= sizeof number) {
        return false;
    }
    for (size_t i = 0; i <= len; i++) {
        number[i] = text[i];
        if (text[i] == '_') {
            number[i] = '.';
        }
    }
    return units_parse_double(number, ret, NULL) == ERR_OK;
}

/* ---- all types ---- */

/* LONG: one case per type */
static bool parse_value(const struct type *type, const char *text, struct arena *arena,
                        struct row_value *ret)
{
    struct text_reader r = {.at = text};
    double real = 0;

    switch (type->root) {
    case TYPE_CHAR:
    case TYPE_STRING:
        ret->bytes = bytes_str(text);
        return true;
    case TYPE_BOOLEAN:
        return units_parse_bool(text, &ret->boolean, NULL) == ERR_OK;
    case TYPE_BINARY:
    case TYPE_BYTES:
        ret->bytes = read_hex(&r, arena);
        return !r.failed;
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        return units_parse_i64(text, &ret->integer, NULL) == ERR_OK &&
               integer_fits(type->root, ret->integer);
    case TYPE_FLOAT:
        if (!parse_real(text, &real)) {
            return false;
        }
        ret->real32 = (float)real;
        return true;
    case TYPE_DOUBLE:
        return parse_real(text, &ret->real64);
    case TYPE_DATE:
        ret->integer = read_day(&r);
        return !r.failed && *r.at == '\0';
    case TYPE_TIME:
        ret->integer = read_time(&r);
        return !r.failed && *r.at == '\0';
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
        read_timestamp(&r, ret);
        return !r.failed && *r.at == '\0';
    case TYPE_DECIMAL:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_ROOT_COUNT:
        break;
    }
    return false;
}

enum errcode partition_value(const struct type *type, const char *text, struct arena *arena,
                             struct row_value *ret, struct error *e)
{
    struct row_value value = {0};

    if (!parse_value(type, text, arena, &value)) {
        return error_set(e, ERR_PARTITION_SPEC_INVALID, "partition value '%.80s' is no %s", text,
                         type_text(type).text);
    }
    *ret = value;
    return ERR_OK;
}

/* ---- the reverse ---- */

static const char *hex_text(struct bytes bytes, struct arena *arena)
{
    char *text = arena_alloc(arena, bytes.len * 2 + 1);

    for (size_t i = 0; i < bytes.len; i++) {
        text[i * 2] = "0123456789abcdef"[bytes.data[i] >> 4];
        text[i * 2 + 1] = "0123456789abcdef"[bytes.data[i] & 15];
    }
    text[bytes.len * 2] = '\0';
    return text;
}

static const char *timestamp_text(const struct row_value *value, struct arena *arena)
{
    struct civil c = calendar_civil(floor_div(value->timestamp.millis, 1000));
    int64_t nanos =
        floor_mod(value->timestamp.millis, 1000) * NANOS_PER_MILLI + value->timestamp.nanos;
    char *text = arena_printf(arena, "%04d-%02d-%02d-%02d-%02d-%02d_%09lld", c.year, c.month, c.day,
                              c.hour, c.minute, c.second, (long long)nanos);
    size_t len = strlen(text);

    while (text[len - 1] == '0') { /* down to the underscore */
        text[--len] = '\0';
    }
    return text;
}

static const char *day_text(int64_t days, struct arena *arena)
{
    struct civil c = calendar_civil(days * SECONDS_PER_DAY);

    return arena_printf(arena, "%04d-%02d-%02d", c.year, c.month, c.day);
}

static const char *time_text(int64_t millis, struct arena *arena)
{
    struct civil c = calendar_civil(millis / 1000);

    return arena_printf(arena, "%02d-%02d-%02d_%03d", c.hour, c.minute, c.second,
                        (int)(millis % 1000));
}

enum errcode partition_value_text(const struct type *type, const struct row_value *value,
                                  struct arena *arena, const char **ret, struct error *e)
{
    if (value->null) {
        return error_set(e, ERR_PARTITION_SPEC_INVALID, "a partition column is null");
    }
    switch ((int)type->root) {
    case TYPE_CHAR:
    case TYPE_STRING:
        *ret = arena_strndup(arena, value->bytes.data, value->bytes.len);
        return ERR_OK;
    case TYPE_BINARY:
    case TYPE_BYTES:
        *ret = hex_text(value->bytes, arena);
        return ERR_OK;
    case TYPE_BOOLEAN:
        *ret = value->boolean ? "true" : "false";
        return ERR_OK;
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        *ret = arena_printf(arena, "%lld", (long long)value->integer);
        return ERR_OK;
    case TYPE_DATE:
        *ret = day_text(value->integer, arena);
        return ERR_OK;
    case TYPE_TIME:
        *ret = time_text(value->integer, arena);
        return ERR_OK;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
        *ret = timestamp_text(value, arena);
        return ERR_OK;
    default:
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "partitions of %s are not named here",
                         type_text(type).text);
    }
}
