/* Rows as values, and their two binary layouts: COMPACTED and INDEXED.
 *
 * COMPACTED: null bits, ceil(n/8) bytes (field i: byte i/8, bit i%8, 1 = null), then the values
 *   that are not null, without padding:
 *     BOOLEAN TINYINT 1 byte, SMALLINT 2, FLOAT 4, DOUBLE 8 bytes, little-endian
 *     INT DATE TIME varint of the 32-bit pattern, BIGINT varint of the 64-bit pattern
 *     DECIMAL p<=18 as BIGINT; p>18 and texts and bytes: varint length, bytes
 *     TIMESTAMP: milliseconds as BIGINT and, for p>3, nanoseconds of the millisecond as INT
 *     ARRAY MAP ROW: varint length, binary array, binary map, COMPACTED row
 * INDEXED: null bits, an i32 length for each column of variable width (those of values that are
 *   not null, in order, then zeros), then the values that are not null: fixed widths
 *   little-endian, TIMESTAMP 8 or 12 bytes, CHAR(n) and BINARY(n) n bytes padded with zeros (which
 *   readers strip), the rest as raw bytes, nested rows INDEXED.
 * Binary array (both layouts): i32 count, null bits in whole 4 bytes from byte 4 on, a slot for
 *   each element (1, 2, 4 or 8 bytes), padded to 8; then variable data, each value padded to 8.
 *   Slots of variable data hold offset << 32 | length (offset from the start of the array), or up
 *   to 7 bytes of a text in place, with 0x80 | length in the last byte. DECIMAL p>18 has 16 bytes
 *   of variable data, TIMESTAMP p>3 its milliseconds there and offset << 32 | nanoseconds.
 * Binary map: i32 size of the key array, key array, value array of the same count.
 *
 * The null bit of a NOT NULL type is ignored. Decoding is bounded by the length of the input, also
 * where slots of a malicious array overlap. Thread: any.
 */
#ifndef FORMAT_ROW_H
#define FORMAT_ROW_H

#include "type.h"

enum row_layout { ROW_COMPACTED, ROW_INDEXED };

struct row_value {
    bool null;
    uint32_t count; /* elements of an ARRAY, entries of a MAP, fields of a ROW */
    union {
        bool boolean;
        int64_t integer; /* integers, DATE days, TIME ms of the day, DECIMAL p<=18 unscaled */
        float real32;
        double real64;
        struct bytes bytes; /* CHAR STRING BINARY BYTES; DECIMAL p>18: unscaled, big-endian */
        struct {
            int64_t millis;
            int32_t nanos; /* of the millisecond, 0..999999 */
        } timestamp;
        const struct row_value *items; /* ARRAY, ROW; MAP: all keys, then all values */
    };
};

/* How rows are read and written: everything but the bytes. */
struct row_format {
    enum row_layout layout;
    const struct type *row; /* a ROW; of a whole table: schema->row */
};

/* The fields of the row that in consists of, as many as the ROW has. Texts and bytes borrow from
 * in, the rest lies in the arena. ERR_CORRUPT_RECORD for anything that is not exactly one row. */
MUST_USE enum errcode row_decode(struct row_format format, struct bytes in, struct arena *arena,
                                 const struct row_value **ret, struct error *e);
/* The bytes of a row, in the arena. ERR_INVALID_ARGUMENT for a null in a NOT NULL field, and for
 * values that do not fit their CHAR(n) or BINARY(n) in the INDEXED layout. */
MUST_USE enum errcode row_encode(struct row_format format, const struct row_value *fields,
                                 struct arena *arena, struct bytes *ret, struct error *e);

/* The same values; NaN equals NaN. */
bool row_value_equal(const struct type *type, const struct row_value *a, const struct row_value *b);

#endif
