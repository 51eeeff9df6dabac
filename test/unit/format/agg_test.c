#include "../../support/unit.h"
#include "format/agg.h"

static const struct agg_function *parsed(struct arena *arena, const char *text)
{
    const struct agg_function *agg = NULL;
    const struct json *root = NULL;

    assert_int_equal(json_parse(bytes_str(text), NULL, arena, &root, NULL), ERR_OK);
    assert_int_equal(agg_from_json(root, arena, &agg, NULL), ERR_OK);
    return agg;
}

static void names_are_read_leniently(void **state)
{
    enum agg_kind kind = AGG_SUM;

    (void)state;
    assert_true(agg_kind_parse("LAST-value_IGNORE_nulls", &kind));
    assert_int_equal(kind, AGG_LAST_VALUE_IGNORE_NULLS);
    assert_false(agg_kind_parse("", &kind));
    assert_false(agg_kind_parse("median", &kind));
    for (int i = 0; i < AGG_KIND_COUNT; i++) {
        assert_true(agg_kind_parse(agg_kind_name((enum agg_kind)i), &kind));
        assert_int_equal(kind, i);
    }
}

static void json_round_trips(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct agg_function *agg =
        parsed(&arena, "{\"type\":\"LISTAGG\",\"parameters\":{\"delimiter\":\"|\"}}");
    struct json_writer w;

    (void)state;
    json_writer_init(&w, &arena);
    agg_write_json(&w, agg_copy(agg, &arena));
    assert_true(bytes_equal_str(json_writer_text(&w),
                                "{\"type\":\"listagg\",\"parameters\":{\"delimiter\":\"|\"}}"));
    assert_null(parsed(&arena, "{\"type\":\"median\"}"));
    assert_null(agg_copy(NULL, &arena));
}

static void checks_types_and_parameters(void **state)
{
    static const struct type text = {.root = TYPE_STRING, .nullable = true};
    static const struct type flag = {.root = TYPE_BOOLEAN, .nullable = true};
    static const struct type number = {.root = TYPE_BIGINT, .nullable = true};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct agg_function *sum = parsed(&arena, "{\"type\":\"sum\"}");
    const struct agg_function *max = parsed(&arena, "{\"type\":\"max\"}");
    const struct agg_function *list =
        parsed(&arena, "{\"type\":\"listagg\",\"parameters\":{\"delimiter\":\"\"}}");
    const struct agg_function *odd = parsed(&arena, "{\"type\":\"sum\",\"parameters\":{\"x\":1}}");
    struct error e;

    (void)state;
    assert_int_equal(agg_check(sum, "c", &number, &e), ERR_OK);
    assert_int_equal(agg_check(max, "c", &text, &e), ERR_OK);
    assert_int_equal(agg_check(max, "c", &flag, &e), ERR_INVALID_CONFIG);
    assert_int_equal(agg_check(sum, "c", &text, &e), ERR_INVALID_CONFIG);
    assert_string_equal(e.message,
                        "column 'c': aggregation function 'sum' does not take the type STRING");
    assert_int_equal(agg_check(list, "c", &text, &e), ERR_INVALID_CONFIG);
    assert_int_equal(agg_check(odd, "c", &number, &e), ERR_INVALID_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_leniently),
        cmocka_unit_test(json_round_trips),
        cmocka_unit_test(checks_types_and_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
