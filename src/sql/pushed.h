/* Inside sql/: what a statement's text says about the tables it reads, so that not all of them is. */
#ifndef SQL_PUSHED_H
#define SQL_PUSHED_H

#include "statement.h"

/* After it has been prepared. A text that is not understood says nothing. */
void pushed_derive(struct sql_statement *st);
/* What an execution with these parameters leaves out of a table that it reads; NULL: nothing. */
struct prune *pushed_prune(const struct sql_statement *st, const struct meta_table *table,
                           bool current, const struct sql_parameter *parameters);
/* The same of an increment of a query over TAIL; never NULL. */
struct prune *pushed_tail(const struct sql_statement *st, const struct meta_table *table,
                          const struct sql_parameter *parameters);
/* What the execution under way has left out, as a chunk of the rows of EXPLAIN; NULL: it reads no table. */
void *pushed_explain(const struct sql_statement *st);

#endif
