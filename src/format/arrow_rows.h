/* Rows of a table as the columns of an Arrow message (arrow.h).
 *
 *   BOOLEAN bits; integers, FLOAT, DOUBLE plain; CHAR STRING utf8; BYTES binary; BINARY(n) fixed
 *   size n; DECIMAL 16 bytes little-endian; DATE days; ARRAY list, MAP list of struct, ROW struct
 *   TIME(p)       p 0: seconds, 1..3: milliseconds, both i32; 4..6: micro-, 7..9: nanoseconds, i64
 *   TIMESTAMP(p)  the same units as i64, with and without local time zone
 *
 * What a value has below its unit is cut off, towards zero for whole seconds; multiplication wraps
 * around. Shorter BINARY(n) values are filled with zeros.
 * Source: ArrowUtils and the ArrowFieldWriters of Apache Fluss. Thread: one at a time, its owner.
 */
#ifndef FORMAT_ARROW_ROWS_H
#define FORMAT_ARROW_ROWS_H

#include "arrow_build.h"
#include "row_cells.h"

struct arrow_rows;

/* For rows of plans whose columns are the first ones of row, a ROW; borrows row. */
struct arrow_rows *arrow_rows_new(const struct type *row);
void arrow_rows_free(struct arrow_rows *r);
void arrow_rows_freep(struct arrow_rows **r); /* for OWNED */
/* Drops all rows, keeps the memory. */
void arrow_rows_clear(struct arrow_rows *r);

/* One more row; columns behind those of the plan are null. The plan and what the cells point to are
 * borrowed until finish or clear: rows become columns many at a time. ERR_CORRUPT_RECORD, of this row
 * or one before, for what is inside nested values, and for a BINARY(n) value that is too long; then
 * clear. */
MUST_USE enum errcode arrow_rows_append(struct arrow_rows *r, const struct row_plan *plan,
                                        const struct row_cell *cells, struct error *e);

/* The same for values, one per column of row. */
MUST_USE enum errcode arrow_rows_append_values(struct arrow_rows *r, const struct row_value *values,
                                               struct error *e);

/* The message of at least one row, in the arena; errors of appending and arrow_builder_finish. The
 * rows stay. */
MUST_USE enum errcode arrow_rows_finish(struct arrow_rows *r, const struct arrow_build_codec *codec,
                                        struct arena *arena, struct bytes *ret, struct error *e);

#endif
