/* Borrowed bytes and the two cursors every format is read and written with.
 *
 * Byte order is in the name. Loads and stores go through memcpy, so any alignment is fine.
 * struct reader is sticky: once a read does not fit it fails, yields zeros and never moves again,
 * so a decoder reads all fields and asks `failed` once. struct writer writes into memory sized
 * beforehand; running over is our own mistake (ASSERT).
 * Thread: any.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "check.h"

#include <endian.h>
#include <string.h>

/* Borrowed, immutable. data may be NULL only when len is 0. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

#define BYTES_EMPTY ((struct bytes){NULL, 0})

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){.data = data, .len = len};
}

static inline struct bytes bytes_str(const char *text)
{
    return (struct bytes){.data = (const uint8_t *)text, .len = strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_equal_str(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_str(text));
}

/* Unsigned byte order, shorter first on a tie. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n == 0 ? 0 : memcmp(a.data, b.data, n);

    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* The part [from, from+len) of b; the caller has checked that it lies inside. */
static inline struct bytes bytes_slice(struct bytes b, size_t from, size_t len)
{
    ASSERT(from <= b.len && len <= b.len - from);
    return (struct bytes){.data = b.data + from, .len = len};
}

/* false on overflow; *ret is then untouched. */
MUST_USE static inline bool size_add(size_t a, size_t b, size_t *ret)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *ret = sum;
    return true;
}

/* X(suffix, bits, fix) for each width and order: get_u16le, put_i16le, reader_u16le and so on. */
#define BYTES_WIDTHS(X)                                                                            \
    X(16le, 16, htole16)                                                                           \
    X(32le, 32, htole32)                                                                           \
    X(64le, 64, htole64)                                                                           \
    X(16be, 16, htobe16)                                                                           \
    X(32be, 32, htobe32)                                                                           \
    X(64be, 64, htobe64)

#define BYTES_ACCESSORS(suffix, bits, fix)                                                         \
    static inline uint##bits##_t get_u##suffix(const uint8_t *p)                                   \
    {                                                                                              \
        uint##bits##_t v;                                                                          \
        memcpy(&v, p, sizeof v);                                                                   \
        return fix(v);                                                                             \
    }                                                                                              \
    static inline void put_u##suffix(uint8_t *p, uint##bits##_t v)                                 \
    {                                                                                              \
        v = fix(v);                                                                                \
        memcpy(p, &v, sizeof v);                                                                   \
    }                                                                                              \
    static inline int##bits##_t get_i##suffix(const uint8_t *p)                                    \
    {                                                                                              \
        return (int##bits##_t)get_u##suffix(p);                                                    \
    }                                                                                              \
    static inline void put_i##suffix(uint8_t *p, int##bits##_t v)                                  \
    {                                                                                              \
        put_u##suffix(p, (uint##bits##_t)v);                                                       \
    }

BYTES_WIDTHS(BYTES_ACCESSORS)

/* ---- reading ---- */

struct reader {
    struct bytes rest; /* not yet read */
    bool failed;
};

static inline struct reader reader_of(struct bytes b) { return (struct reader){.rest = b}; }

/* The next len bytes, borrowed; empty and failed when there are fewer. */
static inline struct bytes reader_bytes(struct reader *r, size_t len)
{
    struct bytes b;

    if (r->failed || len > r->rest.len) {
        r->failed = true;
        return BYTES_EMPTY;
    }
    b = (struct bytes){.data = r->rest.data, .len = len};
    if (len > 0) {
        r->rest.data += len;
    }
    r->rest.len -= len;
    return b;
}

static inline uint8_t reader_u8(struct reader *r)
{
    struct bytes b = reader_bytes(r, 1);

    return r->failed ? 0 : b.data[0];
}

#define READER_FIXED(suffix, bits, fix)                                                            \
    static inline uint##bits##_t reader_u##suffix(struct reader *r)                                \
    {                                                                                              \
        struct bytes b = reader_bytes(r, bits / 8);                                                \
        return r->failed ? 0 : get_u##suffix(b.data);                                              \
    }                                                                                              \
    static inline int##bits##_t reader_i##suffix(struct reader *r)                                 \
    {                                                                                              \
        return (int##bits##_t)reader_u##suffix(r);                                                 \
    }

BYTES_WIDTHS(READER_FIXED)

/* Unsigned varint of at most 10 bytes, low group first (protobuf, COMPACTED rows). Fails when it
 * is cut short or longer than 10 bytes; bits above 64 are dropped as protobuf does. */
static inline uint64_t reader_varint64(struct reader *r)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = reader_u8(r);

        if (r->failed) {
            return 0;
        }
        if (shift < 64) {
            value |= (uint64_t)(byte & 0x7f) << shift;
        }
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    r->failed = true;
    return 0;
}

/* ---- writing ---- */

struct writer {
    uint8_t *data;
    size_t len; /* written so far */
    size_t cap;
};

static inline struct writer writer_of(void *data, size_t cap)
{
    return (struct writer){.data = data, .cap = cap};
}

/* Reserves len bytes and returns where they start. */
static inline uint8_t *writer_room(struct writer *w, size_t len)
{
    uint8_t *p = w->data + w->len;

    ASSERT(len <= w->cap - w->len);
    w->len += len;
    return p;
}

static inline void writer_bytes(struct writer *w, struct bytes b)
{
    uint8_t *p = writer_room(w, b.len);

    if (b.len > 0) {
        memcpy(p, b.data, b.len);
    }
}

static inline void writer_zeros(struct writer *w, size_t len)
{
    memset(writer_room(w, len), 0, len);
}

static inline void writer_u8(struct writer *w, uint8_t v) { *writer_room(w, 1) = v; }

#define WRITER_FIXED(suffix, bits, fix)                                                            \
    static inline void writer_u##suffix(struct writer *w, uint##bits##_t v)                        \
    {                                                                                              \
        put_u##suffix(writer_room(w, bits / 8), v);                                                \
    }                                                                                              \
    static inline void writer_i##suffix(struct writer *w, int##bits##_t v)                         \
    {                                                                                              \
        put_i##suffix(writer_room(w, bits / 8), v);                                                \
    }

BYTES_WIDTHS(WRITER_FIXED)

static inline size_t varint64_size(uint64_t v)
{
    return (size_t)((63 - __builtin_clzll(v | 1)) / 7 + 1);
}

static inline void writer_varint64(struct writer *w, uint64_t v)
{
    uint8_t *p = writer_room(w, varint64_size(v));

    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p = (uint8_t)v;
}

#endif
