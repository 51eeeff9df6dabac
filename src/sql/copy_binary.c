#include "copy_binary.h"

#include "pg_array.h"
#include "pg_parameter.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"

static const uint8_t signature[] = "PGCOPY\n\377\r\n";

#define SIGNATURE_SIZE sizeof signature /* with its zero byte */
#define HEADER_SIZE    (SIGNATURE_SIZE + 8)

static bool bad(const struct copy_reader *r, const char *state, const char *what,
                struct sql_error *e)
{
    char text[500];

    (void)snprintf(text, sizeof text, "COPY row %" PRIu64 ": %s", r->line, what);
    return sql_fail(e, state, text);
}

/* The next thing has so many bytes. */
static void expect(struct copy_reader *r, enum copy_state state, size_t bytes)
{
    r->state = state;
    r->need = bytes;
    buffer_clear(&r->field);
}

static void put_hex(struct bytes value, struct arena *arena, struct bytes *ret)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *text = arena_alloc(arena, 2 + 2 * value.len);

    text[0] = '\\';
    text[1] = 'x';
    for (size_t i = 0; i < value.len; i++) {
        text[2 + 2 * i] = (uint8_t)digits[value.data[i] >> 4];
        text[3 + 2 * i] = (uint8_t)digits[value.data[i] & 15];
    }
    *ret = bytes_of(text, 2 + 2 * value.len);
}

static bool take_value(struct copy_reader *r, struct sql_error *e)
{
    struct copy_cell *cell = &r->cells[r->rows * r->columns + r->at];
    struct bytes value = arena_copy(&r->arena, buffer_view(&r->field));
    uint32_t oid = r->oids[r->at];
    enum errcode code = ERR_OK;
    struct error why;

    cell->null = false;
    if (oid == PG_OID_BYTEA) {
        put_hex(value, &r->arena, &cell->text);
    } else if (pg_array_element(oid) != 0) {
        code = pg_array_of_binary(oid, value, &r->arena, &cell->text, &why);
    } else {
        code = pg_parameter_text(oid, value, &r->arena, &cell->text, &why);
    }
    if (code != ERR_OK) {
        return bad(r, code == ERR_UNSUPPORTED_OPERATION ? "0A000" : "22P03", why.message, e);
    }
    if (cell->text.len > 0 &&
        (!utf8_valid(cell->text) || memchr(cell->text.data, 0, cell->text.len) != NULL)) {
        return bad(r, "22021", "a field is not UTF-8, or has a zero byte", e);
    }
    return true;
}

static void next_field(struct copy_reader *r)
{
    r->at++;
    if (r->at == r->columns) {
        r->at = 0;
        r->rows++;
        r->line++;
        expect(r, COPY_BINARY_COUNT, 2);
    } else {
        expect(r, COPY_BINARY_LEN, 4);
    }
}

static bool take_header(struct copy_reader *r, struct sql_error *e)
{
    uint32_t flags = get_u32be(r->field.data + SIGNATURE_SIZE);
    uint32_t more = get_u32be(r->field.data + SIGNATURE_SIZE + 4);

    if (memcmp(r->field.data, signature, SIGNATURE_SIZE) != 0) {
        return bad(r, "22P04", "the data do not begin as binary COPY does", e);
    }
    if (flags >> 16 != 0 || more > COPY_FIELD_MAX) {
        return bad(r, "22P04", "the header has flags that are not known, or is too long", e);
    }
    expect(r, COPY_BINARY_MORE, more);
    return true;
}

static bool take_count(struct copy_reader *r, struct sql_error *e)
{
    int count = get_i16be(r->field.data);

    if (count == -1) {
        r->ended = true;
    } else if (count < 0 || (size_t)count != r->columns) {
        char text[80];

        (void)snprintf(text, sizeof text, "it has %d fields, expected %zu", count, r->columns);
        return bad(r, "22P04", text, e);
    } else {
        expect(r, COPY_BINARY_LEN, 4);
    }
    return true;
}

static bool take_len(struct copy_reader *r, struct sql_error *e)
{
    int32_t len = get_i32be(r->field.data);

    if (len == -1) {
        r->cells[r->rows * r->columns + r->at] = (struct copy_cell){.null = true};
        next_field(r);
    } else if (len < 0) {
        return bad(r, "22P04", "a field has an impossible length", e);
    } else if ((size_t)len > COPY_FIELD_MAX) {
        return bad(r, "54000", "a field is too long", e);
    } else {
        expect(r, COPY_BINARY_VALUE, (size_t)len);
    }
    return true;
}

/* All its bytes are there. */
static bool take(struct copy_reader *r, struct sql_error *e)
{
    switch (r->state) {
    case COPY_BINARY_MORE:
        expect(r, COPY_BINARY_COUNT, 2);
        return true;
    case COPY_BINARY_COUNT:
        return take_count(r, e);
    case COPY_BINARY_LEN:
        return take_len(r, e);
    case COPY_BINARY_VALUE:
        if (!take_value(r, e)) {
            return false;
        }
        next_field(r);
        return true;
    case COPY_PLAIN:
    case COPY_BACKSLASH:
    case COPY_RETURN:
    case COPY_QUOTED:
    case COPY_ESCAPED:
    case COPY_QUOTE_BEHIND:
        break;
    }
    return take_header(r, e);
}

bool copy_binary_feed(struct copy_reader *r, struct bytes *in, struct sql_error *e)
{
    size_t len;

    if (r->state == COPY_PLAIN) {
        r->need = HEADER_SIZE;
    }
    while (!r->ended && !copy_reader_full(r)) {
        len = r->need - r->field.len;
        len = len < in->len ? len : in->len;
        buffer_bytes(&r->field, bytes_slice(*in, 0, len));
        *in = bytes_slice(*in, len, in->len - len);
        if (r->field.len < r->need) {
            return true;
        }
        if (!take(r, e)) {
            return false;
        }
    }
    return r->ended && in->len > 0 ? bad(r, "22P04", "there are data behind the end", e) : true;
}

bool copy_binary_end(const struct copy_reader *r, struct sql_error *e)
{
    return r->ended ? true : bad(r, "22P04", "the data end before their end", e);
}

void copy_binary_put_header(struct buffer *out)
{
    static const uint8_t rest[8];

    buffer_bytes(out, bytes_of(signature, SIGNATURE_SIZE));
    buffer_bytes(out, bytes_of(rest, sizeof rest));
}

void copy_binary_put_end(struct buffer *out)
{
    buffer_u8(out, 0xff);
    buffer_u8(out, 0xff);
}
