#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NS_PER_MS INT64_C(1000000)

/* A unit: value * multiply / divide. */
struct unit {
    const char *label;
    int64_t multiply;
    int64_t divide;
};

static const struct unit duration_units[] = {
    {"d", 86400000, 1},
    {"day", 86400000, 1},
    {"days", 86400000, 1},
    {"h", 3600000, 1},
    {"hour", 3600000, 1},
    {"hours", 3600000, 1},
    {"min", 60000, 1},
    {"m", 60000, 1},
    {"minute", 60000, 1},
    {"minutes", 60000, 1},
    {"s", 1000, 1},
    {"sec", 1000, 1},
    {"secs", 1000, 1},
    {"second", 1000, 1},
    {"seconds", 1000, 1},
    {"ms", 1, 1},
    {"milli", 1, 1},
    {"millis", 1, 1},
    {"millisecond", 1, 1},
    {"milliseconds", 1, 1},
    {"\xc2\xb5s", 1, 1000},
    {"us", 1, 1000},
    {"micro", 1, 1000},
    {"micros", 1, 1000},
    {"microsecond", 1, 1000},
    {"microseconds", 1, 1000},
    {"ns", 1, NS_PER_MS},
    {"nano", 1, NS_PER_MS},
    {"nanos", 1, NS_PER_MS},
    {"nanosecond", 1, NS_PER_MS},
    {"nanoseconds", 1, NS_PER_MS},
};

static const struct unit memory_units[] = {
    {"b", 1, 1},
    {"bytes", 1, 1},
    {"k", INT64_C(1) << 10, 1},
    {"kb", INT64_C(1) << 10, 1},
    {"kibibytes", INT64_C(1) << 10, 1},
    {"m", INT64_C(1) << 20, 1},
    {"mb", INT64_C(1) << 20, 1},
    {"mebibytes", INT64_C(1) << 20, 1},
    {"g", INT64_C(1) << 30, 1},
    {"gb", INT64_C(1) << 30, 1},
    {"gibibytes", INT64_C(1) << 30, 1},
    {"t", INT64_C(1) << 40, 1},
    {"tb", INT64_C(1) << 40, 1},
    {"tebibytes", INT64_C(1) << 40, 1},
};

/* Splits "  12 ab " into 12 and the label "ab"; false when there is no number, no label, or the
 * number does not fit. */
static bool split(const char *text, int64_t *value, const char **label, size_t *label_len)
{
    const char *p = text;
    size_t len;

    while (isspace((unsigned char)*p)) {
        p++;
    }
    if (!isdigit((unsigned char)*p)) {
        return false;
    }
    *value = 0;
    for (; isdigit((unsigned char)*p); p++) {
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, *p - '0', value)) {
            return false;
        }
    }
    while (isspace((unsigned char)*p)) {
        p++;
    }
    for (len = strlen(p); len > 0 && isspace((unsigned char)p[len - 1]); len--) {
    }
    *label = p;
    *label_len = len;
    return len > 0;
}

static bool parse_with_unit(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
    const char *label;
    size_t len;
    int64_t value;

    if (!split(text, &value, &label, &len)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strlen(units[i].label) == len && strncasecmp(units[i].label, label, len) == 0) {
            if (__builtin_mul_overflow(value, units[i].multiply, &value)) {
                return false;
            }
            *ret = value / units[i].divide;
            return true;
        }
    }
    return false;
}

static enum errcode unexpected(struct error *e, const char *text, const char *expected)
{
    return error_set(e, ERR_INVALID_ARGUMENT, "found \"%.80s\", expected %s", text, expected);
}

enum errcode units_parse_duration_ms(const char *text, int64_t *ret, struct error *e)
{
    if (!parse_with_unit(text, duration_units, ARRAY_LEN(duration_units), ret)) {
        return unexpected(e, text, "a duration such as 7d, 10 min or 100ms");
    }
    return ERR_OK;
}

enum errcode units_parse_memory_size(const char *text, int64_t *ret, struct error *e)
{
    if (!parse_with_unit(text, memory_units, ARRAY_LEN(memory_units), ret)) {
        return unexpected(e, text, "a memory size such as 512b, 64kb or 1gb");
    }
    return ERR_OK;
}

enum errcode units_parse_bool(const char *text, bool *ret, struct error *e)
{
    if (text_equal_ignore_case(text, "true")) {
        *ret = true;
    } else if (text_equal_ignore_case(text, "false")) {
        *ret = false;
    } else {
        return unexpected(e, text, "true or false");
    }
    return ERR_OK;
}

enum errcode units_parse_i64(const char *text, int64_t *ret, struct error *e)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    char *end = NULL;
    int64_t value;

    errno = 0;
    value = isdigit((unsigned char)digits[0]) ? strtoll(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0) {
        return unexpected(e, text, "a whole number of 64 bits");
    }
    *ret = value;
    return ERR_OK;
}

enum errcode units_parse_i32(const char *text, int32_t *ret, struct error *e)
{
    int64_t value = 0;

    if (units_parse_i64(text, &value, NULL) != ERR_OK || value < INT32_MIN || value > INT32_MAX) {
        return unexpected(e, text, "a whole number of 32 bits");
    }
    *ret = (int32_t)value;
    return ERR_OK;
}

enum errcode units_parse_double(const char *text, double *ret, struct error *e)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (text[0] == '\0' || isspace((unsigned char)text[0]) || *end != '\0' || !isfinite(value)) {
        return unexpected(e, text, "a number");
    }
    *ret = value;
    return ERR_OK;
}

/* Writes value in the last of the units, ordered from small to large, that divides it. */
static void format_with_unit(int64_t value, const struct unit *units, size_t count, char *text)
{
    size_t best = 0;

    ASSERT(value >= 0);
    while (value > 0 && best + 1 < count && value % units[best + 1].multiply == 0) {
        best++;
    }
    (void)snprintf(text, UNITS_TEXT_MAX, "%" PRId64 " %s", value / units[best].multiply,
                   units[best].label);
}

void units_format_duration_ms(int64_t ms, char *text)
{
    static const struct unit units[] = {
        {"ms", 1, 1}, {"s", 1000, 1}, {"min", 60000, 1}, {"h", 3600000, 1}, {"d", 86400000, 1},
    };

    format_with_unit(ms, units, ARRAY_LEN(units), text);
}

void units_format_memory_size(int64_t bytes, char *text)
{
    static const struct unit units[] = {
        {"bytes", 1, 1},
        {"kb", INT64_C(1) << 10, 1},
        {"mb", INT64_C(1) << 20, 1},
        {"gb", INT64_C(1) << 30, 1},
        {"tb", INT64_C(1) << 40, 1},
    };

    format_with_unit(bytes, units, ARRAY_LEN(units), text);
}

bool text_equal_ignore_case(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0; /* the program stays in the C locale */
}
