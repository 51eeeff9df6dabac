#include "../../support/sql_store.h"
#include "io/file.h"

/* A file that DuckDB itself writes: in an instance that may. */
static struct bytes file_of(struct sql_store *q, const char *query)
{
    const struct duckdb *d = duckdb();
    struct arena *arena = &q->store->arena;
    const char *path = arena_printf(arena, "%s/made.parquet", q->store->dir);
    const char *text = arena_printf(arena, "COPY (%s) TO '%s' (FORMAT parquet)", query, path);
    struct bytes found = {0};
    struct duck_result result;
    void *db = NULL;
    void *connection = NULL;
    bool there = false;

    assert_int_equal(d->open_ext(NULL, &db, NULL, NULL), DUCK_OK);
    assert_int_equal(d->connect(db, &connection), DUCK_OK);
    if (d->query(connection, text, &result) != DUCK_OK) {
        fail_msg("%s", d->result_error(&result));
    }
    d->destroy_result(&result);
    d->disconnect(&connection);
    d->close(&db);
    assert_int_equal(file_read_whole(path, 1 << 20, arena, &found, &there, NULL), ERR_OK);
    assert_int_equal(path_remove(path, NULL), ERR_OK);
    assert_true(there);
    return found;
}

/* expected NULL: it fails. */
static void copy(struct sql_store *q, const char *target, struct bytes data, const char *expected)
{
    const char *text =
        arena_printf(&q->store->arena, "copy %s from stdin (format parquet)", target);
    const struct sql_source source = {.text = text};
    struct sql_statement *st = NULL;
    struct sql_copy_in *c = NULL;
    char tag[SQL_TAG_MAX];
    bool right;

    sql_session_view(q->session, meta_current(q->store->meta));
    if (!sql_prepare(q->session, &source, &st, &q->error) || !sql_copy_begin(st, &c, &q->error)) {
        fail_msg("%s", q->error.message);
    }
    assert_true(sql_copy_is_binary(st));
    right = sql_copy_feed(c, bytes_slice(data, 0, data.len / 2), &q->error) &&
            sql_copy_feed(c, bytes_slice(data, data.len / 2, data.len - data.len / 2), &q->error) &&
            sql_copy_end(c, &q->error);
    assert_int_equal(right, expected != NULL);
    if (right) {
        sql_tag(st, 0, tag);
        assert_string_equal(tag, expected);
    }
    sql_copy_free(c);
    sql_statement_free(st);
}

static void columns_have_names(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bytes both;

    sql_expect(q, "create table t (a int, b text)", "");
    both = file_of(q, "SELECT i::VARCHAR AS A, 'b' || i AS b FROM range(3000) r(i)");
    copy(q, "t", both, "COPY 3000");
    sql_expect(q, "select count(*), sum(a), max(b) from t", "3000|4498500|b999");
    copy(q, "t (b)", both, "COPY 3000");
    sql_expect(q, "select count(*), count(a), max(b) from t", "6000|3000|b999");
    copy(q, "t", file_of(q, "SELECT 1 AS c"), NULL);
    assert_string_equal(q->error.state, "42703");
    copy(q, "t (a, b)", file_of(q, "SELECT 1 AS a"), NULL);
    assert_string_equal(q->error.state, "42703");
    copy(q, "t", file_of(q, "SELECT 'x' AS a"), NULL);
    assert_string_equal(q->error.state, "22P02");
    assert_string_equal(q->error.hint, "0 rows of the statement are written, and stay.");
    assert_null(strstr(q->error.message, "/proc"));
}

static void what_is_no_file_is_refused(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bytes file;

    sql_expect(q, "create table t (a int)", "");
    file = file_of(q, "SELECT 1 AS a");
    copy(q, "t", BYTES_EMPTY, NULL);
    assert_string_equal(q->error.state, "22P04");
    copy(q, "t", bytes_slice(file, 0, file.len - 1), NULL);
    copy(q, "t", bytes_slice(file, 5, file.len - 5), NULL);
    assert_string_equal(q->error.state, "22P04");
    copy(q, "t", file, "COPY 1");
    sql_refuse(q, "select * from read_parquet('/proc/self/fd/0')", "42501");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(columns_have_names),
        SQL_TEST(what_is_no_file_is_refused),
    };

    return cmocka_run_group_tests_name("sql/parquet", tests, NULL, NULL);
}
