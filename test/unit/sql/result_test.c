#include "../../support/sql_store.h"
#include "sql/result.h"
#include "sql/value.h"

static void chunk_by_chunk(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_source source = {.text = "select i, 'x' from range(5000) r(i)"};
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;
    size_t chunks = 0;
    size_t sum = 0;
    size_t rows = 0;

    assert_true(sql_prepare(q->session, &source, &st, &q->error));
    assert_true(sql_execute(st, NULL, &r, &q->error));
    do {
        assert_true(sql_result_next(r, &rows, &q->error));
        if (sum == 0) {
            sql_add_row(q, r, 1, &out, 2);
        }
        sum += rows;
        chunks += rows > 0;
    } while (rows > 0);
    assert_int_equal(sum, 5000);
    assert_true(chunks > 1);
    assert_true(bytes_equal_str(buffer_view(&out), "1|x"));
    assert_false(sql_result_waits(r));
    sql_result_free(r);
    sql_statement_free(st);
}

static void an_error_between_rows(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_source source = {
        .text = "select case when i < 4000 then 1 else error('here') end from range(5000) r(i)"};
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;
    bool right = true;
    size_t rows = 1;

    assert_true(sql_prepare(q->session, &source, &st, &q->error));
    right = sql_execute(st, NULL, &r, &q->error);
    while (right && rows > 0) {
        right = sql_result_next(r, &rows, &q->error);
    }
    assert_false(right);
    assert_non_null(strstr(q->error.message, "here"));
    sql_result_free(r);
    sql_statement_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(chunk_by_chunk), SQL_TEST(an_error_between_rows)};

    return cmocka_run_group_tests_name("sql/result", tests, NULL, NULL);
}
