#include "world.h"

static const struct meta_database *database(struct world *w, const char *name)
{
    return meta_view_database(meta_current(w->meta), bytes_str(name));
}

static enum errcode alter(struct world *w, struct meta_alter_database *job)
{
    job->job.kind = META_ALTER_DATABASE;
    return world_run(w, &job->job);
}

static void creates_and_describes(void **state)
{
    static const char *const json =
        "{\"version\":1,\"comment\":\"sales\",\"custom_properties\":{\"owner\":\"team-7\"}}";
    struct world *w = *state;
    struct bytes got;

    assert_int_equal(create_database(w, "shop", json, false), ERR_OK);
    assert_int_equal(w->published, 1);
    assert_int_equal(database(w, "shop")->created_ms, NOW_MS);
    world_restart(w);
    assert_int_equal(database(w, "shop")->modified_ms, NOW_MS);
    got = meta_database_json(database(w, "shop"), &w->arena);
    assert_int_equal(got.len, strlen(json));
    assert_memory_equal(got.data, json, got.len);
    assert_non_null(database(w, "fluss"));
}

static void refuses_to_create(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_database(w, "a.b", "", false), ERR_INVALID_DATABASE);
    assert_int_equal(create_database(w, "__x", "", false), ERR_INVALID_DATABASE);
    assert_int_equal(create_database(w, "", "", true), ERR_INVALID_DATABASE);
    assert_int_equal(create_database(w, "x", "{}", false), ERR_INVALID_DATABASE);
    assert_int_equal(create_database(w, "x", "{", false), ERR_INVALID_DATABASE);
    assert_int_equal(create_database(w, "fluss", "", false), ERR_DATABASE_ALREADY_EXIST);
    assert_int_equal(create_database(w, "fluss", "", true), ERR_OK);
    assert_int_equal(w->published, 0);
}

static void alters_properties_and_comment(void **state)
{
    struct world *w = *state;
    struct meta_change changes[] = {
        {.key = bytes_str("k"), .value = bytes_str("2"), .op = META_SET},
        {.key = bytes_str("gone"), .op = META_DELETE},
        {.key = bytes_str("never"), .op = META_DELETE},
    };
    struct meta_alter_database job = {.database = bytes_str("d"),
                                      .changes = changes,
                                      .change_count = 3,
                                      .has_comment = true,
                                      .comment = bytes_str("c")};

    assert_int_equal(
        create_database(w, "d", "{\"custom_properties\":{\"k\":\"1\",\"gone\":\"x\"}}", false),
        ERR_OK);
    w->now_ms += 5;
    assert_int_equal(alter(w, &job), ERR_OK);
    world_restart(w);
    assert_string_equal(text_map_get(database(w, "d")->properties, "k"), "2");
    assert_int_equal(database(w, "d")->properties.count, 1);
    assert_string_equal(database(w, "d")->comment, "c");
    assert_int_equal(database(w, "d")->created_ms, NOW_MS);
    assert_int_equal(database(w, "d")->modified_ms, NOW_MS + 5);
    w->now_ms += 5;
    assert_int_equal(alter(w, &job), ERR_OK); /* nothing new */
    assert_int_equal(database(w, "d")->modified_ms, NOW_MS + 5);
    job.change_count = 0;
    job.comment = BYTES_EMPTY;
    assert_int_equal(alter(w, &job), ERR_OK);
    assert_null(database(w, "d")->comment);
}

static void refuses_to_alter(void **state)
{
    struct world *w = *state;
    struct meta_change change = {.key = bytes_str("k"), .value = bytes_str("v")};
    struct meta_alter_database job = {
        .database = bytes_str("none"), .changes = &change, .change_count = 1};

    assert_int_equal(alter(w, &job), ERR_DATABASE_NOT_EXIST);
    job.ignore_if_not_exists = true;
    assert_int_equal(alter(w, &job), ERR_OK);
    job.database = bytes_str("fluss");
    for (int32_t op = META_APPEND; op <= 9; op++) {
        change.op = op;
        assert_int_equal(alter(w, &job), ERR_INVALID_ARGUMENT);
    }
    change = (struct meta_change){.key = bytes_str("k"), .value = bytes_of("\xff", 1)};
    assert_int_equal(alter(w, &job), ERR_INVALID_DATABASE);
    assert_int_equal(w->published, 0);
}

static void drops(void **state)
{
    struct world *w = *state;

    assert_int_equal(drop_database(w, "fluss", true, true), ERR_INVALID_ARGUMENT);
    assert_int_equal(drop_database(w, "d", false, false), ERR_DATABASE_NOT_EXIST);
    assert_int_equal(drop_database(w, "d", true, false), ERR_OK);
    assert_int_equal(create_database(w, "d", "", false), ERR_OK);
    assert_int_equal(create_table(w, "d", "t", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(create_table(w, "d", "u", PARTITIONED_TABLE, false), ERR_OK);
    assert_int_equal(drop_database(w, "d", false, false), ERR_DATABASE_NOT_EMPTY);
    assert_int_equal(drop_database(w, "d", false, true), ERR_OK);
    assert_int_equal(w->dropped, 2);
    assert_null(database(w, "d"));
    world_restart(w);
    assert_null(database(w, "d"));
    assert_int_equal(meta_current(w->meta)->table_count, 0);
    assert_int_equal(create_database(w, "d", "", false), ERR_OK);
    assert_int_equal(drop_database(w, "d", false, false), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(creates_and_describes),
        WORLD_TEST(refuses_to_create),
        WORLD_TEST(alters_properties_and_comment),
        WORLD_TEST(refuses_to_alter),
        WORLD_TEST(drops),
    };

    return RUN_TESTS(tests);
}
