/* Inside sql/: the list of INSERT INTO t SELECT list ...: a parameter that is an item of its own has the
 * type of the column it goes into, as in PostgreSQL. Pure. */
#ifndef SQL_INSERT_LIST_H
#define SQL_INSERT_LIST_H

#include "dml.h"

/* Puts the casts into the query of an INSERT that is yet to be wrapped (dml_wrap). Lists of several
 * queries (UNION), and DISTINCT ones, are left as they are, and what stands behind an item that may be
 * several columns. */
void insert_list_cast(struct dml *dml, struct arena *arena);

#endif
