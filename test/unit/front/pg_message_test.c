#include "../../support/unit.h"
#include "front/pg_message.h"

static void messages_are_cut(void **state)
{
    const uint8_t raw[] = "Q\0\0\0\011abcd\0X\0\0\0\004P\0\0";
    struct bytes in = bytes_of(raw, sizeof raw - 1);
    struct pg_message m;

    (void)state;
    assert_int_equal(pg_take(&in, false, &m), PG_MESSAGE);
    assert_int_equal(m.type, 'Q');
    assert_int_equal(m.body.len, 5);
    assert_int_equal(pg_take(&in, false, &m), PG_MESSAGE);
    assert_int_equal(m.type, 'X');
    assert_int_equal(m.body.len, 0);
    assert_int_equal(pg_take(&in, false, &m), PG_INCOMPLETE);
    assert_int_equal(in.len, 3);
}

static enum pg_taken take(const char *raw, size_t len, bool first)
{
    struct bytes in = bytes_of(raw, len);
    struct pg_message m;

    return pg_take(&in, first, &m);
}

static void impossible_lengths(void **state)
{
    (void)state;
    assert_int_equal(take("Q\0\0\0\003", 5, false), PG_MALFORMED);
    assert_int_equal(take("Q\377\377\377\377", 5, false), PG_MALFORMED);
    assert_int_equal(take("Q\0\200\0\0", 5, false), PG_INCOMPLETE);
    assert_int_equal(take("Q\0\200\0\001", 5, false), PG_MALFORMED);
    assert_int_equal(take("\0\0\0\007", 4, true), PG_MALFORMED);
    assert_int_equal(take("GET ", 4, true), PG_MALFORMED);
    assert_int_equal(take("\0\0\0", 3, true), PG_INCOMPLETE);
    assert_int_equal(take("\0\0\0\010\004\322\026/", 8, true), PG_MESSAGE);
}

static void texts_and_values(void **state)
{
    struct reader r = reader_of(bytes_of("ab\0\0\0\0\001x\377\377\377\377", 12));
    bool null = true;

    (void)state;
    assert_string_equal(pg_text(&r), "ab");
    assert_true(bytes_equal_str(pg_value(&r, &null), "x"));
    assert_false(null);
    assert_int_equal(pg_value(&r, &null).len, 0);
    assert_true(null && !r.failed);
    assert_string_equal(pg_text(&r), "");
    assert_true(r.failed);
    r = reader_of(bytes_of("\377\0", 2));
    assert_string_equal(pg_text(&r), "");
    assert_true(r.failed); /* not UTF-8 */
    r = reader_of(bytes_of("\377\377\377\376", 4));
    (void)pg_value(&r, &null);
    assert_true(r.failed && !null);
}

static void errors_have_fields(void **state)
{
    struct buffer out = BUFFER_INIT;
    const char expected[] = "E\0\0\0\037SERROR\0VERROR\0C42601\0Mno\0";

    (void)state;
    pg_put_error(&out, 'E', "42601", "no");
    assert_int_equal(out.len, sizeof expected);
    assert_int_equal(get_u32be(out.data + 1), out.len - 1);
    assert_memory_equal(out.data + 5, expected + 5, sizeof expected - 5);
    buffer_clear(&out);
    pg_put_ready(&out, 'T');
    pg_put_parameter(&out, "a", "b");
    pg_put_complete(&out, "SELECT 1");
    pg_put_empty(&out, 'n');
    assert_memory_equal(out.data, "Z\0\0\0\005TS\0\0\0\010a\0b\0C\0\0\0\015SELECT 1\0n\0\0\0\004",
                        34);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_cut),
        cmocka_unit_test(impossible_lengths),
        cmocka_unit_test(texts_and_values),
        cmocka_unit_test(errors_have_fields),
    };

    return cmocka_run_group_tests_name("front/pg_message", tests, NULL, NULL);
}
