#include "../../support/sql_store.h"

static void what_is_made_is_there_at_once(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "create schema d", "");
    sql_expect(q, "create table d.\"T\" (a int, day text) partitioned by (day)", "");
    sql_expect(q, "select * from d.t", "");
    sql_expect(q, "alter table d.t add partition (day = '1')", "");
    sql_expect(q, "alter table d.t drop partition (day = '1')", "");
    sql_expect(q, "alter table d.t add b int", "");
    sql_expect(q, "select count(b) from d.t", "0");
    sql_refuse(q, "drop schema d", "2BP01");
    assert_true(q->error.hint[0] != '\0');
    sql_expect(q, "create table d.u (a int)", "");
    sql_refuse(q, "drop table d.u, d.missing, d.t", "42P01");
    assert_string_equal(q->error.hint, "What stands before it in the list is dropped.");
    sql_refuse(q, "select * from d.u", "42P01");
    sql_expect(q, "drop schema d cascade", "");
}

static void what_fails_says_where(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_refuse(q, "drop table missing", "42P01");
    assert_int_equal(q->error.position, 12);
    sql_refuse(q, "create table nowhere.t (a int)", "3F000");
    assert_true(sql_session_path(q->session, "", &q->error));
    sql_refuse(q, "create table t (a int)", "3F000");
    sql_refuse(q, "create table fluss.t (a int) with ('table.no' = '1')", "22023");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(what_is_made_is_there_at_once),
        SQL_TEST(what_fails_says_where),
    };

    return cmocka_run_group_tests_name("sql/ddl_run", tests, NULL, NULL);
}
