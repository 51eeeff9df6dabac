/* Writing column statistics; the bytes are drawn in stats.h.
 *
 * They are of the values as the batch stores them: what an Arrow column cuts off (arrow_rows.h) is
 * cut off here, too. A value that wraps around there leaves the bounds of its column unknown.
 * Source: LogRecordBatchStatisticsCollector of Apache Fluss. Thread: one at a time, the owner.
 */
#ifndef FORMAT_STATS_WRITE_H
#define FORMAT_STATS_WRITE_H

#include "row.h"
#include "schema.h"

struct stats_columns {
    const uint32_t *positions; /* in the schema, in the order of the list */
    size_t count;              /* 0: the batch has no statistics */
};

/* option: table.statistics.columns of a table, by commas, "*" for all that can have statistics, or
 * NULL. A name that is not in the schema, which may be older than the option, is left out. In the
 * arena. */
struct stats_columns stats_columns_of(const char *option, const struct schema *schema,
                                      struct arena *arena);

struct stats_writer;

/* For rows of a ROW, whose types are borrowed. columns->count > 0. */
struct stats_writer *stats_writer_new(const struct type *row, const struct stats_columns *columns);
void stats_writer_free(struct stats_writer *w);   /* accepts NULL */
void stats_writer_freep(struct stats_writer **w); /* for OWNED */

/* One more row, a value per column. What its texts and decimals point to is borrowed
 * until the section is made. */
void stats_writer_add(struct stats_writer *w, const struct row_value *row);

/* The section of all rows so far, in the arena. */
struct bytes stats_writer_section(const struct stats_writer *w, struct arena *arena);

#endif
