/* Order of values; rules in value.h. */
#include "value.h"

#include <math.h>

static int real_compare(double a, double b);

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

bool value_kind_of(const struct type *type, enum value_kind *ret)
{
    static const enum value_kind kinds[TYPE_ROOT_COUNT] = {
        [TYPE_BOOLEAN] = VALUE_INT,
        [TYPE_TINYINT] = VALUE_INT,
        [TYPE_SMALLINT] = VALUE_INT,
        [TYPE_INTEGER] = VALUE_INT,
        [TYPE_BIGINT] = VALUE_INT,
        [TYPE_DATE] = VALUE_INT,
        [TYPE_TIME] = VALUE_INT,
        [TYPE_FLOAT] = VALUE_REAL,
        [TYPE_DOUBLE] = VALUE_REAL,
        [TYPE_DECIMAL] = VALUE_DECIMAL,
        [TYPE_TIMESTAMP] = VALUE_TIMESTAMP,
        [TYPE_TIMESTAMP_LTZ] = VALUE_TIMESTAMP,
        [TYPE_CHAR] = VALUE_BYTES,
        [TYPE_STRING] = VALUE_BYTES,
        [TYPE_BINARY] = VALUE_BYTES,
        [TYPE_BYTES] = VALUE_BYTES,
    };

    if (kinds[type->root] == VALUE_NULL) {
        return false;
    }
    *ret = kinds[type->root];
    return true;
}

bool value_decimal_be(struct bytes unscaled, struct value *ret)
{
    unsigned __int128 bits;

    if (unscaled.len == 0 || unscaled.len > VALUE_DECIMAL_SIZE_MAX) {
        return false;
    }
    bits = (unscaled.data[0] & 0x80) != 0 ? ~(unsigned __int128)0 : 0;
    for (size_t i = 0; i < unscaled.len; i++) {
        bits = bits << 8 | unscaled.data[i];
    }
    *ret = (struct value){.kind = VALUE_DECIMAL, .unscaled = (__int128)bits};
    return true;
}

size_t value_decimal_put_be(__int128 unscaled, uint8_t out[static VALUE_DECIMAL_SIZE_MAX])
{
    size_t len = 1;

    for (__int128 rest = unscaled >> 7; rest != 0 && rest != -1; rest >>= 8) {
        len++;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(unscaled >> 8 * (len - 1 - i));
    }
    return len;
}

int value_compare(const struct value *a, const struct value *b)
{
    int order = 0;

    ASSERT(a->kind == b->kind && a->kind != VALUE_NULL);
    switch (a->kind) {
    case VALUE_INT:
        order = COMPARE(a->integer, b->integer);
        break;
    case VALUE_REAL:
        order = real_compare(a->real, b->real);
        break;
    case VALUE_DECIMAL:
        order = COMPARE(a->unscaled, b->unscaled);
        break;
    case VALUE_TIMESTAMP:
        order = COMPARE(a->timestamp.millis, b->timestamp.millis);
        if (order == 0) {
            order = COMPARE(a->timestamp.nanos, b->timestamp.nanos);
        }
        break;
    case VALUE_BYTES:
        order = bytes_compare(a->bytes, b->bytes);
        break;
    case VALUE_NULL:
        break;
    }
    return order;
}

static int real_compare(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return (isnan(a) ? 1 : 0) - (isnan(b) ? 1 : 0);
    }
    if (a != b) {
        return a < b ? -1 : 1;
    }
    return (signbit(a) ? 0 : 1) - (signbit(b) ? 0 : 1);
}
