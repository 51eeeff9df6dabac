/* Where the fields of a row are, without decoding them: what the write path of primary-key tables
 * works with. Most fields of a row are only moved, into another row or into a column.
 *
 * A plan says how rows of one schema are laid out (row.h draws the bytes). A cell is the payload of
 * one field:
 *   COMPACTED  numbers as they are in the row, fixed or varint; texts, bytes, large decimals and
 *              nested values without the length in front of them
 *   INDEXED    numbers as they are in the row; CHAR and BINARY without the zeros behind them; the
 *              rest as in the row
 * Cells borrow from the row. Reading checks the row completely but for what is inside nested
 * values, so the other functions cannot fail. Thread: any, a plan is immutable.
 */
#ifndef FORMAT_ROW_CELLS_H
#define FORMAT_ROW_CELLS_H

#include "row.h"
#include "value.h"

#include "base/buffer.h"

struct row_cell {
    const uint8_t *data; /* NULL: null */
    uint32_t len;
};

#define ROW_CELL_NULL ((struct row_cell){NULL, 0})

static inline struct bytes row_cell_bytes(struct row_cell cell)
{
    return bytes_of(cell.data, cell.len);
}

enum row_cell_kind {
    ROW_CELL_FIXED,     /* `width` bytes */
    ROW_CELL_VARINT,    /* at most `width` bytes */
    ROW_CELL_VARINTS,   /* of milliseconds and nanoseconds */
    ROW_CELL_WIDE_TIME, /* i64 milliseconds, i32 nanoseconds */
    ROW_CELL_SIZED,     /* any length */
    ROW_CELL_DECIMAL,   /* 1 to 16 bytes */
    ROW_CELL_PADDED     /* up to `width` bytes, zeros behind them */
};

struct row_plan_column {
    enum row_cell_kind kind;
    uint32_t width;
    bool nullable;
    const struct type *type;
};

struct row_plan {
    enum row_layout layout;
    uint32_t count;
    uint32_t variable_count; /* columns with a length in INDEXED rows */
    size_t null_size;        /* bytes of null bits */
    bool has_nested;         /* ARRAY, MAP or ROW columns */
    struct row_plan_column columns[];
};

/* In the arena; borrows the types. row: a ROW. */
const struct row_plan *row_plan_new(enum row_layout layout, const struct type *row,
                                    struct arena *arena);

/* The cells of plan->count fields. ERR_CORRUPT_RECORD for anything that is not exactly one row. */
MUST_USE enum errcode row_cells_read(const struct row_plan *plan, struct bytes row,
                                     struct row_cell *cells, struct error *e);
/* Bytes that the first `count` columns take of COMPACTED values without null bits, as in keys;
 * 0 when they are cut short. */
size_t row_cells_span(const struct row_plan *plan, uint32_t count, struct bytes values);
/* Looks at what is inside nested values, which row_cells_read has not; the arena is for that only.
 * Whoever stores a row without decoding it asks this first, lest nobody can read it later. */
MUST_USE enum errcode row_cells_check_nested(const struct row_plan *plan,
                                             const struct row_cell *cells, struct arena *arena,
                                             struct error *e);
/* Appends the row that has these cells, which are of the same layout. */
void row_cells_write(const struct row_plan *plan, const struct row_cell *cells, struct buffer *out);

/* The value of a cell that is not null; not for nested types. Bytes are borrowed. */
struct value row_cell_value(const struct row_plan_column *column, struct row_cell cell);
/* The integers of cells of one column, as row_cell_value gives them; 0 for null. For columns of which
 * row_cells_are_integers. */
void row_cells_integers(const struct row_plan_column *column, const struct row_cell *cells,
                        size_t count, int64_t *ret);
/* Integers, DATE, TIME, and what is stored like them: TIMESTAMP of milliseconds, small DECIMAL. */
bool row_cells_are_integers(const struct row_plan_column *column);
/* The reverse; BOOLEAN and integers are cut to the width of their type. Numbers lie in the arena,
 * bytes are borrowed. VALUE_NULL gives a null. */
struct row_cell row_cell_of(const struct row_plan_column *column, const struct value *value,
                            struct arena *arena);
/* Any cell, also null and nested ones: ERR_CORRUPT_RECORD for what is inside those. Nested values
 * lie in the arena, the rest is borrowed. */
MUST_USE enum errcode row_cell_decode(const struct row_plan *plan, uint32_t column,
                                      struct row_cell cell, struct arena *arena,
                                      struct row_value *ret, struct error *e);

#endif
