#include "pg_array.h"

#include "pg_parameter.h"

#include <ctype.h>
#include <strings.h>

#include "base/buffer.h"

uint32_t pg_array_element(uint32_t oid)
{
    static const struct {
        uint32_t array;
        uint32_t element;
    } arrays[] = {
        {1000, 16},   {1003, 19},   {1005, 21},   {1007, 23},   {1009, 25},   {1014, 1042},
        {1015, 1043}, {1016, 20},   {1021, 700},  {1022, 701},  {1028, 26},   {1115, 1114},
        {1182, 1082}, {1183, 1083}, {1185, 1184}, {1231, 1700}, {2951, 2950},
    };

    for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
        if (arrays[i].array == oid) {
            return arrays[i].element;
        }
    }
    return 0;
}

static void add_separator(struct buffer *out, size_t index)
{
    if (index > 0) {
        buffer_bytes(out, bytes_str(", "));
    }
}

static void add_escaped(struct buffer *out, uint8_t c)
{
    if (c == '"' || c == '\\') {
        buffer_u8(out, '\\');
    }
    buffer_u8(out, c);
}

static void add_quoted(struct buffer *out, struct bytes text)
{
    buffer_u8(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        add_escaped(out, text.data[i]);
    }
    buffer_u8(out, '"');
}

/* ---- binary: dimensions, flags, element type; size and lower bound of each; elements ---- */

static enum errcode malformed(struct error *e)
{
    return error_set(e, ERR_CORRUPT_MESSAGE, "a parameter is no array of its type");
}

static enum errcode dimensions(struct error *e)
{
    return error_set(e, ERR_UNSUPPORTED_OPERATION, "arrays of more than one dimension");
}

enum errcode pg_array_of_binary(uint32_t oid, struct bytes value, struct arena *arena,
                                struct bytes *ret, struct error *e)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct reader r = reader_of(value);
    uint32_t dimension_count = reader_u32be(&r);
    uint32_t element;
    uint32_t count = 0;

    (void)reader_u32be(&r);
    element = reader_u32be(&r);
    if (dimension_count > 1) {
        return dimensions(e);
    }
    if (dimension_count == 1) {
        count = reader_u32be(&r);
        (void)reader_u32be(&r);
    }
    if (r.failed || element != pg_array_element(oid)) {
        return malformed(e);
    }
    buffer_u8(&out, '[');
    for (uint32_t i = 0; i < count; i++) {
        uint32_t len = reader_u32be(&r);
        struct bytes item = reader_bytes(&r, len == UINT32_MAX ? 0 : len);

        if (r.failed) {
            return malformed(e);
        }
        add_separator(&out, i);
        if (len == UINT32_MAX) {
            buffer_bytes(&out, bytes_str("NULL"));
            continue;
        }
        TRY(pg_parameter_text(element, item, arena, &item, e));
        add_quoted(&out, item);
    }
    buffer_u8(&out, ']');
    *ret = arena_copy(arena, bytes_of(out.data, out.len));
    return r.rest.len == 0 ? ERR_OK : malformed(e);
}

/* ---- text: {a,"b \"c\"",NULL} ---- */

static void skip_space(struct bytes *text)
{
    while (text->len > 0 && isspace(text->data[0])) {
        *text = bytes_slice(*text, 1, text->len - 1);
    }
}

static bool take(struct bytes *text, char c)
{
    if (text->len == 0 || text->data[0] != (uint8_t)c) {
        return false;
    }
    *text = bytes_slice(*text, 1, text->len - 1);
    return true;
}

static bool take_quoted(struct bytes *text, struct buffer *out)
{
    size_t i = 1;

    buffer_u8(out, '"');
    while (i < text->len && text->data[i] != '"') {
        i += text->data[i] == '\\' && i + 1 < text->len ? 1 : 0;
        add_escaped(out, text->data[i++]);
    }
    buffer_u8(out, '"');
    if (i >= text->len) {
        return false;
    }
    *text = bytes_slice(*text, i + 1, text->len - i - 1);
    return true;
}

static bool take_plain(struct bytes *text, struct buffer *out)
{
    size_t len = 0;
    size_t solid = 0;

    while (len < text->len && strchr(",{}\"\\", text->data[len]) == NULL) {
        len++;
        solid = isspace(text->data[len - 1]) ? solid : len;
    }
    if (solid == 0) {
        return false;
    }
    if (solid == 4 && strncasecmp((const char *)text->data, "null", 4) == 0) {
        buffer_bytes(out, bytes_str("NULL"));
    } else {
        add_quoted(out, bytes_slice(*text, 0, solid));
    }
    *text = bytes_slice(*text, len, text->len - len);
    return true;
}

static bool take_items(struct bytes *text, struct buffer *out)
{
    size_t count = 0;

    skip_space(text);
    if (take(text, '}')) {
        return true;
    }
    do {
        add_separator(out, count++);
        skip_space(text);
        if (text->len == 0 ||
            !(text->data[0] == '"' ? take_quoted(text, out) : take_plain(text, out))) {
            return false;
        }
        skip_space(text);
    } while (take(text, ','));
    return take(text, '}');
}

enum errcode pg_array_of_text(struct bytes value, struct arena *arena, struct bytes *ret,
                              struct error *e)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;

    skip_space(&value);
    if (!take(&value, '{')) {
        return malformed(e);
    }
    if (value.len > 0 && value.data[0] == '{') {
        return dimensions(e);
    }
    buffer_u8(&out, '[');
    if (!take_items(&value, &out)) {
        return malformed(e);
    }
    skip_space(&value);
    buffer_u8(&out, ']');
    *ret = arena_copy(arena, bytes_of(out.data, out.len));
    return value.len == 0 ? ERR_OK : malformed(e);
}
