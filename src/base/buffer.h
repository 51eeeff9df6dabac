/* A heap buffer that grows by doubling and is emptied and used again, so that a steady state
 * allocates nothing. Aborts on memory exhaustion: what is put in is bounded by its user.
 * Positions move when it grows: keep offsets, not pointers, while something is appended.
 * Thread: owner.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "bytes.h"

struct buffer {
    uint8_t *data;
    size_t len;
    size_t cap;
};

#define BUFFER_INIT ((struct buffer){0})

void buffer_fini(struct buffer *b);
/* Makes room for len more bytes without adding them. */
void buffer_reserve(struct buffer *b, size_t len);

/* Empties it and keeps the memory. */
static inline void buffer_clear(struct buffer *b) { b->len = 0; }

static inline struct bytes buffer_view(const struct buffer *b) { return bytes_of(b->data, b->len); }

/* Adds len bytes of undefined content and returns where they start; valid until the next room. */
static inline uint8_t *buffer_room(struct buffer *b, size_t len)
{
    uint8_t *p;

    if (len > b->cap - b->len || b->data == NULL) {
        buffer_reserve(b, len);
    }
    p = b->data + b->len;
    b->len += len;
    return p;
}

static inline void buffer_bytes(struct buffer *b, struct bytes bytes)
{
    uint8_t *p = buffer_room(b, bytes.len);

    if (bytes.len > 0) {
        memcpy(p, bytes.data, bytes.len);
    }
}

static inline void buffer_u8(struct buffer *b, uint8_t value) { *buffer_room(b, 1) = value; }

static inline void buffer_u32le(struct buffer *b, uint32_t value)
{
    put_u32le(buffer_room(b, sizeof value), value);
}

/* As writer_varint64. */
static inline void buffer_varint64(struct buffer *b, uint64_t value)
{
    size_t len = varint64_size(value);
    struct writer w = writer_of(buffer_room(b, len), len);

    writer_varint64(&w, value);
}

#endif
