#include "../../support/sql_store.h"

static void check_bytes(struct sql_store *q, const char *text, struct bytes expected)
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
    IGNORE(sql_copy_trailer(st, &out));
    assert_true(bytes_equal(buffer_view(&out), expected));
    sql_result_free(r);
    sql_statement_free(st);
}

static void check(struct sql_store *q, const char *text, const char *expected)
{
    check_bytes(q, text, bytes_str(expected));
}

static void values_as_bytes(void **state)
{
    static const char rows[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
                               "\0\3\0\0\0\4\0\0\0\7\377\377\377\377\0\0\0\1x"
                               "\377\377";
    struct sql_store *q = sql_ready(state);

    check_bytes(q, "copy (select 7, null::text, 'x') to stdout (format binary)",
                bytes_of(rows, sizeof rows - 1));
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
    const struct CMUnitTest tests[] = {SQL_TEST(values_as_lines), SQL_TEST(values_as_bytes)};

    return cmocka_run_group_tests_name("sql/copy_out", tests, NULL, NULL);
}
