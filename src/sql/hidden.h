/* Inside sql/: where the rows of log tables are, as columns of the tables themselves: _offset, _timestamp
 * and _bucket, which `*` leaves out.
 *
 * DuckDB has no such columns. So in a text that names one of them, each log table in FROM becomes a call
 * of the scan that has them behind its own, and each star next to it an `* EXCLUDE (…)`. Where that could
 * give another answer than the one that was asked for (whole rows, natural joins, patterns for the names of
 * columns), the statement is refused. A table's own column of such a name stays what it is. Thread: that of
 * the session.
 */
#ifndef SQL_HIDDEN_H
#define SQL_HIDDEN_H

#include "session.h"

#include "format/schema.h"

enum hidden_column { HIDDEN_OFFSET, HIDDEN_TIMESTAMP, HIDDEN_BUCKET, HIDDEN_COLUMNS };
extern const char *const hidden_names[HIDDEN_COLUMNS];
/* Whether the table has it: it has no column of this name itself. */
bool hidden_is_there(const struct schema *schema, enum hidden_column column);

/* The text as it is to be bound: the same, or another one in the arena; a TAIL (tail.h) becomes a call of the
 * scan, too, which the statement is told. 0A000: it cannot be right. */
MUST_USE bool hidden_bind(struct sql_session *s, const char *text, struct arena *arena,
                          const char **ret, struct sql_error *e);

#endif
