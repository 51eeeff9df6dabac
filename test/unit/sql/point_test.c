#include "../../support/sql_store.h"
#include "sql/statement.h"

static struct sql_statement *prepared(struct sql_store *q, const char *text)
{
    const struct sql_source source = {.text = text};
    struct sql_statement *st = NULL;

    sql_session_view(q->session, meta_current(q->store->meta));
    assert_true(sql_prepare(q->session, &source, &st, &q->error));
    return st;
}

static void expect(struct sql_store *q, struct sql_statement *st, const char *key,
                   const char *expected)
{
    struct sql_parameter value = {.text = bytes_str(key)};
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct sql_result *r = NULL;
    size_t rows = 0;

    assert_true(sql_execute(st, &value, &r, &q->error));
    assert_true(r->borrowed);
    assert_true(sql_result_next(r, &rows, &q->error));
    for (size_t i = 0; i < rows; i++) {
        sql_add_row(q, r, i, &out, sql_column_count(st));
    }
    assert_true(sql_result_next(r, &rows, &q->error));
    assert_int_equal(rows, 0);
    sql_result_free(r);
    buffer_u8(&out, '\0');
    assert_string_equal((const char *)out.data, expected);
}

static void rows_by_key(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "k", STORE_KV(""));
    struct sql_statement *st;

    for (int32_t i = 0; i < 2; i++) {
        store_put_range(q->store, bucket_of(t, i), 0, 100);
    }
    st = prepared(q, "select * from k where a = $1");
    assert_non_null(st->point);
    expect(q, st, "7", sql_ask(q, "select * from k where a + 0 = 7 limit 1"));
    expect(q, st, "8", sql_ask(q, "select * from k where a + 0 = 8 limit 1"));
    expect(q, st, "700", "");
    (void)store_put(q->store, bucket_of(t, 0), 7, "seven");
    (void)store_put(q->store, bucket_of(t, 1), 7, "seven");
    sql_statement_free(st);
    st = prepared(q, "select B as x, a from k as k where $1 = K.a");
    expect(q, st, "7", "seven|7");
    sql_statement_free(st);
}

static void other_queries_are_left_to_duckdb(void **state)
{
    static const char *const others[] = {
        "select a + 1 from k where a = 1",
        "select * from k where a = 1 limit 0",
        "select distinct a from k where a = 1",
        "select count(*) from k where a = 1",
        "select * from \"k$changelog\" where a = 1",
        "select a from k where a = 1 and b > 'x' || b",
        "select k.* from k, k y where k.a = 1",
        "with x as (select 1) select a from k where a = 1",
    };
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "k", STORE_KV(""));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct sql_statement *st = prepared(q, others[i]);

        assert_null(st->point);
        sql_statement_free(st);
    }
    sql_expect(q, "select a from k where a = 1 and b > 'x'", "");
    sql_expect(q, "select a from k where a > 1", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(rows_by_key),
                                       SQL_TEST(other_queries_are_left_to_duckdb)};

    return cmocka_run_group_tests_name("sql/point", tests, NULL, NULL);
}
