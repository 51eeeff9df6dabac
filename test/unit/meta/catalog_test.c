#include "world.h"

#include "io/clock.h"

static void every_start_is_a_new_epoch(void **state)
{
    struct world *w = *state;

    assert_int_equal(meta_current(w->meta)->coordinator_epoch, 0);
    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(table_of(w, "t")->buckets.leader_epochs[1], 0);
    for (int32_t start = 1; start < 4; start++) {
        world_restart(w);
        assert_int_equal(meta_current(w->meta)->coordinator_epoch, start);
        assert_int_equal(table_of(w, "t")->buckets.leader_epochs[0], start);
        assert_int_equal(table_of(w, "t")->buckets.leader_epochs[1], start);
    }
    assert_int_equal(create_table(w, "fluss", "u", PARTITIONED_TABLE, false), ERR_OK);
    assert_int_equal(create_partition(w, "u", "a"), ERR_OK);
    assert_int_equal(table_of(w, "u")->partitions->by_id[0]->buckets.leader_epochs[0], 0);
    world_restart(w);
    assert_int_equal(table_of(w, "u")->partitions->by_id[0]->buckets.leader_epochs[0], 1);
    assert_int_equal(table_of(w, "t")->buckets.leader_epochs[0], 4);
}

static void the_first_start_makes_the_built_in_database(void **state)
{
    struct world *w = *state;

    assert_int_equal(meta_current(w->meta)->database_count, 1);
    assert_string_equal(meta_current(w->meta)->databases[0]->name, "fluss");
    world_restart(w);
    assert_int_equal(meta_current(w->meta)->database_count, 1);
}

static void secrets_are_masked(void **state)
{
    struct world *w = *state;
    struct meta_config configs[] = {
        {"data.dir", "/d"}, {"security.sasl.PLAIN.credentials", "bob:1"}, {"s3.secret.key", "x"}};
    const struct meta_config *got;
    size_t count = 0;

    w->options.configs = configs;
    w->options.config_count = 3;
    world_restart(w);
    memset(configs, 0, sizeof configs);
    got = meta_configs(w->meta, &count);
    assert_int_equal(count, 3);
    assert_string_equal(got[0].value, "/d");
    assert_string_equal(got[1].value, "******");
    assert_string_equal(got[2].value, "******");
}

/* A table of the largest size, and many of them: starting stays a matter of milliseconds. */
static void many_buckets_do_not_slow_a_start(void **state)
{
    struct world *w = *state;
    int64_t begin_us;

    w->options.bucket_count_max = 4096;
    world_restart(w);
    assert_int_equal(
        create_table(w, "fluss", "wide", TABLE_JSON("", "", "\"bucket_count\":4096,", ""), false),
        ERR_OK);
    begin_us = clock_mono_us();
    world_restart(w);
    assert_true(clock_mono_us() - begin_us < 5000000);
    assert_int_equal(table_of(w, "wide")->buckets.count, 4096);
    assert_int_equal(table_of(w, "wide")->buckets.leader_epochs[4095], 1);
}

static void refuses_unknown_zones_and_locked_data(void **state)
{
    struct world *w = *state;
    struct meta_options options = w->options;
    struct meta *m = NULL;

    options.time_zone = "Middle/Earth";
    assert_int_equal(meta_open(&options, &m, NULL), ERR_INVALID_CONFIG);
    options.time_zone = NULL;
    options.data_dir = "/proc/self/none";
    assert_int_not_equal(meta_open(&options, &m, NULL), ERR_OK);
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_start_is_a_new_epoch),
        WORLD_TEST(the_first_start_makes_the_built_in_database),
        WORLD_TEST(secrets_are_masked),
        WORLD_TEST(many_buckets_do_not_slow_a_start),
        WORLD_TEST(refuses_unknown_zones_and_locked_data),
    };

    return RUN_TESTS(tests);
}
