#include "../../support/unit.h"
#include "sql/copy_binary.h"

static const struct copy_format binary = {.kind = COPY_KIND_BINARY};

/* An int4 and a bytea; the error's state after a "!". */
static const char *read_all(struct bytes in, size_t step)
{
    static const uint32_t oids[] = {23, 17};
    static char got[512];
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct copy_reader r;
    struct sql_error e;
    bool right = true;

    copy_reader_init(&r, &binary, 2);
    r.oids = oids;
    while (right && in.len > 0) {
        struct bytes part = bytes_slice(in, 0, in.len < step ? in.len : step);

        in = bytes_slice(in, part.len, in.len - part.len);
        right = copy_reader_feed(&r, &part, &e);
        assert_true(!right || part.len == 0);
    }
    right = right && copy_reader_end(&r, &e);
    if (right) {
        for (size_t i = 0; i < 2 * r.rows; i++) {
            buffer_bytes(&out, r.cells[i].null ? bytes_str("null") : r.cells[i].text);
            buffer_u8(&out, i % 2 == 0 ? '|' : ';');
        }
    } else {
        buffer_u8(&out, '!');
        buffer_bytes(&out, bytes_str(e.state));
    }
    buffer_u8(&out, '\0');
    assert_true(out.len <= sizeof got);
    memcpy(got, out.data, out.len);
    copy_reader_fini(&r);
    return got;
}

static void check(const char *rows, size_t len, const char *expected)
{
    OWNED(buffer_fini) struct buffer in = BUFFER_INIT;

    copy_binary_put_header(&in);
    buffer_bytes(&in, bytes_of(rows, len));
    for (size_t step = 1; step < 30; step++) {
        assert_string_equal(read_all(buffer_view(&in), step), expected);
    }
}

#define CHECK(rows, expected) check(rows, sizeof rows - 1, expected)

static void rows_are_taken_apart(void **state)
{
    (void)state;
    CHECK("\0\2\0\0\0\4\0\0\1\0\0\0\0\2a\xff\0\2\xff\xff\xff\xff\0\0\0\0\xff\xff",
          "256|\\x61ff;null|\\x;");
    CHECK("\xff\xff", "");
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    CHECK("", "!22P04");
    CHECK("\0\2\0\0\0\4\0\0\1\0", "!22P04");
    CHECK("\0\1\0\0\0\4\0\0\1\0\xff\xff", "!22P04");
    CHECK("\xff\xfe", "!22P04");
    CHECK("\xff\xff\0", "!22P04");
    CHECK("\0\2\0\0\0\3\0\0\1\0\0\0\0\xff\xff", "!22P03");
    CHECK("\0\2\xff\xff\xff\xfe", "!22P04");
    CHECK("\0\2\x7f\xff\xff\xff", "!54000");
    assert_string_equal(read_all(bytes_str("1\tx\n"), 2), "!22P04");
    assert_string_equal(read_all(bytes_of("PGCOPY\n\377\r\r\0\0\0\0\0\0\0\0\0", 19), 7), "!22P04");
    assert_string_equal(read_all(bytes_of("PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0", 19), 7), "!22P04");
    assert_string_equal(
        read_all(bytes_of("PGCOPY\n\377\r\n\0\0\0\xff\xff\0\0\0\2ab\xff\xff", 23), 7), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_taken_apart),
        cmocka_unit_test(what_is_wrong_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
