/* Rows of COPY ... TO, in the formats of copy_reader.h. */
#include "copy_binary.h"
#include "copy_in.h"
#include "statement.h"

static void put_text_field(const struct copy_format *f, struct bytes value, struct buffer *out)
{
    static const char *const from = "\b\f\n\r\t\v\\";
    static const char *const to = "bfnrtv\\";

    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        const char *known = c == '\0' ? NULL : strchr(from, c);

        if (known != NULL) {
            buffer_u8(out, '\\');
            c = (uint8_t)to[known - from];
        } else if (c == (uint8_t)f->delimiter) {
            buffer_u8(out, '\\');
        }
        buffer_u8(out, c);
    }
}

static bool needs_quotes(const struct copy_format *f, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];

        if (c == (uint8_t)f->delimiter || c == (uint8_t)f->quote || c == '\n' || c == '\r') {
            return true;
        }
    }
    return bytes_equal_str(value, f->null) || bytes_equal_str(value, "\\.");
}

static void put_csv_field(const struct copy_format *f, struct bytes value, struct buffer *out)
{
    if (!needs_quotes(f, value)) {
        buffer_bytes(out, value);
        return;
    }
    buffer_u8(out, (uint8_t)f->quote);
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == (uint8_t)f->quote || value.data[i] == (uint8_t)f->escape) {
            buffer_u8(out, (uint8_t)f->escape);
        }
        buffer_u8(out, value.data[i]);
    }
    buffer_u8(out, (uint8_t)f->quote);
}

static void put_field(const struct copy_format *f, struct bytes value, struct buffer *out)
{
    if (f->kind == COPY_KIND_CSV) {
        put_csv_field(f, value, out);
    } else {
        put_text_field(f, value, out);
    }
}

bool sql_copy_header(const struct sql_statement *st, struct buffer *out)
{
    const struct copy_format *f = &st->copy.format;

    if (f->kind == COPY_KIND_BINARY) {
        copy_binary_put_header(out);
        return true;
    }
    for (size_t i = 0; f->header && i < st->column_count; i++) {
        if (i > 0) {
            buffer_u8(out, (uint8_t)f->delimiter);
        }
        put_field(f, bytes_str(st->names[i]), out);
    }
    if (f->header) {
        buffer_u8(out, '\n');
    }
    return f->header;
}

bool sql_copy_trailer(const struct sql_statement *st, struct buffer *out)
{
    if (st->copy.format.kind != COPY_KIND_BINARY) {
        return false;
    }
    copy_binary_put_end(out);
    return true;
}

static void put_binary_row(const struct sql_result *r, size_t row, struct buffer *out)
{
    size_t count = r->statement->column_count;

    put_u16be(buffer_room(out, 2), (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        size_t at = out->len;

        put_u32be(buffer_room(out, 4), UINT32_MAX); /* null */
        if (sql_result_binary(r, row, i, out)) {
            put_u32be(out->data + at, (uint32_t)(out->len - at - 4));
        }
    }
}

void sql_copy_row(const struct sql_result *r, size_t row, struct buffer *out)
{
    const struct copy_format *f = &r->statement->copy.format;
    OWNED(buffer_fini) struct buffer value = BUFFER_INIT;

    if (f->kind == COPY_KIND_PARQUET) {
        buffer_bytes(out, buffer_view(&r->piece));
        return;
    }
    if (f->kind == COPY_KIND_BINARY) {
        put_binary_row(r, row, out);
        return;
    }
    for (size_t i = 0; i < r->statement->column_count; i++) {
        if (i > 0) {
            buffer_u8(out, (uint8_t)f->delimiter);
        }
        buffer_clear(&value);
        if (sql_result_text(r, row, i, &value)) {
            put_field(f, buffer_view(&value), out);
        } else {
            buffer_bytes(out, bytes_str(f->null));
        }
    }
    buffer_u8(out, '\n');
}
