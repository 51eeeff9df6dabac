/* Iceberg keys: the bytes that Iceberg hashes for its bucket transform, see key.h. */
#include "key_codec.h"
#include "row_codec.h"
#include "value.h"

#include "base/calendar.h"

#define WORD_SIZE 8

bool key_iceberg_takes(const struct type *type)
{
    return !type_is_nested(type) && type->root != TYPE_BOOLEAN && type->root != TYPE_TINYINT &&
           type->root != TYPE_SMALLINT && type->root != TYPE_TIMESTAMP_LTZ;
}

/* ---- writing ---- */

static struct bytes from_integer(int64_t value, struct arena *arena)
{
    uint8_t *data = arena_alloc(arena, WORD_SIZE);

    put_i64le(data, value);
    return bytes_of(data, WORD_SIZE);
}

static struct bytes from_decimal(const struct type *type, const struct row_value *value,
                                 struct arena *arena)
{
    struct value number = {.unscaled = value->integer};
    uint8_t *data = arena_alloc(arena, VALUE_DECIMAL_SIZE_MAX);

    if (!type_is_compact_decimal(type)) {
        ASSERT(value_decimal_be(value->bytes, &number)); /* checked where it was read */
    }
    return bytes_of(data, value_decimal_put_be(number.unscaled, data));
}

/* Wraps around like the original does, for times that are 292,000 years away. */
static int64_t micros(int64_t millis, int32_t nanos)
{
    return (int64_t)((uint64_t)millis * 1000 + (uint64_t)(nanos / 1000));
}

struct bytes key_iceberg_encode(const struct type *type, const struct row_value *value,
                                struct arena *arena)
{
    uint8_t *data;

    if (row_is_text(type)) {
        return arena_copy(arena, value->bytes);
    }
    if (type->root == TYPE_DECIMAL) {
        return from_decimal(type, value, arena);
    }
    if (type->root == TYPE_TIMESTAMP) {
        return from_integer(micros(value->timestamp.millis, value->timestamp.nanos), arena);
    }
    if (type->root == TYPE_FLOAT || type->root == TYPE_DOUBLE) {
        data = arena_alloc(arena, WORD_SIZE);
        row_scalar_write(type, value, data);
        return bytes_of(data, row_slot_width(type));
    }
    return from_integer(type->root == TYPE_TIME ? micros(value->integer, 0) : value->integer,
                        arena);
}

/* ---- reading ---- */

static enum errcode wrong(const struct type *type, struct bytes key, struct error *e)
{
    return error_set(e, ERR_CORRUPT_RECORD, "Iceberg key of %zu bytes is not of the type %s",
                     key.len, type_text(type).text);
}

static enum errcode to_decimal(const struct type *type, struct bytes key, struct row_value *ret,
                               struct error *e)
{
    struct value number;

    if (!value_decimal_be(key, &number)) {
        return wrong(type, key, e);
    }
    if (!type_is_compact_decimal(type)) {
        ret->bytes = key;
    } else if (number.unscaled > INT64_MAX || number.unscaled < INT64_MIN) {
        return wrong(type, key, e);
    } else {
        ret->integer = (int64_t)number.unscaled;
    }
    return ERR_OK;
}

static enum errcode to_integer(const struct type *type, struct bytes key, struct row_value *ret,
                               struct error *e)
{
    int64_t value = get_i64le(key.data);

    if (type->root == TYPE_TIMESTAMP) {
        ret->timestamp.millis = floor_div(value, 1000);
        ret->timestamp.nanos =
            type_is_compact_timestamp(type) ? 0 : (int32_t)floor_mod(value, 1000) * 1000;
        return ERR_OK;
    }
    value = type->root == TYPE_TIME ? value / 1000 : value;
    if (type->root != TYPE_BIGINT && (value > INT32_MAX || value < INT32_MIN)) {
        return wrong(type, key, e);
    }
    ret->integer = value;
    return ERR_OK;
}

enum errcode key_iceberg_decode(const struct type *type, struct bytes key, struct arena *arena,
                                const struct row_value **ret, struct error *e)
{
    struct row_value *value = arena_new(arena, struct row_value);
    bool is_real = type->root == TYPE_FLOAT || type->root == TYPE_DOUBLE;

    *ret = value;
    if (row_is_text(type)) {
        value->bytes = key;
        return ERR_OK;
    }
    if (type->root == TYPE_DECIMAL) {
        return to_decimal(type, key, value, e);
    }
    if (key.len != (is_real ? row_slot_width(type) : WORD_SIZE)) {
        return wrong(type, key, e);
    }
    if (is_real) {
        row_scalar_read(type, key.data, value);
        return ERR_OK;
    }
    return to_integer(type, key, value, e);
}
