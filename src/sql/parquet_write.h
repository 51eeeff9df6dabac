/* Inside sql/: rows of a query as a file of Parquet, for COPY ... TO. The instance of DuckDB that sees files
 * (parquet.h) writes it, from chunks that it takes from the one that has the rows. Thread: that of the
 * session. */
#ifndef SQL_PARQUET_WRITE_H
#define SQL_PARQUET_WRITE_H

#include "statement.h"

/* The function that gives these rows there; once per instance. */
MUST_USE enum errcode parquet_write_register(struct sql_engine *engine, void *connection,
                                             struct error *e);
/* Takes all rows of a result. *ret: the file, zeroed before, to be closed by the caller after an error, too.
 * *ret_count: its rows. 53100: it has more bytes than files of COPY may have. */
MUST_USE bool parquet_write_file(struct sql_result *rows, struct spool *ret, uint64_t *ret_count,
                                 struct sql_error *e);

#endif
