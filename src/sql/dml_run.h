/* Inside sql/: writing the rows of a query into a table, see dml.h. Thread: that of the session. */
#ifndef SQL_DML_RUN_H
#define SQL_DML_RUN_H

#include "dml.h"
#include "statement.h"

struct dml_writing;

struct dml_writing *dml_begin(const struct dml *dml, struct sql_session *s);
/* Takes the rows of a result, to its end. */
MUST_USE bool dml_write(struct dml_writing *w, struct sql_result *rows, struct sql_error *e);
/* Waits until all rows are acknowledged. */
MUST_USE bool dml_flush(struct dml_writing *w, struct sql_error *e);
/* Rows that are acknowledged so far. */
uint64_t dml_written(const struct dml_writing *w);
void dml_end(struct dml_writing *w); /* accepts NULL */

/* All of it. After an error the hint says how many rows are written all the same; *ret_count is set
 * then, too. */
MUST_USE bool dml_run(const struct dml *dml, struct sql_result *rows, uint64_t *ret_count,
                      struct sql_error *e);

#endif
