/* Reading ALIGNED rows; the bytes are drawn in aligned_row.h. */
#include "aligned_row.h"

#define HEADER_BITS     8 /* row kind, before the null bits */
#define SLOT_SIZE       8
#define INLINE_MARK     0x80u
#define INLINE_SIZE_MAX 7

static enum errcode read_slot(const struct aligned_row *row, const uint8_t *slot,
                              const struct type *type, struct value *ret, struct error *e);
static int64_t read_integer(const uint8_t *slot, enum type_root root);
static double read_real(const uint8_t *slot, enum type_root root);
static enum errcode read_decimal(const struct aligned_row *row, const uint8_t *slot,
                                 struct value *ret, struct error *e);
static enum errcode read_timestamp(const struct aligned_row *row, const uint8_t *slot,
                                   const struct type *type, struct value *ret, struct error *e);
static enum errcode read_bytes(const struct aligned_row *row, const uint8_t *slot,
                               struct bytes *ret, struct error *e);
static enum errcode variable_part(const struct aligned_row *row, const uint8_t *slot, size_t len,
                                  struct bytes *ret, struct error *e);

enum errcode aligned_row_init(struct aligned_row *row, struct bytes data, size_t field_count,
                              struct error *e)
{
    size_t slots_at = (field_count + HEADER_BITS + 63) / 64 * 8;

    ASSERT(field_count <= UINT16_MAX);
    if (data.len < slots_at + SLOT_SIZE * field_count) {
        return error_set(e, ERR_CORRUPT_RECORD, "aligned row of %zu bytes with %zu fields",
                         data.len, field_count);
    }
    *row = (struct aligned_row){.data = data, .field_count = field_count, .slots_at = slots_at};
    return ERR_OK;
}

bool aligned_row_is_null(const struct aligned_row *row, size_t index)
{
    size_t bit = HEADER_BITS + index;

    ASSERT(index < row->field_count);
    return (row->data.data[bit / 8] >> bit % 8 & 1) != 0;
}

enum errcode aligned_row_get(const struct aligned_row *row, size_t index, const struct type *type,
                             struct value *ret, struct error *e)
{
    struct value value = {.kind = VALUE_NULL};

    if (!aligned_row_is_null(row, index)) {
        const uint8_t *slot = row->data.data + row->slots_at + SLOT_SIZE * index;

        TRY(read_slot(row, slot, type, &value, e));
    }
    *ret = value;
    return ERR_OK;
}

static enum errcode read_slot(const struct aligned_row *row, const uint8_t *slot,
                              const struct type *type, struct value *ret, struct error *e)
{
    if (!value_kind_of(type, &ret->kind)) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "nested values of aligned rows");
    }
    switch (ret->kind) {
    case VALUE_INT:
        ret->integer = read_integer(slot, type->root);
        return ERR_OK;
    case VALUE_REAL:
        ret->real = read_real(slot, type->root);
        return ERR_OK;
    case VALUE_DECIMAL:
        if (type_is_compact_decimal(type)) {
            ret->unscaled = get_i64le(slot);
            return ERR_OK;
        }
        return read_decimal(row, slot, ret, e);
    case VALUE_TIMESTAMP:
        return read_timestamp(row, slot, type, ret, e);
    case VALUE_BYTES:
        return read_bytes(row, slot, &ret->bytes, e);
    case VALUE_NULL:
        break;
    }
    return ERR_OK;
}

static int64_t read_integer(const uint8_t *slot, enum type_root root)
{
    if (root == TYPE_BOOLEAN) {
        return slot[0] != 0;
    }
    if (root == TYPE_TINYINT) {
        return (int8_t)slot[0];
    }
    if (root == TYPE_SMALLINT) {
        return get_i16le(slot);
    }
    return root == TYPE_BIGINT ? get_i64le(slot) : get_i32le(slot);
}

static double read_real(const uint8_t *slot, enum type_root root)
{
    uint32_t bits32 = get_u32le(slot);
    uint64_t bits64 = get_u64le(slot);
    float narrow;
    double wide;

    memcpy(&narrow, &bits32, sizeof narrow);
    memcpy(&wide, &bits64, sizeof wide);
    return root == TYPE_FLOAT ? (double)narrow : wide;
}

static enum errcode read_decimal(const struct aligned_row *row, const uint8_t *slot,
                                 struct value *ret, struct error *e)
{
    struct bytes unscaled;

    TRY(variable_part(row, slot, get_u32le(slot), &unscaled, e));
    if (!value_decimal_be(unscaled, ret)) {
        return error_set(e, ERR_CORRUPT_RECORD, "decimal of %zu bytes in an aligned row",
                         unscaled.len);
    }
    return ERR_OK;
}

static enum errcode read_timestamp(const struct aligned_row *row, const uint8_t *slot,
                                   const struct type *type, struct value *ret, struct error *e)
{
    struct bytes millis;

    if (type_is_compact_timestamp(type)) {
        ret->timestamp.millis = get_i64le(slot);
        ret->timestamp.nanos = 0;
        return ERR_OK;
    }
    TRY(variable_part(row, slot, sizeof(int64_t), &millis, e));
    ret->timestamp.millis = get_i64le(millis.data);
    ret->timestamp.nanos = get_i32le(slot);
    return ERR_OK;
}

static enum errcode read_bytes(const struct aligned_row *row, const uint8_t *slot,
                               struct bytes *ret, struct error *e)
{
    size_t len = slot[INLINE_SIZE_MAX] & ~INLINE_MARK;

    if ((slot[INLINE_SIZE_MAX] & INLINE_MARK) == 0) {
        return variable_part(row, slot, get_u32le(slot), ret, e);
    }
    if (len > INLINE_SIZE_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD, "%zu bytes in a slot of an aligned row", len);
    }
    *ret = bytes_of(slot, len);
    return ERR_OK;
}

/* The len bytes at the offset in the high half of the slot. */
static enum errcode variable_part(const struct aligned_row *row, const uint8_t *slot, size_t len,
                                  struct bytes *ret, struct error *e)
{
    size_t offset = get_u32le(slot + 4);

    if (offset > row->data.len || len > row->data.len - offset) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "value at byte %zu of %zu bytes in an aligned row of %zu", offset, len,
                         row->data.len);
    }
    *ret = bytes_slice(row->data, offset, len);
    return ERR_OK;
}
