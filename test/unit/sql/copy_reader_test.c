#include "../../support/unit.h"
#include "sql/copy_reader.h"

static const struct copy_format text_format = {.delimiter = '\t', .null = "\\N"};
static const struct copy_format csv_format = {
    .kind = COPY_KIND_CSV, .delimiter = ',', .quote = '"', .escape = '"', .null = ""};

/* "a|b;c|null": all rows, fed in steps of so many bytes; "!22P04": refused so. */
static void check(const struct copy_format *format, size_t step, const char *in,
                  const char *expected)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct bytes rest = bytes_str(in);
    struct copy_reader r;
    struct sql_error e;
    bool right = true;

    copy_reader_init(&r, format, 2);
    while (right && rest.len > 0) {
        struct bytes part = bytes_slice(rest, 0, step < rest.len ? step : rest.len);
        size_t len = part.len;

        right = copy_reader_feed(&r, &part, &e);
        rest = bytes_slice(rest, len, rest.len - len);
    }
    right = right && copy_reader_end(&r, &e);
    for (size_t i = 0; i < r.rows * 2; i++) {
        buffer_bytes(&out, bytes_str(i == 0 ? "" : i % 2 == 0 ? ";" : "|"));
        buffer_bytes(&out, r.cells[i].null ? bytes_str("null") : r.cells[i].text);
    }
    buffer_u8(&out, 0);
    if (right) {
        assert_string_equal((const char *)out.data, expected);
    } else {
        assert_int_equal(expected[0], '!');
        assert_string_equal(e.state, expected + 1);
    }
    copy_reader_fini(&r);
}

static void check_both(const struct copy_format *format, const char *in, const char *expected)
{
    check(format, 1, in, expected);
    check(format, 1000, in, expected);
}

static void lines_of_text(void **state)
{
    (void)state;
    check_both(&text_format, "", "");
    check_both(&text_format, "a\tb\n\\N\t\n", "a|b;null|");
    check_both(&text_format, "a\tb\r\nc\td\re\tf", "a|b;c|d;e|f");
    check_both(&text_format, "\\t\\x41\\102\\q\\\\N\t\\\tx\\\ny\n", "\tABq\\N|\tx\ny");
    check_both(&text_format, "a\tb\n\\.\nignored", "a|b");
    check_both(&text_format, "a\tb\\", "a|b\\");
    check_both(&text_format, "a\n", "!22P04");
    check_both(&text_format, "a\tb\tc\n", "!22P04");
    check_both(&text_format, "a\t\\xff\n", "!22021");
    check_both(&text_format, "a\t\\0\n", "!22021");
}

static void lines_of_csv(void **state)
{
    struct copy_format escaped = csv_format;
    struct copy_format with_header = csv_format;

    (void)state;
    escaped.escape = '!';
    with_header.header = true;
    check_both(&csv_format, "a,\n\"\",\"x,\"\"y\"\"\r\nz\"\n", "a|null;|x,\"y\"\r\nz");
    check_both(&csv_format, "a\"b,c\"d,e\nx,y", "ab,cd|e;x|y");
    check_both(&csv_format, "a,\\.\n\\.\nb", "a|\\.");
    check_both(&csv_format, "\"a", "!22P04");
    check_both(&csv_format, ",\n", "null|null");
    check_both(&escaped, "\"a!\"b!!!c\",\"d\"\n", "a\"b!!c|d");
    check_both(&with_header, "x,y,z\na,b\n", "a|b");
}

static void rows_can_be_taken_in_between(void **state)
{
    OWNED(buffer_fini) struct buffer in = BUFFER_INIT;
    struct copy_reader r;
    struct sql_error e;
    struct bytes rest;
    size_t rows = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        buffer_bytes(&in, bytes_str("first\tsecond\n"));
    }
    buffer_bytes(&in, bytes_str("begun\ten"));
    rest = buffer_view(&in);
    copy_reader_init(&r, &text_format, 2);
    while (rest.len > 0) {
        assert_true(copy_reader_feed(&r, &rest, &e));
        if (copy_reader_full(&r)) {
            rows += r.rows;
            copy_reader_clear(&r);
            assert_int_equal(r.first_line, rows + 1);
        }
    }
    rows += r.rows;
    copy_reader_clear(&r); /* what has begun stays */
    rest = bytes_str("ded\n");
    assert_true(copy_reader_feed(&r, &rest, &e));
    assert_int_equal(rows, 5000);
    assert_int_equal(r.rows, 1);
    assert_true(bytes_equal_str(r.cells[0].text, "begun"));
    assert_true(bytes_equal_str(r.cells[1].text, "ended"));
    copy_reader_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_text),
        cmocka_unit_test(lines_of_csv),
        cmocka_unit_test(rows_can_be_taken_in_between),
    };

    return cmocka_run_group_tests_name("sql/copy_reader", tests, NULL, NULL);
}
