/* What the row layouts share, inside format/: row.c has the binary arrays and maps, and leads to
 * the layout of a row; row_compacted.c and row_indexed.c have the layouts.
 */
#ifndef FORMAT_ROW_CODEC_H
#define FORMAT_ROW_CODEC_H

#include "row.h"

struct row_decoder {
    enum row_layout layout;
    struct arena *arena;
    size_t values_left; /* what the input can honestly hold */
};

/* Bytes being written, in an arena; grow by doubling. */
struct row_buffer {
    enum row_layout layout;
    struct arena *arena;
    uint8_t *data;
    size_t len;
    size_t cap;
};

/* Room for len more bytes, zeroed; valid until the next call. */
uint8_t *row_buffer_room(struct row_buffer *b, size_t len);
void row_buffer_bytes(struct row_buffer *b, struct bytes bytes);

/* count values; ERR_CORRUPT_RECORD when the input cannot hold as many. */
MUST_USE enum errcode row_values_new(struct row_decoder *d, size_t count, struct row_value **ret,
                                     struct error *e);

/* The layouts. */
MUST_USE enum errcode row_compacted_read(struct row_decoder *d, const struct type *row,
                                         struct bytes in, struct row_value *fields,
                                         struct error *e);
MUST_USE enum errcode row_indexed_read(struct row_decoder *d, const struct type *row,
                                       struct bytes in, struct row_value *fields, struct error *e);
MUST_USE enum errcode row_compacted_write(struct row_buffer *b, const struct type *row,
                                          const struct row_value *fields, struct error *e);
MUST_USE enum errcode row_indexed_write(struct row_buffer *b, const struct type *row,
                                        const struct row_value *fields, struct error *e);

/* A nested value: binary array, binary map, or row of the decoder's (buffer's) layout. */
MUST_USE enum errcode row_nested_read(struct row_decoder *d, const struct type *type,
                                      struct bytes in, struct row_value *ret, struct error *e);
MUST_USE enum errcode row_nested_write(struct row_buffer *b, const struct type *type,
                                       const struct row_value *value, struct error *e);

/* Bytes of a value of fixed width in INDEXED rows and array slots: 1, 2, 4 or 8. */
size_t row_slot_width(const struct type *type);
/* An integer, BOOLEAN, FLOAT or DOUBLE of row_slot_width bytes. */
void row_scalar_read(const struct type *type, const uint8_t *from, struct row_value *ret);
void row_scalar_write(const struct type *type, const struct row_value *value, uint8_t *to);

static inline bool row_is_text(const struct type *type)
{
    return type->root == TYPE_CHAR || type->root == TYPE_STRING || type->root == TYPE_BINARY ||
           type->root == TYPE_BYTES;
}

static inline bool row_is_timestamp(const struct type *type)
{
    return type->root == TYPE_TIMESTAMP || type->root == TYPE_TIMESTAMP_LTZ;
}

static inline bool row_is_large_decimal(const struct type *type)
{
    return type->root == TYPE_DECIMAL && type->precision > 18;
}

static inline size_t row_null_bytes(size_t fields) { return (fields + 7) / 8; }

static inline bool row_bit(const uint8_t *bits, size_t i)
{
    return (bits[i / 8] >> i % 8 & 1) != 0;
}

/* Nanoseconds of a millisecond; ERR_CORRUPT_RECORD when they are not. */
MUST_USE enum errcode row_check_nanos(int64_t nanos, struct error *e);
/* 1 to 16 bytes; ERR_CORRUPT_RECORD otherwise. */
MUST_USE enum errcode row_check_decimal(struct bytes unscaled, struct error *e);
enum errcode row_corrupt(struct error *e, const char *what);
/* Null in a NOT NULL field. */
MUST_USE enum errcode row_check_null(const struct type *type, const struct row_value *value,
                                     struct error *e);

#endif
