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

/* ---- what WHERE leaves unread ---- */

static void partitions_and_buckets_that_cannot_matter_are_not_followed(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_parameter x = {.text = bytes_str("x")};
    struct following f;

    sql_expect(q,
               "create table p (a int, day text) partitioned by (day) distributed by (a) into 2 "
               "buckets",
               "");
    sql_expect(q, "insert into p values (1, 'x'), (2, 'y'), (3, 'x')", "");
    begin(q, "select a from tail('p', 'earliest') where day = $1 and a < 4", &x, &f);
    assert_string_equal(next(&f), "1;3");
    assert_int_equal(f.r->tail->places.count, 2);
    sql_expect(q, "insert into p values (0, 'x'), (0, 'y'), (0, 'z')", "");
    assert_string_equal(next(&f), "0");
    assert_int_equal(f.r->tail->places.count, 2);
    end(&f);
    begin(q, "select a, day from tail('p', 'earliest') where _bucket = 0 and day in ('y', 'z')",
          NULL, &f);
    IGNORE(next(&f) != NULL);
    assert_int_equal(f.r->tail->places.count, 2);
    end(&f);
    begin(q, "select day from tail('p', 'earliest') u where u.a = 2", NULL, &f);
    assert_string_equal(next(&f), "y");
    assert_int_equal(f.r->tail->places.count, 3); /* one bucket of each partition */
    sql_expect(q, "insert into p values (2, 'new')", "");
    assert_string_equal(next(&f), "new");
    assert_int_equal(f.r->tail->places.count, 4);
    end(&f);
    begin(q, "select b from tail('p', 'earliest') u(b, a) where a = 'y' limit 2", NULL, &f);
    assert_int_equal(strlen(next(&f)), 3);
    end(&f);
}

static void offsets_that_cannot_matter_are_not_read(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct following f;

    sql_append(q, bucket_of(t, 1), 0, 3);
    sql_append(q, bucket_of(t, 1), 3, 6);
    begin(q, "select a from tail('t', 'earliest') where _offset between 4 and 6", NULL, &f);
    assert_int_equal(f.r->tail->places.items[0].next, 4);
    assert_string_equal(next(&f), "4;5");
    sql_append(q, bucket_of(t, 1), 6, 9);
    assert_string_equal(next(&f), "6");
    assert_string_equal(next(&f), "");
    assert_true(sql_result_waits(f.r));
    end(&f);
    begin(q, "select a from tail('t', 'offset:5') where _offset > 1 and _offset < 1", NULL, &f);
    assert_string_equal(next(&f), "");
    assert_true(sql_result_waits(f.r));
    end(&f);
    begin(q, "select a from tail('t', 'offset:8') where _offset >= 2", NULL, &f);
    assert_string_equal(next(&f), "8");
    end(&f);
}

/* Of the increment whose rows are being taken. */
static size_t batches_skipped(const struct following *f)
{
    struct list *first = f->q->session->cuts.next;

    return atomic_load(&container_of(first, struct session_cut, link)->cut->prune->batches_skipped);
}

static void batches_that_cannot_matter_are_skipped(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct following f;
    size_t rows = 0;

    sql_expect(q,
               "create table s (a int, b text) with ('bucket.num' = '1', "
               "'table.statistics.columns' = '*')",
               "");
    sql_expect(q, "insert into s values (1, 'x')", "");
    sql_expect(q, "insert into s values (2, 'y')", "");
    sql_expect(q, "insert into s values (3, 'z')", "");
    begin(q, "select b from tail('s', 'earliest') where a = 3", NULL, &f);
    assert_true(sql_result_next(f.r, &rows, &q->error));
    assert_int_equal(rows, 1);
    assert_int_equal(batches_skipped(&f), 2);
    assert_string_equal(next(&f), "");
    sql_expect(q, "insert into s values (4, 'no')", "");
    assert_string_equal(next(&f), "");
    sql_expect(q, "insert into s values (3, 'again')", "");
    assert_string_equal(next(&f), "again");
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
        SQL_TEST(partitions_and_buckets_that_cannot_matter_are_not_followed),
        SQL_TEST(offsets_that_cannot_matter_are_not_read),
        SQL_TEST(batches_that_cannot_matter_are_skipped),
        SQL_TEST(changes_of_a_primary_key_table),
        SQL_TEST(a_table_that_goes),
        SQL_TEST(what_is_more_than_rows_is_refused),
    };

    return cmocka_run_group_tests_name("sql/tail", tests, NULL, NULL);
}
