#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "format/type.h"

static enum errcode parse(struct arena *arena, const char *text, const struct type **ret,
                          struct error *e)
{
    const struct json_options options = {.name = "type", .code = ERR_INVALID_TABLE};
    const struct json *root = NULL;

    TRY(json_parse(bytes_str(text), &options, arena, &root, e));
    return type_from_json(root, arena, ret, e);
}

static const struct type *parsed(struct arena *arena, const char *text)
{
    const struct type *type = NULL;
    struct error e = {0};

    if (parse(arena, text, &type, &e) != ERR_OK) {
        fail_msg("%s: %s", text, e.message);
    }
    return type;
}

static void assert_json(struct arena *arena, const struct type *type, const char *expected)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    type_write_json(&w, type);
    vectors_assert_equal("json", json_writer_text(&w), bytes_str(expected));
}

static void agrees_with_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("data_type_json.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        OWNED(mem_freep) char *text = json_dumps(vectors_get(one, "json"), JSON_COMPACT);
        const struct type *type = parsed(&arena, text);

        assert_json(&arena, type, text);
        assert_json(&arena, type_copy(type, &arena), text);
        assert_true(type_equal(type, type_copy(type, &arena)));
        assert_string_equal(type_text(type).text, vectors_text(one, "summary"));
    }
}

static void refuses_what_is_out_of_limits(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"type\":\"VARCHAR\"}",
        "{\"type\":\"INT\"}",
        "{\"type\":\"CHAR\"}",
        "{\"type\":\"CHAR\",\"length\":0}",
        "{\"type\":\"BINARY\",\"length\":2147483648}",
        "{\"type\":\"DECIMAL\",\"precision\":39,\"scale\":0}",
        "{\"type\":\"DECIMAL\",\"precision\":5,\"scale\":6}",
        "{\"type\":\"DECIMAL\",\"precision\":0,\"scale\":0}",
        "{\"type\":\"TIME_WITHOUT_TIME_ZONE\",\"precision\":10}",
        "{\"type\":\"TIMESTAMP_WITHOUT_TIME_ZONE\",\"precision\":-1}",
        "{\"type\":\"ARRAY\"}",
        "{\"type\":\"MAP\",\"key_type\":{\"type\":\"STRING\"}}",
        "{\"type\":\"ROW\",\"fields\":[{\"name\":\"x\"}]}",
        "{\"type\":\"DATE\",\"nullable\":1}",
    };
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *type = NULL;
    struct error e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(parse(&arena, bad[i], &type, &e), ERR_INVALID_TABLE);
    }
    assert_int_equal(parse(&arena, bad[7], &type, &e), ERR_INVALID_TABLE);
    assert_string_equal(e.message, "type: precision 39 is not within 1..38");
}

/* depth arrays around an INTEGER. */
static const char *nested_arrays(struct arena *arena, int depth)
{
    const char *text = "{\"type\":\"INTEGER\"}";

    for (int i = 0; i < depth; i++) {
        text = arena_printf(arena, "{\"type\":\"ARRAY\",\"element_type\":%s}", text);
    }
    return text;
}

static void limits_the_nesting(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *type = NULL;
    struct type_text text;

    (void)state;
    type = parsed(&arena, nested_arrays(&arena, TYPE_DEPTH_MAX - 1));
    text = type_text(type);
    assert_int_equal(strlen(text.text), TYPE_TEXT_MAX - 1);
    assert_string_equal(text.text + TYPE_TEXT_MAX - 4, "...");
    assert_int_equal(parse(&arena, nested_arrays(&arena, TYPE_DEPTH_MAX), &type, NULL),
                     ERR_INVALID_TABLE);
}

static void map_keys_are_never_null(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *type = parsed(&arena, "{\"type\":\"MAP\",\"key_type\":{\"type\":\"DATE\"},"
                                             "\"value_type\":{\"type\":\"DATE\"}}");

    (void)state;
    assert_string_equal(type_text(type).text, "MAP<DATE NOT NULL, DATE>");
}

static void assigns_field_ids_depth_first(void **state)
{
    static const char text[] =
        "{\"type\":\"ROW\",\"fields\":["
        "{\"name\":\"a\",\"field_type\":{\"type\":\"ARRAY\",\"element_type\":{\"type\":\"ROW\","
        "\"fields\":[{\"name\":\"b\",\"field_type\":{\"type\":\"DATE\"}}]}},"
        "\"description\":\"d\"},"
        "{\"name\":\"c\",\"field_type\":{\"type\":\"DATE\"},\"field_id\":3}]}";
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *type = parsed(&arena, text);
    const struct type *all;
    const struct type *missing;
    int32_t highest = 10;

    (void)state;
    all = type_assign_ids(type, false, &highest, &arena);
    assert_int_equal(highest, 13);
    assert_int_equal(all->fields[0].id, 11);
    assert_int_equal(all->fields[0].type->fields[0].type->fields[0].id, 12);
    assert_int_equal(all->fields[1].id, 13);
    assert_int_equal(type->fields[0].id, -1);
    missing = type_assign_ids(type, true, &highest, &arena);
    assert_int_equal(highest, 15);
    assert_int_equal(missing->fields[1].id, 3);
    assert_true(type_equal(all, missing));
    assert_json(&arena, all->fields[0].type->fields[0].type,
                "{\"type\":\"ROW\",\"fields\":[{\"name\":\"b\",\"field_type\":{\"type\":\"DATE\"},"
                "\"field_id\":12}]}");
}

static void assert_shape(const char *text, uint32_t nodes, uint32_t buffers)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    uint32_t got_nodes = 0;
    uint32_t got_buffers = 0;

    type_arrow_shape(parsed(&arena, text), &got_nodes, &got_buffers);
    assert_int_equal(got_nodes, nodes);
    assert_int_equal(got_buffers, buffers);
}

static void counts_arrow_nodes_and_buffers(void **state)
{
    (void)state;
    assert_shape("{\"type\":\"BOOLEAN\"}", 1, 2);
    assert_shape("{\"type\":\"BINARY\",\"length\":4}", 1, 2);
    assert_shape("{\"type\":\"CHAR\",\"length\":4}", 1, 3);
    assert_shape("{\"type\":\"BYTES\"}", 1, 3);
    assert_shape("{\"type\":\"ARRAY\",\"element_type\":{\"type\":\"STRING\"}}", 2, 5);
    assert_shape("{\"type\":\"MAP\",\"key_type\":{\"type\":\"STRING\"},"
                 "\"value_type\":{\"type\":\"BIGINT\"}}",
                 4, 8);
    assert_shape("{\"type\":\"ROW\",\"fields\":[{\"name\":\"x\",\"field_type\":{\"type\":"
                 "\"DATE\"}},{\"name\":\"y\",\"field_type\":{\"type\":\"STRING\"}}]}",
                 3, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),
        cmocka_unit_test(refuses_what_is_out_of_limits),
        cmocka_unit_test(limits_the_nesting),
        cmocka_unit_test(map_keys_are_never_null),
        cmocka_unit_test(assigns_field_ids_depth_first),
        cmocka_unit_test(counts_arrow_nodes_and_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
