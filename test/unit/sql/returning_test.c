#include "../../support/sql_store.h"
#include "sql/returning.h"

/* expected: what is left, "|", the list; or the state of an error. */
static void check(const char *given, const char *expected)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes statement = bytes_str(given);
    const char *list;
    struct sql_error e;

    if (!returning_split(&statement, &arena, &list, &e)) {
        assert_string_equal(e.state, expected);
        return;
    }
    assert_string_equal(arena_printf(&arena, "%.*s|%s", (int)statement.len,
                                     (const char *)statement.data, list == NULL ? "" : list),
                        expected);
}

static void the_clause_is_found(void **state)
{
    (void)state;
    check("delete from t", "delete from t|");
    check("delete from t returning *", "delete from t |*");
    check("delete from t where (returning) = 'returning' Returning a, f(b from 1), x as y -- z",
          "delete from t where (returning) = 'returning' |a, f(b from 1), x as y -- z");
    check("delete from t returning a is not distinct from b, c",
          "delete from t |a is not distinct from b, c");
    check("delete from t returning", "42601");
    check("delete from t returning a from b", "42601");
    check("delete from t returning 1 UNION select 2", "42601");
    check("delete from t returning a)", "42601");
    check("delete from t returning [a", "42601");
}

static void rows_come_when_they_are_written(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "create table t (id int primary key, v text)", "");
    sql_expect(q, "insert into t (v, id) values ('x', 1), (null, '2') returning *, id + 1 as n",
               "1|x|2;2|null|3");
    sql_expect(q, "insert into t select 3, 'y' returning v", "y");
    sql_expect(q, "update t as u set v = v || '!' where id < 3 returning u.v", "x!;null");
    sql_expect(q, "delete from t where id = 1 returning v, id", "x!|1");
    sql_expect(q, "delete from t where id = 1 returning v, id", "");
    sql_expect(q, "select count(*) from t", "2");
    sql_refuse(q, "insert into t (id) values (1) returning id", "0A000");
    sql_refuse(q, "insert into t values (1, 'x') returning nothing", "42703");
    sql_expect(q, "select count(*) from t", "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(the_clause_is_found),
        SQL_TEST(rows_come_when_they_are_written),
    };

    return cmocka_run_group_tests_name("sql/returning", tests, NULL, NULL);
}
