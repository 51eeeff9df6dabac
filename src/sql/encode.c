#include "encode.h"

#include <stdio.h>

#include "base/calendar.h"
#include "format/value.h"

#define MILLIS_PER_DAY INT64_C(86400000)

/* ---- names ---- */

void encode_name(const char *name, struct buffer *out)
{
    buffer_u8(out, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"') {
            buffer_u8(out, '"');
        }
        buffer_u8(out, (uint8_t)*name);
    }
    buffer_u8(out, '"');
}

static void nested_name(const struct type *type, struct buffer *out)
{
    if (type->root == TYPE_ARRAY) {
        encode_type_name(type->fields[0].type, out);
        buffer_bytes(out, bytes_str("[]"));
        return;
    }
    buffer_bytes(out, bytes_str(type->root == TYPE_MAP ? "MAP(" : "STRUCT("));
    for (uint32_t i = 0; i < type->count; i++) {
        if (i > 0) {
            buffer_u8(out, ',');
        }
        if (type->root == TYPE_ROW) {
            encode_name(type->fields[i].name, out);
            buffer_u8(out, ' ');
        }
        encode_type_name(type->fields[i].type, out);
    }
    buffer_u8(out, ')');
}

void encode_type_name(const struct type *type, struct buffer *out)
{
    static const char *const names[] = {
        [TYPE_CHAR] = "VARCHAR",
        [TYPE_STRING] = "VARCHAR",
        [TYPE_BOOLEAN] = "BOOLEAN",
        [TYPE_BINARY] = "BLOB",
        [TYPE_BYTES] = "BLOB",
        [TYPE_TINYINT] = "TINYINT",
        [TYPE_SMALLINT] = "SMALLINT",
        [TYPE_INTEGER] = "INTEGER",
        [TYPE_BIGINT] = "BIGINT",
        [TYPE_FLOAT] = "FLOAT",
        [TYPE_DOUBLE] = "DOUBLE",
        [TYPE_DATE] = "DATE",
        [TYPE_TIME] = "TIME",
        [TYPE_TIMESTAMP] = "TIMESTAMP",
        [TYPE_TIMESTAMP_LTZ] = "TIMESTAMP WITH TIME ZONE",
    };
    char text[40];

    if (type_is_nested(type)) {
        nested_name(type, out);
    } else if (type->root == TYPE_DECIMAL) {
        (void)snprintf(text, sizeof text, "DECIMAL(%d,%d)", type->precision, type->scale);
        buffer_bytes(out, bytes_str(text));
    } else if (type->root == TYPE_TIMESTAMP && type->precision > 6) {
        buffer_bytes(out, bytes_str("TIMESTAMP_NS"));
    } else {
        buffer_bytes(out, bytes_str(names[type->root]));
    }
}

/* ---- plain values ---- */

/* Characters of text that is UTF-8. */
static size_t characters(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += (text.data[i] & 0xc0) != 0x80;
    }
    return count;
}

static enum errcode encode_text(const struct encode *en, const struct type *type,
                                const struct duck_string *s, struct row_value *ret, struct error *e)
{
    struct bytes text = duck_string_bytes(s);
    size_t len = type->root == TYPE_CHAR ? characters(text) : text.len;

    if ((type->root == TYPE_CHAR || type->root == TYPE_BINARY) && len > (size_t)type->length) {
        return error_set(e, ERR_INVALID_ARGUMENT, "value too long for type %s: %zu",
                         type_text(type).text, len);
    }
    ret->bytes = arena_copy(en->arena, text);
    return ERR_OK;
}

static __int128 decimal_at(const struct type *type, const void *data, uint64_t row)
{
    if (type->precision <= 4) {
        return ((const int16_t *)data)[row];
    }
    if (type->precision <= 9) {
        return ((const int32_t *)data)[row];
    }
    if (type->precision <= 18) {
        return ((const int64_t *)data)[row];
    }
    return ((const __int128 *)data)[row];
}

static void encode_decimal(const struct encode *en, const struct type *type, const void *data,
                           struct row_value *ret)
{
    __int128 unscaled = decimal_at(type, data, en->row);
    uint8_t *out;

    if (type_is_compact_decimal(type)) {
        ret->integer = (int64_t)unscaled;
        return;
    }
    out = arena_alloc(en->arena, VALUE_DECIMAL_SIZE_MAX);
    ret->bytes = bytes_of(out, value_decimal_put_be(unscaled, out));
}

static enum errcode encode_timestamp(const struct type *type, int64_t value, struct row_value *ret,
                                     struct error *e)
{
    int64_t per_milli =
        type->root == TYPE_TIMESTAMP && type->precision > 6 ? INT64_C(1000000) : INT64_C(1000);

    if (value == INT64_MAX || value == -INT64_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "a timestamp of a table is not infinite");
    }
    if (type->precision > 6 && per_milli == 1000 &&
        (value > INT64_MAX / 1000 || value < INT64_MIN / 1000)) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "a timestamp with nanoseconds is between 1677-09-22 and 2262-04-11");
    }
    ret->timestamp.millis = floor_div(value, per_milli);
    ret->timestamp.nanos = (int32_t)(floor_mod(value, per_milli) * (1000000 / per_milli));
    if (type_is_compact_timestamp(type)) {
        ret->timestamp.nanos = 0;
    }
    return ERR_OK;
}

