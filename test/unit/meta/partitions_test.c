#include "world.h"

#define TWO_KEYS TABLE_JSON("", "\"s\",\"day\"", "\"bucket_count\":2,", "")

static void creates_lists_and_drops(void **state)
{
    struct world *w = *state;
    const struct meta_partition *p;

    assert_int_equal(create_table(w, "fluss", "t", PARTITIONED_TABLE, false), ERR_OK);
    assert_true(meta_table_partitioned(table_of(w, "t")));
    assert_int_equal(table_of(w, "t")->buckets.count, 0);
    assert_int_equal(create_partition(w, "t", "b"), ERR_OK);
    assert_int_equal(create_partition(w, "t", "a"), ERR_OK);
    assert_int_equal(w->published, 3);
    for (int round = 0; round < 2; round++) {
        p = meta_table_partition(table_of(w, "t"), bytes_str("a"));
        assert_int_equal(p->id, 1);
        assert_int_equal(p->table_id, 0);
        assert_int_equal(p->buckets.count, 2);
        assert_int_equal(p->values.count, 1);
        assert_int_equal(table_of(w, "t")->partitions->count, 2);
        world_restart(w);
    }
    assert_int_equal(drop_partition(w, "t", "b"), ERR_OK);
    assert_int_equal(w->last_dropped.partition_id, 0);
    world_restart(w);
    assert_int_equal(table_of(w, "t")->partitions->count, 1);
    assert_int_equal(create_partition(w, "t", "b"), ERR_OK);
    assert_int_equal(meta_table_partition(table_of(w, "t"), bytes_str("b"))->id, 2);
}

