#include "../../support/unit.h"
#include "base/utf8.h"

static void decodes_every_length(void **state)
{
    uint32_t code = 0;

    (void)state;
    assert_int_equal(utf8_next(bytes_str("a"), &code), 1);
    assert_int_equal(code, 'a');
    assert_int_equal(utf8_next(bytes_str("\xc3\xa9x"), &code), 2);
    assert_int_equal(code, 0xe9);
    assert_int_equal(utf8_next(bytes_str("\xe2\x82\xac"), &code), 3);
    assert_int_equal(code, 0x20ac);
    assert_int_equal(utf8_next(bytes_str("\xf0\x9f\xa6\x86"), &code), 4);
    assert_int_equal(code, 0x1f986);
    assert_int_equal(utf8_next(BYTES_EMPTY, &code), 0);
}

static void refuses_invalid_forms(void **state)
{
    static const char *const bad[] = {
        "\x80",             /* continuation first */
        "\xff",             /* never a first byte */
        "\xf8\x88\x80\x80", /* five-byte form */
        "\xc0\xaf",         /* overlong slash */
        "\xe0\x80\xaf",     /* overlong slash */
        "\xed\xa0\x80",     /* surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xe2\x82",         /* cut short */
        "\xe2\x28\xa1",     /* no continuation */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(utf8_next(bytes_str(bad[i]), NULL), 0);
        assert_false(utf8_valid(bytes_str(bad[i])));
    }
    assert_true(utf8_valid(bytes_str("gr\xc3\xbc\xc3\x9f")));
    assert_true(utf8_valid(BYTES_EMPTY));
    for (size_t len = 1; len < 70; len++) { /* wherever it is in a longer text */
        uint8_t text[70];

        for (size_t at = 0; at < len; at++) {
            memset(text, 'a', len);
            assert_true(utf8_valid(bytes_of(text, len)));
            text[at] = 0x80;
            assert_false(utf8_valid(bytes_of(text, len)));
        }
    }
    assert_false(utf8_valid(bytes_str("ok\xc3")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_every_length),
        cmocka_unit_test(refuses_invalid_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
