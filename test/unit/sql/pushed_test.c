#include "../../support/sql_store.h"
#include "sql/pushed.h"

/* What EXPLAIN says behind "pushed|". */
static const char *pushed(struct sql_store *q, const char *text)
{
    const char *all = sql_ask(q, text);
    const char *found = all == NULL ? NULL : strstr(all, "pushed|");

    assert_non_null(found);
    return found + strlen("pushed|");
}

static void what_relations_are_left_with(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);

    (void)store_create_table(q->store, "k", STORE_KV(""));
    sql_append(q, bucket_of(t, 1), 0, 10);
    assert_string_equal(pushed(q, "explain select * from t where a = 1"),
                        "fluss.t: a = 1, buckets 4 of 4, batches 1 of 1");
    assert_string_equal(pushed(q, "explain select * from t where a = 1 or 2 > a and c + 1 = 2"),
                        "fluss.t: a = 1 OR a < 2, buckets 4 of 4, batches 1 of 1");
    assert_string_equal(pushed(q, "explain select * from t"),
                        "fluss.t: all rows, buckets 4 of 4, batches 1 of 1");
    assert_string_equal(pushed(q, "explain select * from \"t$changelog\" where _bucket = 2"),
                        "fluss.t: _bucket = 2, buckets 1 of 4");
    assert_string_equal(pushed(q, "explain select * from k where a in (1, 1, 2)"),
                        "fluss.k: a IN (1, 1, 2), lookup of keys: 2, buckets 1 of 2");
    assert_string_equal(pushed(q, "explain select * from t where a = 1 "
                                  "union all select * from t where a = 2"),
                        "fluss.t: a = 2 OR a = 1, buckets 4 of 4, batches 1 of 1");
    assert_string_equal(pushed(q, "explain select * from t where a = 1 "
                                  "union all select * from query('select * from t')"),
                        "fluss.t: all rows, buckets 4 of 4, batches 1 of 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(what_relations_are_left_with)};

    return cmocka_run_group_tests_name("sql/pushed", tests, NULL, NULL);
}
