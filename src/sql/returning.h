/* Inside sql/: RETURNING of INSERT, UPDATE and DELETE: expressions over the rows as they are written, of
 * DELETE as they were. The query of the statement (dml.h) gives them behind the columns that are written, and
 * what it gave is kept until all is on disk. A merge engine, and columns that keep their values, would make
 * another row of it: there it is refused. Thread: that of the session. */
#ifndef SQL_RETURNING_H
#define SQL_RETURNING_H

#include "dml.h"
#include "statement.h"

#define RETURNING_BYTES_MAX ((size_t)64 << 20) /* of all values of a statement, as text */
#define RETURNING_ROWS_MAX  ((size_t)1 << 20)

/* Takes the clause off the end of a statement, its list of expressions into *ret, in the arena; NULL: there is
 * none. */
MUST_USE bool returning_split(struct bytes *statement, struct arena *arena, const char **ret,
                              struct sql_error *e);
/* The query gives the expressions, too. inner: all columns that it gives as yet. */
MUST_USE bool returning_wrap(struct dml *dml, struct arena *arena, struct sql_error *e);

/* The chunk of a result is kept. 54000: it is too much. */
MUST_USE bool returning_keep(struct sql_result *r, struct sql_error *e);
/* All are: sql_result_next gives them again. */
void returning_replay(struct sql_result *r);
/* The next of them becomes the chunk; its rows. */
size_t returning_next(struct sql_result *r);
void returning_free(struct sql_result *r);

#endif
