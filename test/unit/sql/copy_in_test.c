#include "../../support/sql_store.h"

static struct sql_statement *prepared(struct sql_store *q, const char *text)
{
    const struct sql_source source = {.text = text};
    struct sql_statement *st = NULL;

    sql_session_view(q->session, meta_current(q->store->meta));
    if (!sql_prepare(q->session, &source, &st, &q->error)) {
        fail_msg("%s", q->error.message);
    }
    assert_int_equal(sql_copy_kind(st), SQL_COPY_FROM);
    assert_true(sql_is_write(st));
    assert_int_equal(sql_column_count(st), 0);
    return st;
}

static void rows_come_in_pieces(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_statement *st;
    struct sql_copy_in *c = NULL;
    char tag[SQL_TAG_MAX];

    sql_expect(q, "create table t (a int primary key, b bytea)", "");
    st = prepared(q, "copy t from stdin");
    assert_int_equal(sql_copy_columns(st), 2);
    assert_true(sql_copy_begin(st, &c, &q->error));
    for (int i = 0; i < 3000; i++) {
        const char *line = arena_printf(&q->store->arena, "%d\t\\\\x0%d\n", i % 2500, i % 10);

        assert_true(sql_copy_feed(c, bytes_of(line, 3), &q->error));
        assert_true(sql_copy_feed(c, bytes_str(line + 3), &q->error));
    }
    assert_true(sql_copy_end(c, &q->error));
    sql_copy_free(c);
    sql_tag(st, 0, tag);
    assert_string_equal(tag, "COPY 3000");
    sql_statement_free(st);
    sql_expect(q, "select count(*), min(b), max(octet_length(b)) from t", "2500|\\x00|1");
}

static void what_is_wrong_is_told_with_its_lines(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_statement *st;
    struct sql_copy_in *c = NULL;

    sql_expect(q, "create table t (a int, b text)", "");
    st = prepared(q, "copy t from stdin csv");
    assert_true(sql_copy_begin(st, &c, &q->error));
    assert_true(sql_copy_feed(c, bytes_str("1,a\nx,b\n"), &q->error));
    assert_false(sql_copy_end(c, &q->error));
    assert_string_equal(q->error.state, "22P02");
    assert_string_equal(q->error.hint,
                        "In lines 1 to 3. 0 rows of the statement are written, and stay.");
    sql_copy_free(c);
    sql_statement_free(st);
    sql_expect(q, "select count(*) from t", "0");
    sql_expect(q, "select count(*) from eider_copy(3)", "0"); /* nothing is there for others */
    sql_refuse(q, "select * from eider_copy(0)", "42000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(rows_come_in_pieces),
        SQL_TEST(what_is_wrong_is_told_with_its_lines),
    };

    return cmocka_run_group_tests_name("sql/copy_in", tests, NULL, NULL);
}
