#include "../../support/unit.h"
#include "format/text_map.h"

static const struct json *parsed(struct arena *arena, const char *text)
{
    const struct json *root = NULL;

    assert_int_equal(json_parse(bytes_str(text), NULL, arena, &root, NULL), ERR_OK);
    return root;
}

static void lists_round_trip(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list list = {0};
    struct json_writer w;

    (void)state;
    assert_int_equal(text_list_from_json(parsed(&arena, "[\"a\",\"b\"]"), &arena, &list, NULL),
                     ERR_OK);
    list = text_list_copy(list, &arena);
    assert_true(text_list_contains(list, "b"));
    assert_false(text_list_contains(list, "c"));
    assert_string_equal(text_list_text(list, &arena), "[a, b]");
    assert_string_equal(text_list_text((struct text_list){0}, &arena), "[]");
    json_writer_init(&w, &arena);
    text_list_write_json(&w, list);
    assert_true(bytes_equal_str(json_writer_text(&w), "[\"a\",\"b\"]"));
    assert_int_equal(text_list_from_json(parsed(&arena, "[1]"), &arena, &list, NULL),
                     ERR_INVALID_ARGUMENT);
}

static void maps_round_trip(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_map map = {0};
    struct json_writer w;

    (void)state;
    assert_int_equal(
        text_map_from_json(parsed(&arena, "{\"z\":\"1\",\"a\":2,\"m\":true}"), &arena, &map, NULL),
        ERR_OK);
    map = text_map_copy(map, &arena);
    assert_string_equal(text_map_get(map, "a"), "2");
    assert_null(text_map_get(map, "b"));
    json_writer_init(&w, &arena);
    text_map_write_json(&w, map);
    assert_true(bytes_equal_str(json_writer_text(&w), "{\"z\":\"1\",\"a\":\"2\",\"m\":\"true\"}"));
    assert_int_equal(text_map_from_json(parsed(&arena, "{\"a\":null}"), &arena, &map, NULL),
                     ERR_INVALID_ARGUMENT);
}

static void entries_are_set_and_removed(void **state)
{
    static const struct text_pair items[] = {{"a", "1"}, {"b", "2"}};
    static const struct text_pair turned[] = {{"b", "2"}, {"a", "1"}};
    const struct text_map map = {.items = items, .count = 2};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_map changed;

    (void)state;
    changed = text_map_with(map, "a", "9", &arena);
    assert_int_equal(changed.count, 2);
    assert_string_equal(changed.items[0].value, "9");
    assert_false(text_map_equal(map, changed));
    changed = text_map_with(map, "c", "3", &arena);
    assert_int_equal(changed.count, 3);
    assert_string_equal(text_map_get(changed, "c"), "3");
    changed = text_map_with(map, "a", NULL, &arena);
    assert_int_equal(changed.count, 1);
    assert_null(text_map_get(changed, "a"));
    changed = text_map_with(map, "x", NULL, &arena);
    assert_true(text_map_equal(changed, map));
    assert_true(text_map_equal(map, (struct text_map){.items = turned, .count = 2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_round_trip),
        cmocka_unit_test(maps_round_trip),
        cmocka_unit_test(entries_are_set_and_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
