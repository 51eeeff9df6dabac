/* ALIGNED rows: the min and max rows of batch statistics.
 *
 * Row of n fields, little-endian:
 *   0    W     header, W = (n + 8 + 63) / 64 * 8: byte 0 row kind, bit 8 + i (least significant
 *              first) is set when field i is null
 *   W    8n    one slot per field
 *   W+8n       variable part, every value padded to 8
 *
 * Slot:
 *   BOOLEAN, TINYINT, SMALLINT, INT, DATE, TIME, FLOAT, BIGINT, DOUBLE   value in the low bytes
 *   DECIMAL of at most 18 digits       i64 unscaled
 *   DECIMAL above                      offset << 32 | length of the big-endian unscaled bytes
 *   TIMESTAMP of precision 0..3        i64 milliseconds
 *   TIMESTAMP above                    offset << 32 | nanoseconds of the millisecond; i64
 *                                      milliseconds at the offset
 *   text, binary up to 7 bytes         bytes 0..6 the value, byte 7 = 0x80 | length
 *   text, binary above                 offset << 32 | length
 * Offsets count from the start of the row. Nested values are not read here.
 * Source: AlignedRow, BinarySegmentUtils of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_ALIGNED_ROW_H
#define FORMAT_ALIGNED_ROW_H

#include "value.h"

struct aligned_row {
    struct bytes data;
    size_t field_count;
    size_t slots_at;
};

/* ERR_CORRUPT_RECORD: data is shorter than header and slots. Borrows data. */
MUST_USE enum errcode aligned_row_init(struct aligned_row *row, struct bytes data,
                                       size_t field_count, struct error *e);
bool aligned_row_is_null(const struct aligned_row *row, size_t index);
/* A null field gives VALUE_NULL. Bytes are borrowed from the row. ERR_CORRUPT_RECORD: the value
 * lies outside the row; ERR_UNSUPPORTED_OPERATION: a nested type. */
MUST_USE enum errcode aligned_row_get(const struct aligned_row *row, size_t index,
                                      const struct type *type, struct value *ret, struct error *e);

#endif
