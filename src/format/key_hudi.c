/* Hudi bucket keys: hashes of the Java texts of the values, see key.h.
 *
 * The hash of a list is 1, then for each element hash * 31 + hash of the element (0 for null); the
 * hash of a text is 0, then for each UTF-16 unit hash * 31 + unit. Texts: integers decimal, true and
 * false, decimals with all digits of their scale, reals in the shortest form that reads back to
 * them (scientific below 0.001 and from 10^7 on), DATE and TIME as numbers, timestamps in ISO 8601
 * with as many groups of three digits behind the second as they need. Java before 19 writes some
 * reals with more digits than that (-3.25E10 as -3.25000008E10): their buckets depend on the
 * version of the client, here they are those of 19 and later.
 */
#include "key_codec.h"
#include "row_codec.h"
#include "value.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/utf8.h"

#define TEXT_MAX         64 /* of a value that is not a text itself */
#define REAL_DIGITS_MAX  17
#define FLOAT_DIGITS_MAX 9
#define FIRST_EXPONENT   7 /* the powers of ten that are written in scientific form */
#define LAST_EXPONENT    (-4)
#define NULL_TEXT        "__null__"
#define EMPTY_TEXT       "__empty__"

struct text {
    char chars[TEXT_MAX];
};

static struct text text_of(const struct type *type, const struct row_value *value);

bool key_hudi_takes(const struct type *type)
{
    return !type_is_nested(type) && type->root != TYPE_BINARY && type->root != TYPE_BYTES;
}

static uint32_t hash_unit(uint32_t hash, uint32_t unit) { return hash * 31 + unit; }

static uint32_t hash_text(struct bytes text)
{
    uint32_t hash = 0;

    while (text.len > 0) {
        uint32_t c = 0xfffd;
        size_t len = utf8_next(text, &c);

        if (c > 0xffff) {
            hash = hash_unit(hash, 0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        hash = hash_unit(hash, c);
        text = bytes_slice(text, len == 0 ? 1 : len, text.len - (len == 0 ? 1 : len));
    }
    return hash;
}

/* Of several columns, Hudi writes "a:x,b:y" and reads that back. */
static enum errcode check_composite(const char *column, struct bytes text, struct error *e)
{
    if (bytes_equal_str(text, NULL_TEXT) || bytes_equal_str(text, EMPTY_TEXT) ||
        (text.len > 0 && memchr(text.data, ',', text.len) != NULL)) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "Hudi bucket key column '%.80s' holds a comma or a reserved word", column);
    }
    return ERR_OK;
}

static enum errcode hash_field(const struct type_field *field, const struct row_value *value,
                               bool composite, uint32_t *ret, struct error *e)
{
    struct text formatted;
    struct bytes text;

    if (value->null) {
        *ret = composite ? 0 : hash_text(bytes_str(NULL_TEXT));
        return ERR_OK;
    }
    if (row_is_text(field->type)) {
        text = value->bytes;
    } else {
        formatted = text_of(field->type, value);
        text = bytes_str(formatted.chars);
    }
    if (composite) {
        TRY(check_composite(field->name, text, e));
    }
    *ret = hash_text(text);
    return ERR_OK;
}

enum errcode key_hudi_encode(const struct type *columns, const struct row_value *values,
                             struct arena *arena, struct bytes *ret, struct error *e)
{
    uint8_t *key = arena_alloc(arena, sizeof(uint32_t));
    uint32_t hash = 1;

    for (uint32_t i = 0; i < columns->count; i++) {
        uint32_t one = 0;

        TRY(hash_field(&columns->fields[i], &values[i], columns->count > 1, &one, e));
        hash = hash_unit(hash, one);
    }
    put_u32be(key, hash);
    *ret = bytes_of(key, sizeof(uint32_t));
    return ERR_OK;
}

/* ---- texts ---- */

static struct text printed(const char *fmt, ...) PRINTF_LIKE(1, 2);

static struct text printed(const char *fmt, ...)
{
    struct text text;
    va_list ap;

    va_start(ap, fmt);
    ASSERT(vsnprintf(text.chars, sizeof text.chars, fmt, ap) < TEXT_MAX);
    va_end(ap);
    return text;
}

