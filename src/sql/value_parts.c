#include "value_parts.h"

#include "value.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/calendar.h"

#define PG_EPOCH_DAYS        10957 /* 2000-01-01 */
#define MICROS_PER_SECOND    INT64_C(1000000)
#define MICROS_PER_DAY       (SECONDS_PER_DAY * MICROS_PER_SECOND)
#define NUMERIC_BASE         10000
#define SHORT_DECIMAL_DIGITS 6
#define NUMERIC_NEGATIVE     0x4000

static void append(struct buffer *out, const char *text) { buffer_bytes(out, bytes_str(text)); }

/* With zeros in front, up to so many digits. */
static void append_number(struct buffer *out, uint64_t value, size_t digits)
{
    char text[20];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value > 0 || sizeof text - at < digits);
    buffer_bytes(out, bytes_of(text + at, sizeof text - at));
}

void parts_u32be(uint32_t value, struct buffer *out) { put_u32be(buffer_room(out, 4), value); }

int64_t parts_scale(int64_t value, int64_t factor)
{
    int64_t scaled;

    if (value == INT64_MAX || value == -INT64_MAX ||
        __builtin_mul_overflow(value, factor, &scaled)) {
        return value < 0 ? -INT64_MAX : INT64_MAX;
    }
    return scaled;
}

/* ---- numbers ---- */

bool parts_is_finite(double value) { return isfinite(value); }

/* Most numbers that people write down: few digits behind the point, at most 15 in all. Of such decimals no
 * two are the same double, so one that reads back is the shortest; and the division of two whole numbers
 * below 2^53 is rounded as reading the decimal is. */
static bool append_short_decimal(double value, struct buffer *out)
{
    double magnitude = fabs(value);
    uint64_t scale = 1;

    if (value == 0) {
        append(out, signbit(value) ? "-0" : "0");
        return true;
    }
    if (magnitude < 1e-4) { /* in powers of ten */
        return false;
    }
    for (size_t digits = 0; digits <= SHORT_DECIMAL_DIGITS; digits++, scale *= 10) {
        double scaled = magnitude * (double)scale;
        uint64_t whole;

        if (scaled >= 1e15) {
            return false;
        }
        whole = (uint64_t)(scaled + 0.5);
        if ((double)whole / (double)scale == magnitude) {
            append(out, value < 0 ? "-" : "");
            append_number(out, whole / scale, 1);
            if (digits > 0) {
                buffer_u8(out, '.');
                append_number(out, whole % scale, digits);
            }
            return true;
        }
    }
    return false;
}

