#include "../../support/results.h"

static const uint32_t types[] = {23, 25};
static const char *const texts[] = {"n", "a|b", "1", "x,\"y\"", NULL, "", "-3", "two\nlines"};

static void formats_have_names(void **state)
{
    enum output_format f = OUTPUT_BOX;

    (void)state;
    assert_true(output_format_parse("CSV", &f));
    assert_int_equal(f, OUTPUT_CSV);
    assert_true(output_format_parse("jsonl", &f));
    assert_int_equal(f, OUTPUT_JSONL);
    assert_false(output_format_parse("xml", &f));
}

static void csv_tells_null_from_empty(void **state)
{
    struct output_options o = {.format = OUTPUT_CSV};

    (void)state;
    assert_string_equal(shown(&o, types, 2, texts, 3),
                        "n,a|b\n1,\"x,\"\"y\"\"\"\n,\"\"\n-3,\"two\nlines\"\n");
    o.bare = true;
    assert_string_equal(shown(&o, types, 2, texts, 1), "1,\"x,\"\"y\"\"\"\n");
}

static void markdown_escapes_bars(void **state)
{
    struct output_options o = {.format = OUTPUT_MARKDOWN};

    (void)state;
    assert_string_equal(shown(&o, types, 2, texts, 3),
                        "| n | a\\|b |\n|---:|---|\n| 1 | x,\"y\" |\n| NULL |  |\n"
                        "| -3 | two<br>lines |\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_have_names),
        cmocka_unit_test(csv_tells_null_from_empty),
        cmocka_unit_test(markdown_escapes_bars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
