/* Inside sql/: rows that DuckDB gives. Thread: that of the session. */
#ifndef SQL_RESULT_H
#define SQL_RESULT_H

#include "statement.h"

/* Runs what is bound, over the cuts there are. Whatever it has begun ends with sql_result_free. */
MUST_USE bool result_begin(struct sql_result *r, struct sql_error *e);

#endif
