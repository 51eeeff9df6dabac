/* Inside sql/: rows on their way into a table. They are gathered by bucket, encoded as a client would,
 * and handed to the buckets with acks = -1, so that what has been acknowledged is on disk.
 *
 * As the Java client, it gives the batches of a log statistics of the columns that
 * table.statistics.columns lists, and magic 1, which they need; other batches have magic 0.
 *
 * Rows of one bucket keep their order; a bucket takes a batch whole or not at all. No writer id is
 * taken: writer and bucket share a process, an operation is answered exactly once, so nothing is ever
 * sent again. A partition that is missing is created. Memory: WRITER_BYTES, and what one row has.
 * Thread: one at a time, not a shard's: it waits.
 */
#ifndef SQL_TABLE_WRITER_H
#define SQL_TABLE_WRITER_H

#include "session.h"

#include "format/row.h"

#define WRITER_BYTES ((size_t)4 << 20)

struct table_writer;

struct table_write {
    const struct meta_table *table; /* borrowed */
    bool remove;                    /* rows have their key only: they are deleted */
    const int32_t *targets;         /* of a primary-key table: columns that are written */
    size_t target_count;            /* 0: all */
};

struct table_writer *table_writer_new(struct sql_session *s, const struct table_write *write);
void table_writer_free(struct table_writer *w); /* accepts NULL */
/* For the values of a row: they are not to be touched behind table_writer_add. */
struct arena *table_writer_arena(struct table_writer *w);
/* row: a value per column of the table. ERR_INVALID_TARGET_COLUMN: null in a NOT NULL column. */
MUST_USE enum errcode table_writer_add(struct table_writer *w, const struct row_value *row,
                                       struct error *e);
/* Returns when all has been acknowledged or refused. */
MUST_USE enum errcode table_writer_flush(struct table_writer *w, struct error *e);
/* Rows that have been acknowledged so far. */
uint64_t table_writer_count(const struct table_writer *w);

#endif
