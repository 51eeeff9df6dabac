/* Rows, binary arrays and binary maps, see row.h. Recursion is over nested types, whose depth is
 * limited where types are made.
 */
#include "row_codec.h"

#include <math.h>

#define BUFFER_MIN 64
#define SLOT_WIDE  8
/* A slot of eight bytes: a text of up to 7 bytes in place, its length in the last byte. */
#define IN_PLACE     0x80u
#define IN_PLACE_MAX 7
#define DECIMAL_ROOM 16

static enum errcode read_fields(struct row_decoder *d, const struct type *row, struct bytes in,
                                struct row_value *ret, struct error *e);
static enum errcode read_array(struct row_decoder *d, const struct type *element, struct bytes in,
                               struct row_value *ret, struct error *e);
static enum errcode read_map(struct row_decoder *d, const struct type *type, struct bytes in,
                             struct row_value *ret, struct error *e);
static enum errcode write_fields(struct row_buffer *b, const struct type *row,
                                 const struct row_value *fields, struct error *e);

enum errcode row_decode(struct row_format format, struct bytes in, struct arena *arena,
                        const struct row_value **ret, struct error *e)
{
    struct row_decoder d = {.layout = format.layout, .arena = arena};
    struct row_value row = {.null = false};

    ASSERT(format.row->root == TYPE_ROW);
    /* a value has at least a null bit; nothing honest refers to the same bytes twice */
    if (__builtin_mul_overflow(in.len, (size_t)8, &d.values_left)) {
        return row_corrupt(e, "too long");
    }
    TRY(read_fields(&d, format.row, in, &row, e));
    *ret = row.items;
    return ERR_OK;
}

enum errcode row_encode(struct row_format format, const struct row_value *fields,
                        struct arena *arena, struct bytes *ret, struct error *e)
{
    struct row_buffer b = {.layout = format.layout, .arena = arena};

    ASSERT(format.row->root == TYPE_ROW);
    TRY(write_fields(&b, format.row, fields, e));
    *ret = bytes_of(b.data, b.len);
    return ERR_OK;
}

/* ---- shared helpers ---- */

uint8_t *row_buffer_room(struct row_buffer *b, size_t len)
{
    size_t need;

    ASSERT(size_add(b->len, len, &need));
    if (need > b->cap) {
        size_t cap = b->cap < BUFFER_MIN ? BUFFER_MIN : b->cap * 2;
        uint8_t *grown;

        cap = cap < need ? need : cap;
        grown = arena_alloc(b->arena, cap);
        if (b->len > 0) {
            memcpy(grown, b->data, b->len);
        }
        b->data = grown;
        b->cap = cap;
    }
    if (len > 0) {
        memset(b->data + b->len, 0, len);
    }
    b->len = need;
    return b->data + need - len;
}

void row_buffer_bytes(struct row_buffer *b, struct bytes bytes)
{
    uint8_t *to = row_buffer_room(b, bytes.len);

    if (bytes.len > 0) {
        memcpy(to, bytes.data, bytes.len);
    }
}

enum errcode row_corrupt(struct error *e, const char *what)
{
    return error_set(e, ERR_CORRUPT_RECORD, "corrupt row: %s", what);
}

enum errcode row_check_nanos(int64_t nanos, struct error *e)
{
    return nanos >= 0 && nanos <= 999999 ? ERR_OK
                                         : row_corrupt(e, "nanoseconds beyond a millisecond");
}

enum errcode row_check_decimal(struct bytes unscaled, struct error *e)
{
    return unscaled.len >= 1 && unscaled.len <= DECIMAL_ROOM
               ? ERR_OK
               : row_corrupt(e, "a decimal that is not of 1 to 16 bytes");
}

enum errcode row_check_null(const struct type *type, const struct row_value *value, struct error *e)
{
    if (value->null && !type->nullable) {
        return error_set(e, ERR_INVALID_ARGUMENT, "null for the type %s", type_text(type).text);
    }
    return ERR_OK;
}

enum errcode row_values_new(struct row_decoder *d, size_t count, struct row_value **ret,
                            struct error *e)
{
    if (count > d->values_left) {
        return row_corrupt(e, "more values than bytes");
    }
    d->values_left -= count;
    *ret = arena_array(d->arena, count, sizeof **ret);
    return ERR_OK;
}

size_t row_slot_width(const struct type *type)
{
    switch (type->root) {
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
        return 1;
    case TYPE_SMALLINT:
        return 2;
    case TYPE_INTEGER:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_FLOAT:
        return 4;
    case TYPE_CHAR:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_BYTES:
    case TYPE_DECIMAL:
    case TYPE_BIGINT:
    case TYPE_DOUBLE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_ROOT_COUNT:
        break;
    }
    return SLOT_WIDE;
}

