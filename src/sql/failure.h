/* Inside sql/: errors of the server as PostgreSQL's clients know them. Thread: any. */
#ifndef SQL_FAILURE_H
#define SQL_FAILURE_H

#include "sql.h"

/* The SQLSTATE of a code. */
const char *failure_state(enum errcode code);
/* Always false. */
bool failure_of(struct sql_error *e, const struct error *why);
/* The SQLSTATE of an error that DuckDB explains like this. */
const char *failure_duck_state(const char *message);
/* The line of the text that it shows goes, because the text is not the client's. */
void failure_hide_line(struct sql_error *e);
/* Always false. NULL: it did not explain. */
bool failure_of_duck(struct sql_error *e, const char *message);

#endif
