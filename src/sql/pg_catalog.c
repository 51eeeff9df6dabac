#include "pg_catalog.h"

#include <stddef.h>

/* Relations of ours, not those that stand here. */
#define SYSTEM_SCHEMAS "'eider_pg', 'eider_information', 'main', 'pg_catalog', 'information_schema'"
#define OURS           "database_name = 'eider' AND schema_name NOT IN (" SYSTEM_SCHEMAS ")"
/* A catalog of which there is nothing here. */
#define EMPTY(name, columns) "CREATE VIEW " name " AS SELECT " columns " WHERE false"

const char *const pg_catalog_objects[] = {
    /* the catalogs with contents */
    "CREATE VIEW pg_database AS SELECT 1::UINTEGER AS oid, 'eider' AS datname, 10::UINTEGER AS "
    "datdba, "
    "6 AS encoding, 'c' AS datlocprovider, false AS datistemplate, true AS datallowconn, "
    "-1 AS datconnlimit, 0::UINTEGER AS dattablespace, 'C' AS datcollate, 'C' AS datctype, "
    "NULL::VARCHAR AS daticulocale, NULL::VARCHAR AS datcollversion, NULL::VARCHAR[] AS datacl",

    "CREATE VIEW pg_namespace AS SELECT oid::UINTEGER AS oid, schema_name AS nspname, 10::UINTEGER "
    "AS nspowner, "
    "NULL::VARCHAR[] AS nspacl FROM duckdb_schemas() WHERE " OURS
    " UNION ALL SELECT 11, 'pg_catalog', 10, NULL UNION ALL SELECT 12, 'information_schema', 10, "
    "NULL",

    "CREATE TABLE eider_keys (schema_name VARCHAR, table_name VARCHAR, column_name VARCHAR, "
    "position SMALLINT)",

    /* the index of a primary key has the id of its table and so much more */
    "CREATE MACRO eider_index_oid(relation) AS (relation + 1000000000)::UINTEGER",
    "CREATE VIEW eider_relations AS SELECT v.view_oid::UINTEGER AS oid, v.view_name AS name, "
    "v.schema_oid::UINTEGER AS schema_oid, "
    "v.schema_name, v.column_count, k.columns AS key_columns FROM duckdb_views() v LEFT JOIN "
    "(SELECT schema_name, table_name, list(column_name ORDER BY position) AS columns FROM "
    "eider_keys GROUP BY ALL) k ON k.schema_name = v.schema_name AND k.table_name = v.view_name "
    "WHERE v.database_name = 'eider' AND v.schema_name NOT IN (" SYSTEM_SCHEMAS ")",

    "CREATE VIEW pg_class AS SELECT r.oid, r.relname, r.relnamespace, 0::UINTEGER AS reltype, "
    "0::UINTEGER AS reloftype, 10::UINTEGER AS relowner, r.relam, 0::UINTEGER AS relfilenode, "
    "0::UINTEGER "
    "AS reltablespace, 0 AS relpages, -1::FLOAT AS reltuples, 0 AS relallvisible, 0::UINTEGER AS "
    "reltoastrelid, r.relhasindex, false AS relisshared, 'p' AS relpersistence, r.relkind, "
    "r.relnatts, 0 AS relchecks, false AS relhasoids, false AS relhasrules, false AS "
    "relhastriggers, false AS relhassubclass, false AS relrowsecurity, false AS "
    "relforcerowsecurity, true AS relispopulated, 'd' AS relreplident, false AS relispartition, "
    "0::UINTEGER AS relrewrite, NULL::VARCHAR[] AS relacl, NULL::VARCHAR[] AS reloptions, "
    "NULL::VARCHAR AS relpartbound, 0::UINTEGER AS xmin FROM "
    "(SELECT oid, name AS relname, schema_oid AS relnamespace, 2::UINTEGER AS relam, key_columns "
    "IS "
    "NOT NULL AS relhasindex, 'r' AS relkind, column_count AS relnatts FROM eider_relations UNION "
    "ALL SELECT eider_index_oid(oid), name || '_pkey', schema_oid, 405, false, 'i', "
    "len(key_columns) FROM eider_relations WHERE key_columns IS NOT NULL) r",

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

    "CREATE VIEW eider_columns AS SELECT c.table_oid::UINTEGER AS table_oid, c.schema_name, "
    "c.table_name, c.column_name, "
    "c.column_index, c.data_type, eider_type_oid(c.data_type)::UINTEGER AS type_oid, CASE WHEN "
    "c.data_type "
    "LIKE 'DECIMAL(%' AND c.data_type NOT LIKE '%[]' THEN c.numeric_precision * 65536 + "
    "c.numeric_scale + 4 ELSE -1 END AS modifier, c.numeric_precision, c.numeric_scale, k.position "
    "AS key_position FROM duckdb_columns() c LEFT JOIN eider_keys k ON k.schema_name = "
    "c.schema_name AND k.table_name = c.table_name AND k.column_name = c.column_name WHERE "
    "c.database_name = 'eider' AND c.schema_name NOT IN (" SYSTEM_SCHEMAS ")",

    "CREATE VIEW pg_attribute AS SELECT table_oid AS attrelid, column_name AS attname, type_oid AS "
    "atttypid, -1 AS attstattarget, -1 AS attlen, column_index::SMALLINT AS attnum, 0 AS attndims, "
    "-1 AS attcacheoff, modifier AS atttypmod, false AS attbyval, 'i' AS attalign, key_position IS "
    "NOT NULL AS attnotnull, false AS atthasdef, false AS atthasmissing, '' AS attidentity, '' AS "
    "attgenerated, false AS attisdropped, true AS attislocal, 0 AS attinhcount, 0::UINTEGER AS "
    "attcollation, 'x' AS attstorage, '' AS attcompression, NULL::VARCHAR[] AS attacl, "
    "NULL::VARCHAR[] AS attoptions, NULL::VARCHAR[] AS attfdwoptions FROM (SELECT table_oid, "
    "column_name, type_oid, column_index, modifier, key_position FROM eider_columns UNION ALL "
    "SELECT eider_index_oid(table_oid), column_name, type_oid, key_position, modifier, "
    "key_position FROM eider_columns WHERE key_position IS NOT NULL)",

    "CREATE VIEW pg_type AS SELECT t.oid::UINTEGER AS oid, typname, 11::UINTEGER AS typnamespace, "
    "10::UINTEGER AS typowner, typlen, true AS typbyval, 'b' AS typtype, typcategory, false AS "
    "typispreferred, true AS typisdefined, ',' AS typdelim, 0::UINTEGER AS typrelid, "
    "typelem::UINTEGER AS typelem, typarray::UINTEGER AS typarray, CASE WHEN typcategory = 'A' "
    "THEN "
    "750 ELSE 0 END::UINTEGER AS typinput, 0::UINTEGER AS typoutput, CASE WHEN typcategory = 'A' "
    "THEN "
    "2400 ELSE 0 END::UINTEGER AS typreceive, 0::UINTEGER AS typsend, 0::UINTEGER AS typmodin, "
    "0::UINTEGER "
    "AS typmodout, 0::UINTEGER AS typanalyze, 'i' AS typalign, 'x' AS typstorage, false AS "
    "typnotnull, 0::UINTEGER AS typbasetype, -1 AS typtypmod, 0 AS typndims, 0::UINTEGER AS "
    "typcollation, NULL::VARCHAR AS typdefault, NULL::VARCHAR[] AS typacl FROM (VALUES "
    "(16, 'bool', 1, 'B', 0, 1000), (17, 'bytea', -1, 'U', 0, 1001), (18, 'char', 1, 'Z', 0, "
    "1002), (19, 'name', 64, 'S', 0, 1003), (20, 'int8', 8, 'N', 0, 1016), "
    "(21, 'int2', 2, 'N', 0, 1005), (23, 'int4', 4, 'N', 0, 1007), (25, 'text', -1, 'S', 0, 1009), "
    "(26, 'oid', 4, 'N', 0, 1028), "
    "(114, 'json', -1, 'U', 0, 199), (700, 'float4', 4, 'N', 0, 1021), "
    "(701, 'float8', 8, 'N', 0, 1022), (1042, 'bpchar', -1, 'S', 0, 1014), "
    "(1043, 'varchar', -1, 'S', 0, 1015), "
    "(1082, 'date', 4, 'D', 0, 1182), (1083, 'time', 8, 'D', 0, 1183), "
    "(1114, 'timestamp', 8, 'D', 0, 1115), (1184, 'timestamptz', 8, 'D', 0, 1185), "
    "(1186, 'interval', 16, 'T', 0, 1187), (1700, 'numeric', -1, 'N', 0, 1231), "
    "(2950, 'uuid', 16, 'U', 0, 2951), "
    "(199, '_json', -1, 'A', 114, 0), (1000, '_bool', -1, 'A', 16, 0), "
    "(1001, '_bytea', -1, 'A', 17, 0), (1002, '_char', -1, 'A', 18, 0), "
    "(1003, '_name', -1, 'A', 19, 0), (1014, '_bpchar', -1, 'A', 1042, 0), "
    "(1015, '_varchar', -1, 'A', 1043, 0), "
    "(1016, '_int8', -1, 'A', 20, 0), (1005, '_int2', -1, 'A', 21, 0), "
    "(1007, '_int4', -1, 'A', 23, 0), (1009, '_text', -1, 'A', 25, 0), "
    "(1028, '_oid', -1, 'A', 26, 0), "
    "(1021, '_float4', -1, 'A', 700, 0), (1022, '_float8', -1, 'A', 701, 0), "
    "(1182, '_date', -1, 'A', 1082, 0), (1183, '_time', -1, 'A', 1083, 0), "
    "(1115, '_timestamp', -1, 'A', 1114, 0), (1185, '_timestamptz', -1, 'A', 1184, 0), "
    "(1187, '_interval', -1, 'A', 1186, 0), (1231, '_numeric', -1, 'A', 1700, 0), "
    "(2951, '_uuid', -1, 'A', 2950, 0)) AS t(oid, typname, typlen, typcategory, typelem, typarray)",

    "CREATE VIEW pg_index AS SELECT eider_index_oid(oid) AS indexrelid, oid AS indrelid, "
    "len(key_columns) AS indnatts, len(key_columns) AS indnkeyatts, true AS indisunique, true AS "
    "indisprimary, false AS indisexclusion, true AS indimmediate, false AS indisclustered, true AS "
    "indisvalid, false AS indcheckxmin, true AS indisready, true AS indislive, false AS "
    "indisreplident, false AS indnullsnotdistinct, (SELECT list(column_index::SMALLINT ORDER BY "
    "key_position) FROM eider_columns c WHERE c.table_oid = r.oid AND key_position IS NOT NULL) AS "
    "indkey, list_transform(key_columns, lambda c: 0::UINTEGER) AS indcollation, "
    "list_transform(key_columns, lambda c: 0::UINTEGER) AS indclass, list_transform(key_columns, "
    "lambda c: 0::SMALLINT) AS indoption, NULL::VARCHAR AS indexprs, NULL::VARCHAR AS indpred FROM "
    "eider_relations r WHERE key_columns IS NOT NULL",

    "CREATE VIEW pg_constraint AS SELECT i.indexrelid AS oid, r.name || '_pkey' AS conname, "
    "r.schema_oid AS connamespace, 'p' AS contype, false AS condeferrable, false AS condeferred, "
    "true AS convalidated, i.indrelid AS conrelid, 0::UINTEGER AS contypid, i.indexrelid AS "
    "conindid, 0::UINTEGER AS conparentid, 0::UINTEGER AS confrelid, '' AS confupdtype, '' AS "
    "confdeltype, '' AS confmatchtype, true AS conislocal, 0 AS coninhcount, true AS connoinherit, "
    "i.indkey AS conkey, NULL::SMALLINT[] AS confkey, NULL::UINTEGER[] AS conpfeqop, "
    "NULL::UINTEGER[] "
    "AS conexclop, NULL::SMALLINT[] AS confdelsetcols, NULL::VARCHAR AS conbin, NULL::VARCHAR AS "
    "consrc FROM pg_index i JOIN eider_relations r ON r.oid = i.indrelid",

    "CREATE VIEW pg_roles AS SELECT 10::UINTEGER AS oid, 'eider' AS rolname, false AS rolsuper, "
    "true "
    "AS rolinherit, false AS rolcreaterole, false AS rolcreatedb, true AS rolcanlogin, false AS "
    "rolreplication, false AS rolbypassrls, -1 AS rolconnlimit, NULL::VARCHAR AS rolvaliduntil",
    "CREATE VIEW pg_authid AS SELECT *, NULL::VARCHAR AS rolpassword FROM pg_roles",
    "CREATE VIEW pg_user AS SELECT 'eider' AS usename, 10::UINTEGER AS usesysid",
    "CREATE VIEW pg_tables AS SELECT schema_name AS schemaname, view_name AS tablename, 'eider' AS "
    "tableowner, NULL::VARCHAR AS tablespace, false AS hasindexes, false AS hasrules, false AS "
    "hastriggers, false AS rowsecurity FROM duckdb_views() WHERE " OURS,

    "CREATE VIEW pg_am AS SELECT * FROM (VALUES (2::UINTEGER, 'heap', 't'), (405, 'hash', 'i')) AS "
    "t(oid, amname, amtype)",

    /* and those of which there is nothing here */
    EMPTY("pg_attrdef", "0::UINTEGER AS oid, 0::UINTEGER AS adrelid, 0 AS adnum, '' AS adbin"),
    EMPTY("pg_auth_members",
          "0::UINTEGER AS roleid, 0::UINTEGER AS member, 0::UINTEGER AS grantor, false AS "
          "admin_option"),
    EMPTY("pg_available_extensions",
          "'' AS name, '' AS default_version, '' AS installed_version, '' AS comment"),
    EMPTY("pg_cast", "0::UINTEGER AS oid, 0::UINTEGER AS castsource, 0::UINTEGER AS casttarget"),
    EMPTY("pg_collation", "0::UINTEGER AS oid, '' AS collname, 0::UINTEGER AS collnamespace"),
    EMPTY("pg_default_acl", "0::UINTEGER AS oid, 0::UINTEGER AS defaclnamespace"),
    EMPTY("pg_depend",
          "0::UINTEGER AS classid, 0::UINTEGER AS objid, 0 AS objsubid, 0::UINTEGER AS "
          "refclassid, 0::UINTEGER AS refobjid, 0 AS refobjsubid, '' AS deptype"),
    EMPTY("pg_description",
          "0::UINTEGER AS objoid, 0::UINTEGER AS classoid, 0 AS objsubid, '' AS description"),
    EMPTY("pg_enum",
          "0::UINTEGER AS oid, 0::UINTEGER AS enumtypid, 0::FLOAT AS enumsortorder, '' AS "
          "enumlabel"),
    EMPTY("pg_event_trigger", "0::UINTEGER AS oid, '' AS evtname"),
    EMPTY("pg_extension",
          "0::UINTEGER AS oid, '' AS extname, 0::UINTEGER AS extowner, 0::UINTEGER AS "
          "extnamespace, false AS extrelocatable, '' AS extversion, NULL::UINTEGER[] AS "
          "extconfig, NULL::VARCHAR[] AS extcondition"),
    EMPTY("pg_foreign_data_wrapper",
          "0::UINTEGER AS oid, '' AS fdwname, 0::UINTEGER AS fdwowner, 0::UINTEGER AS "
          "fdwhandler, 0::UINTEGER AS fdwvalidator, NULL::VARCHAR[] AS fdwacl, NULL::VARCHAR[] "
          "AS fdwoptions"),
    EMPTY("pg_foreign_server",
          "0::UINTEGER AS oid, '' AS srvname, 0::UINTEGER AS srvowner, 0::UINTEGER AS srvfdw, '' "
          "AS srvtype, '' AS srvversion, NULL::VARCHAR[] AS srvacl, NULL::VARCHAR[] AS "
          "srvoptions"),
    EMPTY("pg_foreign_table",
          "0::UINTEGER AS ftrelid, 0::UINTEGER AS ftserver, NULL::VARCHAR[] AS ftoptions"),
    EMPTY("pg_inherits",
          "0::UINTEGER AS inhrelid, 0::UINTEGER AS inhparent, 0 AS inhseqno, false AS "
          "inhdetachpending"),
    EMPTY("pg_language", "0::UINTEGER AS oid, '' AS lanname"),
    EMPTY("pg_matviews", "'' AS schemaname, '' AS matviewname, '' AS definition"),
    EMPTY("pg_operator", "0::UINTEGER AS oid, '' AS oprname, 0::UINTEGER AS oprnamespace"),
    EMPTY("pg_opclass",
          "0::UINTEGER AS oid, '' AS opcname, 0::UINTEGER AS opcmethod, false AS opcdefault"),
    EMPTY("pg_partitioned_table", "0::UINTEGER AS partrelid, '' AS partstrat"),
    EMPTY("pg_policies",
          "'' AS schemaname, '' AS tablename, '' AS policyname, '' AS permissive, NULL::VARCHAR[] "
          "AS roles, '' AS cmd, '' AS qual, '' AS with_check"),
    EMPTY("pg_policy",
          "0::UINTEGER AS oid, '' AS polname, 0::UINTEGER AS polrelid, false AS polpermissive, "
          "NULL::UINTEGER[] AS polroles, '' AS polqual, '' AS polwithcheck, '' AS polcmd"),
    EMPTY("pg_proc",
          "0::UINTEGER AS oid, '' AS proname, 0::UINTEGER AS pronamespace, 0::UINTEGER AS "
          "proowner, 0::UINTEGER AS prolang, '' AS prokind, false AS proisagg, false AS "
          "proretset, 0 AS pronargs, 0::UINTEGER AS prorettype, NULL::UINTEGER[] AS "
          "proargtypes, NULL::UINTEGER[] AS proallargtypes, NULL::VARCHAR[] AS proargmodes, "
          "NULL::VARCHAR[] AS proargnames, '' AS prosrc, NULL::VARCHAR[] AS proacl"),
    EMPTY("pg_publication", "0::UINTEGER AS oid, '' AS pubname, false AS puballtables"),
    EMPTY("pg_publication_namespace",
          "0::UINTEGER AS oid, 0::UINTEGER AS pnpubid, 0::UINTEGER AS pnnspid"),
    EMPTY("pg_publication_rel",
          "0::UINTEGER AS oid, 0::UINTEGER AS prpubid, 0::UINTEGER AS prrelid, '' AS prqual, "
          "NULL::INTEGER[] AS prattrs"),
    EMPTY("pg_range",
          "0::UINTEGER AS rngtypid, 0::UINTEGER AS rngsubtype, 0::UINTEGER AS rngmultitypid"),
    EMPTY("pg_rewrite", "0::UINTEGER AS oid, '' AS rulename, 0::UINTEGER AS ev_class"),
    EMPTY("pg_sequence",
          "0::UINTEGER AS seqrelid, 0::UINTEGER AS seqtypid, 0::BIGINT AS seqstart, 0::BIGINT "
          "AS seqincrement, 0::BIGINT AS seqmax, 0::BIGINT AS seqmin, 0::BIGINT AS "
          "seqcache, false AS seqcycle"),
    EMPTY("pg_shdescription", "0::UINTEGER AS objoid, 0::UINTEGER AS classoid, '' AS description"),
    EMPTY("pg_stat_activity", "0::UINTEGER AS datid, '' AS datname, 0 AS pid, '' AS usename, '' AS "
                              "application_name, '' AS state, '' AS query"),
    EMPTY("pg_stat_user_tables",
          "0::UINTEGER AS relid, '' AS schemaname, '' AS relname, 0::BIGINT AS n_live_tup"),
    EMPTY("pg_statistic_ext",
          "0::UINTEGER AS oid, 0::UINTEGER AS stxrelid, '' AS stxname, 0::UINTEGER AS "
          "stxnamespace, 0 AS stxstattarget, NULL::VARCHAR[] AS stxkind"),
    EMPTY("pg_tablespace", "0::UINTEGER AS oid, '' AS spcname, 0::UINTEGER AS spcowner"),
    EMPTY("pg_trigger",
          "0::UINTEGER AS oid, 0::UINTEGER AS tgrelid, 0::UINTEGER AS tgparentid, '' AS tgname, "
          "0::UINTEGER AS tgfoid, 0::SMALLINT AS tgtype, '' AS tgenabled, false AS tgisinternal, "
          "0::UINTEGER AS tgconstrrelid, 0::UINTEGER AS tgconstrindid, 0::UINTEGER AS "
          "tgconstraint, false AS tgdeferrable, false AS tginitdeferred, 0::SMALLINT AS tgnargs, "
          "'' AS tgattr, NULL::BLOB AS tgargs, '' AS tgqual"),
    EMPTY("pg_views", "'' AS schemaname, '' AS viewname, '' AS viewowner, '' AS definition"),

    /* types that casts name */
    "CREATE TYPE regclass AS UINTEGER",
    "CREATE TYPE regtype AS UINTEGER",
    "CREATE TYPE regproc AS UINTEGER",
    "CREATE TYPE regnamespace AS UINTEGER",
    "CREATE TYPE name AS VARCHAR",
    "CREATE TYPE int2vector AS SMALLINT[]",
    "CREATE TYPE oidvector AS BIGINT[]",

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
    "CREATE MACRO quote_ident(name) AS CASE WHEN regexp_full_match(name, '[a-z_][a-z0-9_$]*') THEN "
    "name ELSE '\"' || replace(name, '\"', '\"\"') || '\"' END",
    "CREATE MACRO eider_key_text(index) AS (SELECT '(' || array_to_string(list_transform("
    "k.key_columns, lambda c: quote_ident(c)), ', ') || ')' FROM eider_relations k WHERE "
    "eider_index_oid(k.oid) = index)",
    "CREATE MACRO pg_get_constraintdef(index) AS 'PRIMARY KEY ' || eider_key_text(index), "
    "(index, pretty) AS 'PRIMARY KEY ' || eider_key_text(index)",
    "CREATE MACRO eider_indexdef(index) AS (SELECT 'CREATE UNIQUE INDEX ' || quote_ident(k.name || "
    "'_pkey') || ' ON ' || quote_ident(k.schema_name) || '.' || quote_ident(k.name) || ' USING "
    "hash ' || eider_key_text(index) FROM eider_relations k WHERE eider_index_oid(k.oid) = index)",
    "CREATE MACRO pg_get_indexdef(index) AS eider_indexdef(index), (index, number, pretty) AS CASE "
    "number WHEN 0 THEN eider_indexdef(index) ELSE (SELECT quote_ident(k.key_columns[number]) FROM "
    "eider_relations k WHERE eider_index_oid(k.oid) = index) END",
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
    "19 THEN 'name' WHEN 26 THEN 'oid' WHEN 1042 THEN 'character' WHEN "
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
