#include "literal.h"

#include "base/calendar.h"
#include "base/utf8.h"

#define MICROS_PER_SECOND INT64_C(1000000)

/* ---- texts ---- */

static bool take_digits(struct bytes *text, size_t count, int32_t *ret)
{
    int32_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (i >= text->len || text->data[i] < '0' || text->data[i] > '9') {
            return false;
        }
        n = n * 10 + (text->data[i] - '0');
    }
    *text = bytes_slice(*text, count, text->len - count);
    *ret = n;
    return true;
}

static bool take_byte(struct bytes *text, char c)
{
    if (text->len == 0 || text->data[0] != (uint8_t)c) {
        return false;
    }
    *text = bytes_slice(*text, 1, text->len - 1);
    return true;
}

static bool whole_number(struct bytes text, int64_t *ret)
{
    bool negative = take_byte(&text, '-');
    int64_t n = 0;

    if (text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        int64_t digit = (int64_t)text.data[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, negative ? -digit : digit, &n)) {
            return false;
        }
    }
    *ret = n;
    return true;
}

/* yyyy-mm-dd */
static bool take_date(struct bytes *text, int64_t *ret_days)
{
    int32_t year;
    int32_t month;
    int32_t day;

    if (!take_digits(text, 4, &year) || !take_byte(text, '-') || !take_digits(text, 2, &month) ||
        !take_byte(text, '-') || !take_digits(text, 2, &day) || year < 1 || month < 1 ||
        month > 12 || day < 1 || day > calendar_month_days(year, month)) {
        return false;
    }
    *ret_days = calendar_days(year, month, day);
    return true;
}

/* hh:mm:ss, and up to six digits of a fraction */
static bool take_time(struct bytes *text, int64_t *ret_micros)
{
    int32_t hour;
    int32_t minute;
    int32_t second;
    int32_t fraction = 0;
    int32_t unit = MICROS_PER_SECOND;

    if (!take_digits(text, 2, &hour) || !take_byte(text, ':') || !take_digits(text, 2, &minute) ||
        !take_byte(text, ':') || !take_digits(text, 2, &second) || hour > 23 || minute > 59 ||
        second > 59) {
        return false;
    }
    if (take_byte(text, '.')) {
        int32_t digit;

        while (unit > 1 && take_digits(text, 1, &digit)) {
            unit /= 10;
            fraction += digit * unit;
        }
        if (unit == MICROS_PER_SECOND) {
            return false;
        }
    }
    *ret_micros = ((hour * INT64_C(60) + minute) * 60 + second) * MICROS_PER_SECOND + fraction;
    return true;
}

static bool timestamp(struct bytes text, bool utc, struct value *ret)
{
    int64_t days;
    int64_t micros = 0;

    if (!take_date(&text, &days)) {
        return false;
    }
    if (text.len > 0) {
        if ((!take_byte(&text, ' ') && !take_byte(&text, 'T')) || !take_time(&text, &micros)) {
            return false;
        }
        if (utc && text.len > 0 && !bytes_equal_str(text, "+00") &&
            !bytes_equal_str(text, "+00:00") && !bytes_equal_str(text, "Z")) {
            return false;
        }
        if (!utc && text.len > 0) {
            return false;
        }
    }
    *ret = (struct value){.kind = VALUE_TIMESTAMP,
                          .timestamp = {.millis = days * SECONDS_PER_DAY * 1000 + micros / 1000,
                                        .nanos = (int32_t)(micros % 1000) * 1000}};
    return true;
}

/* ---- by column ---- */

/* The largest number of DuckDB's integer types; 0: it is none of them. */
static int64_t greatest(const char *type)
{
    static const struct {
        const char *name;
        int64_t max;
    } all[] = {{"TINYINT", INT8_MAX},
               {"SMALLINT", INT16_MAX},
               {"INTEGER", INT32_MAX},
               {"BIGINT", INT64_MAX}};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (strcmp(type, all[i].name) == 0) {
            return all[i].max;
        }
    }
    return 0;
}

static bool is_integer(const struct type *type)
{
    return type->root == TYPE_TINYINT || type->root == TYPE_SMALLINT ||
           type->root == TYPE_INTEGER || type->root == TYPE_BIGINT;
}

/* Comparing in micros is exact for these only. */
static bool is_timestamp(const struct type *type)
{
    return (type->root == TYPE_TIMESTAMP || type->root == TYPE_TIMESTAMP_LTZ) &&
           type->precision <= 6;
}

bool literal_type_known(const struct type *type)
{
    return is_integer(type) || type->root == TYPE_STRING || type->root == TYPE_CHAR ||
           type->root == TYPE_DATE || is_timestamp(type);
}

static bool integer_value(const struct operand *o, struct bytes text, struct value *ret)
{
    int64_t max = o->cast == NULL ? INT64_MAX : greatest(o->cast);

    ret->kind = VALUE_INT;
    ret->integer = o->number;
    if (max == 0 || (o->kind != OPERAND_NUMBER && !whole_number(text, &ret->integer))) {
        return false;
    }
    return ret->integer <= max && ret->integer >= -max - 1;
}

static bool date_value(struct bytes text, struct value *ret)
{
    ret->kind = VALUE_INT;
    return take_date(&text, &ret->integer) && text.len == 0;
}

/* A literal without a cast takes the type of the column; a parameter is a text then. */
static bool cast_is(const struct operand *o, const char *name)
{
    return o->cast == NULL ? o->kind == OPERAND_TEXT : strcmp(o->cast, name) == 0;
}

bool literal_value(const struct operand *o, const struct type *type,
                   const struct literal_parameters *parameters, struct value *ret)
{
    struct bytes text = o->text;

    *ret = (struct value){.kind = VALUE_NULL};
    if (o->kind == OPERAND_PARAMETER) {
        if (o->parameter >= parameters->count || parameters->values[o->parameter].null) {
            return false;
        }
        text = parameters->values[o->parameter].text;
    }
    if (is_integer(type)) {
        return (o->kind != OPERAND_PARAMETER || o->cast != NULL) && integer_value(o, text, ret);
    }
    if (o->kind == OPERAND_NUMBER) {
        return false;
    }
    if (type->root == TYPE_STRING || type->root == TYPE_CHAR) {
        *ret = (struct value){.kind = VALUE_BYTES, .bytes = text};
        return (o->cast == NULL || strcmp(o->cast, "VARCHAR") == 0) && utf8_valid(text) &&
               memchr(text.len == 0 ? "x" : (const char *)text.data, 0, text.len) == NULL;
    }
    if (type->root == TYPE_DATE) {
        return cast_is(o, "DATE") && date_value(text, ret);
    }
    if (is_timestamp(type)) {
        bool utc = type->root == TYPE_TIMESTAMP_LTZ;

        return cast_is(o, utc ? "TIMESTAMP WITH TIME ZONE" : "TIMESTAMP") &&
               timestamp(text, utc, ret);
    }
    return false;
}
