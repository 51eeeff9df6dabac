#include "../../support/sql_store.h"

static void the_information_schema(void **state)
{
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_KV(""));
    sql_expect(q,
               "select table_name, table_type from information_schema.tables where table_schema = "
               "'fluss' order by 1",
               "t|BASE TABLE;t$binlog|BASE TABLE;t$changelog|BASE TABLE");
    sql_expect(
        q,
        "select column_name, data_type, udt_name, is_nullable from "
        "information_schema.columns where table_name = 't' order by ordinal_position limit 2",
        "a|integer|int4|NO;b|text|text|YES");
    sql_expect(
        q,
        "select kc.column_name, tc.constraint_name from information_schema.table_constraints "
        "tc join information_schema.key_column_usage kc on tc.constraint_name = "
        "kc.constraint_name where tc.constraint_type = 'PRIMARY KEY'",
        "a|t_pkey");
    sql_expect(q, "select schema_name from information_schema.schemata order by 1",
               "fluss;information_schema;pg_catalog");
}

static void settings(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "select current_setting('server_version_num'), current_setting('none', true)",
               "140000|null");
    sql_expect(q, "select current_setting('TIMEZONE'), current_setting('datestyle')",
               "UTC|ISO, MDY");
    sql_expect(q, "select setting from pg_settings where name = 'max_index_keys'", "32");
    sql_expect(q, "select name from pg_settings where name ilike '%style' order by 1",
               "DateStyle;IntervalStyle");
    sql_expect(q, "select set_config('jit', 'off', false)", "off");
    sql_expect(q, "select current_setting('search_path')", "fluss");
}

static void names_and_ids(void **state)
{
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_expect(q,
               "select 't'::regclass = c.oid, to_regclass('fluss.t') = c.oid, "
               "to_regclass('nothing'), 'int4'::regtype, 'integer'::regtype, to_regtype('hstore') "
               "from pg_class c where c.relname = 't'",
               "t|t|null|23|23|null");
    sql_expect(q, "select cast(format('%I.%I', 'fluss', 't') as regclass) = 't'::regclass", "t");
    sql_expect(q, "select quote_ident('a b'), quote_ident('a'), parse_ident('a.\"B c\"')",
               "\"a b\"|a|{a,\"B c\"}");
    sql_expect(q, "select format('{}-{}', 1, 2), format('%s', 'x')", "1-2|x");
    sql_expect(q, "select (information_schema._pg_expandarray([7, 8])).n", "1;2");
}

static void functions_in_from(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "select i, s[i] from generate_series(1, 2) as i, string_to_array('a,b', ',') s",
               "1|a;2|b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(the_information_schema),
        SQL_TEST(settings),
        SQL_TEST(names_and_ids),
        SQL_TEST(functions_in_from),
    };

    return cmocka_run_group_tests_name("sql/pg_information", tests, NULL, NULL);
}
