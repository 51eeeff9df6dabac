/* Inside sql/: statements that show the catalog, as queries that give the rows.
 *
 *   SHOW DATABASES | SCHEMAS            name
 *   SHOW TABLES [FROM | IN d]           name; without d: of the first database of the search path
 *   SHOW PARTITIONS t                   name, id
 *   SHOW CREATE TABLE t                 name, statement: what makes a table like it
 * Thread: that of the session.
 */
#ifndef SQL_SHOW_H
#define SQL_SHOW_H

#include "parse.h"
#include "session.h"

/* Whether it is one of these; other SHOWs are DuckDB's or settings. */
bool show_is(struct bytes statement);
/* In the arena; as of the session's view. */
MUST_USE bool show_query(struct bytes statement, struct sql_session *s, struct arena *arena,
                         const char **ret, struct sql_error *e);

#endif
