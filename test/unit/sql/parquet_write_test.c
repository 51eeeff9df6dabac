#include "../../support/sql_store.h"
#include "sql/statement.h"

/* What a COPY gives, in the arena; tag: what it is told by. */
static struct bytes copied(struct sql_store *q, const char *text, const char *tag)
{
    const struct sql_source source = {.text = text};
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;
    char found[SQL_TAG_MAX];
    size_t rows = 0;

    sql_session_view(q->session, meta_current(q->store->meta));
    if (!sql_prepare(q->session, &source, &st, &q->error) ||
        !sql_execute(st, NULL, &r, &q->error)) {
        fail_msg("%s", q->error.message);
    }
    assert_true(sql_copy_is_binary(st));
    assert_false(sql_copy_header(st, &out));
    do {
        assert_true(sql_result_next(r, &rows, &q->error));
        if (rows > 0) {
            sql_copy_row(r, 0, &out);
        }
    } while (rows > 0);
    assert_false(sql_copy_trailer(st, &out));
    sql_tag(st, 17, found);
    assert_string_equal(found, tag);
    sql_result_free(r);
    sql_statement_free(st);
    return arena_copy(&q->store->arena, buffer_view(&out));
}

static void feed(struct sql_store *q, const char *text, struct bytes data)
{
    struct sql_statement *st = NULL;
    struct sql_copy_in *c = NULL;

    if (!sql_prepare(q->session, &(struct sql_source){.text = text}, &st, &q->error) ||
        !sql_copy_begin(st, &c, &q->error) || !sql_copy_feed(c, data, &q->error) ||
        !sql_copy_end(c, &q->error)) {
        fail_msg("%s", q->error.message);
    }
    sql_copy_free(c);
    sql_statement_free(st);
}

static void what_is_written_is_read(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bytes file;

    sql_expect(q, "create table t (a int, b text, c array<int>, d map<text, int>)", "");
    sql_expect(q, "create table u (a int, b text, c array<int>, d map<text, int>)", "");
    sql_expect(q,
               "insert into t select i, case when i % 3 > 0 then 'a rather long text ' || i end, "
               "[i, null], map {'k': i} from range(20000) r(i)",
               "");
    file = copied(q, "copy t to stdout (format parquet)", "COPY 20000");
    assert_true(file.len > 100000);
    assert_memory_equal(file.data, "PAR1", 4);
    assert_memory_equal(file.data + file.len - 4, "PAR1", 4);
    feed(q, "copy u from stdin (format parquet)", file);
    sql_expect(q, "select count(*) from u", "20000");
    sql_expect(q, "(from t except all from u) union all (from u except all from t)", "");
}

static void other_queries(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "create table t (s decimal(38, 0), n text, iv text, x int)", "");
    feed(q, "copy t from stdin (format parquet)",
         copied(q,
                "copy (select sum(i) * 10000000000000 s, null::text n, interval 3 seconds iv, 7 x "
                "from range(100) r(i)) to stdout (format parquet)",
                "COPY 1"));
    sql_expect(q, "select * from t", "49500000000000000|null|00:00:03|7");
    feed(q, "copy t (x) from stdin (format parquet)",
         copied(q, "copy (select 1 x where false) to stdout (format parquet)", "COPY 0"));
    sql_expect(q, "select count(*) from t", "1");
}

static void what_cannot_be_written(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_refuse(q, "copy (select [1::hugeint]) to stdout (format parquet)", "0A000");
    sql_refuse(q, "copy (select {'a': interval 1 day}) to stdout (format parquet)", "0A000");
    sql_refuse(q,
               "copy (select case when i < 9000 then 1 else error('here') end from "
               "range(9001) r(i)) to stdout (format parquet)",
               "22023");
    assert_null(strstr(q->error.message, "/proc"));
    sql_refuse(q, "copy (select 1) to stdout (format parquet, header)", "42601");
    sql_refuse(q, "copy (select 1) to 'x' (format parquet)", "0A000");
    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_refuse(q, "copy (select a from tail('t')) to stdout (format parquet)", "0A000");
    sql_refuse(q, "select * from eider_rows(1)", "42883");
    (void)copied(q, "copy t to stdout (format parquet)", "COPY 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(what_is_written_is_read),
        SQL_TEST(other_queries),
        SQL_TEST(what_cannot_be_written),
    };

    return cmocka_run_group_tests_name("sql/parquet_write", tests, NULL, NULL);
}
