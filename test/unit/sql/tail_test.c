#include "../../support/sql_store.h"
#include "sql/statement.h"

/* A query that is under way. */
struct following {
    struct sql_store *q;
    struct sql_statement *st;
    struct sql_result *r;
};

static void begin(struct sql_store *q, const char *text, const struct sql_parameter *parameters,
                  struct following *f)
{
    const struct sql_source source = {.text = text};

    *f = (struct following){.q = q};
    sql_session_view(q->session, meta_current(q->store->meta));
    if (!sql_prepare(q->session, &source, &f->st, &q->error) ||
        !sql_execute(f->st, parameters, &f->r, &q->error)) {
        fail_msg("%s: %s", text, q->error.message);
    }
}

/* "a|b;a|b": all rows there are for now; NULL: it has failed. */
static const char *next(struct following *f)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    size_t rows = 1;

    sql_session_view(f->q->session, meta_current(f->q->store->meta));
    while (rows > 0) {
        if (!sql_result_next(f->r, &rows, &f->q->error)) {
            return NULL;
        }
        for (size_t i = 0; i < rows; i++) {
            sql_add_row(f->q, f->r, i, &out, sql_column_count(f->st));
        }
    }
    return arena_strndup(&f->q->store->arena, out.data, out.len);
}

static void end(struct following *f)
{
    sql_result_free(f->r);
    sql_statement_free(f->st);
}

static void increments_come_in_order_and_once(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct following f;

    sql_append(q, bucket_of(t, 1), 0, 2);
    begin(q, "select *, _offset from tail('fluss.t')", NULL, &f);
    assert_true(sql_is_tail(f.st));
    assert_string_equal(next(&f), "");
    assert_true(sql_result_waits(f.r));
    sql_append(q, bucket_of(t, 1), 2, 4);
    sql_append(q, bucket_of(t, 1), 4, 5);
    assert_string_equal(next(&f), "2|null|20|2;3|row 3|30|3;4|row 4|40|4");
    assert_string_equal(next(&f), "");
    sql_append(q, bucket_of(t, 2), 7, 8);
    assert_string_equal(next(&f), "7|row 7|70|0");
    end(&f);
}

static void where_it_begins_and_how_many_rows_it_has(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct sql_parameter two = {.text = bytes_str("2")};
    struct following f;

    sql_append(q, bucket_of(t, 1), 0, 3);
    sql_append(q, bucket_of(t, 1), 3, 6);
    begin(q, "select a from tail('t', 'offset:4')", NULL, &f);
    assert_string_equal(next(&f), "4;5");
    end(&f);
    begin(q, "select 1 from tail('t', 'offset:4')", NULL, &f);
    assert_string_equal(next(&f), "1;1");
    end(&f);
    begin(q, "select a from tail('t', 'earliest') where a > 1 limit $1", &two, &f);
    assert_string_equal(next(&f), "2;3");
    assert_false(sql_result_waits(f.r));
    end(&f);
    begin(q, "select a from tail('t', 'time:2000-01-01') limit 1", NULL, &f);
    assert_string_equal(next(&f), "0");
    end(&f);
    begin(q, "select a from tail('t', 'time:99999999999999')", NULL, &f);
    assert_string_equal(next(&f), "");
    end(&f);
}

static void changes_of_a_primary_key_table(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "k", STORE_KV("")), 0);
    struct following f;

    begin(q, "select _change_type, a, b from tail('k')", NULL, &f);
    assert_string_equal(next(&f), "");
    (void)store_put(q->store, id, 7, "seven");
    (void)store_remove(q->store, id, 7);
    assert_string_equal(next(&f), "insert|7|seven;delete|7|seven");
    end(&f);
}

static void a_table_that_goes(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct following f;

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    begin(q, "select a from tail('t')", NULL, &f);
    assert_string_equal(next(&f), "");
    store_drop_table(q->store, "t");
    assert_null(next(&f));
    assert_string_equal(q->error.state, "42P01");
    assert_string_equal(q->error.message, "table \"fluss.t\" was dropped");
    end(&f);
}

static void what_is_more_than_rows_is_refused(void **state)
{
    static const char *const texts[] = {
        "select count(*) from tail('t')",
        "select a from tail('t') order by a",
        "select distinct a from tail('t')",
        "select a from tail('t') limit 2 offset 1",
        "select a from tail('t') group by all",
        "select lag(a) over () from tail('t')",
        "select a from tail('t') intersect select 1",
        "select 1 from (from tail('t'))",
        "select 1 from t where a in (select a from tail('t'))",
        "explain analyze select a from tail('t')",
        "copy t from tail('t')",
    };
    struct sql_store *q = sql_ready(state);

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    for (size_t i = 0; i + 1 < ARRAY_LEN(texts); i++) {
        sql_refuse(q, texts[i], "0A000");
    }
    assert_null(sql_ask(q, texts[ARRAY_LEN(texts) - 1]));
    sql_refuse(q, "select a from tail('nowhere')", "42P01");
    sql_refuse(q, "select a from tail('t', 'soon')", "22023");
    sql_refuse(q, "select a from tail('t', 'time:soon''')", "22023");
    sql_refuse(q, "select a from tail('t', 'offset:-1')", "22023");
    sql_refuse(q, "select a from tail()", "42883");
    sql_refuse(q, "select a from tail('t', 'latest', 1)", "42883");
    sql_refuse(q, "select tail(1)", "42883");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(increments_come_in_order_and_once),
        SQL_TEST(where_it_begins_and_how_many_rows_it_has),
        SQL_TEST(changes_of_a_primary_key_table),
        SQL_TEST(a_table_that_goes),
        SQL_TEST(what_is_more_than_rows_is_refused),
    };

    return cmocka_run_group_tests_name("sql/tail", tests, NULL, NULL);
}
