/* Inside sql/: preparing a query with DuckDB. Thread: that of the session. */
#ifndef SQL_PREPARE_H
#define SQL_PREPARE_H

#include "statement.h"

/* A query of the client, or one made of what it sent: with the types of its parameters, its columns, and
 * what its text says about the tables it reads. */
MUST_USE bool prepare_query(struct sql_statement *st, const struct sql_source *source,
                            struct sql_error *e);
/* A text as DuckDB has it, in the place of what is prepared. The tables it reads are noted. */
MUST_USE bool prepare_text(struct sql_statement *st, const char *text, struct sql_error *e);
/* How many columns a query has that is yet to become part of the statement. */
MUST_USE bool prepare_count(struct sql_statement *st, const struct sql_source *source, size_t *ret,
                            struct sql_error *e);
/* The tables that have been noted. */
void prepare_forget(struct sql_statement *st);

#endif
