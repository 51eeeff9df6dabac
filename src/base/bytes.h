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

#include <string.h>

#include "check.h"

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

#define BYTES_ACCESSORS(name, type, fix)                                                           \
    static inline type get_##name(const uint8_t *p)                                                \
    {                                                                                              \
        type v;                                                                                    \
        memcpy(&v, p, sizeof v);                                                                   \
        return fix(v);                                                                             \
    }                                                                                              \
    static inline void put_##name(uint8_t *p, type v)                                              \
    {                                                                                              \
        v = fix(v);                                                                                \
        memcpy(p, &v, sizeof v);                                                                   \
    }

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LE16(v) (v)
#define LE32(v) (v)
#define LE64(v) (v)
#define BE16(v) __builtin_bswap16(v)
#define BE32(v) __builtin_bswap32(v)
#define BE64(v) __builtin_bswap64(v)
#else
#define LE16(v) __builtin_bswap16(v)
#define LE32(v) __builtin_bswap32(v)
#define LE64(v) __builtin_bswap64(v)
#define BE16(v) (v)
#define BE32(v) (v)
#define BE64(v) (v)
#endif

BYTES_ACCESSORS(u16le, uint16_t, LE16)
BYTES_ACCESSORS(u32le, uint32_t, LE32)
BYTES_ACCESSORS(u64le, uint64_t, LE64)
BYTES_ACCESSORS(u16be, uint16_t, BE16)
BYTES_ACCESSORS(u32be, uint32_t, BE32)
BYTES_ACCESSORS(u64be, uint64_t, BE64)

#define BYTES_SIGNED(name, uname, type, utype)                                                     \
    static inline type get_##name(const uint8_t *p) { return (type)get_##uname(p); }               \
    static inline void put_##name(uint8_t *p, type v) { put_##uname(p, (utype)v); }

BYTES_SIGNED(i16le, u16le, int16_t, uint16_t)
BYTES_SIGNED(i32le, u32le, int32_t, uint32_t)
BYTES_SIGNED(i64le, u64le, int64_t, uint64_t)
BYTES_SIGNED(i16be, u16be, int16_t, uint16_t)
BYTES_SIGNED(i32be, u32be, int32_t, uint32_t)
BYTES_SIGNED(i64be, u64be, int64_t, uint64_t)

/* ---- reading ---- */

struct reader {
    struct bytes rest; /* not yet read */
    bool failed;
};

static inline struct reader reader_of(struct bytes b)
{
    return (struct reader){.rest = b};
}

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

#define READER_FIXED(name, type)                                                                   \
    static inline type reader_##name(struct reader *r)                                             \
    {                                                                                              \
        struct bytes b = reader_bytes(r, sizeof(type));                                            \
        return r->failed ? 0 : get_##name(b.data);                                                 \
    }

static inline uint8_t reader_u8(struct reader *r)
{
    struct bytes b = reader_bytes(r, 1);

    return r->failed ? 0 : b.data[0];
}

READER_FIXED(u16le, uint16_t)
READER_FIXED(u32le, uint32_t)
READER_FIXED(u64le, uint64_t)
READER_FIXED(i16le, int16_t)
READER_FIXED(i32le, int32_t)
READER_FIXED(i64le, int64_t)
READER_FIXED(u16be, uint16_t)
READER_FIXED(u32be, uint32_t)
READER_FIXED(u64be, uint64_t)
READER_FIXED(i16be, int16_t)
READER_FIXED(i32be, int32_t)
READER_FIXED(i64be, int64_t)

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

static inline void writer_u8(struct writer *w, uint8_t v)
{
    *writer_room(w, 1) = v;
}

#define WRITER_FIXED(name, type)                                                                   \
    static inline void writer_##name(struct writer *w, type v)                                     \
    {                                                                                              \
        put_##name(writer_room(w, sizeof(type)), v);                                               \
    }

WRITER_FIXED(u16le, uint16_t)
WRITER_FIXED(u32le, uint32_t)
WRITER_FIXED(u64le, uint64_t)
WRITER_FIXED(i16le, int16_t)
WRITER_FIXED(i32le, int32_t)
WRITER_FIXED(i64le, int64_t)
WRITER_FIXED(u16be, uint16_t)
WRITER_FIXED(u32be, uint32_t)
WRITER_FIXED(u64be, uint64_t)
WRITER_FIXED(i16be, int16_t)
WRITER_FIXED(i32be, int32_t)
WRITER_FIXED(i64be, int64_t)

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