static enum errcode encode_day(int32_t days, struct row_value *ret, struct error *e)
{
    if (days == INT32_MAX || days == -INT32_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "a date of a table is not infinite");
    }
    ret->integer = days;
    return ERR_OK;
}

static enum errcode encode_time(int64_t micros, struct row_value *ret, struct error *e)
{
    ret->integer = micros / 1000;
    if (ret->integer >= MILLIS_PER_DAY) {
        return error_set(e, ERR_INVALID_ARGUMENT, "a time of a table is before 24:00");
    }
    return ERR_OK;
}

/* ---- nested values ---- */

struct items {
    const struct type *type;
    void *vector;
    struct duck_list at;
};

static enum errcode encode_items(const struct encode *en, const struct items *from,
                                 struct row_value *items, struct error *e)
{
    struct encode item = *en;

    item.vector = from->vector;
    for (uint64_t i = 0; i < from->at.len; i++) {
        item.row = from->at.offset + i;
        TRY(encode_value(&item, from->type, &items[i], e));
    }
    return ERR_OK;
}

static enum errcode encode_list(const struct encode *en, const struct type *type,
                                struct row_value *ret, struct error *e)
{
    const struct duckdb *d = en->duckdb;
    struct items items = {.type = type->fields[0].type,
                          .vector = d->list_vector_get_child(en->vector),
                          .at =
                              ((const struct duck_list *)d->vector_get_data(en->vector))[en->row]};
    void *entries = items.vector;
    struct row_value *values;

    if (items.at.len > INT32_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "a list is too long");
    }
    values = arena_array(en->arena, items.at.len * type->count, sizeof *values);
    ret->count = (uint32_t)items.at.len;
    ret->items = values;
    if (type->root == TYPE_ARRAY) {
        return encode_items(en, &items, values, e);
    }
    items.vector = d->struct_vector_get_child(entries, 0);
    TRY(encode_items(en, &items, values, e));
    items.type = type->fields[1].type;
    items.vector = d->struct_vector_get_child(entries, 1);
    return encode_items(en, &items, values + items.at.len, e);
}

static enum errcode encode_struct(const struct encode *en, const struct type *type,
                                  struct row_value *ret, struct error *e)
{
    struct encode field = *en;
    struct row_value *items = arena_array(en->arena, type->count, sizeof *items);

    ret->count = type->count;
    ret->items = items;
    for (uint32_t i = 0; i < type->count; i++) {
        field.vector = en->duckdb->struct_vector_get_child(en->vector, i);
        TRY(encode_value(&field, type->fields[i].type, &items[i], e));
    }
    return ERR_OK;
}

/* ---- all of them ---- */

static bool is_null(const struct duckdb *d, void *vector, uint64_t row)
{
    const uint64_t *validity = d->vector_get_validity(vector);

    return validity != NULL && (validity[row / 64] >> row % 64 & 1) == 0;
}

enum errcode encode_value(const struct encode *en, const struct type *type, struct row_value *ret,
                          struct error *e)
{
    const void *data = en->duckdb->vector_get_data(en->vector);
    uint64_t row = en->row;

    *ret = (struct row_value){.null = is_null(en->duckdb, en->vector, row)};
    if (ret->null) {
        return type->nullable ? ERR_OK
                              : error_set(e, ERR_INVALID_TARGET_COLUMN,
                                          "null value where the type is not null");
    }
    switch (type->root) {
    case TYPE_CHAR:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_BYTES:
        return encode_text(en, type, (const struct duck_string *)data + row, ret, e);
    case TYPE_BOOLEAN:
        ret->boolean = ((const uint8_t *)data)[row] != 0;
        return ERR_OK;
    case TYPE_DECIMAL:
        encode_decimal(en, type, data, ret);
        return ERR_OK;
    case TYPE_TINYINT:
        ret->integer = ((const int8_t *)data)[row];
        return ERR_OK;
    case TYPE_SMALLINT:
        ret->integer = ((const int16_t *)data)[row];
        return ERR_OK;
    case TYPE_INTEGER:
        ret->integer = ((const int32_t *)data)[row];
        return ERR_OK;
    case TYPE_BIGINT:
        ret->integer = ((const int64_t *)data)[row];
        return ERR_OK;
    case TYPE_FLOAT:
        ret->real32 = ((const float *)data)[row];
        return ERR_OK;
    case TYPE_DOUBLE:
        ret->real64 = ((const double *)data)[row];
        return ERR_OK;
    case TYPE_DATE:
        return encode_day(((const int32_t *)data)[row], ret, e);
    case TYPE_TIME:
        return encode_time(((const int64_t *)data)[row], ret, e);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
        return encode_timestamp(type, ((const int64_t *)data)[row], ret, e);
    case TYPE_ARRAY:
    case TYPE_MAP:
        return encode_list(en, type, ret, e);
    case TYPE_ROW:
        return encode_struct(en, type, ret, e);
    case TYPE_ROOT_COUNT:
        break;
    }
    return error_set(e, ERR_UNSUPPORTED_OPERATION, "a type without values");
}
