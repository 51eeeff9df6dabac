#include "../../support/unit.h"
#include "cmd/options.h"
#include "cmd/server_yaml.h"

/* "key=value;" for each setting, or the message. */
static const char *flat(const char *text, struct arena *arena)
{
    struct yaml_settings s = {0};
    const char *out = "";
    struct error e;

    if (server_yaml_parse(bytes_str(text), "f.yaml", arena, &s, &e) != ERR_OK) {
        assert_int_equal(e.code, ERR_INVALID_ARGUMENT);
        return arena_printf(arena, "%s", e.message);
    }
    for (size_t i = 0; i < s.count; i++) {
        out = arena_printf(arena, "%s%.*s=%.*s@%zu;", out, (int)s.items[i].key.len,
                           (const char *)s.items[i].key.data, (int)s.items[i].value.len,
                           (const char *)s.items[i].value.data, s.items[i].line);
    }
    return out;
}

static void flattens(void **state)
{
    static const char *const samples[][2] = {
        {"", ""},
        {"# only a comment\n", ""},
        {"---\n...\n", ""},
        {"a.b: 1\n", "a.b=1@1;"},
        {"a:\n  b: 1\n  c:\n    d: x y\nz: 2\n", "a.b=1@2;a.c.d=x y@4;z=2@5;"},
        {"a: {b: {c: 1}, d: 2}\n", "a.b.c=1@1;a.d=2@1;"},
        {"a:\n  - x\n  - 'y'\nb: 1\n", "a=x,y@2;b=1@4;"},
        {"a: [x, y]\n", "a=x,y@1;"},
        {"a: []\nb: {}\n", "a=@1;"},
        {"a: ''\n", "a=@1;"},
        {"a: 'null'\n", "a=null@1;"},
        {"a: FLUSS://[::1]:9123,X://h:1\n", "a=FLUSS://[::1]:9123,X://h:1@1;"},
        {"a: |\n  l1\n  l2\n", "a=l1\nl2\n@1;"},
        {"a: 1 # why\n", "a=1@1;"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;

        assert_string_equal(flat(samples[i][0], &arena), samples[i][1]);
    }
}

static void refuses(void **state)
{
    static const char *const samples[][2] = {
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3: a is set twice, first in line 1"},
        {"a.b: 1\na:\n  b: 2\n", "f.yaml:3: a.b is set twice, first in line 1"},
        {"a:\n", "f.yaml:1: a has no value"},
        {"x: 1\na: ~\n", "f.yaml:2: a has no value"},
        {"a: [b, null]\n", "f.yaml:1: a has no value"},
        {"a: &x 1\n", "f.yaml:1: found an anchor (&), expected plain values"},
        {"a: &x {b: 1}\n", "f.yaml:1: found an anchor (&), expected plain values"},
        {"a: &x [b]\n", "f.yaml:1: found an anchor (&), expected plain values"},
        {"a: *x\n", "f.yaml:1: found an alias (*), expected plain values"},
        {"a: !!int 1\n", "f.yaml:1: found a tag (!), expected plain values"},
        {"a: 1\n---\nb: 1\n", "f.yaml:2: expected one document"},
        {"word\n", "f.yaml:1: expected \"key: value\" lines"},
        {"- a\n", "f.yaml:1: found a sequence where none can be"},
        {"a: [[b]]\n", "f.yaml:1: found a sequence where none can be"},
        {"a: [{b: 1}]\n", "f.yaml:1: found a mapping in a sequence, expected plain values"},
        {"? {a: 1}\n: 1\n", "f.yaml:1: found a mapping as a key, expected a word"},
        {"'': 1\n", "f.yaml:1: found an empty key"},
        {"a: ['b,c']\n", "f.yaml:1: found an element with a comma in it, expected one without"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;

        assert_string_equal(flat(samples[i][0], &arena), samples[i][1]);
    }
}

static void says_where_it_is_no_yaml(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *message = flat("a: 1\nb: [1, 2\nc: 3\n", &arena);

    (void)state;
    assert_int_equal(strncmp(message, "f.yaml:3: not valid YAML: ", 26), 0);
    message = flat("a: \xff\n", &arena);
    assert_non_null(strstr(message, "not valid YAML"));
    message = flat("a\tb: \x01\n", &arena);
    assert_non_null(strstr(message, "not valid YAML"));
}

static void bounds_depth_and_length(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *text = "1";
    char key[OPTION_KEY_MAX + 2];

    (void)state;
    for (size_t i = 0; i < YAML_DEPTH_MAX; i++) {
        text = arena_printf(&arena, "{a: %s}", text);
    }
    assert_string_equal(flat(text, &arena), "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1@1;");
    text = arena_printf(&arena, "{a: %s}", text);
    assert_string_equal(flat(text, &arena), "f.yaml:1: nested too deeply");

    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    assert_string_equal(flat(arena_printf(&arena, "%s: 1\n", key), &arena),
                        "f.yaml:1: the key is too long");
    assert_string_equal(flat(arena_printf(&arena, "a: {%.200s: {%.100s: 1}}\n", key, key), &arena),
                        "f.yaml:1: the key is too long");
}

static void bounds_sequences(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    size_t count = OPTION_VALUE_MAX / 2 + 1;
    char *text = arena_alloc(&arena, count * 2 + 8);
    size_t len = 0;

    (void)state;
    memcpy(text, "a: [x", 5);
    for (len = 5; len < count * 2 + 5; len += 2) {
        memcpy(text + len, ",x", 2);
    }
    memcpy(text + len, "]\n", 3);
    assert_string_equal(flat(text, &arena), "f.yaml:1: the sequence is too long");
}

static void reads_many_settings(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct yaml_settings s = {0};
    char text[4096];
    size_t len = 0;
    struct error e;

    (void)state;
    for (int i = 0; i < 300; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "k%d: %d\n", i, i);
    }
    assert_int_equal(server_yaml_parse(bytes_of(text, len), "f", &arena, &s, &e), ERR_OK);
    assert_int_equal(s.count, 300);
    assert_true(bytes_equal_str(s.items[299].key, "k299"));
    assert_int_equal(s.items[299].line, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flattens),
        cmocka_unit_test(refuses),
        cmocka_unit_test(says_where_it_is_no_yaml),
        cmocka_unit_test(bounds_depth_and_length),
        cmocka_unit_test(bounds_sequences),
        cmocka_unit_test(reads_many_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
