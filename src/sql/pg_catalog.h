/* Inside sql/: what clients of PostgreSQL ask of its system catalogs, as views and macros of DuckDB,
 * found before DuckDB's own by the search path. Enough for psql's \l, \dn, \dt, \d and for the
 * questions that drivers open with; object ids are DuckDB's.
 */
#ifndef SQL_PG_CATALOG_H
#define SQL_PG_CATALOG_H

/* Statements, in order; NULL ends them. */
extern const char *const pg_catalog_objects[];

#endif
