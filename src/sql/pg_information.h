/* Inside sql/: the information_schema, the settings and the functions that drivers and tools of
 * PostgreSQL ask for when they open, over what pg_catalog.h makes. dialect.h sends the names here.
 */
#ifndef SQL_PG_INFORMATION_H
#define SQL_PG_INFORMATION_H

/* Statements, in order, behind those of pg_catalog.h; NULL ends them. */
extern const char *const pg_information_objects[];

#endif
