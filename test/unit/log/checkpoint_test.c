#include "fixture.h"

#include "../../support/vectors.h"
#include "log/checkpoint.h"

static void reads_and_writes_the_golden_file(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(vectors_freep) json_t *document = vectors_load("files_and_json.json");
    struct checkpoint c = {0};
    struct error e;
    int seen = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        if (strncmp(vectors_text(one, "what"), "offset checkpoint file", 22) == 0) {
            struct bytes text = bytes_str(vectors_text(one, "text"));

            OK(checkpoint_parse(text, &arena, &c, &e));
            assert_int_equal(c.count, 2);
            assert_int_equal(checkpoint_find(&c, 7, -1, 0)->offset, 123);
            assert_int_equal(checkpoint_find(&c, 8, 55, 3)->offset, 9);
            assert_null(checkpoint_find(&c, 8, -1, 3));
            vectors_assert_equal("checkpoint", checkpoint_format(&c, &arena), text);
            seen++;
        }
    }
    assert_int_equal(seen, 1);
}

static void accepts_what_an_editor_leaves(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct checkpoint c = {0};
    struct error e;

    (void)state;
    OK(checkpoint_parse(bytes_str("0\r\n2\r\n9  1\t5\r\n3 4 1 7"), &arena, &c, &e));
    assert_int_equal(checkpoint_find(&c, 9, -1, 1)->offset, 5);
    assert_int_equal(checkpoint_find(&c, 3, 4, 1)->offset, 7);
    OK(checkpoint_parse(bytes_str("0\n0\n\n"), &arena, &c, &e));
    assert_int_equal(c.count, 0);
    assert_null(checkpoint_find(&c, 1, 1, 1));
}

static void names_the_line_of_a_mistake(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } bad[] = {
        {"", "line 1"},
        {"1\n0\n", "line 1"},
        {"0", "line 2"},
        {"0\nx\n", "line 2"},
        {"0\n99999999999\n1 2 3\n", "line 2"},
        {"0\n1\n11 22\n", "line 3"},
        {"0\n1\n1 2 3 4 5\n", "line 3"},
        {"0\n1\n1 2 -3\n", "line 3"},
        {"0\n1\n1 2147483648 3\n", "line 3"},
        {"0\n1\n99999999999999999999 1 3\n", "line 3"},
        {"0\n2\n1 2 3\n    \n", "line 4"},
        {"0\n1\n1 2 3\n4 5 6\n", "line 4"},
        {"0\n2\n1 2 3\n1 2 4\n", "twice"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct checkpoint c;
        struct error e;

        assert_int_equal(checkpoint_parse(bytes_str(bad[i].text), &arena, &c, &e),
                         ERR_CORRUPT_FILE);
        if (strstr(e.message, bad[i].says) == NULL) {
            fail_msg("\"%s\" gives \"%s\", expected %s", bad[i].text, e.message, bad[i].says);
        }
    }
}

static void survives_as_a_file(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = fixture_dir(&arena);
    const char *path = arena_printf(&arena, "%s/high-watermark-checkpoint", dir);
    struct checkpoint_entry entries[300];
    struct checkpoint c = {.entries = entries, .count = ARRAY_LEN(entries)};
    struct checkpoint back = {0};
    struct error e;

    (void)state;
    OK(checkpoint_read(path, &arena, &back, &e));
    assert_int_equal(back.count, 0);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        entries[i] = (struct checkpoint_entry){.table_id = INT64_MAX - (int64_t)i,
                                               .partition_id = i % 2 == 0 ? -1 : (int64_t)i,
                                               .bucket = INT32_MAX,
                                               .offset = INT64_MAX};
    }
    OK(checkpoint_write(path, &c, &e));
    OK(checkpoint_read(path, &arena, &back, &e));
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        assert_int_equal(
            checkpoint_find(&back, entries[i].table_id, entries[i].partition_id, INT32_MAX)->offset,
            INT64_MAX);
    }
    OK(file_replace(path, bytes_str("0\n7\n"), &e));
    assert_int_equal(checkpoint_read(path, &arena, &back, &e), ERR_CORRUPT_FILE);
    assert_non_null(strstr(e.message, "high-watermark-checkpoint"));
    fixture_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_the_golden_file),
        cmocka_unit_test(accepts_what_an_editor_leaves),
        cmocka_unit_test(names_the_line_of_a_mistake),
        cmocka_unit_test(survives_as_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
