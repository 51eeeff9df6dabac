/* Values of a primary-key table, and batches of them: what LIMIT_SCAN and SCAN_KV answer.
 * Little-endian.
 *
 *   value   i16 schema id, row in the kv format of the table; also what the store keeps and what
 *           LOOKUP answers
 *   batch   i32 bytes after this field, i8 magic 0, i32 count, values: i32 size, value
 *
 * There is no checksum. Source: ValueEncoder, DefaultValueRecordBatch of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_VALUE_BATCH_H
#define FORMAT_VALUE_BATCH_H

#include "base/buffer.h"
#include "base/error.h"

#define VALUE_HEADER_SIZE       ((size_t)2)
#define VALUE_BATCH_HEADER_SIZE ((size_t)9)
#define VALUE_RECORD_OVERHEAD   ((size_t)4) /* of each value in a batch */

/* Of a value of at least VALUE_HEADER_SIZE bytes (ASSERT). */
static inline int16_t value_schema_id(struct bytes value)
{
    ASSERT(value.len >= VALUE_HEADER_SIZE);
    return get_i16le(value.data);
}

static inline struct bytes value_row(struct bytes value)
{
    return bytes_slice(value, VALUE_HEADER_SIZE, value.len - VALUE_HEADER_SIZE);
}

struct value_batch_iterator {
    struct reader rest;
    uint32_t left;
};

/* in is one batch. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode value_batch_parse(struct bytes in, struct value_batch_iterator *ret,
                                        struct error *e);
/* The next of it->left values, borrowed; at least VALUE_HEADER_SIZE bytes. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode value_batch_next(struct value_batch_iterator *it, struct bytes *ret,
                                       struct error *e);

/* Building where sizes are known: the header of a batch of `size` bytes, itself included, and each of
 * its values. */
void value_header_write(struct writer *w, size_t size, uint32_t count);
static inline void value_record_write(struct writer *w, struct bytes value)
{
    writer_u32le(w, (uint32_t)value.len);
    writer_bytes(w, value);
}

/* Building: begin, add values, finish. The bytes are what `out` holds then. */
void value_batch_begin(struct buffer *out);
void value_batch_add(struct buffer *out, struct bytes value);
void value_batch_finish(struct buffer *out);

#endif
