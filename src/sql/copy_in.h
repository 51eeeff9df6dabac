/* Inside sql/: COPY ... FROM while it is under way. The texts of some rows at a time are handed to DuckDB
 * as a relation, which casts them, and what comes out is written as the rows of an INSERT are. Memory:
 * COPY_BYTES_MAX and what the writer takes. A file of Parquet goes to the disk first, and is read from there at
 * the end (parquet.h). The interface is that of sql.h. */
#ifndef SQL_COPY_IN_H
#define SQL_COPY_IN_H

#include "copy_reader.h"
#include "session.h"

#define COPY_FUNCTION "eider_copy"

/* Makes the function known: eider_copy(n) is a relation of n columns, the rows that the session's
 * reader has. */
MUST_USE enum errcode copy_register(struct sql_session *owner, struct error *e);

#endif
