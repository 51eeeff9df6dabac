/* Inside sql/: files of Parquet that COPY has in a spool. Statements of clients can reach no files: DuckDB
 * reads and writes these in an instance of its own, which only runs statements from here, sees nothing but
 * descriptors of this process, and has half as much memory as all queries together. Files come from
 * outside: what is wrong with them is an error. Thread: that of the session. */
#ifndef SQL_PARQUET_H
#define SQL_PARQUET_H

#include "dml.h"
#include "spool.h"
#include "statement.h"

/* Writes the rows of the file into the table of a COPY, columns by their names; *ret_count: those that are
 * on disk, also after an error. 22P04: it is no such file, 42703: it has other columns. */
MUST_USE bool parquet_write_rows(struct sql_statement *st, const struct spool *file,
                                 uint64_t *ret_count, struct sql_error *e);

/* A connection to the instance, to be disconnected. */
MUST_USE enum errcode parquet_connect(struct sql_engine *engine, void **ret, struct error *e);
/* What DuckDB says of a file, without its path. An instance that has broken down is left. */
void parquet_failed(const struct spool *file, const char *words, struct sql_error *e);

#endif
