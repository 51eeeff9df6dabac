#include "../../support/sql_store.h"
#include "sql/copy.h"

static struct copy parsed(struct sql_store *q, const char *text)
{
    struct copy copy;

    session_adopt_view(q->session);
    assert_true(copy_is(bytes_str(text)));
    if (!copy_parse(bytes_str(text), q->session, &q->store->arena, &copy, &q->error)) {
        fail_msg("%s: %s", text, q->error.message);
    }
    return copy;
}

static void refuse(struct sql_store *q, const char *text, const char *state)
{
    struct copy copy;

    session_adopt_view(q->session);
    assert_false(copy_parse(bytes_str(text), q->session, &q->store->arena, &copy, &q->error));
    assert_string_equal(q->error.state, state);
    dml_fini(&copy.dml);
}

static void what_is_copied(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct copy copy;

    sql_expect(q, "create table t (a int, b bytea, c int[])", "");
    copy = parsed(q, "copy t (c, a) from stdin");
    assert_true(copy.from);
    assert_string_equal(
        copy.query, "SELECT CAST(CASE WHEN starts_with(c0,'{') THEN '[' || c0[2:-2] || ']' ELSE "
                    "c0 END AS INTEGER[]),CAST(c1 AS INTEGER) FROM eider_copy(2) AS r(c0,c1)");
    assert_int_equal(copy.dml.column_count, 2);
    dml_fini(&copy.dml);
    copy = parsed(q, "copy (select (1), ')' -- x\n) to stdout");
    assert_string_equal(copy.query, "select (1), ')' -- x\n");
    copy = parsed(q, "copy fluss.\"t$changelog\" (A, \"B\") to stdout");
    assert_string_equal(copy.query, "SELECT \"a\",\"B\" FROM fluss.\"t$changelog\" ");
}

static void options_of_two_kinds(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct copy_format f = parsed(q, "copy (select 1) to stdout").format;

    assert_false(f.kind != COPY_KIND_TEXT || f.header);
    assert_int_equal(f.delimiter, '\t');
    assert_string_equal(f.null, "\\N");
    f = parsed(q, "copy (select 1) to stdout with csv header quote as '''' null 'x'").format;
    assert_true(f.kind == COPY_KIND_CSV && f.header);
    assert_int_equal(f.quote, '\'');
    assert_int_equal(f.escape, '\'');
    assert_string_equal(f.null, "x");
    f = parsed(q,
               "copy (select 1) to stdout (format csv, header off, escape '\"', encoding 'UTF8')")
            .format;
    assert_false(f.header);
    refuse(q, "copy (select 1) to stdout (delimiter '')", "22023");
    refuse(q, "copy (select 1) to stdout (format csv, delimiter '\"')", "22023");
    refuse(q, "copy (select 1) to stdout (null 'a\tb')", "22023");
    refuse(q, "copy (select 1) to stdout (format '", "0A000");
    refuse(q, "copy (select 1) to stdout (encoding 'latin1')", "0A000");
    refuse(q, "copy (select 1) to stdout (freeze)", "42601");
    refuse(q, "copy (select 1) to 'file'", "0A000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(what_is_copied),
        SQL_TEST(options_of_two_kinds),
    };

    return cmocka_run_group_tests_name("sql/copy", tests, NULL, NULL);
}
