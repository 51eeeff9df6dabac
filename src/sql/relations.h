/* Inside sql/: the catalog of DuckDB as an image of ours: a schema per database, a view per table and
 * one for its changelog, of a primary-key table also one for its binlog. Names that differ from an
 * earlier one only in the case of letters are left out, for DuckDB takes them for the same.
 * Thread: whoever holds the engine's lock.
 */
#ifndef SQL_RELATIONS_H
#define SQL_RELATIONS_H

#include "session.h"

#define RELATIONS_CATALOG "eider"
#define RELATIONS_SYSTEM  "eider_pg" /* the schema with what stands for pg_catalog */

/* Makes the relations those of the view. */
void relations_follow(struct sql_engine *engine, struct meta_view *view);
void relations_free(struct sql_engine *engine);
/* "name", in the arena. */
const char *relations_quote(struct arena *arena, const char *name);

#endif
