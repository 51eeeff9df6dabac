/* The value of a partition column from its text in the name of the partition, as clients write it:
 *
 *   CHAR STRING      the text                        BINARY BYTES     hexadecimal digits
 *   BOOLEAN          true, false in any case         integers         decimal
 *   FLOAT DOUBLE     decimal with '_' for the point; NaN, Inf, -Inf
 *   DATE             2026-08-22                      TIME             13-05-00_123
 *   TIMESTAMP, TIMESTAMP_LTZ  2026-08-22-13-05-00_123456789; the fraction has up to nine digits, and
 *                             without the time it is midnight
 * Source: PartitionNameConverters of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_PARTITION_VALUE_H
#define FORMAT_PARTITION_VALUE_H

#include "row.h"

/* Bytes borrow from the text or lie in the arena. ERR_PARTITION_SPEC_INVALID. */
MUST_USE enum errcode partition_value(const struct type *type, const char *text,
                                      struct arena *arena, struct row_value *ret, struct error *e);
/* The reverse, in the arena. ERR_PARTITION_SPEC_INVALID: null; ERR_UNSUPPORTED_OPERATION: FLOAT and
 * DOUBLE, whose texts are Java's, and what is no type of a partition column. */
MUST_USE enum errcode partition_value_text(const struct type *type, const struct row_value *value,
                                           struct arena *arena, const char **ret, struct error *e);

#endif
