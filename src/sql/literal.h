/* Constants of a query as values of a column, only where there is no doubt about what DuckDB makes of
 * them when it compares them with that column. Pure. Thread: any. */
#ifndef SQL_LITERAL_H
#define SQL_LITERAL_H

#include "predicate.h"
#include "sql.h"

/* What the parameters of an execution are; their texts outlive what is made of them. */
struct literal_parameters {
    const struct sql_parameter *values;
    size_t count;
};

/* Columns of this type are compared here at all. */
bool literal_type_known(const struct type *type);
/* false: it may mean something else, or nothing. Texts are borrowed. Integers may be beyond the
 * column's range, but not beyond 64 bits. */
MUST_USE bool literal_value(const struct operand *operand, const struct type *type,
                            const struct literal_parameters *parameters, struct value *ret);

#endif
