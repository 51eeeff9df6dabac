#include "../../support/sql_store.h"

static void rows_are_written_changed_and_removed(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "create table k (id int primary key, b text, n int)", "");
    sql_expect(q, "insert into k select x, 'row ' || x, null from range(3000) r(x)", "");
    sql_expect(q, "update k set n = id * 2 where id < 10", "");
    sql_expect(q, "delete from k where id % 2 = 1", "");
    sql_expect(q, "select count(*), sum(n) from k", "1500|40");
    sql_expect(q, "insert into k (id, n) values (0, 7)", "");
    sql_expect(q, "select b, n from k where id = 0", "row 0|7");
}

static void errors_say_what_is_written(void **state)
{
    struct sql_store *q = sql_ready(state);
    const char *written;
    const char *hint;

    sql_expect(q, "create table l (a int not null, b char(2)) with ('bucket.num' = '2')", "");
    sql_refuse(q, "insert into l values (null, 'x')", "23502");
    sql_refuse(q, "insert into l values (1, 'xyz')", "22023");
    assert_string_equal(q->error.hint, "");
    sql_expect(q, "select count(*) from l", "0");
    sql_refuse(q, "insert into l select x, if(x < 200000, '', 'xyz') from range(300000) r(x)",
               "22023");
    hint = arena_strndup(&q->store->arena, q->error.hint, strlen(q->error.hint));
    written = sql_ask(q, "select count(*) from l");
    assert_string_not_equal(written, "0");
    assert_string_equal(
        hint,
        arena_printf(&q->store->arena, "%s rows of the statement are written, and stay.", written));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(rows_are_written_changed_and_removed),
        SQL_TEST(errors_say_what_is_written),
    };

    return cmocka_run_group_tests_name("sql/dml_run", tests, NULL, NULL);
}
