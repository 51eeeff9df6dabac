/* Inside sql/: column types as PostgreSQL, DuckDB, Flink and Fluss call them.
 *
 *   boolean bool | tinyint int1 | smallint int2 | int integer int4 | bigint int8 long
 *   real float float4 | double [precision] float8 | decimal numeric dec (p[, s])
 *   text string varchar[(n)] character varying | char(n) character(n) | binary(n)
 *   bytea bytes blob varbinary | date | time[(p)] | timestamp[(p)] datetime timestamp_s, _ms, _ns
 *   timestamptz[(p)] timestamp_ltz[(p)] timestamp[(p)] with time zone
 *   array<t> t[] | map<k, v> map(k, v) | row<a t> row(a t) struct(a t)
 *
 * TIME is of milliseconds, timestamps of microseconds when nothing else is said; the length of
 * varchar is not kept. Recursion is over nested types, at most TYPE_DEPTH_MAX deep. Thread: any.
 */
#ifndef SQL_PARSE_TYPE_H
#define SQL_PARSE_TYPE_H

#include "parse.h"

#include "format/type.h"

/* In the arena of the parser; nullable, NOT NULL belongs to the column. */
MUST_USE bool parse_type(struct parse *p, const struct type **ret);

#endif
