/* Paimon keys: ALIGNED rows, drawn in aligned_row.h. */
#include "aligned_row.h"
#include "key_codec.h"
#include "row_codec.h"

#define SLOT_SIZE      8
#define INLINE_MARK    0x80u
#define INLINE_MAX     7
#define DECIMAL_ROOM   16
#define MILLIS_SIZE    8
#define FIELDS_MAX_ROW UINT16_MAX

static size_t header_size(uint32_t fields) { return ((size_t)fields + 8 + 63) / 64 * 8; }

static size_t padded(size_t len) { return (len + 7) / 8 * 8; }

bool key_paimon_takes(const struct type *type) { return !type_is_nested(type); }

/* ---- writing ---- */

static bool is_wide_timestamp(const struct type *type)
{
    return row_is_timestamp(type) && !type_is_compact_timestamp(type);
}

/* Bytes a value takes behind the slots. */
static size_t variable_size(const struct type *type, const struct row_value *value)
{
    if (row_is_text(type)) {
        return value->bytes.len > INLINE_MAX ? padded(value->bytes.len) : 0;
    }
    return row_is_large_decimal(type) ? DECIMAL_ROOM : is_wide_timestamp(type) ? MILLIS_SIZE : 0;
}

/* Copies bytes to the end of the row and returns the slot that points to them. */
static uint64_t append(struct writer *row, struct bytes bytes, size_t room, uint32_t low)
{
    uint64_t slot = (uint64_t)row->len << 32 | low;
    uint8_t *at = writer_room(row, room);

    if (bytes.len > 0) {
        memcpy(at, bytes.data, bytes.len);
    }
    return slot;
}

static void write_field(struct writer *row, uint8_t *slot, const struct type *type,
                        const struct row_value *value)
{
    uint8_t millis[MILLIS_SIZE];

    if (row_is_text(type) && value->bytes.len <= INLINE_MAX) {
        if (value->bytes.len > 0) {
            memcpy(slot, value->bytes.data, value->bytes.len);
        }
        slot[SLOT_SIZE - 1] = (uint8_t)(INLINE_MARK | value->bytes.len);
    } else if (row_is_text(type)) {
        put_u64le(slot,
                  append(row, value->bytes, padded(value->bytes.len), (uint32_t)value->bytes.len));
    } else if (row_is_large_decimal(type)) {
        put_u64le(slot, append(row, value->bytes, DECIMAL_ROOM, (uint32_t)value->bytes.len));
    } else if (is_wide_timestamp(type)) {
        put_i64le(millis, value->timestamp.millis);
        put_u64le(slot, append(row, bytes_of(millis, sizeof millis), MILLIS_SIZE,
                               (uint32_t)value->timestamp.nanos));
    } else if (row_is_timestamp(type)) {
        put_i64le(slot, value->timestamp.millis);
    } else {
        row_scalar_write(type, value, slot);
    }
}

struct bytes key_paimon_encode(const struct type *columns, const struct row_value *values,
                               struct arena *arena)
{
    size_t slots_at = header_size(columns->count);
    size_t fixed = slots_at + (size_t)columns->count * SLOT_SIZE;
    size_t size = fixed;
    struct writer row;

    for (uint32_t i = 0; i < columns->count; i++) {
        size += variable_size(columns->fields[i].type, &values[i]);
    }
    row = writer_of(arena_zalloc(arena, size), size);
    (void)writer_room(&row, fixed);
    for (uint32_t i = 0; i < columns->count; i++) {
        write_field(&row, row.data + slots_at + (size_t)i * SLOT_SIZE, columns->fields[i].type,
                    &values[i]);
    }
    ASSERT(row.len == size);
    return bytes_of(row.data, size);
}

/* ---- reading ---- */

static enum errcode from_decimal(const struct type *type, __int128 unscaled, struct arena *arena,
                                 struct row_value *ret)
{
    uint8_t *data;

    if (type_is_compact_decimal(type)) {
        ret->integer = (int64_t)unscaled; /* an aligned row has 64 bits for it */
    } else {
        data = arena_alloc(arena, VALUE_DECIMAL_SIZE_MAX);
        ret->bytes = bytes_of(data, value_decimal_put_be(unscaled, data));
    }
    return ERR_OK;
}

static enum errcode from_value(const struct type *type, const struct value *value,
                               struct arena *arena, struct row_value *ret, struct error *e)
{
    switch (value->kind) {
    case VALUE_INT:
        if (type->root == TYPE_BOOLEAN) {
            ret->boolean = value->integer != 0;
        } else {
            ret->integer = value->integer;
        }
        return ERR_OK;
    case VALUE_REAL:
        if (type->root == TYPE_FLOAT) {
            ret->real32 = (float)value->real;
        } else {
            ret->real64 = value->real;
        }
        return ERR_OK;
    case VALUE_DECIMAL:
        return from_decimal(type, value->unscaled, arena, ret);
    case VALUE_TIMESTAMP:
        ret->timestamp.millis = value->timestamp.millis;
        ret->timestamp.nanos = value->timestamp.nanos;
        return row_check_nanos(value->timestamp.nanos, e);
    case VALUE_BYTES:
        ret->bytes = value->bytes;
        return ERR_OK;
    case VALUE_NULL:
        break;
    }
    return error_set(e, ERR_CORRUPT_RECORD, "null in a key");
}

enum errcode key_paimon_decode(const struct type *columns, struct bytes key, struct arena *arena,
                               const struct row_value **ret, struct error *e)
{
    struct row_value *values = arena_array(arena, columns->count, sizeof *values);
    struct aligned_row row;

    ASSERT(columns->count <= FIELDS_MAX_ROW);
    TRY(aligned_row_init(&row, key, columns->count, e));
    for (uint32_t i = 0; i < columns->count; i++) {
        const struct type *type = columns->fields[i].type;
        struct value value;

        TRY(aligned_row_get(&row, i, type, &value, e));
        TRY(from_value(type, &value, arena, &values[i], e));
    }
    *ret = values;
    return ERR_OK;
}
