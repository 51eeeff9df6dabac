#include "world.h"

#define DAY_MS INT64_C(86400000)
#define AUTO(more)                                                                                 \
    TABLE_JSON("", "\"day\"", "\"bucket_count\":1,",                                               \
               "\"table.auto-partition.enabled\":\"true\"" more)

static void assert_partitions(struct world *w, const char *table, const char *expected)
{
    const struct meta_partitions *set = table_of(w, table)->partitions;
    char names[400] = "";

    for (size_t i = 0; i < set->count; i++) {
        size_t len = strlen(names);

        (void)snprintf(names + len, sizeof names - len, "%s%s", i == 0 ? "" : " ",
                       set->by_name[i]->name);
    }
    assert_string_equal(names, expected);
}

static void pass(struct world *w)
{
    w->meta->now_ms = w->now_ms;
    auto_partition_all(w->meta);
}

static void creates_ahead_at_once(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "t", AUTO(""), false), ERR_OK);
    assert_partitions(w, "t", "20250731 20250801");
    assert_int_equal(create_table(w, "fluss", "z",
                                  AUTO(",\"table.auto-partition.time-zone\":\"+02:00\""), false),
                     ERR_OK);
    assert_partitions(w, "z", "20250801 20250802");
    world_restart(w);
    assert_partitions(w, "t", "20250731 20250801");
}

static void time_goes_on(void **state)
{
    struct world *w = *state;

    assert_int_equal(
        create_table(w, "fluss", "t", AUTO(",\"table.auto-partition.num-retention\":\"1\""), false),
        ERR_OK);
    w->now_ms += DAY_MS;
    pass(w);
    assert_partitions(w, "t", "20250731 20250801 20250802");
    assert_int_equal(w->dropped, 0);
    w->now_ms += DAY_MS;
    pass(w);
    assert_partitions(w, "t", "20250801 20250802 20250803");
    assert_int_equal(w->dropped, 1);
    pass(w);
    assert_int_equal(w->dropped, 1);
    world_restart(w);
    assert_partitions(w, "t", "20250801 20250802 20250803");
}

static void alter_takes_effect_at_once(void **state)
{
    struct world *w = *state;
    struct meta_change change = {.key = bytes_str("table.auto-partition.num-precreate"),
                                 .value = bytes_str("4")};
    struct meta_alter_table job = {.job.kind = META_ALTER_TABLE,
                                   .database = bytes_str("fluss"),
                                   .table = bytes_str("t"),
                                   .changes = &change,
                                   .change_count = 1};

    assert_int_equal(create_table(w, "fluss", "t", AUTO(""), false), ERR_OK);
    assert_int_equal(world_run(w, &job.job), ERR_OK);
    assert_partitions(w, "t", "20250731 20250801 20250802 20250803");
}

static void stops_at_the_limit(void **state)
{
    struct world *w = *state;

    assert_int_equal(
        create_table(w, "fluss", "t", AUTO(",\"table.auto-partition.num-precreate\":\"9\""), false),
        ERR_OK);
    assert_partitions(w, "t", "20250731 20250801 20250802 20250803 20250804");
}

static void a_table_that_fails_does_not_stop_the_others(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "a",
                                  TABLE_JSON("", "\"day\"", "",
                                             "\"table.auto-partition.enabled\":\"true\","
                                             "\"table.replication.factor\":\"3\""),
                                  false),
                     ERR_OK);
    assert_partitions(w, "a", "");
    assert_int_equal(create_table(w, "fluss", "b", AUTO(""), false), ERR_OK);
    w->now_ms += DAY_MS;
    pass(w);
    assert_partitions(w, "a", "");
    assert_partitions(w, "b", "20250731 20250801 20250802");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(creates_ahead_at_once),
        WORLD_TEST(time_goes_on),
        WORLD_TEST(alter_takes_effect_at_once),
        WORLD_TEST(stops_at_the_limit),
        WORLD_TEST(a_table_that_fails_does_not_stop_the_others),
    };

    return RUN_TESTS(tests);
}
