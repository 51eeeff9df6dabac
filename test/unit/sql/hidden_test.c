#include "../../support/sql_store.h"
#include "sql/hidden.h"

static struct sql_store *with_rows(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);

    (void)store_create_table(q->store, "k", STORE_KV(""));
    sql_append(q, bucket_of(t, 1), 0, 2);
    sql_append(q, bucket_of(t, 2), 10, 12);
    sql_append(q, bucket_of(t, 2), 12, 13);
    return q;
}

static void they_are_columns_wherever_a_column_may_be(void **state)
{
    struct sql_store *q = with_rows(state);

    sql_expect(q, "select _bucket, _offset, a from t order by all",
               "1|0|0;1|1|1;2|0|10;2|1|11;2|2|12");
    sql_expect(q,
               "select \"_Offset\" from fluss.t x where x._bucket = 2 and _offset > 0 order by 1",
               "1;2");
    sql_expect(q, "select _bucket, max(_offset) from t group by 1 order by 1", "1|1;2|2");
    sql_expect(q, "select fluss.t._offset from fluss.t where eider.fluss.t.a = 12 or t.a = 12",
               "2");
    sql_expect(q, "select a from t order by _bucket desc, _offset desc limit 1", "12");
    sql_expect(q,
               "select count(*) from t where _timestamp between now() - interval 1 hour and now()",
               "5");
    sql_expect(q, "select count(_timestamp) from t", "5");
    sql_expect(q,
               "select x._offset, y._offset from t x join t y on x.a = y.a and x._bucket = 1 "
               "order by 1",
               "0|0;1|1");
    sql_expect(q,
               "select a from t where _offset = (select max(u._offset) from t u "
               "where u._bucket = t._bucket) order by a",
               "1;12");
    sql_expect(q, "with c as (select a, _offset o from t) select sum(o) from c", "4");
}

static void stars_leave_them_out(void **state)
{
    struct sql_store *q = with_rows(state);

    sql_expect(q, "select *, _offset from t where a = 12", "12|row 12|120|2");
    sql_expect(q, "select t.*, _bucket from t where a = 12", "12|row 12|120|2");
    sql_expect(q, "select * exclude (b) from t where _offset = 2", "12|120");
    sql_expect(q, "select * exclude b from t where _offset = 2", "12|120");
    sql_expect(q, "select * exclude (_offset, b) from t where _offset = 2", "12|120");
    sql_expect(q, "select x.* replace (0 as c) from t x where _offset = 2", "12|row 12|0");
    sql_expect(q, "from t where _offset = 2", "12|row 12|120");
    sql_expect(q, "select a from ( from t where _offset = 2)", "12");
    sql_expect(q, "from t x join (from t where _offset = 2) y using (a)",
               "12|row 12|120|row 12|120");
    sql_expect(q, "with c as (from t where _offset = 2) from c", "12|row 12|120");
    sql_expect(q, "table t order by _offset desc limit 1", "12|row 12|120");
    sql_expect(q, "from t select *, _offset where _offset = 2", "12|row 12|120|2");
    sql_expect(q, "select columns(*) from t where _offset = 2", "12|row 12|120");
    sql_expect(q, "select count(*), count(t.*) from t where _offset = 2", "1|1");
    sql_expect(q, "select 3 * _offset * 2 from t where a = 12", "12");
    sql_expect(q, "select * from (select *, _offset from t) where _offset = 2", "12|row 12|120|2");
    sql_expect(q, "with c as (select *, _offset from t) select * from c where _offset = 2",
               "12|row 12|120|2");
    sql_expect(q, "with t as (select 7 as _offset) select * from t where _offset = 7", "7");
    sql_expect(q, "select * from t join (select 5 as _offset) s on true where t._offset = 2",
               "12|row 12|120|5");
    sql_expect(q, "select * from t x join t y using (a) where x._offset = 2",
               "12|row 12|120|row 12|120");
    sql_expect(q, "select * from t x semi join t y on x.a = y.a and y._offset = 2",
               "12|row 12|120");
    sql_expect(q, "select * from t where _offset = 2 union all from k", "12|row 12|120");
    sql_expect(q, "select a from t where _offset in (select x._offset from t x where a = 12)",
               "12");
}

static void what_could_be_wrong_is_refused(void **state)
{
    struct sql_store *q = with_rows(state);

    sql_refuse(q, "select * from t x natural join t y where x._offset = 2", "0A000");
    sql_refuse(q, "select t from t where _offset = 2", "0A000");
    sql_refuse(q, "select columns('.*') from t where _offset = 2", "0A000");
    sql_refuse(q, "select columns(c -> true) from t where _offset = 2", "0A000");
    sql_refuse(q, "select 1 from t x where exists (select x from t where t._offset = 0)", "0A000");
    assert_non_null(strstr(q->error.hint, "name its columns"));
    sql_refuse(q, "select _offset from k", "42703");
    sql_refuse(q, "select _offset from nowhere", "42P01");
    sql_refuse(q, "select _offset from", "42601");
    sql_expect(q, "select '_offset' from k", "");
}

static void own_columns_of_such_a_name_stay(void **state)
{
    struct sql_store *q = sql_ready(state);

    assert_non_null(sql_ask(q, "create table own (a int, _offset text)"));
    assert_non_null(sql_ask(q, "insert into own values (1, 'mine')"));
    sql_expect(q, "select *, _bucket >= 0 from own where _offset = 'mine'", "1|mine|t");
    sql_expect(q, "select count(_timestamp) from own", "1");
}

static void what_others_see_stays_without_them(void **state)
{
    struct sql_store *q = with_rows(state);

    sql_expect(
        q, "select column_name from information_schema.columns where table_name = 't' order by 1",
        "a;b;c");
    sql_expect(q, "select * from t where a = 12", "12|row 12|120");
    sql_expect(q, "select _bucket, _log_offset from \"t$changelog\" where a = 12", "2|2");
    assert_non_null(sql_ask(q, "insert into k select * from t where _offset = 2"));
    sql_expect(q, "select * from k", "12|row 12|120");
    assert_non_null(
        sql_ask(q, "insert into k select a, _offset::text, _bucket from t where a = 1"));
    sql_expect(q, "select b from k where a = 1", "1");
    sql_refuse(q, "insert into t (a, _offset) values (1, 2)", "42703");
}

static void rows_are_left_unread(void **state)
{
    struct sql_store *q = with_rows(state);
    const char *told = sql_ask(q, "explain select a from t where _bucket = 2 and _offset >= 2");

    assert_non_null(told);
    assert_non_null(strstr(told, "pushed|fluss.t: _bucket = 2 AND _offset >= 2, buckets 1 of 4"));
    told = sql_ask(q, "explain analyze select * from t where _timestamp > '2200-01-01'");
    assert_non_null(told);
    assert_non_null(strstr(told, "batches 0 of"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(they_are_columns_wherever_a_column_may_be),
        SQL_TEST(stars_leave_them_out),
        SQL_TEST(what_could_be_wrong_is_refused),
        SQL_TEST(own_columns_of_such_a_name_stay),
        SQL_TEST(what_others_see_stays_without_them),
        SQL_TEST(rows_are_left_unread),
    };

    return cmocka_run_group_tests_name("sql/hidden", tests, NULL, NULL);
}
