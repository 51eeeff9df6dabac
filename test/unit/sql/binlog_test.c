#include "../../support/sql_store.h"
#include "sql/binlog.h"

static void updates_are_one_row(void **state)
{
    static const uint8_t types[] = {1, 2, 3, 4, 3, 2};
    struct binlog_row row = binlog_next(types, ARRAY_LEN(types), 0);

    (void)state;
    assert_string_equal(row.change, "insert");
    assert_true(row.count == 1 && !row.has_before && row.has_after);
    row = binlog_next(types, ARRAY_LEN(types), 1);
    assert_string_equal(row.change, "update");
    assert_true(row.first == 1 && row.count == 2 && row.has_before && row.has_after);
    row = binlog_next(types, ARRAY_LEN(types), 3);
    assert_string_equal(row.change, "delete");
    assert_true(row.count == 1 && row.has_before && !row.has_after);
    row = binlog_next(types, ARRAY_LEN(types), 4); /* without an image from before */
    assert_string_equal(row.change, "update");
    assert_true(row.count == 1 && !row.has_before && row.has_after);
    row = binlog_next(types, ARRAY_LEN(types), 5); /* cut off */
    assert_true(row.count == 1 && row.has_before && !row.has_after);
    row = binlog_next(NULL, 1, 0);
    assert_string_equal(row.change, "insert");
}

static void rows_before_and_after(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "k", STORE_KV("")), 0);

    store_put_range(q->store, id, 0, 3000);
    (void)store_put(q->store, id, 7, "seven");
    (void)store_remove(q->store, id, 8);
    sql_expect(q,
               "select _change_type, count(*), count(before), count(after) from \"k$binlog\" "
               "group by 1 order by 1",
               "delete|1|1|0;insert|3000|0|3000;update|1|1|1");
    sql_expect(q, "select count(*) from \"k$binlog\"", "3002");
    sql_expect(q,
               "select _log_offset, before.a, after.b, after is null from \"k$binlog\" "
               "where _log_offset >= 3000 order by 1",
               "3000|7|seven|f;3002|8|null|t");
    sql_expect(q, "select count(*) from \"k$binlog\" before where before.a = 7", "1");
    store_drop_table(q->store, "k");
    sql_refuse(q, "select * from \"k$binlog\"", "42P01");
    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_refuse(q, "select * from \"t$binlog\"", "42P01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(updates_are_one_row),
                                       SQL_TEST(rows_before_and_after)};

    return cmocka_run_group_tests_name("sql/binlog", tests, NULL, NULL);
}
