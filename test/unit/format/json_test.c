#include "../../support/unit.h"
#include "format/json.h"

static const struct json_options options = {.name = "thing", .code = ERR_INVALID_TABLE};

static enum errcode parse(struct arena *arena, const char *text, const struct json **ret,
                          struct error *e)
{
    return json_parse(bytes_str(text), &options, arena, ret, e);
}

static const struct json *parsed(struct arena *arena, const char *text)
{
    const struct json *root = NULL;
    struct error e = {0};

    if (parse(arena, text, &root, &e) != ERR_OK) {
        fail_msg("%s: %s", text, e.message);
    }
    return root;
}

static void reads_values(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = parsed(&arena, " {\"s\":\"a\\u00e9/\",\"i\":-7,\"l\":5000000000,"
                                             "\"b\":true,\"r\":1.5,\"n\":null,\"o\":{\"x\":1},"
                                             "\"a\":[1,[],{}]} ");
    const struct json *child = NULL;
    const char *string = NULL;
    int32_t small = 0;
    int64_t wide = 0;
    double real = 0;
    bool flag = false;
    struct error e;

    (void)state;
    assert_int_equal(json_get_string(root, "s", &string, &e), ERR_OK);
    assert_string_equal(string, "a\xc3\xa9/");
    assert_int_equal(json_get_i32(root, "i", &small, &e), ERR_OK);
    assert_int_equal(small, -7);
    assert_int_equal(json_get_i64(root, "l", &wide, &e), ERR_OK);
    assert_int_equal(wide, 5000000000);
    assert_int_equal(json_get_bool(root, "b", &flag, &e), ERR_OK);
    assert_true(flag);
    assert_int_equal(json_get_real(root, "r", &real, &e), ERR_OK);
    assert_true(real == 1.5);
    assert_int_equal(json_get_real(root, "i", &real, &e), ERR_OK);
    assert_true(real == -7);
    assert_int_equal(json_get_object(root, "o", &child, &e), ERR_OK);
    assert_int_equal(json_count(child), 1);
    assert_string_equal(json_key_of(json_at(child, 0)), "x");
    assert_int_equal(json_get_array(root, "a", &child, &e), ERR_OK);
    assert_int_equal(json_count(child), 3);
    assert_int_equal(json_count(json_at(child, 0)), 0);
    assert_int_equal(json_kind_of(json_at(child, 2)), JSON_KIND_OBJECT);
    assert_null(json_find(child, "x"));
}

static void optional_members_keep_the_default(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = parsed(&arena, "{\"n\":null,\"i\":3,\"s\":\"x\"}");
    int32_t value = 9;
    struct error e;

    (void)state;
    assert_int_equal(json_opt_i32(root, "absent", &value, &e), ERR_OK);
    assert_int_equal(json_opt_i32(root, "n", &value, &e), ERR_OK);
    assert_int_equal(value, 9);
    assert_int_equal(json_opt_i32(root, "i", &value, &e), ERR_OK);
    assert_int_equal(value, 3);
    assert_int_equal(json_opt_i32(root, "s", &value, &e), ERR_INVALID_TABLE);
    assert_int_equal(json_get_i32(root, "n", &value, &e), ERR_INVALID_TABLE);
    assert_string_equal(e.message, "thing: \"n\" is missing");
}

static void errors_name_the_path(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = parsed(&arena, "{\"a\":{\"b\":[0,{\"c\":\"x\",\"d\":5000000000}]}}");
    const struct json *a = NULL;
    const struct json *b = NULL;
    int32_t value = 0;
    struct error e;

    (void)state;
    assert_int_equal(json_get(root, "a", &a, &e), ERR_OK);
    assert_int_equal(json_get(a, "b", &b, &e), ERR_OK);
    assert_int_equal(json_get_i32(json_at(b, 1), "c", &value, &e), ERR_INVALID_TABLE);
    assert_string_equal(e.message, "thing: a.b[1].c: expected an integer, found a string");
    assert_int_equal(json_get_i32(json_at(b, 1), "d", &value, &e), ERR_INVALID_TABLE);
    assert_string_equal(e.message, "thing: a.b[1].d: 5000000000 does not fit into 32 bits");
    assert_int_equal(json_get_i32(json_at(b, 0), "c", &value, &e), ERR_INVALID_TABLE);
    assert_string_equal(e.message, "thing: a.b[0]: expected an object, found an integer");
    assert_int_equal(json_fail(root, &e, "%s", "no"), ERR_INVALID_TABLE);
    assert_string_equal(e.message, "thing: no");
}

static void last_duplicate_counts(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = parsed(&arena, "{\"a\":1,\"b\":2,\"a\":3}");
    int32_t value = 0;

    (void)state;
    assert_int_equal(json_count(root), 2);
    assert_int_equal(json_get_i32(root, "a", &value, NULL), ERR_OK);
    assert_int_equal(value, 3);
}

static void loops_visit_all_and_can_stop(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = parsed(&arena, "[1,2,3,4]");
    int64_t sum = 0;

    (void)state;
    JSON_FOR_EACH(it, root)
    {
        int64_t value = 0;

        assert_int_equal(json_as_i64(it, &value, NULL), ERR_OK);
        if (value == 2) {
            continue;
        }
        sum += value;
        if (value == 3) {
            break;
        }
    }
    assert_int_equal(sum, 4);
    JSON_FOR_EACH(it, json_at(root, 0))
    {
        fail_msg("a scalar has no elements, found %d", (int)json_kind_of(it));
    }
}

static void refuses_bad_documents(void **state)
{
    static const char *const bad[] = {
        "",    "{",        "{\"a\":}",    "[1,]", "\"\\u0000\"",
        "1 2", "\"\xff\"", "\"\\ud800\"", "nul",  "9999999999999999999999"};
    struct error e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        const struct json *root = NULL;

        assert_int_equal(parse(&arena, bad[i], &root, &e), ERR_INVALID_TABLE);
        assert_null(root);
    }
}

static void limits_depth_and_size(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char text[2 * (JSON_DEPTH_MAX + 1)];
    const struct json *root = NULL;
    const struct json_options small = {.size_bytes_max = 4};
    struct error e;

    (void)state;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_int_equal(json_parse(bytes_of(text, 2 * JSON_DEPTH_MAX), NULL, &arena, &root, &e),
                     ERR_OK);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_int_equal(json_parse(bytes_of(text, sizeof text), NULL, &arena, &root, &e),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(json_parse(bytes_str("[\"[[\\\"[\"]"), NULL, &arena, &root, &e), ERR_OK);
    assert_int_equal(json_parse(bytes_str("[1,2]"), &small, &arena, &root, &e),
                     ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, "JSON: 5 bytes, more than the limit of 4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values),
        cmocka_unit_test(optional_members_keep_the_default),
        cmocka_unit_test(errors_name_the_path),
        cmocka_unit_test(last_duplicate_counts),
        cmocka_unit_test(loops_visit_all_and_can_stop),
        cmocka_unit_test(refuses_bad_documents),
        cmocka_unit_test(limits_depth_and_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
