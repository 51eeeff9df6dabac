/* Inside sql/: whether the footer of a file of Parquet from outside can be given to DuckDB, which makes
 * room for as many things as a footer says it has before it looks whether they are there.
 *
 *   "PAR1" ... footer | u32le its bytes | "PAR1"
 *
 * The footer is a struct in the compact protocol of Thrift:
 *
 *   struct   fields up to a zero byte; a field is a byte (difference to the number of the field before
 *            << 4 | type; difference 0: the number as varint is next) and its value
 *   types    1, 2: true and false, no value; 3: a byte; 4, 5, 6: varint; 7: 8 bytes; 8: varint of bytes and
 *            these; 9, 10: list (a byte, count << 4 | type of items, count 15: a varint is next);
 *            12: struct; 11, map, does not occur
 *
 * The lists that DuckDB knows must have items of their type, as else it reads something else here than we.
 * Pure.
 */
#ifndef SQL_PARQUET_FOOTER_H
#define SQL_PARQUET_FOOTER_H

#include "base/bytes.h"
#include "base/error.h"

#define PARQUET_MAGIC      "PAR1"
#define PARQUET_TAIL_SIZE  8 /* behind the footer */
#define PARQUET_FOOTER_MAX ((size_t)64 << 20)

/* memory_bytes: what may be taken for all that it describes. ERR_CORRUPT_FILE. */
MUST_USE enum errcode parquet_footer_check(struct bytes footer, uint64_t memory_bytes,
                                           struct error *e);

#endif