static void every_error_has_its_code(void **state)
{
    struct world *w = *state;
    struct meta_spec twice[] = {{bytes_str("day"), bytes_str("a")},
                                {bytes_str("day"), bytes_str("b")}};
    struct meta_spec wrong[] = {{bytes_str("month"), bytes_str("a")}};
    struct meta_spec binary[] = {{bytes_str("day"), bytes_of("\xff", 1)}};

    assert_int_equal(create_table(w, "fluss", "t", PARTITIONED_TABLE, false), ERR_OK);
    assert_int_equal(create_table(w, "fluss", "plain", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(create_partition(w, "none", "a"), ERR_TABLE_NOT_EXIST);
    assert_int_equal(create_partition(w, "plain", "a"), ERR_TABLE_NOT_PARTITIONED);
    assert_int_equal(create_partition(w, "t", "a b"), ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(create_partition(w, "t", "__a"), ERR_PARTITION_SPEC_INVALID);
    for (int create = 0; create < 2; create++) {
        assert_int_equal(change_partition(w, create, "t", twice, 2), ERR_PARTITION_SPEC_INVALID);
        assert_int_equal(change_partition(w, create, "t", wrong, 1), ERR_PARTITION_SPEC_INVALID);
        assert_int_equal(change_partition(w, create, "t", binary, 1), ERR_PARTITION_SPEC_INVALID);
        assert_int_equal(change_partition(w, create, "t", NULL, 0), ERR_PARTITION_SPEC_INVALID);
    }
    assert_int_equal(drop_partition(w, "plain", "a"), ERR_TABLE_NOT_PARTITIONED);
    assert_int_equal(drop_partition(w, "none", "a"), ERR_TABLE_NOT_EXIST);
    assert_int_equal(drop_partition(w, "t", "a"), ERR_PARTITION_NOT_EXISTS);
    twice[0].value = bytes_str("a");
    w->ignore = true;
    assert_int_equal(change_partition(w, false, "t", twice, 1), ERR_OK);
    w->ignore = false;
    assert_int_equal(create_partition(w, "t", "a"), ERR_OK);
    assert_int_equal(create_partition(w, "t", "a"), ERR_PARTITION_ALREADY_EXISTS);
    w->ignore = true;
    assert_int_equal(change_partition(w, true, "t", twice, 1), ERR_OK);
    w->ignore = false;
    for (int i = 1; i < 5; i++) {
        assert_int_equal(create_partition(w, "t", arena_printf(&w->arena, "p%d", i)), ERR_OK);
    }
    assert_int_equal(create_partition(w, "t", "one-too-many"), ERR_PARTITION_MAX_NUM);
}

static void limits_of_the_server_may_shrink(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "t", PARTITIONED_TABLE, false), ERR_OK);
    assert_int_equal(
        create_table(w, "fluss", "r",
                     TABLE_JSON("", "\"day\"", "", "\"table.replication.factor\":\"3\""), false),
        ERR_OK);
    assert_int_equal(create_partition(w, "r", "a"), ERR_INVALID_REPLICATION_FACTOR);
    w->options.bucket_count_max = 1;
    world_restart(w);
    assert_int_equal(create_partition(w, "t", "a"), ERR_BUCKET_MAX_NUM);
}

static void names_must_fit_a_directory(void **state)
{
    struct world *w = *state;
    char value[200];
    struct meta_spec spec[] = {{bytes_str("day"), bytes_of(value, 118)},
                               {bytes_str("s"), bytes_of(value, 116)}};

    memset(value, 'x', sizeof value);
    assert_int_equal(create_table(w, "fluss", "t", TWO_KEYS, false), ERR_OK);
    assert_int_equal(change_partition(w, true, "t", spec, 2), ERR_PARTITION_SPEC_INVALID);
    spec[0].value.len = 117;
    assert_int_equal(change_partition(w, true, "t", spec, 2), ERR_OK);
    world_restart(w);
    assert_int_equal(table_of(w, "t")->partitions->count, 1);
}

static void lists_by_partial_spec(void **state)
{
    static const char *const made[][2] = {{"eu", "2"}, {"us", "1"}, {"eu", "1"}};
    struct world *w = *state;
    struct meta_spec part = {.key = bytes_str("s"), .value = bytes_str("eu")};
    struct meta_partition_list list = {0};

    assert_int_equal(create_table(w, "fluss", "t", TWO_KEYS, false), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        struct meta_spec spec[] = {{bytes_str("day"), bytes_str(made[i][1])},
                                   {bytes_str("s"), bytes_str(made[i][0])}};

        assert_int_equal(change_partition(w, true, "t", spec, 2), ERR_OK);
    }
    assert_int_equal(meta_list_partitions(table_of(w, "t"), NULL, 0, &w->arena, &list, NULL),
                     ERR_OK);
    assert_int_equal(list.count, 3);
    assert_int_equal(meta_list_partitions(table_of(w, "t"), &part, 1, &w->arena, &list, NULL),
                     ERR_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0]->name, "eu$1");
    assert_string_equal(list.items[1]->values.items[1], "2");
    part.key = bytes_str("n");
    assert_int_equal(meta_list_partitions(table_of(w, "t"), &part, 1, &w->arena, &list, NULL),
                     ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(create_table(w, "fluss", "plain", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(meta_list_partitions(table_of(w, "plain"), NULL, 0, &w->arena, &list, NULL),
                     ERR_TABLE_NOT_PARTITIONED);
}

static void the_clock_limits_what_users_create(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "t",
                                  TABLE_JSON("", "\"day\"", "",
                                             "\"table.auto-partition.enabled\":\"true\","
                                             "\"table.auto-partition.num-retention\":\"2\""),
                                  false),
                     ERR_OK);
    assert_int_equal(create_partition(w, "t", "2025-07-31"), ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(create_partition(w, "t", "20250728"), ERR_PARTITION_SPEC_INVALID);
    assert_int_equal(create_partition(w, "t", "20250729"), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(creates_lists_and_drops),         WORLD_TEST(every_error_has_its_code),
        WORLD_TEST(limits_of_the_server_may_shrink), WORLD_TEST(names_must_fit_a_directory),
        WORLD_TEST(lists_by_partial_spec),           WORLD_TEST(the_clock_limits_what_users_create),
    };

    return RUN_TESTS(tests);
}
