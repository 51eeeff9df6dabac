/* The COMPACTED layout, drawn in row.h. */
#include "row_codec.h"

static enum errcode read_value(struct row_decoder *d, const struct type *type, struct reader *r,
                               struct row_value *ret, struct error *e);
static enum errcode write_value(struct row_buffer *b, const struct type *type,
                                const struct row_value *value, struct error *e);

enum errcode row_compacted_read(struct row_decoder *d, const struct type *row, struct bytes in,
                                struct row_value *fields, struct error *e)
{
    struct reader r = reader_of(in);
    struct bytes nulls = reader_bytes(&r, row_null_bytes(row->count));

    if (r.failed) {
        return row_corrupt(e, "null bits cut short");
    }
    for (uint32_t i = 0; i < row->count; i++) {
        const struct type *type = row->fields[i].type;

        if (type->nullable && row_bit(nulls.data, i)) {
            fields[i].null = true;
        } else {
            TRY(read_value(d, type, &r, &fields[i], e));
        }
    }
    return r.rest.len == 0 ? ERR_OK : row_corrupt(e, "bytes after the last field");
}

/* A varint that is the pattern of 32 bits. */
static int32_t read_int(struct reader *r)
{
    uint64_t pattern = reader_varint64(r);

    if (pattern > UINT32_MAX) {
        r->failed = true;
        return 0;
    }
    return (int32_t)(uint32_t)pattern;
}

static enum errcode read_timestamp(const struct type *type, struct reader *r, struct row_value *ret,
                                   struct error *e)
{
    ret->timestamp.millis = (int64_t)reader_varint64(r);
    ret->timestamp.nanos = type_is_compact_timestamp(type) ? 0 : read_int(r);
    return row_check_nanos(ret->timestamp.nanos, e);
}

static struct bytes read_sized(struct reader *r)
{
    uint64_t len = reader_varint64(r);

    return reader_bytes(r, (size_t)len);
}

static enum errcode read_value(struct row_decoder *d, const struct type *type, struct reader *r,
                               struct row_value *ret, struct error *e)
{
    struct bytes raw = BYTES_EMPTY;

    if (type_is_nested(type)) {
        raw = read_sized(r);
        return r->failed ? row_corrupt(e, "field cut short")
                         : row_nested_read(d, type, raw, ret, e);
    }
    if (row_is_text(type) || row_is_large_decimal(type)) {
        ret->bytes = read_sized(r);
    } else if (row_is_timestamp(type)) {
        TRY(read_timestamp(type, r, ret, e));
    } else if (type->root == TYPE_INTEGER || type->root == TYPE_DATE || type->root == TYPE_TIME) {
        ret->integer = read_int(r);
    } else if (type->root == TYPE_BIGINT || type->root == TYPE_DECIMAL) {
        ret->integer = (int64_t)reader_varint64(r);
    } else {
        raw = reader_bytes(r, row_slot_width(type));
        if (!r->failed) {
            row_scalar_read(type, raw.data, ret);
        }
    }
    if (r->failed) {
        return row_corrupt(e, "field cut short");
    }
    return row_is_large_decimal(type) ? row_check_decimal(ret->bytes, e) : ERR_OK;
}

/* ---- writing ---- */

enum errcode row_compacted_write(struct row_buffer *b, const struct type *row,
                                 const struct row_value *fields, struct error *e)
{
    size_t nulls = b->len;

    (void)row_buffer_room(b, row_null_bytes(row->count));
    for (uint32_t i = 0; i < row->count; i++) {
        TRY(row_check_null(row->fields[i].type, &fields[i], e));
        if (fields[i].null) {
            b->data[nulls + i / 8] |= (uint8_t)(1 << i % 8);
        } else {
            TRY(write_value(b, row->fields[i].type, &fields[i], e));
        }
    }
    return ERR_OK;
}

static void write_varint(struct row_buffer *b, uint64_t value)
{
    size_t len = varint64_size(value);
    struct writer w = writer_of(row_buffer_room(b, len), len);

    writer_varint64(&w, value);
}

static void write_sized(struct row_buffer *b, struct bytes bytes)
{
    write_varint(b, bytes.len);
    row_buffer_bytes(b, bytes);
}

static enum errcode write_nested(struct row_buffer *b, const struct type *type,
                                 const struct row_value *value, struct error *e)
{
    struct row_buffer inner = {.layout = b->layout, .arena = b->arena};

    TRY(row_nested_write(&inner, type, value, e));
    write_sized(b, bytes_of(inner.data, inner.len));
    return ERR_OK;
}

static enum errcode write_value(struct row_buffer *b, const struct type *type,
                                const struct row_value *value, struct error *e)
{
    if (type_is_nested(type)) {
        return write_nested(b, type, value, e);
    }
    if (row_is_text(type) || row_is_large_decimal(type)) {
        write_sized(b, value->bytes);
    } else if (row_is_timestamp(type)) {
        write_varint(b, (uint64_t)value->timestamp.millis);
        if (!type_is_compact_timestamp(type)) {
            write_varint(b, (uint32_t)value->timestamp.nanos);
        }
    } else if (type->root == TYPE_INTEGER || type->root == TYPE_DATE || type->root == TYPE_TIME) {
        write_varint(b, (uint32_t)value->integer);
    } else if (type->root == TYPE_BIGINT || type->root == TYPE_DECIMAL) {
        write_varint(b, (uint64_t)value->integer);
    } else {
        row_scalar_write(type, value, row_buffer_room(b, row_slot_width(type)));
    }
    return ERR_OK;
}