void parts_real(double value, bool is_float, struct buffer *out)
{
    bool subnormal = fabs(value) < (is_float ? (double)FLT_MIN : DBL_MIN);
    int digits = subnormal ? 1 : is_float ? 6 : 15; /* that are always right; fewer are not tried */
    int digits_max = is_float ? 9 : 17;
    char text[40];

    if (!isfinite(value)) {
        append(out, isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
        return;
    }
    if (!is_float && append_short_decimal(value, out)) {
        return;
    }
    for (;; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (digits == digits_max ||
            (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)) {
            break;
        }
    }
    append(out, text);
}

void parts_real_binary(double value, bool is_float, struct buffer *out)
{
    float narrow = (float)value;
    uint32_t bits32;
    uint64_t bits64;

    if (is_float) {
        memcpy(&bits32, &narrow, sizeof bits32);
        put_u32be(buffer_room(out, 4), bits32);
    } else {
        memcpy(&bits64, &value, sizeof bits64);
        put_u64be(buffer_room(out, 8), bits64);
    }
}

void parts_decimal(__int128 value, bool is_unsigned, unsigned scale, struct buffer *out)
{
    bool negative = !is_unsigned && value < 0;
    unsigned __int128 rest = negative ? -(unsigned __int128)value : (unsigned __int128)value;
    char text[48];
    size_t at = sizeof text;
    unsigned digits = 0;

    do {
        if (scale > 0 && digits == scale) {
            text[--at] = '.';
        }
        text[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
        digits++;
    } while (rest > 0 || digits <= scale);
    if (negative) {
        text[--at] = '-';
    }
    buffer_bytes(out, bytes_of(text + at, sizeof text - at));
}

/* Digits of the text around its point, in groups of four. */
struct groups {
    uint16_t items[24];
    size_t count;
    int weight; /* of the first group */
};

static struct groups group_digits(const char *digits, size_t len, size_t before)
{
    struct groups g = {.weight = (int)((before + 3) / 4) - 1};
    size_t lead = (4 - before % 4) % 4; /* zeros that fill up the first group */
    size_t count = (lead + len + 3) / 4;

    for (size_t i = 0; i < count && i < ARRAY_LEN(g.items); i++) {
        unsigned group = 0;

        for (size_t k = 0; k < 4; k++) {
            size_t at = i * 4 + k;
            bool inside = at >= lead && at - lead < len;

            group = group * 10 + (inside ? (unsigned)(digits[at - lead] - '0') : 0);
        }
        g.items[g.count++] = (uint16_t)group;
    }
    return g;
}

void value_numeric_binary(const char *text, struct buffer *out)
{
    bool negative = text[0] == '-';
    char digits[64];
    size_t len = 0;
    size_t before = 0;
    bool point = false;
    size_t first = 0;
    struct groups g;

    for (text += negative; *text != '\0' && len < sizeof digits; text++) {
        if (*text == '.') {
            point = true;
        } else {
            digits[len++] = *text;
            before += !point;
        }
    }
    g = group_digits(digits, len, before);
    while (first < g.count && g.items[first] == 0) {
        first++;
    }
    while (g.count > first && g.items[g.count - 1] == 0) {
        g.count--;
    }
    put_u16be(buffer_room(out, 2), (uint16_t)(g.count - first));
    put_i16be(buffer_room(out, 2), (int16_t)(g.count == first ? 0 : g.weight - (int)first));
    put_u16be(buffer_room(out, 2), negative && g.count > first ? NUMERIC_NEGATIVE : 0);
    put_u16be(buffer_room(out, 2), (uint16_t)(len - before));
    for (size_t i = first; i < g.count; i++) {
        put_u16be(buffer_room(out, 2), g.items[i]);
    }
}

/* ---- bytes ---- */

void parts_hex(struct bytes b, struct buffer *out)
{
    static const char digits[] = "0123456789abcdef";

    append(out, "\\x");
    for (size_t i = 0; i < b.len; i++) {
        buffer_u8(out, (uint8_t)digits[b.data[i] >> 4]);
        buffer_u8(out, (uint8_t)digits[b.data[i] & 15]);
    }
}

static uint8_t uuid_byte(unsigned __int128 stored, unsigned i)
{
    /* the top bit is flipped, so that signed order is theirs */
    return (uint8_t)((uint8_t)(stored >> (120 - 8 * i)) ^ (i == 0 ? 0x80 : 0));
}

void parts_uuid(unsigned __int128 stored, struct buffer *out)
{
    char text[8];

    for (unsigned i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;

        (void)snprintf(text, sizeof text, dash ? "-%02x" : "%02x", uuid_byte(stored, i));
        append(out, text);
    }
}

void parts_uuid_binary(unsigned __int128 stored, struct buffer *out)
{
    for (unsigned i = 0; i < 16; i++) {
        buffer_u8(out, uuid_byte(stored, i));
    }
}

/* ---- times ---- */

static void append_civil_date(const struct civil *c, struct buffer *out)
{
    append_number(out, (uint64_t)(c->year <= 0 ? 1 - c->year : c->year), 4);
    buffer_u8(out, '-');
    append_number(out, (uint64_t)c->month, 2);
    buffer_u8(out, '-');
    append_number(out, (uint64_t)c->day, 2);
}

void parts_date(int32_t days, struct buffer *out)
{
    struct civil c = calendar_civil((int64_t)days * SECONDS_PER_DAY);

    if (days == INT32_MAX || days == -INT32_MAX) {
        append(out, days > 0 ? "infinity" : "-infinity");
        return;
    }
    append_civil_date(&c, out);
    append(out, c.year <= 0 ? " BC" : "");
}

static void append_fraction(uint64_t micros, struct buffer *out)
{
    size_t digits = 6;

    if (micros == 0) {
        return;
    }
    for (; micros % 10 == 0; digits--) {
        micros /= 10;
    }
    buffer_u8(out, '.');
    append_number(out, micros, digits);
}

void parts_time(int64_t micros, struct buffer *out)
{
    uint64_t seconds = (uint64_t)(micros / MICROS_PER_SECOND);

    append_number(out, seconds / 3600, 2);
    buffer_u8(out, ':');
    append_number(out, seconds / 60 % 60, 2);
    buffer_u8(out, ':');
    append_number(out, seconds % 60, 2);
    append_fraction((uint64_t)(micros % MICROS_PER_SECOND), out);
}

void parts_timestamp(int64_t micros, bool utc, struct buffer *out)
{
    int64_t seconds = floor_div(micros, MICROS_PER_SECOND);
    struct civil c = calendar_civil(seconds);

    if (micros == INT64_MAX || micros == -INT64_MAX) {
        append(out, micros > 0 ? "infinity" : "-infinity");
        return;
    }
    append_civil_date(&c, out);
    buffer_u8(out, ' ');
    parts_time(floor_mod(micros, MICROS_PER_DAY), out);
    append(out, utc ? "+00" : "");
    append(out, c.year <= 0 ? " BC" : "");
}

int32_t parts_pg_date(int32_t days)
{
    return days == INT32_MAX ? INT32_MAX : days == -INT32_MAX ? INT32_MIN : days - PG_EPOCH_DAYS;
}

int64_t parts_pg_timestamp(int64_t micros)
{
    int64_t moved;

    if (micros == INT64_MAX || micros == -INT64_MAX) {
        return micros > 0 ? INT64_MAX : INT64_MIN;
    }
    return __builtin_sub_overflow(micros, PG_EPOCH_DAYS * MICROS_PER_DAY, &moved) ? INT64_MIN
                                                                                  : moved;
}

void parts_interval(const struct duck_interval *i, struct buffer *out)
{
    size_t start = out->len;
    int32_t years = i->months / 12;
    int32_t months = i->months % 12;
    uint64_t micros = i->micros < 0 ? -(uint64_t)i->micros : (uint64_t)i->micros;
    char text[96];

    if (years != 0) {
        (void)snprintf(text, sizeof text, "%d year%s ", years, years == 1 ? "" : "s");
        append(out, text);
    }
    if (months != 0) {
        (void)snprintf(text, sizeof text, "%d mon%s ", months, months == 1 ? "" : "s");
        append(out, text);
    }
    if (i->days != 0) {
        (void)snprintf(text, sizeof text, "%d day%s ", i->days, i->days == 1 ? "" : "s");
        append(out, text);
    }
    if (micros != 0 || out->len == start) {
        uint64_t seconds = micros / (uint64_t)MICROS_PER_SECOND;

        (void)snprintf(text, sizeof text, "%s%02llu:%02d:%02d", i->micros < 0 ? "-" : "",
                       (unsigned long long)(seconds / 3600), (int)(seconds / 60 % 60),
                       (int)(seconds % 60));
        append(out, text);
        append_fraction(micros % (uint64_t)MICROS_PER_SECOND, out);
    } else {
        out->len--; /* the last space */
    }
}

void parts_interval_binary(const struct duck_interval *i, struct buffer *out)
{
    put_i64be(buffer_room(out, 8), i->micros);
    put_i32be(buffer_room(out, 4), i->days);
    put_i32be(buffer_room(out, 4), i->months);
}

/* ---- quoting ---- */

void parts_json_string(struct bytes text, struct buffer *out)
{
    char escape[8];

    buffer_u8(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (c == '"' || c == '\\') {
            buffer_u8(out, '\\');
            buffer_u8(out, c);
        } else if (c < 0x20) {
            (void)snprintf(escape, sizeof escape, "\\u%04x", c);
            append(out, escape);
        } else {
            buffer_u8(out, c);
        }
    }
    buffer_u8(out, '"');
}

void parts_array_element(struct bytes text, struct buffer *out)
{
    bool quote =
        text.len == 0 || (text.len == 4 && strncasecmp((const char *)text.data, "null", 4) == 0);

    for (size_t i = 0; i < text.len && !quote; i++) {
        quote = isspace(text.data[i]) || memchr("{}\",\\", text.data[i], 5) != NULL;
    }
    if (!quote) {
        buffer_bytes(out, text);
        return;
    }
    buffer_u8(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            buffer_u8(out, '\\');
        }
        buffer_u8(out, text.data[i]);
    }
    buffer_u8(out, '"');
}
