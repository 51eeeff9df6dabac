#include "../../support/sql_store.h"

static void check(struct sql_store *q, const char *text, const char *expected)
{
    const struct sql_source source = {.text = text};
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct sql_statement *st = NULL;
    struct sql_result *r = NULL;
    size_t rows;

    assert_true(sql_prepare(q->session, &source, &st, &q->error));
    assert_int_equal(sql_copy_kind(st), SQL_COPY_TO);
    assert_false(sql_is_write(st));
    assert_true(sql_execute(st, NULL, &r, &q->error));
    IGNORE(sql_copy_header(st, &out));
    while (sql_result_next(r, &rows, &q->error) && rows > 0) {
        for (size_t i = 0; i < rows; i++) {
            sql_copy_row(r, i, &out);
        }
    }
    buffer_u8(&out, 0);
    assert_string_equal((const char *)out.data, expected);
    sql_result_free(r);
    sql_statement_free(st);
}

static void values_as_lines(void **state)
{
    struct sql_store *q = sql_ready(state);

    check(q, "copy (select 1 a, null b, e'x\\ty\\\\z\\n' c) to stdout", "1\t\\N\tx\\ty\\\\z\\n\n");
    check(q, "copy (select 1 \"a,b\", null b, 'x,\"y\"' c, '' d) to stdout csv header",
          "\"a,b\",b,c,d\n1,,\"x,\"\"y\"\"\",\"\"\n");
    check(q, "copy (select 'a|b', '\\.') to stdout (delimiter '|')", "a\\|b|\\\\.\n");
    check(q, "copy (select 'nil', '\\.') to stdout (format csv, null 'nil', escape '!')",
          "\"nil\",\"\\.\"\n");
    check(q, "copy (select 1 where false) to stdout", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(values_as_lines)};

    return cmocka_run_group_tests_name("sql/copy_out", tests, NULL, NULL);
}
