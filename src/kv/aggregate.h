/* What an aggregation function makes of the value a column has and the one that arrives.
 *
 * Unless said otherwise a null on one side gives the other side.
 *   SUM PRODUCT              integers wrap around, decimals see decimal.h
 *   MAX MIN                  numbers, texts by bytes, times
 *   LAST_VALUE               what arrives, also null
 *   LAST_VALUE_IGNORE_NULLS  what arrives unless null; also of columns without a function
 *   FIRST_VALUE, FIRST_VALUE_IGNORE_NULLS   what is there unless null, both of them
 *   LISTAGG STRING_AGG       both texts with the delimiter between them
 *   BOOL_AND BOOL_OR
 *   RBM32 RBM64              the union of serialized roaring bitmaps, see bitmap.h
 * Thread: any.
 */
#ifndef KV_AGGREGATE_H
#define KV_AGGREGATE_H

#include "table.h"

/* *value: what is there, and then the result, which borrows from both or lies in the arena.
 * ERR_RECORD_TOO_LARGE: a text beyond 2^31 bytes; ERR_CORRUPT_RECORD: bytes that are no bitmap;
 * ERR_INVALID_ARGUMENT: an overflow, which is null, of a NOT NULL column, or a sum of more digits
 * than an ARROW changelog takes. */
MUST_USE enum errcode aggregate(const struct kv_aggregation *function,
                                const struct row_plan_column *column, struct row_cell input,
                                struct arena *arena, struct row_cell *value, struct error *e);

#endif
