#include "../../support/sql_store.h"

static void tables_are_tables(void **state)
{
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_expect(
        q,
        "select c.relname, c.relkind, pg_catalog.pg_get_userbyid(c.relowner) from "
        "pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where "
        "n.nspname = 'fluss' and pg_catalog.pg_table_is_visible(c.oid) order by 1",
        "t|r|eider;t$changelog|r|eider");
    sql_expect(q,
               "select attname, pg_catalog.format_type(atttypid, atttypmod) from "
               "pg_catalog.pg_attribute where attrelid = (select oid from pg_class where relname "
               "OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default) order by attnum",
               "a|integer;b|text;c|bigint");
}

static void types_have_the_ids_of_postgresql(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q,
               "select eider_type_oid('DECIMAL(10,2)'), eider_type_oid('INTEGER[]'), "
               "eider_type_oid('STRUCT(a INTEGER)'), eider_type_oid('DECIMAL(5,1)[]')",
               "1700|1007|114|1231");
    sql_expect(q, "select format_type(1700, (10 * 65536) + 2 + 4)", "numeric(10,2)");
    sql_expect(q, "select version()", "PostgreSQL 14.0 (Eider)");
    sql_expect(q, "select datname from pg_database", "eider");
}

static void primary_keys_are_indexes(void **state)
{
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_KV(""));
    sql_expect(
        q,
        "select c.relname, i.indisprimary, i.indkey, pg_get_indexdef(i.indexrelid, 0, true), "
        "pg_get_constraintdef(i.indexrelid) from pg_index i join pg_class c on c.oid = "
        "i.indexrelid where i.indrelid = 't'::regclass",
        "t_pkey|t|{1}|CREATE UNIQUE INDEX t_pkey ON fluss.t USING hash (a)|PRIMARY KEY (a)");
    sql_expect(q,
               "select attname, attnotnull from pg_attribute where attrelid = 't'::regclass order "
               "by attnum limit 2",
               "a|t;b|f");
    sql_expect(q, "select conname, contype, conkey from pg_constraint", "t_pkey|p|{1}");
    store_drop_table(q->store, "t");
    sql_expect(q, "select count(*) from pg_index", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(tables_are_tables),
        SQL_TEST(types_have_the_ids_of_postgresql),
        SQL_TEST(primary_keys_are_indexes),
    };

    return cmocka_run_group_tests_name("sql/pg_catalog", tests, NULL, NULL);
}
