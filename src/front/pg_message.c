#include "pg_message.h"

#include <stdio.h>

#include "base/utf8.h"

static enum pg_taken take_first(struct bytes *in, struct pg_message *ret)
{
    struct reader r = reader_of(*in);
    uint32_t len = reader_u32be(&r);
    uint32_t code = reader_u32be(&r);

    if (in->len >= 4 && (len < 8 || len > PG_STARTUP_MAX)) {
        return PG_MALFORMED;
    }
    if (r.failed || in->len < len) {
        return PG_INCOMPLETE;
    }
    *ret = (struct pg_message){.code = code, .body = bytes_slice(*in, 8, len - 8)};
    *in = bytes_slice(*in, len, in->len - len);
    return PG_MESSAGE;
}

enum pg_taken pg_take(struct bytes *in, bool first, struct pg_message *ret)
{
    uint32_t len;

    if (first) {
        return take_first(in, ret);
    }
    if (in->len < 5) {
        return PG_INCOMPLETE;
    }
    len = get_u32be(in->data + 1);
    if (len < 4 || len > PG_MESSAGE_MAX) {
        return PG_MALFORMED;
    }
    if (in->len - 1 < len) {
        return PG_INCOMPLETE;
    }
    *ret = (struct pg_message){.type = in->data[0], .body = bytes_slice(*in, 5, len - 4)};
    *in = bytes_slice(*in, (size_t)len + 1, in->len - len - 1);
    return PG_MESSAGE;
}

const char *pg_text(struct reader *r)
{
    const uint8_t *end = r->rest.len == 0 ? NULL : memchr(r->rest.data, 0, r->rest.len);
    struct bytes text;

    if (r->failed || end == NULL) {
        r->failed = true;
        return "";
    }
    text = reader_bytes(r, (size_t)(end - r->rest.data) + 1);
    if (!utf8_valid(bytes_of(text.data, text.len - 1))) {
        r->failed = true;
        return "";
    }
    return (const char *)text.data;
}

struct bytes pg_value(struct reader *r, bool *ret_null)
{
    int32_t len = reader_i32be(r);

    *ret_null = !r->failed && len == -1;
    if (*ret_null) {
        return BYTES_EMPTY;
    }
    if (len < 0) {
        r->failed = true;
        return BYTES_EMPTY;
    }
    return reader_bytes(r, (size_t)len);
}

/* ---- building ---- */

size_t pg_begin(struct buffer *out, uint8_t type)
{
    buffer_u8(out, type);
    (void)buffer_room(out, 4);
    return out->len - 4;
}

void pg_end(struct buffer *out, size_t start)
{
    put_u32be(out->data + start, (uint32_t)(out->len - start));
}

void pg_put_u16(struct buffer *out, uint16_t value) { put_u16be(buffer_room(out, 2), value); }
void pg_put_u32(struct buffer *out, uint32_t value) { put_u32be(buffer_room(out, 4), value); }

void pg_put_text(struct buffer *out, const char *text)
{
    buffer_bytes(out, bytes_of(text, strlen(text) + 1));
}

static void put_field(struct buffer *out, uint8_t field, const char *text)
{
    buffer_u8(out, field);
    pg_put_text(out, text);
}

static size_t begin_error(struct buffer *out, uint8_t type, const char *state, const char *message)
{
    size_t start = pg_begin(out, type);
    const char *severity = type == 'N'                                             ? "WARNING"
                           : state[0] == '5' && state[1] == '7' && state[2] == 'P' ? "FATAL"
                                                                                   : "ERROR";

    put_field(out, 'S', severity);
    put_field(out, 'V', severity);
    put_field(out, 'C', state);
    put_field(out, 'M', message);
    return start;
}

void pg_put_error(struct buffer *out, uint8_t type, const char *state, const char *message)
{
    size_t start = begin_error(out, type, state, message);

    buffer_u8(out, 0);
    pg_end(out, start);
}

void pg_put_failure(struct buffer *out, const struct pg_error *error)
{
    size_t start = begin_error(out, 'E', error->state, error->message);
    char number[24];

    if (error->hint[0] != '\0') {
        put_field(out, 'H', error->hint);
    }
    if (error->position > 0) {
        (void)snprintf(number, sizeof number, "%zu", error->position);
        put_field(out, 'P', number);
    }
    buffer_u8(out, 0);
    pg_end(out, start);
}

void pg_put_parameter(struct buffer *out, const char *name, const char *value)
{
    size_t start = pg_begin(out, 'S');

    pg_put_text(out, name);
    pg_put_text(out, value);
    pg_end(out, start);
}

void pg_put_ready(struct buffer *out, uint8_t status)
{
    size_t start = pg_begin(out, 'Z');

    buffer_u8(out, status);
    pg_end(out, start);
}

void pg_put_empty(struct buffer *out, uint8_t type) { pg_end(out, pg_begin(out, type)); }

void pg_put_complete(struct buffer *out, const char *tag)
{
    size_t start = pg_begin(out, 'C');

    pg_put_text(out, tag);
    pg_end(out, start);
}
