/* One value of a plain (not nested) column, as read from a row or a literal, and its order.
 *
 * Integers of all widths, BOOLEAN, DATE (days) and TIME (milliseconds of the day) are one kind,
 * since they compare alike; likewise FLOAT and DOUBLE, text and binary. A DECIMAL is its unscaled
 * number: both sides of a comparison have the scale of the column. Thread: any.
 */
#ifndef FORMAT_VALUE_H
#define FORMAT_VALUE_H

#include "type.h"

enum value_kind {
    VALUE_NULL,
    VALUE_INT,
    VALUE_REAL,
    VALUE_DECIMAL,
    VALUE_TIMESTAMP, /* with and without time zone */
    VALUE_BYTES,     /* CHAR, STRING, BINARY, BYTES; borrowed */
};

#define VALUE_DECIMAL_SIZE_MAX 16

struct value {
    enum value_kind kind;
    union {
        int64_t integer;
        double real;
        __int128 unscaled;
        struct bytes bytes;
        struct {
            int64_t millis;
            int32_t nanos; /* of the millisecond */
        } timestamp;
    };
};

/* The kind of the non-null values of a column. false: nested, values of it are not compared. */
MUST_USE bool value_kind_of(const struct type *type, enum value_kind *ret);

/* Two's complement, most significant byte first, 1 to 16 bytes; false: another length. */
MUST_USE bool value_decimal_be(struct bytes unscaled, struct value *ret);
/* The reverse, in as few bytes as hold the number; returns how many were written. */
size_t value_decimal_put_be(__int128 unscaled, uint8_t out[static VALUE_DECIMAL_SIZE_MAX]);

/* Of one kind and not null (ASSERT). <0, 0, >0. Numbers by value; reals in Java's total order
 * (-0.0 before 0.0, NaN last); bytes unsigned, shorter first. */
int value_compare(const struct value *a, const struct value *b);

#endif
