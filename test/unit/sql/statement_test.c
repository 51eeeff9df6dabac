#include "../../support/sql_store.h"
#include "sql/statement.h"
#include "sql/value.h"

static void errors_have_states(void **state)
{
    (void)state;
    assert_string_equal(statement_error_state("Parser Error: syntax error"), "42601");
    assert_string_equal(statement_error_state("Catalog Error: Table with name x"), "42P01");
    assert_string_equal(statement_error_state("Catalog Error: Scalar Function with name x"),
                        "42883");
    assert_string_equal(statement_error_state("INTERRUPT Error: Interrupted!"), "57014");
    assert_string_equal(statement_error_state("something else"), "XX000");
    assert_string_equal(statement_error_state(""), "XX000");
}

static void only_queries(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "select 1, 'a', null", "1|a|null");
    sql_refuse(q, "create index x on y (a)", "0A000");
    sql_refuse(q, "vacuum", "25006");
    sql_refuse(q, "set threads = 1", "25006");
    sql_refuse(q, "explain analyze create table x (a int)", "0A000");
    sql_refuse(q, "select 1 -- \r; create schema eider.x; select 2", "42601");
    sql_refuse(q, "select * from read_text('/etc/hostname')", "42501");
    sql_refuse(q, "selec", "42601");
    assert_non_null(sql_ask(q, "explain select 1"));
    assert_non_null(sql_ask(q, "explain analyze select 1"));
}

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

static void a_table_that_has_become_another(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_source source = {.text = "select * from t"};
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_session_view(q->session, meta_current(q->store->meta));
    assert_true(sql_prepare(q->session, &source, &st, &q->error));
    store_drop_table(q->store, "t");
    (void)store_create_table(q->store, "t",
                             "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["
                             "{\"name\":\"a\",\"data_type\":{\"type\":\"STRING\"},\"id\":0},"
                             "{\"name\":\"b\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":1},"
                             "{\"name\":\"c\",\"data_type\":{\"type\":\"BIGINT\"},\"id\":2}],"
                             "\"highest_field_id\":2},\"partition_key\":[],\"bucket_count\":1,"
                             "\"properties\":{},\"custom_properties\":{}}");
    sql_session_view(q->session, meta_current(q->store->meta));
    assert_false(sql_execute(st, NULL, &r, &q->error));
    assert_string_equal(q->error.state, "0A000");
    store_drop_table(q->store, "t");
    sql_session_view(q->session, meta_current(q->store->meta));
    assert_false(sql_execute(st, NULL, &r, &q->error));
    sql_statement_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_states),      SQL_TEST(only_queries),
        SQL_TEST(parameters_have_types),           SQL_TEST(functions_that_look_at_parameters),
        SQL_TEST(a_table_that_has_become_another),
    };

    return cmocka_run_group_tests_name("sql/statement", tests, NULL, NULL);
}
