#include <string.h>

#include "../../support/unit.h"
#include "cmd/tool_client.h"

static void paths_have_two_parts(void **state)
{
    static const char *const wrong[] = {"", "a", ".b", "a.", "a.b.c"};
    struct arena arena = ARENA_INIT;
    const char *db = NULL;
    const char *table = NULL;
    struct error e;

    (void)state;
    assert_int_equal(tool_path_parse("a.b$c", &arena, &db, &table, &e), ERR_OK);
    assert_string_equal(db, "a");
    assert_string_equal(table, "b$c");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(tool_path_parse(wrong[i], &arena, &db, &table, &e), ERR_INVALID_ARGUMENT);
    }
    arena_fini(&arena);
}

static void nobody_listens(void **state)
{
    struct tool_client t = {.node_count = 0};
    struct place place;
    struct error e;

    (void)state;
    assert_int_equal(place_parse("127.0.0.1:1", "--server", &place, &e), ERR_OK);
    assert_int_equal(tool_open(&place, "eider-test", &t, &e), ERR_NETWORK);
    assert_non_null(strstr(e.message, "127.0.0.1:1"));
    tool_close(&t);
}

static void buckets_without_a_leader_have_no_offset(void **state)
{
    struct tool_bucket buckets[2] = {{.bucket = 0, .partition_id = -1},
                                     {.bucket = 1, .partition_id = -1}};
    struct tool_table table = {.buckets = buckets, .bucket_count = 2};
    int64_t offsets[2] = {7, 7};
    struct error e;

    (void)state;
    assert_int_equal(tool_offsets(&table, (struct tool_where){.type = TOOL_LATEST}, offsets, &e),
                     ERR_OK);
    assert_int_equal(offsets[0], -1);
    assert_int_equal(offsets[1], -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_have_two_parts),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(buckets_without_a_leader_have_no_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
