/* Writing of JSON documents, see json.h. The text is what Jackson's default generator writes:
 * no spaces, '"' and '\' and control characters escaped (short forms where JSON has them, else
 * \u00XX in upper case), everything else as UTF-8.
 */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/utf8.h"

#define BUFFER_MIN 256

void json_writer_init(struct json_writer *w, struct arena *arena)
{
    *w = (struct json_writer){.arena = arena};
}

void json_writer_fini(struct json_writer *w)
{
    if (w->arena == NULL) {
        free(w->data);
    }
    *w = (struct json_writer){0};
}

struct bytes json_writer_text(const struct json_writer *w)
{
    ASSERT(w->depth == 0 && w->comma);
    return bytes_of(w->data, w->len);
}

/* Room for len more bytes; the buffer doubles, so the sum of all copies stays linear. */
static uint8_t *reserve(struct json_writer *w, size_t len)
{
    size_t need;

    ASSERT(size_add(w->len, len, &need));
    if (need > w->cap) {
        size_t cap = w->cap < BUFFER_MIN ? BUFFER_MIN : w->cap * 2;

        cap = cap < need ? need : cap;
        if (w->arena == NULL) {
            w->data = mem_realloc(w->data, cap);
        } else {
            uint8_t *grown = arena_alloc(w->arena, cap);

            if (w->len > 0) {
                memcpy(grown, w->data, w->len);
            }
            w->data = grown;
        }
        w->cap = cap;
    }
    return w->data + w->len;
}

static void put(struct json_writer *w, struct bytes text)
{
    if (text.len > 0) {
        memcpy(reserve(w, text.len), text.data, text.len);
        w->len += text.len;
    }
}

static void put_char(struct json_writer *w, char c)
{
    *reserve(w, 1) = (uint8_t)c;
    w->len++;
}

/* What goes before a value. */
static void begin_value(struct json_writer *w)
{
    if (w->comma) {
        ASSERT(w->depth > 0); /* a document has one root */
        put_char(w, ',');
    }
    w->comma = true;
}

static void open_container(struct json_writer *w, char opener, char closer)
{
    ASSERT(w->depth < JSON_DEPTH_MAX);
    begin_value(w);
    put_char(w, opener);
    w->closers[w->depth++] = closer;
    w->comma = false;
}

void json_write_object(struct json_writer *w) { open_container(w, '{', '}'); }

void json_write_array(struct json_writer *w) { open_container(w, '[', ']'); }

void json_write_end(struct json_writer *w)
{
    ASSERT(w->depth > 0);
    put_char(w, w->closers[--w->depth]);
    w->comma = true;
}

static void put_escaped(struct json_writer *w, uint8_t c)
{
    static const char short_forms[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                       ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    char text[8];

    if (c < sizeof short_forms && short_forms[c] != '\0') {
        put_char(w, '\\');
        put_char(w, short_forms[c]);
        return;
    }
    (void)snprintf(text, sizeof text, "\\u%04X", c);
    put(w, bytes_str(text));
}

static void put_quoted(struct json_writer *w, struct bytes text)
{
    size_t start = 0; /* of the bytes not yet copied */
    size_t i = 0;

    put_char(w, '"');
    while (i < text.len) {
        uint8_t c = text.data[i];
        size_t len = c < 0x80 ? 1 : utf8_next(bytes_slice(text, i, text.len - i), NULL);

        if (c >= 0x20 && c != '"' && c != '\\' && len > 0) {
            i += len;
            continue;
        }
        put(w, bytes_slice(text, start, i - start));
        if (len == 0 || c == 0) {
            put(w, bytes_str(UTF8_REPLACEMENT));
        } else {
            put_escaped(w, c);
        }
        start = ++i;
    }
    put(w, bytes_slice(text, start, i - start));
    put_char(w, '"');
}

void json_write_key(struct json_writer *w, const char *key)
{
    ASSERT(w->depth > 0 && w->closers[w->depth - 1] == '}');
    begin_value(w);
    put_quoted(w, bytes_str(key));
    put_char(w, ':');
    w->comma = false;
}

void json_write_null(struct json_writer *w)
{
    begin_value(w);
    put(w, bytes_str("null"));
}

void json_write_bool(struct json_writer *w, bool value)
{
    begin_value(w);
    put(w, bytes_str(value ? "true" : "false"));
}

void json_write_int(struct json_writer *w, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    begin_value(w);
    put(w, bytes_str(text));
}

void json_write_real(struct json_writer *w, double value)
{
    char text[32];

    ASSERT(isfinite(value));
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    begin_value(w);
    put(w, bytes_str(text));
    if (strpbrk(text, ".e") == NULL) {
        put(w, bytes_str(".0"));
    }
}

void json_write_string(struct json_writer *w, const char *value)
{
    json_write_text(w, bytes_str(value));
}

void json_write_text(struct json_writer *w, struct bytes value)
{
    begin_value(w);
    put_quoted(w, value);
}

/* Scalars of a parsed value; the getters cannot fail after the look at the kind. */
static void write_scalar(struct json_writer *w, const struct json *value)
{
    const char *string = NULL;
    bool boolean = false;
    int64_t integer = 0;
    double real = 0;

    if (json_as_string(value, &string, NULL) == ERR_OK) {
        json_write_string(w, string);
    } else if (json_as_bool(value, &boolean, NULL) == ERR_OK) {
        json_write_bool(w, boolean);
    } else if (json_as_i64(value, &integer, NULL) == ERR_OK) {
        json_write_int(w, integer);
    } else if (json_as_real(value, &real, NULL) == ERR_OK) {
        json_write_real(w, real);
    } else {
        json_write_null(w);
    }
}

/* Recursion: as deep as the document, JSON_DEPTH_MAX. */
void json_write_value(struct json_writer *w, const struct json *value)
{
    enum json_kind kind = json_kind_of(value);

    if (kind != JSON_KIND_OBJECT && kind != JSON_KIND_ARRAY) {
        write_scalar(w, value);
        return;
    }
    open_container(w, kind == JSON_KIND_OBJECT ? '{' : '[', kind == JSON_KIND_OBJECT ? '}' : ']');
    JSON_FOR_EACH(member, value)
    {
        if (kind == JSON_KIND_OBJECT) {
            json_write_key(w, json_key_of(member));
        }
        json_write_value(w, member);
    }
    json_write_end(w);
}

void json_write_bool_member(struct json_writer *w, const char *key, bool value)
{
    json_write_key(w, key);
    json_write_bool(w, value);
}

void json_write_int_member(struct json_writer *w, const char *key, int64_t value)
{
    json_write_key(w, key);
    json_write_int(w, value);
}

void json_write_string_member(struct json_writer *w, const char *key, const char *value)
{
    json_write_key(w, key);
    json_write_string(w, value);
}

void json_write_checksum(struct json_writer *w)
{
    json_write_int_member(w, JSON_CHECKSUM, crc32c(bytes_of(w->data, w->len)));
}
