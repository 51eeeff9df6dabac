/* Inside sql/: INSERT, UPDATE and DELETE. DuckDB computes the rows: each becomes a query whose columns
 * are columns of the table, and whose rows are then written (table_writer.h).
 *
 *   INSERT INTO t [(a, ...)] VALUES ... | query [ON CONFLICT ...] [RETURNING ...]      (conflict.h)
 *   UPDATE t [[AS] u] SET a = expression, ... [WHERE condition] [RETURNING ...]
 *   DELETE FROM t [[AS] u] [WHERE condition] [RETURNING ...]
 *
 * UPDATE and DELETE are of tables with a primary key and without merge engine: those would make
 * something else of the rows. Thread: that of the session.
 */
#ifndef SQL_DML_H
#define SQL_DML_H

#include "parse.h"
#include "session.h"

enum dml_kind { DML_INSERT, DML_UPDATE, DML_DELETE };

struct dml {
    enum dml_kind kind;
    const struct meta_table *table; /* a reference */
    int32_t schema_id;              /* of which the columns are */
    const int32_t *columns;         /* of the table, by column of the query */
    size_t column_count;
    bool partial;        /* others keep their values */
    const char *query;   /* in the arena */
    bool query_is_plain; /* of INSERT: columns are yet to be counted and cast, see dml_wrap */
    const char
        *returning;    /* in the arena; NULL: nothing; yet to be put into the query (returning.h) */
    const char *alias; /* what the table is called there */
};

bool dml_is(struct bytes statement);
/* Texts lie in the arena. After an error, too, dml_fini. */
MUST_USE bool dml_parse(struct bytes statement, struct sql_session *s, struct arena *arena,
                        struct dml *ret, struct sql_error *e);
/* "t [(a, ...)]" of a statement that adds rows: everything but the query. *ret_all: it names no columns. */
MUST_USE bool dml_target_parse(struct parse *p, struct sql_session *s, struct dml *ret,
                               bool *ret_all);
void dml_fini(struct dml *dml);
/* The query of an INSERT, of which is known that it has so many columns, with their casts. */
MUST_USE bool dml_wrap(struct dml *dml, size_t columns, struct arena *arena, struct sql_error *e);

#endif
