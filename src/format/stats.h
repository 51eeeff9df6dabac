/* Column statistics of a record batch of magic 1 and 2, between header and body (batch.h).
 *
 *   0       1    version, 1
 *   1       2    i16 N, number of columns with statistics
 *   3       2N   i16 positions in the row type of the batch's schema, in any order
 *   3+2N    4N   i32 null counts
 *   3+6N    4    i32 m
 *   7+6N    m    aligned row of N minima (aligned_row.h), in the order of the positions
 *   7+6N+m  4    i32 x
 *   11+6N+m x    aligned row of N maxima
 *
 * Minima and maxima ignore nulls and are null themselves when a column has no value, and always
 * for CHAR. Statistics are advice: whoever cannot read them does without.
 * Source: LogRecordBatchStatisticsParser of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_STATS_H
#define FORMAT_STATS_H

#include "aligned_row.h"

/* Borrows from the section. */
struct stats {
    size_t column_count;
    const uint8_t *positions;
    const uint8_t *null_counts;
    struct aligned_row min;
    struct aligned_row max;
};

/* Of one column. */
struct stats_column {
    int64_t null_count; /* negative: not known */
    struct value min;   /* VALUE_NULL: not known */
    struct value max;
};

/* ERR_CORRUPT_RECORD: another version, no column, or a part that does not fit. */
MUST_USE enum errcode stats_parse(struct bytes section, struct stats *ret, struct error *e);

/* type: of the column at `position` in the batch's schema. ERR_INVALID_ARGUMENT: there are no
 * statistics for it; ERR_CORRUPT_RECORD and ERR_UNSUPPORTED_OPERATION as aligned_row_get. */
MUST_USE enum errcode stats_column(const struct stats *stats, uint32_t position,
                                   const struct type *type, struct stats_column *ret,
                                   struct error *e);

#endif
