#include "../../support/sql_store.h"
#include "sql/prepare.h"
#include "sql/value.h"

static void parameters_have_types(void **state)
{
    struct sql_store *q = sql_ready(state);
    uint32_t types[] = {20, 1082};
    struct sql_source source = {.text =
                                    "select $1 + 1, $2::date, x from range(3) r(x) where x = $1",
                                .types = types,
                                .type_count = 2};
    struct sql_parameter values[] = {{.text = bytes_str("2")}, {.text = bytes_str("2026-01-02")}};
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;
    size_t rows = 0;

    assert_true(sql_prepare(q->session, &source, &st, &q->error));
    assert_int_equal(sql_parameter_count(st), 2);
    assert_int_equal(sql_parameter_type(st, 0), 20);
    assert_int_equal(sql_parameter_type(st, 1), 1082);
    assert_int_equal(sql_column_type(st, 1)->oid, 1082);
    assert_string_equal(sql_column_name(st, 2), "x");
    for (int round = 0; round < 2; round++) {
        buffer_clear(&out);
        assert_true(sql_execute(st, values, &r, &q->error));
        assert_true(sql_result_next(r, &rows, &q->error));
        assert_int_equal(rows, 1);
        sql_add_row(q, r, 0, &out, 3);
        assert_true(bytes_equal_str(buffer_view(&out), "3|2026-01-02|2"));
        assert_true(sql_result_next(r, &rows, &q->error));
        assert_int_equal(rows, 0);
        sql_result_free(r);
    }
    values[0].text = bytes_str("no number");
    assert_false(sql_execute(st, values, &r, &q->error) && sql_result_next(r, &rows, &q->error));
    sql_statement_free(st);
}

/* DuckDB does not know the columns of these before it has seen the parameters. */
static void functions_that_look_at_parameters(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_source source = {.text = "select json_object($1::text, 1), 5, $2::int[]"};
    struct sql_parameter values[] = {{.text = bytes_str("a")}, {.text = bytes_str("[1, 2]")}};
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;
    size_t rows = 0;

    assert_true(sql_prepare(q->session, &source, &st, &q->error));
    assert_int_equal(sql_column_count(st), 3);
    assert_int_equal(sql_column_type(st, 1)->oid, 23);
    assert_true(sql_execute(st, values, &r, &q->error));
    assert_true(sql_result_next(r, &rows, &q->error));
    sql_add_row(q, r, 0, &out, 3);
    assert_true(bytes_equal_str(buffer_view(&out), "{\"a\":1}|5|{1,2}"));
    sql_result_free(r);
    sql_statement_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(parameters_have_types),
                                       SQL_TEST(functions_that_look_at_parameters)};

    return cmocka_run_group_tests_name("sql/prepare", tests, NULL, NULL);
}