void row_scalar_read(const struct type *type, const uint8_t *from, struct row_value *ret)
{
    uint32_t bits32;
    uint64_t bits64;

    if (type->root == TYPE_BOOLEAN) {
        ret->boolean = from[0] != 0;
    } else if (type->root == TYPE_FLOAT) {
        bits32 = get_u32le(from);
        memcpy(&ret->real32, &bits32, sizeof bits32);
    } else if (type->root == TYPE_DOUBLE) {
        bits64 = get_u64le(from);
        memcpy(&ret->real64, &bits64, sizeof bits64);
    } else {
        size_t width = row_slot_width(type);

        ret->integer = width == 1   ? (int8_t)from[0]
                       : width == 2 ? get_i16le(from)
                       : width == 4 ? get_i32le(from)
                                    : get_i64le(from);
    }
}

void row_scalar_write(const struct type *type, const struct row_value *value, uint8_t *to)
{
    uint32_t bits32;
    uint64_t bits64;

    if (type->root == TYPE_BOOLEAN) {
        to[0] = value->boolean;
    } else if (type->root == TYPE_FLOAT) {
        memcpy(&bits32, &value->real32, sizeof bits32);
        put_u32le(to, bits32);
    } else if (type->root == TYPE_DOUBLE) {
        memcpy(&bits64, &value->real64, sizeof bits64);
        put_u64le(to, bits64);
    } else {
        uint8_t wide[8];

        put_i64le(wide, value->integer);
        memcpy(to, wide, row_slot_width(type));
    }
}

/* ---- reading ---- */

static enum errcode read_fields(struct row_decoder *d, const struct type *row, struct bytes in,
                                struct row_value *ret, struct error *e)
{
    struct row_value *fields = NULL;

    TRY(row_values_new(d, row->count, &fields, e));
    if (d->layout == ROW_COMPACTED) {
        TRY(row_compacted_read(d, row, in, fields, e));
    } else {
        TRY(row_indexed_read(d, row, in, fields, e));
    }
    ret->count = row->count;
    ret->items = fields;
    return ERR_OK;
}

enum errcode row_nested_read(struct row_decoder *d, const struct type *type, struct bytes in,
                             struct row_value *ret, struct error *e)
{
    if (type->root == TYPE_ROW) {
        return read_fields(d, type, in, ret, e);
    }
    if (type->root == TYPE_MAP) {
        return read_map(d, type, in, ret, e);
    }
    ASSERT(type->root == TYPE_ARRAY);
    return read_array(d, type->fields[0].type, in, ret, e);
}

/* The variable data a slot points to. */
static enum errcode slot_data(struct bytes array, uint64_t slot, size_t len, struct bytes *ret,
                              struct error *e)
{
    size_t offset = (size_t)(slot >> 32);

    if (offset > array.len || len > array.len - offset) {
        return row_corrupt(e, "a slot points outside of its array");
    }
    *ret = bytes_slice(array, offset, len);
    return ERR_OK;
}

static enum errcode read_slot_text(struct bytes array, const uint8_t *slot, struct bytes *ret,
                                   struct error *e)
{
    uint64_t word = get_u64le(slot);

    if ((slot[7] & IN_PLACE) != 0) {
        if ((slot[7] & ~IN_PLACE) > IN_PLACE_MAX) {
            return row_corrupt(e, "more than 7 bytes in a slot");
        }
        *ret = bytes_of(slot, slot[7] & ~IN_PLACE);
        return ERR_OK;
    }
    return slot_data(array, word, (uint32_t)word, ret, e);
}

static enum errcode read_slot(struct row_decoder *d, const struct type *type, struct bytes array,
                              const uint8_t *slot, struct row_value *ret, struct error *e)
{
    uint64_t word = row_slot_width(type) == SLOT_WIDE ? get_u64le(slot) : 0;
    struct bytes data = BYTES_EMPTY;

    if (row_is_text(type)) {
        return read_slot_text(array, slot, &ret->bytes, e);
    }
    if (row_is_large_decimal(type)) {
        TRY(slot_data(array, word, (uint32_t)word, &ret->bytes, e));
        return row_check_decimal(ret->bytes, e);
    }
    if (type_is_nested(type)) {
        TRY(slot_data(array, word, (uint32_t)word, &data, e));
        return row_nested_read(d, type, data, ret, e);
    }
    if (row_is_timestamp(type) && type_is_compact_timestamp(type)) {
        ret->timestamp.millis = (int64_t)word;
    } else if (row_is_timestamp(type)) {
        TRY(slot_data(array, word, 8, &data, e));
        ret->timestamp.millis = get_i64le(data.data);
        ret->timestamp.nanos = (int32_t)(uint32_t)word;
        TRY(row_check_nanos(ret->timestamp.nanos, e));
    } else {
        row_scalar_read(type, slot, ret);
    }
    return ERR_OK;
}

