#include "../../support/sql_store.h"
#include "sql/dml.h"

static void check(struct sql_store *q, const char *text, const char *query)
{
    struct dml dml;

    session_adopt_view(q->session);
    assert_true(dml_is(bytes_str(text)));
    if (!dml_parse(bytes_str(text), q->session, &q->store->arena, &dml, &q->error)) {
        fail_msg("%s: %s", text, q->error.message);
    }
    assert_string_equal(dml.query, query);
    dml_fini(&dml);
}

static void refuse(struct sql_store *q, const char *text, const char *state, size_t position)
{
    struct dml dml;

    session_adopt_view(q->session);
    assert_false(dml_parse(bytes_str(text), q->session, &q->store->arena, &dml, &q->error));
    assert_string_equal(q->error.state, state);
    assert_int_equal(q->error.position, position);
    dml_fini(&dml);
}

static struct sql_store *with_tables(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "create table k (id int primary key, b bytea, \"N\" decimal(5, 1))", "");
    sql_expect(q, "create table l (a int, b text)", "");
    return q;
}

static void statements_become_queries(void **state)
{
    struct sql_store *q = with_tables(state);

    check(q, "insert into k values (f(1, 2)[3], '\\x00', default), (1,'a',2 -- x\n)",
          "VALUES (CAST((f(1, 2)[3]) AS INTEGER),CAST((unhex('00')) AS BLOB),CAST((NULL) AS "
          "DECIMAL(5,1))),(CAST((1) AS INTEGER),CAST(('a') AS BLOB),CAST((2) AS DECIMAL(5,1)))");
    check(q, "insert into k (n, ID) values ($1, $2)",
          "VALUES (CAST(($1) AS DECIMAL(5,1)),CAST(($2) AS INTEGER))");
    check(q, "insert into l select 1, 'a'", "select 1, 'a'");
    check(q, "insert into l (select 1, 2)", "(select 1, 2)");
    check(q, "insert into l values (1, 'a') limit 1", "values (1, 'a') limit 1");
    check(q, "update k as x set b = a is distinct from c, n = 1 where id in (1, 2)",
          "SELECT \"x\".\"id\",CAST((a is distinct from c) AS BLOB),CAST((1) AS DECIMAL(5,1)) FROM "
          "eider.\"fluss\".\"k\" AS \"x\" where id in (1, 2)");
    check(q, "delete from fluss.k", "SELECT \"k\".\"id\" FROM eider.\"fluss\".\"k\" AS \"k\" ");
}

static void queries_are_cast_when_their_columns_are_known(void **state)
{
    struct sql_store *q = with_tables(state);
    struct dml dml;

    session_adopt_view(q->session);
    assert_true(dml_parse(bytes_str("insert into l (b) select 1 -- x"), q->session,
                          &q->store->arena, &dml, &q->error));
    assert_true(dml.query_is_plain);
    assert_false(dml_wrap(&dml, 2, &q->store->arena, &q->error));
    assert_false(dml_wrap(&dml, 0, &q->store->arena, &q->error));
    assert_true(dml_wrap(&dml, 1, &q->store->arena, &q->error));
    assert_string_equal(dml.query, "SELECT CAST((c0) AS VARCHAR) FROM (select 1 -- x\n) AS "
                                   "rows_of_query(c0)");
    dml_fini(&dml);
}

static void what_is_refused(void **state)
{
    struct sql_store *q = with_tables(state);

    refuse(q, "insert into l values (1, 2, 3)", "42601", 29);
    refuse(q, "insert into l values (1)", "42601", 24);
    refuse(q, "insert into l (a, x) values (1)", "42703", 19);
    refuse(q, "insert into l values (1, )", "42601", 26);
    refuse(q, "insert into l values (1, 2) returning", "42601", 38);
    refuse(q, "update k set id = 1", "0A000", 17);
    refuse(q, "update k set b = 1, b = 2", "42601", 23);
    refuse(q, "update l set a = 1", "0A000", 10);
    refuse(q, "delete from k using l", "0A000", 15);
    refuse(q, "delete k", "42601", 8);
    assert_false(dml_is(bytes_str("with x as (select 1) insert into l select 1, 2")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(statements_become_queries),
        SQL_TEST(queries_are_cast_when_their_columns_are_known),
        SQL_TEST(what_is_refused),
    };

    return cmocka_run_group_tests_name("sql/dml", tests, NULL, NULL);
}
