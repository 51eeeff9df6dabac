/* The INDEXED layout, drawn in row.h. */
#include "row_codec.h"

#define LENGTH_SIZE 4
/* Of a CHAR(n) or BINARY(n) value we write, which is n bytes long whatever its content. */
#define PADDED_SIZE_MAX (16 * 1024 * 1024)

static bool is_padded(const struct type *type)
{
    return type->root == TYPE_CHAR || type->root == TYPE_BINARY;
}

static bool is_variable(const struct type *type)
{
    return type->root == TYPE_STRING || type->root == TYPE_BYTES || row_is_large_decimal(type) ||
           type_is_nested(type);
}

static size_t variable_count(const struct type *row)
{
    size_t count = 0;

    for (uint32_t i = 0; i < row->count; i++) {
        count += is_variable(row->fields[i].type);
    }
    return count;
}

/* ---- reading ---- */

static enum errcode read_fixed(const struct type *type, struct reader *r, struct row_value *ret,
                               struct error *e)
{
    struct bytes raw;

    if (row_is_timestamp(type)) {
        ret->timestamp.millis = reader_i64le(r);
        ret->timestamp.nanos = type_is_compact_timestamp(type) ? 0 : reader_i32le(r);
        TRY(row_check_nanos(ret->timestamp.nanos, e));
    } else if (is_padded(type)) {
        raw = reader_bytes(r, (size_t)type->length);
        while (raw.len > 0 && raw.data[raw.len - 1] == 0) {
            raw.len--;
        }
        ret->bytes = raw;
    } else {
        raw = reader_bytes(r, row_slot_width(type));
        if (!r->failed) {
            row_scalar_read(type, raw.data, ret);
        }
    }
    return r->failed ? row_corrupt(e, "field cut short") : ERR_OK;
}

static enum errcode read_variable(struct row_decoder *d, const struct type *type, struct bytes raw,
                                  struct row_value *ret, struct error *e)
{
    if (type_is_nested(type)) {
        return row_nested_read(d, type, raw, ret, e);
    }
    ret->bytes = raw;
    return row_is_large_decimal(type) ? row_check_decimal(raw, e) : ERR_OK;
}

enum errcode row_indexed_read(struct row_decoder *d, const struct type *row, struct bytes in,
                              struct row_value *fields, struct error *e)
{
    struct reader r = reader_of(in);
    struct bytes nulls = reader_bytes(&r, row_null_bytes(row->count));
    struct reader lengths = reader_of(reader_bytes(&r, variable_count(row) * LENGTH_SIZE));

    if (r.failed) {
        return row_corrupt(e, "header cut short");
    }
    for (uint32_t i = 0; i < row->count; i++) {
        const struct type *type = row->fields[i].type;

        if (type->nullable && row_bit(nulls.data, i)) {
            fields[i].null = true;
        } else if (is_variable(type)) {
            struct bytes raw = reader_bytes(&r, reader_u32le(&lengths));

            if (r.failed) {
                return row_corrupt(e, "field cut short");
            }
            TRY(read_variable(d, type, raw, &fields[i], e));
        } else {
            TRY(read_fixed(type, &r, &fields[i], e));
        }
    }
    return r.rest.len == 0 ? ERR_OK : row_corrupt(e, "bytes after the last field");
}

/* ---- writing ---- */

static enum errcode write_padded(struct row_buffer *b, const struct type *type,
                                 const struct row_value *value, struct error *e)
{
    size_t length = (size_t)type->length;

    if (value->bytes.len > length || length > PADDED_SIZE_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%zu bytes do not fit into an INDEXED %s",
                         value->bytes.len, type_text(type).text);
    }
    if (value->bytes.len > 0) {
        memcpy(row_buffer_room(b, length), value->bytes.data, value->bytes.len);
    } else {
        (void)row_buffer_room(b, length);
    }
    return ERR_OK;
}

static enum errcode write_fixed(struct row_buffer *b, const struct type *type,
                                const struct row_value *value, struct error *e)
{
    if (is_padded(type)) {
        return write_padded(b, type, value, e);
    }
    if (row_is_timestamp(type)) {
        put_i64le(row_buffer_room(b, 8), value->timestamp.millis);
        if (!type_is_compact_timestamp(type)) {
            put_i32le(row_buffer_room(b, 4), value->timestamp.nanos);
        }
        return ERR_OK;
    }
    row_scalar_write(type, value, row_buffer_room(b, row_slot_width(type)));
    return ERR_OK;
}

/* Writes the value and its length into the next slot, which *slot is moved over. */
static enum errcode write_variable(struct row_buffer *b, const struct type *type,
                                   const struct row_value *value, size_t *slot, struct error *e)
{
    struct row_buffer inner = {.layout = b->layout, .arena = b->arena};
    struct bytes raw = value->bytes;

    if (type_is_nested(type)) {
        TRY(row_nested_write(&inner, type, value, e));
        raw = bytes_of(inner.data, inner.len);
    }
    row_buffer_bytes(b, raw);
    put_u32le(b->data + *slot, (uint32_t)raw.len);
    *slot += LENGTH_SIZE;
    return ERR_OK;
}

enum errcode row_indexed_write(struct row_buffer *b, const struct type *row,
                               const struct row_value *fields, struct error *e)
{
    size_t nulls = b->len;
    size_t slot = nulls + row_null_bytes(row->count);

    (void)row_buffer_room(b, row_null_bytes(row->count) + variable_count(row) * LENGTH_SIZE);
    for (uint32_t i = 0; i < row->count; i++) {
        const struct type *type = row->fields[i].type;

        TRY(row_check_null(type, &fields[i], e));
        if (fields[i].null) {
            b->data[nulls + i / 8] |= (uint8_t)(1 << i % 8);
        } else if (is_variable(type)) {
            TRY(write_variable(b, type, &fields[i], &slot, e));
        } else {
            TRY(write_fixed(b, type, &fields[i], e));
        }
    }
    return ERR_OK;
}
