/* Inside sql/: queries for one row of a primary-key table by its key, answered by a lookup without
 * DuckDB: SELECT columns FROM t WHERE key = constant, or parameter, for every column of the key.
 *
 * Whatever is not exactly that, or could mean anything else, is left to DuckDB. Values take the same
 * way into the same vectors as those of a scan, so that the answer is the same. */
#ifndef SQL_POINT_H
#define SQL_POINT_H

#include "statement.h"

/* A value of the answer, when it has none but plain ones. */
struct point_value {
    bool null;
    union value_plain plain;
};

/* NULL: the statement is none of those. It must have been derived from (pushed.h). */
struct point *point_new(const struct sql_statement *st);
void *point_free(struct point *p); /* accepts NULL; returns NULL */
/* false: it could not be answered, DuckDB is to be asked. */
bool point_execute(struct sql_statement *st, const struct sql_parameter *parameters,
                   struct sql_result *r);

#endif