static struct text decimal_text(const struct type *type, const struct row_value *value)
{
    struct value number = {.unscaled = value->integer};
    unsigned __int128 rest;
    struct text text = {{0}};
    size_t at = TEXT_MAX - 1;
    int digits = 0;

    if (!type_is_compact_decimal(type)) {
        ASSERT(value_decimal_be(value->bytes, &number));
    }
    rest = number.unscaled < 0 ? -(unsigned __int128)number.unscaled
                               : (unsigned __int128)number.unscaled;
    for (; rest > 0 || digits <= type->scale; digits++, rest /= 10) {
        if (digits == type->scale && digits > 0) {
            text.chars[--at] = '.';
        }
        text.chars[--at] = (char)('0' + (int)(rest % 10));
    }
    if (number.unscaled < 0) {
        text.chars[--at] = '-';
    }
    memmove(text.chars, text.chars + at, TEXT_MAX - at);
    return text;
}

/* The digits of a finite number, as few as read back to it: "d.ddde[+-]xx". */
static struct text shortest(double value, bool is_float)
{
    struct text text = {{0}};

    for (int digits = 0; digits < (is_float ? FLOAT_DIGITS_MAX : REAL_DIGITS_MAX); digits++) {
        text = printed("%.*e", digits, value);
        if (is_float ? strtof(text.chars, NULL) == (float)value
                     : strtod(text.chars, NULL) == value) {
            break;
        }
    }
    return text;
}

static struct text real_text(double value, bool is_float)
{
    struct text text;
    char *mark;
    long exponent;
    int digits;

    if (isnan(value)) {
        return printed("NaN");
    }
    if (isinf(value) || value == 0) {
        return printed("%s%s", signbit(value) ? "-" : "", isinf(value) ? "Infinity" : "0.0");
    }
    text = shortest(value, is_float);
    mark = strchr(text.chars, 'e');
    exponent = strtol(mark + 1, NULL, 10);
    *mark = '\0';
    if (exponent >= FIRST_EXPONENT || exponent <= LAST_EXPONENT) {
        return printed("%s%sE%ld", text.chars, strchr(text.chars, '.') == NULL ? ".0" : "",
                       exponent);
    }
    digits = (int)strlen(text.chars) - (signbit(value) ? 1 : 0);
    digits -= digits > 1 ? 2 : 1; /* behind the point of the scientific form */
    digits -= (int)exponent;
    return printed("%.*f", digits < 1 ? 1 : digits, value);
}

static struct text timestamp_text(const struct type *type, const struct row_value *value)
{
    bool is_instant = type->root == TYPE_TIMESTAMP_LTZ;
    struct civil c = calendar_civil(floor_div(value->timestamp.millis, 1000));
    int64_t nanos = floor_mod(value->timestamp.millis, 1000) * 1000000 + value->timestamp.nanos;
    const char *sign = c.year < 0 ? "-" : c.year > 9999 ? "+" : "";
    const char *zone = is_instant ? "Z" : "";
    struct text minutes =
        printed("%s%04d-%02d-%02dT%02d:%02d", sign, abs(c.year), c.month, c.day, c.hour, c.minute);

    if (nanos == 0 && c.second == 0 && !is_instant) {
        return minutes;
    }
    if (nanos == 0) {
        return printed("%s:%02d%s", minutes.chars, c.second, zone);
    }
    if (nanos % 1000000 == 0) {
        return printed("%s:%02d.%03" PRId64 "%s", minutes.chars, c.second, nanos / 1000000, zone);
    }
    if (nanos % 1000 == 0) {
        return printed("%s:%02d.%06" PRId64 "%s", minutes.chars, c.second, nanos / 1000, zone);
    }
    return printed("%s:%02d.%09" PRId64 "%s", minutes.chars, c.second, nanos, zone);
}

static struct text text_of(const struct type *type, const struct row_value *value)
{
    if (type->root == TYPE_BOOLEAN) {
        return printed("%s", value->boolean ? "true" : "false");
    }
    if (type->root == TYPE_DECIMAL) {
        return decimal_text(type, value);
    }
    if (type->root == TYPE_FLOAT) {
        return real_text((double)value->real32, true);
    }
    if (type->root == TYPE_DOUBLE) {
        return real_text(value->real64, false);
    }
    if (row_is_timestamp(type)) {
        return timestamp_text(type, value);
    }
    return printed("%" PRId64, value->integer);
}
