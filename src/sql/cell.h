/* Inside sql/: a cell of a row (format/row_cells.h) as a value of DuckDB's, without a vector: what
 * arrow_rows.h and fill.h make of it on the way of many rows, for one. Thread: any. */
#ifndef SQL_CELL_H
#define SQL_CELL_H

#include "value.h"

#include "format/row_cells.h"

/* Whether values of the type are ones of value_plain at all: nested ones and BINARY(n) are not. */
bool cell_is_plain(const struct type *type);
/* The cell is not null; its type is plain, and *ret the value of DuckDB's type for it (fill_type). Texts
 * and bytes are borrowed. false: DuckDB's type does not hold it, or it is text that is not UTF-8. */
MUST_USE bool cell_value(const struct row_plan_column *column, struct row_cell cell,
                         union value_plain *ret);

#endif
