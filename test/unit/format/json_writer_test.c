#include "../../support/unit.h"
#include "format/json.h"

static void assert_text(const struct json_writer *w, const char *expected)
{
    struct bytes text = json_writer_text(w);

    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
}

static void writes_compact_text(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct json_writer w;

    (void)state;
    json_writer_init(&w, &arena);
    json_write_object(&w);
    json_write_int_member(&w, "version", 1);
    json_write_string_member(&w, "name", "a/b");
    json_write_bool_member(&w, "on", false);
    json_write_key(&w, "list");
    json_write_array(&w);
    json_write_int(&w, INT64_MIN);
    json_write_null(&w);
    json_write_array(&w);
    json_write_end(&w);
    json_write_object(&w);
    json_write_end(&w);
    json_write_end(&w);
    json_write_key(&w, "last");
    json_write_bool(&w, true);
    json_write_end(&w);
    assert_text(&w, "{\"version\":1,\"name\":\"a/b\",\"on\":false,"
                    "\"list\":[-9223372036854775808,null,[],{}],\"last\":true}");
}

static void escapes_as_jackson_does(void **state)
{
    OWNED(json_writer_fini) struct json_writer w;

    (void)state;
    json_writer_init(&w, NULL);
    json_write_text(&w, bytes_of("\"\\/\b\t\n\f\r\x01\x1f\x7f\xc3\xa9\xf0\x9f\xa6\x86", 17));
    assert_text(&w, "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001F\x7f\xc3\xa9\xf0\x9f\xa6\x86\"");
}

static void replaces_what_could_not_be_read_back(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(json_writer_fini) struct json_writer w;
    const struct json *root = NULL;

    (void)state;
    json_writer_init(&w, NULL);
    json_write_text(&w, bytes_of("a\0b\xffz\xc3", 6));
    assert_text(&w, "\"a\xef\xbf\xbd"
                    "b\xef\xbf\xbdz\xef\xbf\xbd\"");
    assert_int_equal(json_parse(json_writer_text(&w), NULL, &arena, &root, NULL), ERR_OK);
}

static void writes_reals_in_the_shortest_form(void **state)
{
    OWNED(json_writer_fini) struct json_writer w;

    (void)state;
    json_writer_init(&w, NULL);
    json_write_array(&w);
    json_write_real(&w, 8);
    json_write_real(&w, 0.1);
    json_write_real(&w, -2.5);
    json_write_end(&w);
    assert_text(&w, "[8.0,0.1,-2.5]");
}

static void copies_a_parsed_document(void **state)
{
    static const char text[] = "{\"a\":[1,-2.5,\"x\\n\",true,null,{\"b\":{}}],\"c\":[]}";
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = NULL;
    struct json_writer w;

    (void)state;
    assert_int_equal(json_parse(bytes_str(text), NULL, &arena, &root, NULL), ERR_OK);
    json_writer_init(&w, &arena);
    json_write_value(&w, root);
    assert_text(&w, text);
}

static void grows_for_large_documents(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = NULL;
    struct json_writer w;

    (void)state;
    json_writer_init(&w, &arena);
    json_write_array(&w);
    for (int i = 0; i < 100000; i++) {
        json_write_int(&w, i);
    }
    json_write_end(&w);
    assert_int_equal(json_parse(json_writer_text(&w), NULL, &arena, &root, NULL), ERR_OK);
    assert_int_equal(json_count(root), 100000);
    assert_true(arena.total < 40u << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_compact_text),
        cmocka_unit_test(escapes_as_jackson_does),
        cmocka_unit_test(replaces_what_could_not_be_read_back),
        cmocka_unit_test(writes_reals_in_the_shortest_form),
        cmocka_unit_test(copies_a_parsed_document),
        cmocka_unit_test(grows_for_large_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
