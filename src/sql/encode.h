/* Inside sql/: what DuckDB has computed as values of table columns, and the names its types have in
 * SQL. The other direction is fill.h, where the types are listed. Recursion is over nested types, whose
 * depth is limited where types are made. Thread: any.
 */
#ifndef SQL_ENCODE_H
#define SQL_ENCODE_H

#include "duckdb.h"

#include "base/buffer.h"
#include "format/row.h"

/* Appends what stands in CAST(... AS ...) for a column of the type. */
void encode_type_name(const struct type *type, struct buffer *out);
/* Appends the name in double quotes. */
void encode_name(const char *name, struct buffer *out);

struct encode {
    const struct duckdb *duckdb;
    struct arena *arena; /* everything of the value lies there */
    void *vector;        /* its type is that of fill_type */
    uint64_t row;
};

/* ERR_INVALID_TARGET_COLUMN: null in a NOT NULL part of the value; ERR_INVALID_ARGUMENT: one that the
 * column's type does not hold. */
MUST_USE enum errcode encode_value(const struct encode *en, const struct type *type,
                                   struct row_value *ret, struct error *e);

#endif
