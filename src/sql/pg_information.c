#include "pg_information.h"

#include <stddef.h>

#define SCHEMA "eider_information"
/* A view of which there is nothing here. */
#define EMPTY(name, columns) "CREATE VIEW " SCHEMA "." name " AS SELECT " columns " WHERE false"

const char *const pg_information_objects[] = {
    /* ---- information_schema ---- */
    "CREATE SCHEMA " SCHEMA,

    "CREATE VIEW " SCHEMA ".schemata AS SELECT 'eider' AS catalog_name, nspname AS schema_name, "
    "'eider' AS schema_owner, NULL::VARCHAR AS default_character_set_catalog, NULL::VARCHAR AS "
    "default_character_set_schema, NULL::VARCHAR AS default_character_set_name, NULL::VARCHAR AS "
    "sql_path FROM pg_namespace",

    "CREATE VIEW " SCHEMA ".tables AS SELECT 'eider' AS table_catalog, schema_name AS "
    "table_schema, name AS table_name, 'BASE TABLE' AS table_type, NULL::VARCHAR AS "
    "self_referencing_column_name, NULL::VARCHAR AS reference_generation, NULL::VARCHAR AS "
    "user_defined_type_catalog, NULL::VARCHAR AS user_defined_type_schema, NULL::VARCHAR AS "
    "user_defined_type_name, 'NO' AS is_insertable_into, 'NO' AS is_typed, NULL::VARCHAR AS "
    "commit_action FROM eider_relations",

    "CREATE VIEW " SCHEMA ".columns AS SELECT 'eider' AS table_catalog, c.schema_name AS "
    "table_schema, c.table_name, c.column_name, c.column_index AS ordinal_position, NULL::VARCHAR "
    "AS column_default, CASE WHEN c.key_position IS NULL THEN 'YES' ELSE 'NO' END AS is_nullable, "
    "CASE WHEN t.typcategory = 'A' THEN 'ARRAY' ELSE format_type(c.type_oid, -1) END AS data_type, "
    "NULL::INTEGER AS character_maximum_length, NULL::INTEGER AS character_octet_length, CASE WHEN "
    "t.typcategory = 'N' THEN c.numeric_precision END AS numeric_precision, CASE WHEN "
    "t.typcategory = 'N' THEN CASE WHEN c.type_oid = 1700 THEN 10 ELSE 2 END END AS "
    "numeric_precision_radix, CASE WHEN t.typcategory = 'N' THEN c.numeric_scale END AS "
    "numeric_scale, CASE WHEN t.typcategory = 'D' THEN 6 END AS datetime_precision, NULL::VARCHAR "
    "AS interval_type, NULL::INTEGER AS interval_precision, NULL::VARCHAR AS "
    "character_set_catalog, NULL::VARCHAR AS character_set_schema, NULL::VARCHAR AS "
    "character_set_name, NULL::VARCHAR AS collation_catalog, NULL::VARCHAR AS collation_schema, "
    "NULL::VARCHAR AS collation_name, NULL::VARCHAR AS domain_catalog, NULL::VARCHAR AS "
    "domain_schema, NULL::VARCHAR AS domain_name, 'eider' AS udt_catalog, 'pg_catalog' AS "
    "udt_schema, t.typname AS udt_name, NULL::VARCHAR AS scope_catalog, NULL::VARCHAR AS "
    "scope_schema, NULL::VARCHAR AS scope_name, NULL::INTEGER AS maximum_cardinality, "
    "c.column_index::VARCHAR AS dtd_identifier, 'NO' AS is_self_referencing, 'NO' AS is_identity, "
    "NULL::VARCHAR AS identity_generation, NULL::VARCHAR AS identity_start, NULL::VARCHAR AS "
    "identity_increment, NULL::VARCHAR AS identity_maximum, NULL::VARCHAR AS identity_minimum, "
    "'NO' AS identity_cycle, 'NEVER' AS is_generated, NULL::VARCHAR AS generation_expression, 'NO' "
    "AS is_updatable FROM eider_columns c LEFT JOIN pg_type t ON t.oid = c.type_oid",

    "CREATE VIEW " SCHEMA ".table_constraints AS SELECT 'eider' AS constraint_catalog, schema_name "
    "AS constraint_schema, name || '_pkey' AS constraint_name, 'eider' AS table_catalog, "
    "schema_name AS table_schema, name AS table_name, 'PRIMARY KEY' AS constraint_type, 'NO' AS "
    "is_deferrable, 'NO' AS initially_deferred, 'YES' AS enforced FROM eider_relations WHERE "
    "key_columns IS NOT NULL",

    "CREATE VIEW " SCHEMA ".key_column_usage AS SELECT 'eider' AS constraint_catalog, schema_name "
    "AS constraint_schema, table_name || '_pkey' AS constraint_name, 'eider' AS table_catalog, "
    "schema_name AS table_schema, table_name, column_name, key_position::INTEGER AS "
    "ordinal_position, NULL::INTEGER AS position_in_unique_constraint FROM eider_columns WHERE "
    "key_position IS NOT NULL",

    "CREATE VIEW " SCHEMA ".constraint_column_usage AS SELECT 'eider' AS table_catalog, "
    "schema_name AS table_schema, table_name, column_name, 'eider' AS constraint_catalog, "
    "schema_name AS constraint_schema, table_name || '_pkey' AS constraint_name FROM eider_columns "
    "WHERE key_position IS NOT NULL",

    "CREATE VIEW " SCHEMA ".table_privileges AS SELECT 'eider' AS grantor, 'eider' AS grantee, "
    "'eider' AS table_catalog, schema_name AS table_schema, name AS table_name, 'SELECT' AS "
    "privilege_type, 'NO' AS is_grantable, 'YES' AS with_hierarchy FROM eider_relations",

    EMPTY("referential_constraints",
          "'' AS constraint_catalog, '' AS constraint_schema, '' AS constraint_name, '' AS "
          "unique_constraint_catalog, '' AS unique_constraint_schema, '' AS "
          "unique_constraint_name, '' AS match_option, '' AS update_rule, '' AS delete_rule"),
    EMPTY("views",
          "'' AS table_catalog, '' AS table_schema, '' AS table_name, '' AS view_definition"),
    EMPTY("routines",
          "'' AS specific_name, '' AS routine_catalog, '' AS routine_schema, '' AS routine_name, "
          "'' AS routine_type, '' AS data_type"),
    EMPTY("sequences", "'' AS sequence_catalog, '' AS sequence_schema, '' AS sequence_name"),
    EMPTY("triggers", "'' AS trigger_catalog, '' AS trigger_schema, '' AS trigger_name, '' AS "
                      "event_object_schema, '' AS event_object_table"),

    "CREATE MACRO " SCHEMA "._pg_expandarray(items) AS unnest(list_transform(items, lambda x, i: "
    "{'x': x, 'n': i::INTEGER}))",

    /* ---- settings ---- */
    "CREATE VIEW pg_settings AS SELECT s.name, s.value AS setting, NULL::VARCHAR AS "
    "unit, 'Settings' AS category, '' AS short_desc, NULL::VARCHAR AS extra_desc, 'user' AS "
    "context, 'string' AS vartype, 'default' AS source, NULL::VARCHAR AS min_val, "
    "NULL::VARCHAR AS max_val, NULL::VARCHAR[] AS enumvals, s.value AS boot_val, s.value AS "
    "reset_val, false AS pending_restart FROM (SELECT unnest(map_values(eider_settings())) AS s)",
    "CREATE MACRO eider_setting(given) AS CASE lower(given) WHEN 'search_path' THEN "
    "current_schema() ELSE eider_settings()[lower(given)].value END",
    "CREATE MACRO current_setting(given) AS eider_setting(given), (given, missing_ok) AS "
    "eider_setting(given)",
    "CREATE MACRO set_config(setting_name, new_value, is_local) AS new_value::VARCHAR",

    /* ---- names and ids ---- */
    "CREATE MACRO eider_to_regclass(given) AS COALESCE(TRY_CAST(given AS UINTEGER), CASE "
    "replace(given::VARCHAR, 'pg_catalog.', '') WHEN 'pg_class' THEN 1259 WHEN 'pg_type' THEN 1247 "
    "WHEN 'pg_attribute' THEN 1249 WHEN 'pg_proc' THEN 1255 WHEN 'pg_namespace' THEN 2615 WHEN "
    "'pg_constraint' THEN 2606 WHEN 'pg_database' THEN 1262 WHEN 'pg_trigger' THEN 2620 WHEN "
    "'pg_extension' THEN 3079 WHEN 'pg_rewrite' THEN 2618 WHEN 'pg_policy' THEN 3256 WHEN "
    "'pg_ts_dict' THEN 3600 END::UINTEGER, (SELECT r.oid FROM eider_relations r WHERE "
    "(quote_ident(r.schema_name) || '.' || quote_ident(r.name) = given::VARCHAR) OR r.schema_name "
    "|| '.' || r.name = given::VARCHAR OR (r.schema_name = current_schema() AND (r.name = "
    "given::VARCHAR OR quote_ident(r.name) = given::VARCHAR)) LIMIT 1))",
    "CREATE MACRO to_regclass(given) AS eider_to_regclass(given)",
    "CREATE MACRO eider_to_regtype(given) AS COALESCE(TRY_CAST(given AS UINTEGER), (SELECT t.oid "
    "FROM "
    "pg_type t WHERE t.typname = replace(given::VARCHAR, 'pg_catalog.', '') OR format_type(t.oid, "
    "-1) = lower(given::VARCHAR) LIMIT 1))",
    "CREATE MACRO to_regtype(given) AS eider_to_regtype(given)",
    "CREATE MACRO eider_to_regproc(given) AS COALESCE(TRY_CAST(given AS UINTEGER), CASE "
    "replace(given::VARCHAR, 'pg_catalog.', '') WHEN 'array_in' THEN 750 WHEN 'array_recv' THEN "
    "2400 ELSE 0 END::UINTEGER)",
    "CREATE MACRO to_regproc(given) AS eider_to_regproc(given)",
    "CREATE MACRO eider_to_regnamespace(given) AS COALESCE(TRY_CAST(given AS UINTEGER), (SELECT "
    "n.oid "
    "FROM pg_namespace n WHERE n.nspname = given::VARCHAR OR quote_ident(n.nspname) = "
    "given::VARCHAR LIMIT 1))",
    "CREATE MACRO to_regnamespace(given) AS eider_to_regnamespace(given)",
    "CREATE MACRO parse_ident(given) AS list_transform(string_split(given, '.'), lambda part: CASE "
    "WHEN part LIKE '\"%\"' THEN replace(part[2:-2], '\"\"', '\"') ELSE lower(part) END)",

    /* ---- functions ---- */
    "CREATE MACRO string_to_array(given, separator) AS TABLE SELECT string_split(given, separator) "
    "AS string_to_array",
    /* %s and %I of PostgreSQL, {} of DuckDB */
    "CREATE MACRO eider_format(given, a) AS replace(replace(given, '%s', a::VARCHAR), '%I', "
    "quote_ident(a::VARCHAR))",
    "CREATE MACRO eider_format2(given, a, b) AS CASE WHEN given = '%I.%I' THEN "
    "quote_ident(a::VARCHAR) || '.' || quote_ident(b::VARCHAR) ELSE regexp_replace(regexp_replace("
    "given, '%[sI]', a::VARCHAR), '%[sI]', b::VARCHAR) END",
    "CREATE MACRO format(given, a) AS CASE WHEN contains(given, '%') THEN eider_format(given, a) "
    "ELSE system.main.format(given, a) END, (given, a, b) AS CASE WHEN contains(given, '%') THEN "
    "eider_format2(given, a, b) ELSE system.main.format(given, a, b) END",
    "CREATE MACRO pg_collation_is_visible(oid) AS true",
    "CREATE MACRO pg_opclass_is_visible(oid) AS true",
    "CREATE MACRO pg_advisory_unlock_all() AS NULL::VARCHAR",
    "CREATE MACRO pg_get_keywords() AS TABLE SELECT keyword_name AS word, CASE keyword_category "
    "WHEN 'reserved' THEN 'R' WHEN 'unreserved' THEN 'U' ELSE 'C' END AS catcode, "
    "keyword_category AS catdesc FROM duckdb_keywords()",
    "CREATE MACRO pg_get_function_result(oid) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_function_arguments(oid) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_function_identity_arguments(oid) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_triggerdef(oid) AS NULL::VARCHAR, (oid, pretty) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_ruledef(oid) AS NULL::VARCHAR, (oid, pretty) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_serial_sequence(relation, name) AS NULL::VARCHAR",
    "CREATE MACRO pg_get_partkeydef(oid) AS NULL::VARCHAR",
    "CREATE MACRO pg_relation_size(oid) AS NULL::BIGINT, (oid, fork) AS NULL::BIGINT",
    "CREATE MACRO pg_tablespace_location(oid) AS NULL::VARCHAR",
    "CREATE MACRO pg_postmaster_start_time() AS NULL::TIMESTAMPTZ",
    "CREATE MACRO has_column_privilege(a, b, c) AS true, (a, b, c, d) AS true",
    "CREATE MACRO has_any_column_privilege(a, b) AS true, (a, b, c) AS true",
    "CREATE MACRO has_function_privilege(a, b) AS true, (a, b, c) AS true",
    "CREATE MACRO pg_has_role(a, b) AS true, (a, b, c) AS true",
    "CREATE MACRO row_security_active(a) AS false",
    "CREATE MACRO current_schemas(implicit) AS CASE WHEN implicit THEN ['pg_catalog', "
    "current_schema()] ELSE [current_schema()] END",
    "CREATE MACRO session_user() AS 'eider'",
    "CREATE MACRO \"user\"() AS 'eider'",
    NULL,
};
