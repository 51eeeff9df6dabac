/* Values of array parameters, in the text and the binary format of PostgreSQL, as the text of a list of
 * DuckDB: ["a", NULL, "b"]. Arrays of one dimension. Pure. */
#ifndef SQL_PG_ARRAY_H
#define SQL_PG_ARRAY_H

#include "base/arena.h"
#include "base/error.h"

/* The type of the elements; 0: the type is no array that can be a parameter. */
uint32_t pg_array_element(uint32_t oid);
/* ERR_CORRUPT_MESSAGE: no array of the type; ERR_UNSUPPORTED_OPERATION: of more dimensions than one. */
MUST_USE enum errcode pg_array_of_binary(uint32_t oid, struct bytes value, struct arena *arena,
                                         struct bytes *ret, struct error *e);
MUST_USE enum errcode pg_array_of_text(struct bytes value, struct arena *arena, struct bytes *ret,
                                       struct error *e);

#endif
