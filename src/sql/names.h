/* Inside sql/: what names in statements stand for, by the catalog and the search path of a session.
 *
 * A name that is written without quotes finds the table of exactly this name, in lower case, before one
 * that differs in the case of letters, as DuckDB would. Thread: that of the session.
 */
#ifndef SQL_NAMES_H
#define SQL_NAMES_H

#include "parse.h"
#include "session.h"

/* The database that a new table of the name belongs to; NULL: the search path has none. */
const char *names_database(const struct sql_session *s, const struct sql_name *name);
/* 42P01 or 3F000, with the position. Borrowed from the view of the session. */
MUST_USE bool names_table(const struct sql_session *s, const struct sql_name *name,
                          const struct meta_table **ret, struct sql_error *e);
/* -1: there is none. exact: it was quoted. */
int32_t names_column(const struct schema *schema, const char *name, bool exact);

#endif