static size_t array_header_size(size_t count) { return 4 + (count + 31) / 32 * 4; }

static size_t padded(size_t size) { return (size + 7) / 8 * 8; }

static enum errcode read_array(struct row_decoder *d, const struct type *element, struct bytes in,
                               struct row_value *ret, struct error *e)
{
    struct reader r = reader_of(in);
    uint32_t count = reader_u32le(&r);
    size_t width = row_slot_width(element);
    struct row_value *items = NULL;

    if (r.failed || count > INT32_MAX || array_header_size(count) + count * width > in.len) {
        return row_corrupt(e, "array cut short");
    }
    TRY(row_values_new(d, count, &items, e));
    for (size_t i = 0; i < count; i++) {
        if (element->nullable && row_bit(in.data + 4, i)) {
            items[i].null = true;
        } else {
            TRY(read_slot(d, element, in, in.data + array_header_size(count) + i * width, &items[i],
                          e));
        }
    }
    ret->count = count;
    ret->items = items;
    return ERR_OK;
}

static enum errcode read_map(struct row_decoder *d, const struct type *type, struct bytes in,
                             struct row_value *ret, struct error *e)
{
    struct reader r = reader_of(in);
    struct bytes keys_raw = reader_bytes(&r, reader_u32le(&r));
    struct row_value keys = {.null = false};
    struct row_value values = {.null = false};
    struct row_value *items = NULL;

    if (r.failed) {
        return row_corrupt(e, "map cut short");
    }
    TRY(read_array(d, type->fields[0].type, keys_raw, &keys, e));
    TRY(read_array(d, type->fields[1].type, r.rest, &values, e));
    if (keys.count != values.count) {
        return row_corrupt(e, "a map with more keys than values, or fewer");
    }
    items = arena_array(d->arena, (size_t)keys.count * 2, sizeof *items);
    memcpy(items, keys.items, keys.count * sizeof *items);
    memcpy(items + keys.count, values.items, values.count * sizeof *items);
    ret->count = keys.count;
    ret->items = items;
    return ERR_OK;
}

/* ---- writing ---- */

static enum errcode write_fields(struct row_buffer *b, const struct type *row,
                                 const struct row_value *fields, struct error *e)
{
    return b->layout == ROW_COMPACTED ? row_compacted_write(b, row, fields, e)
                                      : row_indexed_write(b, row, fields, e);
}

/* Appends variable data to an array that starts at `start`; returns its offset << 32. */
static uint64_t append_data(struct row_buffer *b, size_t start, struct bytes data, size_t room)
{
    uint64_t offset = b->len - start;
    uint8_t *to = row_buffer_room(b, padded(room));

    ASSERT(offset <= UINT32_MAX);
    if (data.len > 0) {
        memcpy(to, data.data, data.len);
    }
    return offset << 32;
}

static uint64_t text_word(struct row_buffer *b, size_t start, struct bytes text)
{
    uint8_t slot[SLOT_WIDE] = {0};

    if (text.len > IN_PLACE_MAX) {
        return append_data(b, start, text, text.len) | text.len;
    }
    if (text.len > 0) {
        memcpy(slot, text.data, text.len);
    }
    slot[7] = (uint8_t)(IN_PLACE | text.len);
    return get_u64le(slot);
}

static uint64_t timestamp_word(struct row_buffer *b, size_t start, const struct type *type,
                               const struct row_value *value)
{
    uint8_t millis[8];

    if (type_is_compact_timestamp(type)) {
        return (uint64_t)value->timestamp.millis;
    }
    put_i64le(millis, value->timestamp.millis);
    return append_data(b, start, bytes_of(millis, sizeof millis), sizeof millis) |
           (uint32_t)value->timestamp.nanos;
}

static enum errcode nested_data(struct row_buffer *b, const struct type *type,
                                const struct row_value *value, struct bytes *ret, struct error *e)
{
    struct row_buffer inner = {.layout = b->layout, .arena = b->arena};

    TRY(row_nested_write(&inner, type, value, e));
    *ret = bytes_of(inner.data, inner.len);
    return ERR_OK;
}

