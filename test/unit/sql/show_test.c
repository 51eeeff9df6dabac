#include "../../support/sql_store.h"
#include "sql/show.h"

static void lists(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "show databases", "fluss");
    sql_expect(q, "show tables", "");
    sql_expect(q, "create schema d", "");
    sql_expect(q, "create table d.\"It-s\" (a int, day text) partitioned by (day)", "");
    sql_expect(q, "show schemas", "d;fluss");
    sql_expect(q, "show tables in d", "It-s");
    sql_expect(q, "show partitions d.\"It-s\"", "");
    sql_expect(q, "alter table d.\"It-s\" add partition (day = '1')", "");
    assert_non_null(strstr(sql_ask(q, "show partitions d.\"It-s\""), "1|"));
    sql_refuse(q, "show partitions d.t", "42P01");
    sql_refuse(q, "show create view x", "42601");
    assert_false(show_is(bytes_str("show search_path")));
}

/* A table that is made from what is shown is the same. */
static void check(struct sql_store *q, const char *text)
{
    const char *shown;

    sql_expect(q, text, "");
    shown = sql_ask(q, "show create table t");
    assert_non_null(shown);
    sql_expect(q, "drop table t", "");
    sql_expect(q, shown + strlen("t|"), "");
    sql_expect(q, "show create table t", shown);
    sql_expect(q, "drop table t", "");
}

static void tables_can_be_made_again(void **state)
{
    struct sql_store *q = sql_ready(state);

    check(q, "create table t (a int)");
    check(q,
          "create table t (\"A b\" int comment 'it''s', b row<\"x\"\"y\" map<text, int[]>, z "
          "char(3) not null> not null, c timestamp_ltz(3), d decimal(9, 2), day text) comment 'c' "
          "partitioned by (day) with ('owner' = 'me', 'table.log.ttl' = '3 d')");
    check(q, "create table t (a int, n bigint, s text, primary key (a)) distributed by (a) into 3 "
             "buckets with ('table.merge-engine' = 'aggregation', 'fields.n.agg' = 'sum', "
             "'fields.s.agg' = 'listagg', 'fields.s.listagg.delimiter' = ';')");
    check(q, "create table t (a int primary key, n bigint) with ('auto-increment.fields' = 'n')");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(lists),
        SQL_TEST(tables_can_be_made_again),
    };

    return cmocka_run_group_tests_name("sql/show", tests, NULL, NULL);
}
