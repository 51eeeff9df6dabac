/* Inside sql/: the records of an INDEXED or COMPACTED log batch as columns.
 *
 *   record   u32 bytes after this field, u8 change type, row in the format of the log (format/row.h)
 *
 * Rows are laid out one after the other, so all of a batch is read whatever columns are wanted; only
 * the wanted ones become columns. Source: IndexedLogRecord, CompactedLogRecord of Apache Fluss.
 * Thread: one at a time, its owner.
 */
#ifndef SQL_ROW_BATCH_H
#define SQL_ROW_BATCH_H

#include "format/arrow_read.h"
#include "format/batch.h"
#include "format/row_cells.h"

/* How batches of one schema are read. */
struct row_batch {
    const struct row_plan *whole;
    const struct row_plan *part; /* the wanted columns */
    const struct type *row;      /* those */
    const uint32_t *positions;   /* of those in the row */
    struct row_cell *cells;
    struct row_cell *part_cells;
    struct arrow_rows *builder; /* NULL: no column is wanted */
    /* of the batch that is open */
    struct arrow_reader columns; /* the wanted ones */
    const uint8_t *types;        /* change types; NULL: all rows are appended */
};

/* Of the rows of the format, the columns at `positions`, which are those of part, a ROW. Borrows all of
 * them and the arena. */
void row_batch_init(struct row_batch *b, struct row_format format, const struct type *part,
                    const uint32_t *positions, struct arena *arena);
void row_batch_fini(struct row_batch *b);
/* Reads a batch with at least one record; borrows data and the arena. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode row_batch_open(struct row_batch *b, const struct batch_header *header,
                                     struct bytes data, struct arena *arena, struct error *e);

#endif