/* An array being written: where it starts in the buffer, and its element type. */
struct array_out {
    struct row_buffer *b;
    size_t start;
    const struct type *element;
};

static enum errcode write_slot(const struct array_out *a, size_t slot,
                               const struct row_value *value, struct error *e)
{
    const struct type *type = a->element;
    struct bytes data = BYTES_EMPTY;
    uint64_t word;

    if (row_is_text(type)) {
        word = text_word(a->b, a->start, value->bytes);
    } else if (row_is_large_decimal(type)) {
        if (value->bytes.len > DECIMAL_ROOM) {
            return error_set(e, ERR_INVALID_ARGUMENT, "a decimal of %zu bytes", value->bytes.len);
        }
        word = append_data(a->b, a->start, value->bytes, DECIMAL_ROOM) | value->bytes.len;
    } else if (type_is_nested(type)) {
        TRY(nested_data(a->b, type, value, &data, e));
        word = append_data(a->b, a->start, data, data.len) | data.len;
    } else if (row_is_timestamp(type)) {
        word = timestamp_word(a->b, a->start, type, value);
    } else {
        row_scalar_write(type, value, a->b->data + slot);
        return ERR_OK;
    }
    put_u64le(a->b->data + slot, word); /* only now: appending moves the buffer */
    return ERR_OK;
}

static enum errcode write_array(struct row_buffer *b, const struct type *element,
                                const struct row_value *items, uint32_t count, struct error *e)
{
    const struct array_out a = {.b = b, .start = b->len, .element = element};
    size_t header = array_header_size(count);
    size_t width = row_slot_width(element);

    put_u32le(row_buffer_room(b, padded(header + count * width)), count);
    for (uint32_t i = 0; i < count; i++) {
        TRY(row_check_null(element, &items[i], e));
        if (items[i].null) {
            b->data[a.start + 4 + i / 8] |= (uint8_t)(1 << i % 8);
        } else {
            TRY(write_slot(&a, a.start + header + i * width, &items[i], e));
        }
    }
    return ERR_OK;
}

static enum errcode write_map(struct row_buffer *b, const struct type *type,
                              const struct row_value *value, struct error *e)
{
    struct row_buffer keys = {.layout = b->layout, .arena = b->arena};
    struct row_buffer values = {.layout = b->layout, .arena = b->arena};

    TRY(write_array(&keys, type->fields[0].type, value->items, value->count, e));
    TRY(write_array(&values, type->fields[1].type, value->items + value->count, value->count, e));
    put_u32le(row_buffer_room(b, 4), (uint32_t)keys.len);
    row_buffer_bytes(b, bytes_of(keys.data, keys.len));
    row_buffer_bytes(b, bytes_of(values.data, values.len));
    return ERR_OK;
}

enum errcode row_nested_write(struct row_buffer *b, const struct type *type,
                              const struct row_value *value, struct error *e)
{
    if (type->root == TYPE_ROW) {
        ASSERT(value->count == type->count);
        return write_fields(b, type, value->items, e);
    }
    if (type->root == TYPE_MAP) {
        return write_map(b, type, value, e);
    }
    ASSERT(type->root == TYPE_ARRAY);
    return write_array(b, type->fields[0].type, value->items, value->count, e);
}

/* ---- comparing ---- */

static bool items_equal(const struct type *type, const struct row_value *a,
                        const struct row_value *b)
{
    size_t total = type->root == TYPE_MAP ? (size_t)a->count * 2 : a->count;

    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < total; i++) {
        size_t child = type->root == TYPE_ROW ? i : type->root == TYPE_MAP ? i >= a->count : 0;

        if (!row_value_equal(type->fields[child].type, &a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}

static bool reals_equal(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

bool row_value_equal(const struct type *type, const struct row_value *a, const struct row_value *b)
{
    if (a->null || b->null) {
        return a->null == b->null;
    }
    if (type_is_nested(type)) {
        return items_equal(type, a, b);
    }
    if (row_is_text(type) || row_is_large_decimal(type)) {
        return bytes_equal(a->bytes, b->bytes);
    }
    if (row_is_timestamp(type)) {
        return a->timestamp.millis == b->timestamp.millis &&
               a->timestamp.nanos == b->timestamp.nanos;
    }
    if (type->root == TYPE_BOOLEAN) {
        return a->boolean == b->boolean;
    }
    if (type->root == TYPE_FLOAT) {
        return reals_equal((double)a->real32, (double)b->real32);
    }
    return type->root == TYPE_DOUBLE ? reals_equal(a->real64, b->real64) : a->integer == b->integer;
}
