/* Inside sql/: the current rows of a bucket as columns, one value batch after the other. */
#ifndef SQL_ROW_SOURCE_H
#define SQL_ROW_SOURCE_H

#include "cut.h"

#include "format/arrow_read.h"
#include "format/row_cells.h"

struct row_source_plan;

struct row_source {
    const struct meta_table *table; /* borrowed */
    struct arrow_rows *builder;
    struct row_source_plan *plans; /* by schema of the rows */
    struct arena plans_arena;
    struct buffer bytes;
    struct arena arena;         /* of the rows that are open */
    struct arrow_reader reader; /* all columns of the newest schema */
    const struct arrow_read_node **columns;
    size_t rows;
};

void row_source_init(struct row_source *s, const struct meta_table *table);
void row_source_fini(struct row_source *s);
/* *ret_found false: the bucket has no more rows. */
MUST_USE enum errcode row_source_next(struct row_source *s, struct sql_cut *cut, size_t bucket,
                                      bool *ret_found, struct error *e);
/* Where the fields of the row of a value are: plan->count cells, by column; both until the next rows. */
MUST_USE enum errcode row_source_cells(struct row_source *s, struct bytes value,
                                       const struct row_plan **ret_plan,
                                       const struct row_cell **ret_cells, struct error *e);
/* The one row of a value (format/value_batch.h), borrowed until the next rows. */
MUST_USE enum errcode row_source_one(struct row_source *s, struct bytes value, struct error *e);

#endif
