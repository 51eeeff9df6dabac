/* The table function that reads our tables: eider_scan(table id, kind, schema id), which the views of
 * relations.h call. Columns that a query does not use are neither read nor decompressed. It runs on
 * threads of DuckDB, over immutable files; batches are handed to them one after the other.
 */
#ifndef SQL_SCAN_H
#define SQL_SCAN_H

#include "session.h"

#define SCAN_FUNCTION "eider_scan"

enum relation_kind {
    RELATION_TABLE,     /* rows of a log, current rows of a primary-key table */
    RELATION_CHANGELOG, /* "t$changelog" */
    RELATION_BINLOG,    /* "t$binlog", of primary-key tables */
    RELATION_LOG,       /* rows of a log, and behind its columns the hidden ones (hidden.h) */
};

/* Columns of a changelog in front of the table's own. */
enum { META_CHANGE_TYPE, META_OFFSET, META_TIMESTAMP, META_BUCKET, META_COLUMNS };
/* Columns of a binlog: the first three, and the row before and after the change. */
enum { BINLOG_BEFORE = META_BUCKET, BINLOG_AFTER, BINLOG_COLUMNS };

/* Whose statement is being bound; the function's extra info is the engine. NULL: it has ended. */
struct sql_session *scan_session_of(const struct duckdb *d, void *info);
MUST_USE enum errcode scan_register(struct sql_session *owner, struct error *e);

#endif
