#include "running.h"

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
    assert_int_equal(tool_open(&place, "eider-test", TOOL_TIMEOUT_US, &t, &e), ERR_NETWORK);
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
    assert_int_equal(
        tool_offset(&table, &buckets[1], (struct tool_where){.type = TOOL_LATEST}, offsets, &e),
        ERR_LEADER_NOT_AVAILABLE);
}

static void buckets_tell_where_they_end(void **state)
{
    struct running *r = *state;
    OWNED(tool_close) struct tool_client t = {.node_count = 0};
    OWNED(tool_table_fini) struct tool_table table = {.id = -1};
    const struct tool_where latest = {.type = TOOL_LATEST};
    struct tool_bucket unknown;
    int64_t offsets[BUCKETS];
    int64_t one = -1;
    struct place place;
    struct error e;

    running_start(r);
    create_table(r, TABLE);
    (void)append(r, find_table(r, TABLE).table_id, 1);
    assert_int_equal(
        place_parse(arena_printf(&r->arena, "127.0.0.1:%u", r->server->listeners[0].port),
                    "--server", &place, &e),
        ERR_OK);
    assert_int_equal(tool_open(&place, "eider-test", CALL_US, &t, &e), ERR_OK);
    assert_int_equal(tool_table_get(&t, "fluss", TABLE, &r->arena, &table, &e), ERR_OK);
    assert_int_equal(table.bucket_count, BUCKETS);
    assert_int_equal(tool_offsets(&table, latest, offsets, &e), ERR_OK);
    for (size_t i = 0; i < BUCKETS; i++) {
        assert_int_equal(offsets[i], table.buckets[i].bucket == 1 ? ROWS : 0);
        assert_int_equal(tool_offset(&table, &table.buckets[i], latest, &one, &e), ERR_OK);
        assert_int_equal(one, offsets[i]);
    }
    unknown = table.buckets[0];
    unknown.bucket = BUCKETS;
    assert_int_not_equal(tool_offset(&table, &unknown, latest, &one, &e), ERR_OK);
    assert_true(e.message[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_have_two_parts),
        cmocka_unit_test(nobody_listens),
        RUNNING_TEST(buckets_tell_where_they_end),
        cmocka_unit_test(buckets_without_a_leader_have_no_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
