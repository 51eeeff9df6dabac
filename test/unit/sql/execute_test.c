#include "../../support/sql_store.h"

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

static void a_statement_again_and_again(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_source source = {.text = "select count(*), sum(a) from t"};
    struct bucket_id id = bucket_of(store_create_table(q->store, "t", STORE_PLAIN), 0);
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;
    size_t rows = 0;

    sql_session_view(q->session, meta_current(q->store->meta));
    assert_true(sql_prepare(q->session, &source, &st, &q->error));
    for (int32_t round = 0; round < 3; round++) {
        sql_append(q, id, round * 10, round * 10 + 10);
        assert_true(sql_execute(st, NULL, &r, &q->error));
        assert_true(sql_result_next(r, &rows, &q->error));
        sql_add_row(q, r, 0, &out, 2);
        sql_result_free(r);
    }
    assert_true(bytes_equal_str(buffer_view(&out), "10|45;20|190;30|435"));
    sql_statement_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(a_table_that_has_become_another),
                                       SQL_TEST(a_statement_again_and_again)};

    return cmocka_run_group_tests_name("sql/execute", tests, NULL, NULL);
}
