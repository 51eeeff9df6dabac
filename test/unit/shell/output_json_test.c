#include "../../support/results.h"

static const struct output_options lines = {.format = OUTPUT_JSONL};

static const char *one(uint32_t type, const char *text)
{
    const char *texts[] = {"v", text};

    return shown(&lines, &type, 1, texts, 1);
}

static void kinds_are_kept(void **state)
{
    (void)state;
    assert_string_equal(one(23, "-7"), "{\"v\":-7}\n");
    assert_string_equal(one(701, "1e+300"), "{\"v\":1e+300}\n");
    assert_string_equal(one(701, "NaN"), "{\"v\":\"NaN\"}\n");
    assert_string_equal(one(701, "-Infinity"), "{\"v\":\"-Infinity\"}\n");
    assert_string_equal(one(1700, "12345678901234567890.10"), "{\"v\":12345678901234567890.10}\n");
    assert_string_equal(one(16, "t"), "{\"v\":true}\n");
    assert_string_equal(one(16, "f"), "{\"v\":false}\n");
    assert_string_equal(one(114, "{\"a\":\n[1]}"), "{\"v\":{\"a\": [1]}}\n");
    assert_string_equal(one(25, NULL), "{\"v\":null}\n");
    assert_string_equal(one(1114, "2026-01-01 00:00:00"), "{\"v\":\"2026-01-01 00:00:00\"}\n");
}

static void texts_are_escaped(void **state)
{
    (void)state;
    assert_string_equal(one(25, "a\"\\\n\r\t\x01\x7f\xc3\xa4"),
                        "{\"v\":\"a\\\"\\\\\\n\\r\\t\\u0001\\u007f\xc3\xa4\"}\n");
    assert_string_equal(one(25, "\xff"), "{\"v\":\"\xef\xbf\xbd\"}\n");
}

static void arrays_are_arrays(void **state)
{
    (void)state;
    assert_string_equal(one(1007, "{1,NULL,-3}"), "{\"v\":[1,null,-3]}\n");
    assert_string_equal(one(1007, "{}"), "{\"v\":[]}\n");
    assert_string_equal(one(1007, "{{1,2},{3}}"), "{\"v\":[[1,2],[3]]}\n");
    assert_string_equal(one(1009, "{a,\"NULL\",\"x \\\"y\\\\\",\"\",NULL}"),
                        "{\"v\":[\"a\",\"NULL\",\"x \\\"y\\\\\",\"\",null]}\n");
    assert_string_equal(one(1000, "{t,f}"), "{\"v\":[true,false]}\n");
    assert_string_equal(one(199, "{\"{\\\"a\\\":1}\"}"), "{\"v\":[{\"a\":1}]}\n");
    assert_string_equal(one(1009, "{\"cut"), "{\"v\":[\"cut\"}\n"); /* as it came */
}

static void one_array_holds_all_rows(void **state)
{
    static const struct output_options array = {.format = OUTPUT_JSON};
    static const char *const texts[] = {"a", "b", "1", "x", "2", "y"};
    static const uint32_t types[] = {20, 25};

    (void)state;
    assert_string_equal(shown(&array, types, 2, texts, 2),
                        "[{\"a\":1,\"b\":\"x\"},\n{\"a\":2,\"b\":\"y\"}]\n");
    assert_string_equal(shown(&array, types, 2, texts, 0), "[]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_kept),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(arrays_are_arrays),
        cmocka_unit_test(one_array_holds_all_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
