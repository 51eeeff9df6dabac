/* Inside sql/: writing the rows of a query into a table, see dml.h. Thread: that of the session. */
#ifndef SQL_DML_RUN_H
#define SQL_DML_RUN_H

#include "dml.h"
#include "statement.h"

/* Writes all rows and waits until they are acknowledged. After an error the hint says how many are
 * written all the same; *ret_count is set then, too. */
MUST_USE bool dml_run(const struct dml *dml, struct sql_result *rows, uint64_t *ret_count,
                      struct sql_error *e);

#endif
