#include "pg_catalog.h"

#include <stddef.h>

/* Relations of ours, not those that stand here. */
#define OURS                                                                                       \
    "database_name = 'eider' AND schema_name NOT IN ('eider_pg', 'main', 'pg_catalog', "           \
    "'information_schema')"

const char *const pg_catalog_objects[] = {
    /* the catalogs with contents */
    "CREATE VIEW pg_database AS SELECT 1::BIGINT AS oid, 'eider' AS datname, 10::BIGINT AS datdba, "
    "6 AS encoding, 'c' AS datlocprovider, false AS datistemplate, true AS datallowconn, "
    "-1 AS datconnlimit, 0::BIGINT AS dattablespace, 'C' AS datcollate, 'C' AS datctype, "
    "NULL::VARCHAR AS daticulocale, NULL::VARCHAR AS datcollversion, NULL::VARCHAR[] AS datacl",

    "CREATE VIEW pg_namespace AS SELECT oid, schema_name AS nspname, 10::BIGINT AS nspowner, "
    "NULL::VARCHAR[] AS nspacl FROM duckdb_schemas() WHERE database_name = 'eider' AND schema_name "
    "NOT IN ('eider_pg', 'main')",

    "CREATE VIEW pg_class AS SELECT view_oid AS oid, view_name AS relname, schema_oid AS "
    "relnamespace, 0::BIGINT AS reltype, 0::BIGINT AS reloftype, 10::BIGINT AS relowner, 0::BIGINT "
    "AS "
    "relam, 0::BIGINT AS relfilenode, 0::BIGINT AS reltablespace, 0 AS relpages, -1::FLOAT AS "
    "reltuples, 0::BIGINT AS reltoastrelid, false AS relhasindex, false AS relisshared, 'p' AS "
    "relpersistence, 'r' AS relkind, column_count AS relnatts, 0 AS relchecks, false AS "
    "relhasrules, false AS relhastriggers, false AS relhassubclass, false AS relrowsecurity, false "
    "AS relforcerowsecurity, true AS relispopulated, 'd' AS relreplident, false AS relispartition, "
    "NULL::VARCHAR[] AS relacl, NULL::VARCHAR[] AS reloptions, NULL::VARCHAR AS relpartbound FROM "
    "duckdb_views() WHERE " OURS,

    "CREATE MACRO eider_base_oid(t) AS CASE WHEN t LIKE 'DECIMAL(%' AND t NOT LIKE '%[]' THEN 1700 "
    "ELSE CASE t WHEN 'BOOLEAN' THEN 16 WHEN 'BLOB' THEN 17 WHEN 'BIGINT' THEN 20 WHEN 'TINYINT' "
    "THEN "
    "21 WHEN 'SMALLINT' THEN 21 WHEN 'INTEGER' THEN 23 WHEN 'VARCHAR' THEN 25 WHEN 'FLOAT' THEN "
    "700 "
    "WHEN 'DOUBLE' THEN 701 WHEN 'DATE' THEN 1082 WHEN 'TIME' THEN 1083 WHEN 'TIMESTAMP' THEN 1114 "
    "WHEN 'TIMESTAMP_NS' THEN 1114 WHEN 'TIMESTAMP WITH TIME ZONE' THEN 1184 ELSE 114 END END",

    "CREATE MACRO eider_type_oid(t) AS CASE "
    "WHEN t LIKE '%[]' THEN CASE eider_base_oid(t[:-3]) WHEN 16 THEN 1000 WHEN 17 THEN 1001 WHEN "
    "20 "
    "THEN 1016 WHEN 21 THEN 1005 WHEN 23 THEN 1007 WHEN 25 THEN 1009 WHEN 700 THEN 1021 WHEN 701 "
    "THEN 1022 WHEN 1082 THEN 1182 WHEN 1083 THEN 1183 WHEN 1114 THEN 1115 WHEN 1184 THEN 1185 "
    "WHEN 1700 THEN 1231 ELSE 114 END ELSE eider_base_oid(t) END",

    "CREATE VIEW pg_attribute AS SELECT table_oid AS attrelid, column_name AS attname, "
    "eider_type_oid(data_type) AS atttypid, -1 AS attstattarget, -1 AS attlen, column_index AS "
    "attnum, 0 AS attndims, -1 AS attcacheoff, CASE WHEN data_type LIKE 'DECIMAL(%' AND data_type "
    "NOT LIKE '%[]' THEN numeric_precision * 65536 + numeric_scale + 4 ELSE -1 END AS atttypmod, "
    "false AS attnotnull, false AS atthasdef, false AS atthasmissing, '' AS attidentity, '' AS "
    "attgenerated, false AS attisdropped, true AS attislocal, 0 AS attinhcount, 0::BIGINT AS "
    "attcollation, 'x' AS attstorage, '' AS attcompression, NULL::VARCHAR[] AS attacl, "
    "NULL::VARCHAR[] AS attoptions, NULL::VARCHAR[] AS attfdwoptions FROM duckdb_columns() "
    "WHERE " OURS,

    "CREATE VIEW pg_type AS SELECT oid::BIGINT AS oid, typname, (SELECT oid FROM "
    "duckdb_schemas() WHERE database_name = 'eider' AND schema_name = 'pg_catalog') AS "
    "typnamespace, 10::BIGINT AS typowner, typlen, true AS typbyval, 'b' AS typtype, typcategory, "
    "false AS typispreferred, true AS typisdefined, ',' AS typdelim, 0::BIGINT AS typrelid, "
    "typelem::BIGINT AS typelem, typarray::BIGINT AS typarray, 0 AS typinput, 0 AS typoutput, 0 AS "
    "typreceive, 0 AS typsend, false AS typnotnull, 0::BIGINT AS typbasetype, -1 AS typtypmod, 0 "
    "AS "
    "typndims, 0::BIGINT AS typcollation, NULL::VARCHAR AS typdefault FROM (VALUES "
    "(16, 'bool', 1, 'B', 0, 1000), (17, 'bytea', -1, 'U', 0, 1001), (20, 'int8', 8, 'N', 0, "
    "1016), "
    "(21, 'int2', 2, 'N', 0, 1005), (23, 'int4', 4, 'N', 0, 1007), (25, 'text', -1, 'S', 0, 1009), "
    "(114, 'json', -1, 'U', 0, 199), (700, 'float4', 4, 'N', 0, 1021), "
    "(701, 'float8', 8, 'N', 0, 1022), (1043, 'varchar', -1, 'S', 0, 1015), "
    "(1082, 'date', 4, 'D', 0, 1182), (1083, 'time', 8, 'D', 0, 1183), "
    "(1114, 'timestamp', 8, 'D', 0, 1115), (1184, 'timestamptz', 8, 'D', 0, 1185), "
    "(1186, 'interval', 16, 'T', 0, 1187), (1700, 'numeric', -1, 'N', 0, 1231), "
    "(2950, 'uuid', 16, 'U', 0, 2951), "
    "(1000, '_bool', -1, 'A', 16, 0), (1001, '_bytea', -1, 'A', 17, 0), "
    "(1016, '_int8', -1, 'A', 20, 0), (1005, '_int2', -1, 'A', 21, 0), "
    "(1007, '_int4', -1, 'A', 23, 0), (1009, '_text', -1, 'A', 25, 0), "
    "(1021, '_float4', -1, 'A', 700, 0), (1022, '_float8', -1, 'A', 701, 0), "
    "(1182, '_date', -1, 'A', 1082, 0), (1183, '_time', -1, 'A', 1083, 0), "
    "(1115, '_timestamp', -1, 'A', 1114, 0), (1185, '_timestamptz', -1, 'A', 1184, 0), "
    "(1187, '_interval', -1, 'A', 1186, 0), (1231, '_numeric', -1, 'A', 1700, 0), "
    "(2951, '_uuid', -1, 'A', 2950, 0)) AS t(oid, typname, typlen, typcategory, typelem, typarray)",

    "CREATE VIEW pg_roles AS SELECT 10::BIGINT AS oid, 'eider' AS rolname, false AS rolsuper, true "
    "AS rolinherit, false AS rolcreaterole, false AS rolcreatedb, true AS rolcanlogin, false AS "
    "rolreplication, false AS rolbypassrls, -1 AS rolconnlimit, NULL::VARCHAR AS rolvaliduntil",
    "CREATE VIEW pg_user AS SELECT 'eider' AS usename, 10::BIGINT AS usesysid",
    "CREATE VIEW pg_tables AS SELECT schema_name AS schemaname, view_name AS tablename, 'eider' AS "
    "tableowner, NULL::VARCHAR AS tablespace, false AS hasindexes, false AS hasrules, false AS "
    "hastriggers, false AS rowsecurity FROM duckdb_views() WHERE " OURS,

    /* and those of which there is nothing here */
    "CREATE VIEW pg_am AS SELECT 0::BIGINT AS oid, '' AS amname WHERE false",
    "CREATE VIEW pg_attrdef AS SELECT 0::BIGINT AS oid, 0::BIGINT AS adrelid, 0 AS adnum, '' AS "
    "adbin "
    "WHERE false",
    "CREATE VIEW pg_auth_members AS SELECT 0::BIGINT AS roleid, 0::BIGINT AS member WHERE false",
    "CREATE VIEW pg_collation AS SELECT 0::BIGINT AS oid, '' AS collname, 0::BIGINT AS "
    "collnamespace "
    "WHERE false",
    "CREATE VIEW pg_constraint AS SELECT 0::BIGINT AS oid, '' AS conname, 0::BIGINT AS conrelid, "
    "0::BIGINT AS conindid, 0::BIGINT AS confrelid, 0::BIGINT AS conparentid, '' AS contype, false "
    "AS "
    "condeferrable, false AS condeferred, true AS convalidated, 0::BIGINT AS connamespace, NULL::"
    "INTEGER[] AS conkey, NULL::INTEGER[] AS confkey WHERE false",
    "CREATE VIEW pg_description AS SELECT 0::BIGINT AS objoid, 0::BIGINT AS classoid, 0 AS "
    "objsubid, "
    "'' AS description WHERE false",
    "CREATE VIEW pg_enum AS SELECT 0::BIGINT AS oid, 0::BIGINT AS enumtypid, 0::FLOAT AS "
    "enumsortorder, '' AS enumlabel WHERE false",
    "CREATE VIEW pg_foreign_table AS SELECT 0::BIGINT AS ftrelid, 0::BIGINT AS ftserver, "
    "NULL::VARCHAR[] AS ftoptions WHERE false",
    "CREATE VIEW pg_foreign_server AS SELECT 0::BIGINT AS oid, '' AS srvname WHERE false",
    "CREATE VIEW pg_index AS SELECT 0::BIGINT AS indexrelid, 0::BIGINT AS indrelid, false AS "
    "indisunique, false AS indisprimary, false AS indisclustered, false AS indisvalid, false AS "
    "indisreplident, false AS indnullsnotdistinct, NULL::INTEGER[] AS indkey WHERE false",
    "CREATE VIEW pg_inherits AS SELECT 0::BIGINT AS inhrelid, 0::BIGINT AS inhparent, 0 AS "
    "inhseqno, "
    "false AS inhdetachpending WHERE false",
    "CREATE VIEW pg_partitioned_table AS SELECT 0::BIGINT AS partrelid, '' AS partstrat WHERE "
    "false",
    "CREATE VIEW pg_policy AS SELECT 0::BIGINT AS oid, '' AS polname, 0::BIGINT AS polrelid, false "
    "AS "
    "polpermissive, NULL::BIGINT[] AS polroles, '' AS polqual, '' AS polwithcheck, '' AS polcmd "
    "WHERE "
    "false",
    "CREATE VIEW pg_proc AS SELECT 0::BIGINT AS oid, '' AS proname, 0::BIGINT AS pronamespace "
    "WHERE "
    "false",
    "CREATE VIEW pg_publication AS SELECT 0::BIGINT AS oid, '' AS pubname, false AS puballtables "
    "WHERE "
    "false",
    "CREATE VIEW pg_publication_namespace AS SELECT 0::BIGINT AS oid, 0::BIGINT AS pnpubid, "
    "0::BIGINT "
    "AS pnnspid WHERE false",
    "CREATE VIEW pg_publication_rel AS SELECT 0::BIGINT AS oid, 0::BIGINT AS prpubid, 0::BIGINT AS "
    "prrelid, '' AS prqual, NULL::INTEGER[] AS prattrs WHERE false",
    "CREATE VIEW pg_range AS SELECT 0::BIGINT AS rngtypid, 0::BIGINT AS rngsubtype WHERE false",
    "CREATE VIEW pg_rewrite AS SELECT 0::BIGINT AS oid, '' AS rulename, 0::BIGINT AS ev_class "
    "WHERE "
    "false",
    "CREATE VIEW pg_statistic_ext AS SELECT 0::BIGINT AS oid, 0::BIGINT AS stxrelid, '' AS "
    "stxname, "
    "0::BIGINT AS stxnamespace, 0 AS stxstattarget, NULL::VARCHAR[] AS stxkind WHERE false",
    "CREATE VIEW pg_tablespace AS SELECT 0::BIGINT AS oid, '' AS spcname WHERE false",
    "CREATE VIEW pg_trigger AS SELECT 0::BIGINT AS oid, 0::BIGINT AS tgrelid, '' AS tgname, '' AS "
    "tgenabled, false AS tgisinternal, 0::BIGINT AS tgparentid, 0::BIGINT AS tgconstraint WHERE "
    "false",

    /* types that casts name */
    "CREATE TYPE regclass AS BIGINT",
    "CREATE TYPE regtype AS BIGINT",
    "CREATE TYPE regproc AS BIGINT",
    "CREATE TYPE regnamespace AS BIGINT",
    "CREATE TYPE name AS VARCHAR",

    /* functions */
    "CREATE MACRO version() AS 'PostgreSQL 14.0 (Eider)'",
    "CREATE MACRO current_user() AS 'eider'",
    "CREATE MACRO pg_get_userbyid(oid) AS 'eider'",
    "CREATE MACRO pg_table_is_visible(relation) AS relation IN (SELECT v.view_oid FROM "
    "duckdb_views() "
    "v WHERE v.database_name = 'eider' AND v.schema_name = current_schema())",
    "CREATE MACRO array_upper(list, dimension) AS len(list)",
    "CREATE MACRO array_lower(list, dimension) AS 1",
    "CREATE MACRO pg_type_is_visible(oid) AS true",
    "CREATE MACRO pg_function_is_visible(oid) AS true",
    "CREATE MACRO pg_encoding_to_char(encoding) AS 'UTF8'",
    "CREATE MACRO pg_get_expr(node, relation) AS NULL::VARCHAR, (node, relation, pretty) AS "
    "NULL::VARCHAR",
    "CREATE MACRO pg_get_constraintdef(oid) AS NULL::VARCHAR, (oid, pretty) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_indexdef(oid) AS NULL::VARCHAR, (oid, number, pretty) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_viewdef(oid) AS NULL::VARCHAR, (oid, pretty) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_statisticsobjdef_columns(oid) AS NULL::VARCHAR",
    "CREATE MACRO pg_relation_is_publishable(oid) AS false",
    "CREATE MACRO obj_description(oid) AS NULL::VARCHAR, (oid, catalog) AS NULL::VARCHAR",
    "CREATE MACRO shobj_description(oid, catalog) AS NULL::VARCHAR",
    "CREATE MACRO col_description(oid, number) AS NULL::VARCHAR",
    "CREATE MACRO pg_backend_pid() AS 0",
    "CREATE MACRO pg_is_in_recovery() AS false",
    "CREATE MACRO pg_table_size(oid) AS NULL::BIGINT",
    "CREATE MACRO pg_total_relation_size(oid) AS NULL::BIGINT",
    "CREATE MACRO has_schema_privilege(a, b) AS true, (a, b, c) AS true",
    "CREATE MACRO has_table_privilege(a, b) AS true, (a, b, c) AS true",
    "CREATE MACRO has_database_privilege(a, b) AS true, (a, b, c) AS true",
    "CREATE MACRO format_type(oid, modifier) AS CASE oid WHEN 16 THEN 'boolean' WHEN 17 THEN "
    "'bytea' "
    "WHEN 20 THEN 'bigint' WHEN 21 THEN 'smallint' WHEN 23 THEN 'integer' WHEN 25 THEN 'text' WHEN "
    "114 THEN 'json' WHEN 700 THEN 'real' WHEN 701 THEN 'double precision' WHEN 1043 THEN "
    "'character varying' WHEN 1082 THEN 'date' WHEN 1083 THEN 'time without time zone' WHEN 1114 "
    "THEN 'timestamp without time zone' WHEN 1184 THEN 'timestamp with time zone' WHEN 1186 THEN "
    "'interval' WHEN 1700 THEN CASE WHEN modifier >= 4 THEN 'numeric(' || ((modifier - 4) // "
    "65536) "
    "|| ',' || ((modifier - 4) % 65536) || ')' ELSE 'numeric' END WHEN 2950 THEN 'uuid' WHEN 1000 "
    "THEN 'boolean[]' WHEN 1001 THEN 'bytea[]' WHEN 1005 THEN 'smallint[]' WHEN 1007 THEN "
    "'integer[]' WHEN 1009 THEN 'text[]' WHEN 1016 THEN 'bigint[]' WHEN 1021 THEN 'real[]' WHEN "
    "1022 "
    "THEN 'double precision[]' WHEN 1115 THEN 'timestamp without time zone[]' WHEN 1182 THEN "
    "'date[]' WHEN 1183 THEN 'time without time zone[]' WHEN 1185 THEN 'timestamp with time "
    "zone[]' "
    "WHEN 1231 THEN 'numeric[]' ELSE 'unknown' END",
    NULL,
};
