#include "../../support/sql_store.h"

static void rows_of_all_buckets_and_partitions(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    int64_t p = store_create_table(q->store, "p", STORE_TABLE("\"b\"", "1", ""));
    struct bucket_id id = bucket_of(p, 0);

    sql_expect(q, "select count(*), sum(a) from t", "0|null");
    sql_append(q, bucket_of(t, 0), 0, 10);
    sql_append(q, bucket_of(t, 3), 10, 5000);
    sql_append(q, bucket_of(t, 3), 5000, 5001);
    sql_expect(q, "select count(*), sum(a), count(b), max(c) from t", "5001|12502500|3334|50000");
    sql_expect(q, "select c, a, b from t where a in (4999, 5000) order by a",
               "49990|4999|row 4999;50000|5000|null");
    id.partition_id = store_create_partition(q->store, "p", "x");
    sql_append(q, id, 0, 3);
    sql_expect(q, "select count(*) from p", "3");
}

static void current_rows_and_their_changelog(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "k", STORE_KV("")), 0);

    store_put_range(q->store, id, 0, 3000);
    (void)store_put(q->store, id, 7, "seven");
    (void)store_remove(q->store, id, 8);
    sql_expect(q, "select count(*), min(a), max(a) from k", "2999|0|2999");
    sql_expect(q, "select b from k where a = 7", "seven");
    sql_expect(q, "select x.b from k x join k y using (a) where a = 7", "seven");
    sql_expect(q, "select _change_type, count(*) from \"k$changelog\" group by 1 order by 1",
               "delete|1;insert|3000;update_after|1;update_before|1");
    sql_expect(q, "select _bucket, _log_offset, a, b from \"k$changelog\" where _log_offset = 3001",
               "0|3001|7|seven");
}

static void what_is_not_there_any_more(void **state)
{
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_expect(q, "select * from t", "");
    store_drop_table(q->store, "t");
    sql_refuse(q, "select * from t", "42P01");
    assert_null(sql_ask(q, "select * from eider_scan(1234, 0, 1)"));
    assert_null(sql_ask(q, "select * from eider_scan(-1, 77, 1)"));
}

/* What an earlier query has decompressed is of that table and no other, and goes with it. */
static void compressed_batches_again_and_again(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "t", STORE_PLAIN), 0);

    sql_append_coded(q, id, 0, 100000, ARROW_CODEC_ZSTD);
    for (int i = 0; i < 3; i++) {
        sql_expect(q, "select count(*), sum(a) from t", "100000|4999950000");
        sql_expect(q, "select sum(c), min(b), count(b) from t", "49999500000|row 0|66667");
    }
    sql_append_coded(q, id, 100000, 200000, ARROW_CODEC_ZSTD);
    sql_expect(q, "select sum(a), sum(c), count(b) from t", "19999900000|199999000000|133334");
    store_drop_table(q->store, "t");
    id = bucket_of(store_create_table(q->store, "t", STORE_PLAIN), 0);
    sql_append_coded(q, id, 1, 100001, ARROW_CODEC_ZSTD);
    sql_expect(q, "select sum(a), sum(c), count(b) from t", "5000050000|50000500000|66667");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(rows_of_all_buckets_and_partitions),
        SQL_TEST(current_rows_and_their_changelog),
        SQL_TEST(compressed_batches_again_and_again),
        SQL_TEST(what_is_not_there_any_more),
    };

    return cmocka_run_group_tests_name("sql/scan", tests, NULL, NULL);
}
