/* Keys of primary-key tables and bucket keys: some columns of a row as bytes. A primary key is
 * stored without its partition columns.
 *
 *   COMPACTED  the values one after the other as in COMPACTED rows (row.h), without null bits, so
 *              that the first columns are a prefix of the key (prefix lookup)
 *   PAIMON     an ALIGNED row (aligned_row.h) of the values, row kind 0; not for nested types
 *   ICEBERG    exactly one value: INT, DATE as i64; TIME, TIMESTAMP as i64 microseconds; BIGINT
 *              FLOAT DOUBLE plain; DECIMAL big-endian unscaled in as few bytes as hold it; texts
 *              and binaries as they are
 *   HUDI       4 bytes, big-endian: Java's hash of the list of values written as Java strings; bucket
 *              keys only, since nothing can be read back
 *
 * Which encoding is used follows from the lake format a table was created with:
 *   lake format     bucket key   primary key
 *   none, Lance     COMPACTED    COMPACTED
 *   Paimon          PAIMON       PAIMON, but COMPACTED in kv format version 2 if the bucket key is not
 *                                the whole key
 *   Iceberg         ICEBERG      ICEBERG, likewise
 *   Hudi            HUDI         COMPACTED
 * Source: KeyEncoder and KeyDecoder of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_KEY_H
#define FORMAT_KEY_H

#include "bucketing.h"
#include "row_cells.h"
#include "table_descriptor.h"
#include "table_options.h"

enum key_encoding { KEY_COMPACTED, KEY_PAIMON, KEY_ICEBERG, KEY_HUDI };

struct key_format {
    enum key_encoding encoding;
    const struct type *columns; /* a ROW of the key columns, in key order */
    const uint32_t *positions;  /* of these columns in the table */
};

/* In the arena; the types borrow from the table's schema. */
struct key_format key_format_primary(const struct table_descriptor *table,
                                     const struct table_options *options, struct arena *arena);
struct key_format key_format_bucket(const struct table_descriptor *table,
                                    const struct table_options *options, struct arena *arena);

/* The bucket key as the first columns of the primary key: what rows are looked up by together. */
struct key_prefix {
    const struct row_plan *plan; /* of the primary key columns */
    uint32_t count;              /* of columns; 0: the table has no lookups by prefix */
};

/* Lookups by prefix need a COMPACTED primary key that begins with the columns of the bucket key and
 * has more. In the arena. */
struct key_prefix key_prefix_of(const struct table_descriptor *table,
                                const struct table_options *options, struct arena *arena);
/* Bytes of a primary key that are the prefix; 0: the key is damaged. prefix->count > 0. */
size_t key_prefix_size(const struct key_prefix *prefix, struct bytes key);

enum bucketing key_bucketing(const struct table_options *options);

/* ERR_UNSUPPORTED_OPERATION naming the column that the encoding does not take. A format that passes
 * fails below for values only. */
MUST_USE enum errcode key_format_check(const struct key_format *format, struct error *e);

/* values: one per key column. In the arena. ERR_INVALID_ARGUMENT: a null (but of Hudi keys). */
MUST_USE enum errcode key_encode(const struct key_format *format, const struct row_value *values,
                                 struct arena *arena, struct bytes *ret, struct error *e);
/* The values, in the arena; texts and bytes borrow from key. ERR_CORRUPT_RECORD for bytes that are
 * not exactly one key, ERR_UNSUPPORTED_OPERATION for Hudi keys. */
MUST_USE enum errcode key_decode(const struct key_format *format, struct bytes key,
                                 struct arena *arena, const struct row_value **ret,
                                 struct error *e);

#endif
