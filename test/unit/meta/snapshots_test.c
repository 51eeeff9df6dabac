#include "world.h"

#define BUCKET(t, p, b)                                                                            \
    (struct meta_bucket_id) { .table_id = (t), .partition_id = (p), .bucket = (b) }

static void adds(struct world *w, struct meta_bucket_id bucket, int64_t id)
{
    struct meta_add_snapshot job;

    if (add_snapshot(w, bucket, id, &job) != ERR_OK) {
        fail_msg("%s", w->error.message);
    }
    assert_int_equal(job.kept[job.kept_count - 1], id);
}

static enum errcode list(struct world *w, int64_t table_id, int64_t partition_id, int32_t bucket,
                         struct meta_list_snapshots *job)
{
    *job = (struct meta_list_snapshots){.job.kind = META_LIST_SNAPSHOTS,
                                        .table_id = table_id,
                                        .partition_id = partition_id,
                                        .bucket = bucket,
                                        .arena = &w->arena};
    return world_run(w, &job->job);
}

static void the_newest_are_kept(void **state)
{
    struct world *w = *state;
    struct meta_add_snapshot add;
    struct meta_list_snapshots all;

    w->options.snapshots_retained = 2;
    world_restart(w);
    assert_int_equal(create_table(w, "fluss", "k", KEYED_TABLE, false), ERR_OK);
    for (int64_t id = 8; id < 12; id++) { /* names of 1 and of 2 digits: numbers, not texts */
        adds(w, BUCKET(0, -1, 1), id);
    }
    adds(w, BUCKET(0, -1, 0), 0);
    world_restart(w);
    assert_int_equal(list(w, 0, -1, -1, &all), ERR_OK);
    assert_int_equal(all.count, 3);
    assert_int_equal(all.snapshots[0].bucket, 0);
    assert_int_equal(all.snapshots[1].id, 10);
    assert_int_equal(all.snapshots[2].bucket, 1);
    assert_int_equal(all.snapshots[2].id, 11);
    assert_int_equal(all.snapshots[2].log_offset, 110);
    assert_string_equal(all.snapshots[2].metadata_path, "file:///r/_METADATA");
    assert_int_equal(list(w, 0, -1, 1, &all), ERR_OK);
    assert_int_equal(all.count, 2);
    assert_int_equal(list(w, 0, -1, 2, &all), ERR_OK);
    assert_int_equal(all.count, 0);
    assert_int_equal(add_snapshot(w, BUCKET(0, -1, 1), 12, &add), ERR_OK);
    assert_int_equal(add.kept_count, 2);
    assert_int_equal(add.kept[0], 11);
}

static struct meta_add_snapshot retire(struct world *w, struct meta_bucket_id bucket)
{
    struct meta_add_snapshot job = {
        .job.kind = META_RETIRE_SNAPSHOTS, .bucket = bucket, .arena = &w->arena};

    (void)world_run(w, &job.job);
    return job;
}

static void a_lease_that_ends_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct meta_leased leased = {.bucket = BUCKET(0, -1, 1), .snapshot_id = 0};
    struct meta_acquire_lease acquire = {.job.kind = META_ACQUIRE_LEASE,
                                         .lease_id = bytes_str("l"),
                                         .duration_ms = 1000,
                                         .snapshots = &leased,
                                         .count = 1};
    struct meta_drop_lease drop = {.job.kind = META_DROP_LEASE, .lease_id = bytes_str("l")};
    struct meta_list_snapshots all;

    assert_int_equal(create_table(w, "fluss", "k", KEYED_TABLE, false), ERR_OK);
    adds(w, BUCKET(0, -1, 1), 0);
    assert_int_equal(world_run(w, &acquire.job), ERR_OK);
    for (int64_t id = 1; id < 4; id++) {
        adds(w, BUCKET(0, -1, 1), id);
    }
    assert_int_equal(retire(w, BUCKET(0, -1, 1)).kept_count, 2);
    assert_int_equal(world_run(w, &drop.job), ERR_OK);
    assert_int_equal(list(w, 0, -1, 1, &all), ERR_OK);
    assert_int_equal(all.count, 2);
    assert_int_equal(retire(w, BUCKET(0, -1, 1)).kept_count, 1);
    assert_int_equal(retire(w, BUCKET(0, -1, 1)).kept[0], 3);
    assert_int_equal(list(w, 0, -1, 1, &all), ERR_OK);
    assert_int_equal(all.count, 1);
    assert_int_equal(retire(w, BUCKET(0, -1, 0)).kept_count, 0);
    assert_int_equal(retire(w, BUCKET(7, -1, 0)).job.code, ERR_UNKNOWN_TABLE_OR_BUCKET);
}

static void ids_and_offsets_rise(void **state)
{
    struct world *w = *state;
    struct meta_add_snapshot add;

    assert_int_equal(create_table(w, "fluss", "k", KEYED_TABLE, false), ERR_OK);
    adds(w, BUCKET(0, -1, 0), 5);
    assert_int_equal(add_snapshot(w, BUCKET(0, -1, 0), 5, &add), ERR_INVALID_ARGUMENT);
    assert_int_equal(add_snapshot(w, BUCKET(0, -1, 0), 4, &add), ERR_INVALID_ARGUMENT);
    add = (struct meta_add_snapshot){.job.kind = META_ADD_SNAPSHOT,
                                     .bucket = BUCKET(0, -1, 0),
                                     .snapshot_id = 6,
                                     .log_offset = 49,
                                     .metadata_path = "x",
                                     .arena = &w->arena};
    assert_int_equal(world_run(w, &add.job), ERR_INVALID_ARGUMENT);
    add.log_offset = 50;
    assert_int_equal(world_run(w, &add.job), ERR_OK); /* nothing was written meanwhile */
}

static enum errcode disown(struct world *w, struct meta_bucket_id bucket, int64_t end_offset)
{
    struct meta_add_snapshot job = {
        .job.kind = META_DISOWN_SNAPSHOTS, .bucket = bucket, .log_offset = end_offset};

    return world_run(w, &job.job);
}

static void what_a_log_has_lost_is_no_longer_listed(void **state)
{
    struct world *w = *state;
    struct meta_leased leased = {.bucket = BUCKET(0, -1, 1), .snapshot_id = 3};
    struct meta_acquire_lease acquire = {.job.kind = META_ACQUIRE_LEASE,
                                         .lease_id = bytes_str("l"),
                                         .duration_ms = 1000,
                                         .snapshots = &leased,
                                         .count = 1};
    struct meta_add_snapshot add;
    struct meta_list_snapshots all;

    w->options.snapshots_retained = 9;
    world_restart(w);
    assert_int_equal(create_table(w, "fluss", "k", KEYED_TABLE, false), ERR_OK);
    for (int64_t id = 1; id < 5; id++) {
        adds(w, BUCKET(0, -1, 1), id);
    }
    adds(w, BUCKET(0, -1, 0), 4);
    assert_int_equal(world_run(w, &acquire.job), ERR_OK);
    assert_int_equal(disown(w, BUCKET(0, -1, 1), 20), ERR_OK); /* 20 are there, 30 and 40 are not */
    world_restart(w);
    assert_int_equal(list(w, 0, -1, 1, &all), ERR_OK);
    assert_int_equal(all.count, 2);
    assert_int_equal(all.snapshots[1].id, 2);
    assert_int_equal(all.next_id, 5);
    assert_int_equal(list(w, 0, -1, 0, &all), ERR_OK);
    assert_int_equal(all.count, 1);
    assert_int_equal(disown(w, BUCKET(0, -1, 1), 20), ERR_OK);
    assert_int_equal(disown(w, BUCKET(0, -1, 1), 0), ERR_OK);
    assert_int_equal(list(w, 0, -1, 1, &all), ERR_OK);
    assert_int_equal(all.count, 0);
    assert_int_equal(all.next_id, 5);
    assert_int_equal(disown(w, BUCKET(7, -1, 0), 0), ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_int_equal(add_snapshot(w, BUCKET(0, -1, 1), 4, &add), ERR_INVALID_ARGUMENT);
    add = (struct meta_add_snapshot){.job.kind = META_ADD_SNAPSHOT,
                                     .bucket = BUCKET(0, -1, 1),
                                     .snapshot_id = 5,
                                     .log_offset = 7,
                                     .metadata_path = "x",
                                     .arena = &w->arena};
    assert_int_equal(world_run(w, &add.job), ERR_OK);
}

static void partitions_have_their_own(void **state)
{
    struct world *w = *state;
    struct meta_list_snapshots all;

    assert_int_equal(create_table(w, "fluss", "k", KEYED_PARTITIONED, false), ERR_OK);
    assert_int_equal(create_partition(w, "k", "a"), ERR_OK);
    assert_int_equal(create_partition(w, "k", "b"), ERR_OK);
    adds(w, BUCKET(0, 0, 1), 0);
    assert_int_equal(list(w, 0, 0, -1, &all), ERR_OK);
    assert_int_equal(all.count, 1);
    assert_int_equal(list(w, 0, 1, -1, &all), ERR_OK);
    assert_int_equal(all.count, 0);
    assert_int_equal(drop_partition(w, "k", "a"), ERR_OK);
    assert_int_equal(list(w, 0, 0, -1, &all), ERR_UNKNOWN_TABLE_OR_BUCKET);
}

static void they_go_with_the_table(void **state)
{
    struct world *w = *state;
    struct meta_add_snapshot add;
    struct store_names names;

    assert_int_equal(create_table(w, "fluss", "k", KEYED_TABLE, false), ERR_OK);
    adds(w, BUCKET(0, -1, 0), 0);
    assert_int_equal(drop_table(w, "fluss", "k", false), ERR_OK);
    assert_int_equal(add_snapshot(w, BUCKET(0, -1, 0), 1, &add), ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_int_equal(
        store_children(w->meta->store, "/tabletservers/tables/0", &w->arena, &names, NULL), ERR_OK);
    assert_int_equal(names.count, 0);
}

static void buckets_that_do_not_exist(void **state)
{
    struct world *w = *state;
    struct meta_add_snapshot add;
    struct meta_list_snapshots all;
    const struct meta_bucket_id none[] = {
        BUCKET(0, -1, 3), BUCKET(0, -1, -1), BUCKET(0, 0, 0),  BUCKET(1, -1, 0),
        BUCKET(1, 0, 2),  BUCKET(1, 1, 0),   BUCKET(2, -1, 0),
    };

    assert_int_equal(create_table(w, "fluss", "k", KEYED_TABLE, false), ERR_OK);
    assert_int_equal(create_table(w, "fluss", "p", KEYED_PARTITIONED, false), ERR_OK);
    assert_int_equal(create_partition(w, "p", "a"), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        assert_int_equal(add_snapshot(w, none[i], 0, &add), ERR_UNKNOWN_TABLE_OR_BUCKET);
    }
    assert_int_equal(list(w, 2, -1, -1, &all), ERR_UNKNOWN_TABLE_OR_BUCKET);
    assert_int_equal(list(w, 0, -1, 3, &all), ERR_UNKNOWN_TABLE_OR_BUCKET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_newest_are_kept),
        WORLD_TEST(a_lease_that_ends_leaves_nothing),
        WORLD_TEST(ids_and_offsets_rise),
        WORLD_TEST(partitions_have_their_own),
        WORLD_TEST(what_a_log_has_lost_is_no_longer_listed),
        WORLD_TEST(they_go_with_the_table),
        WORLD_TEST(buckets_that_do_not_exist),
    };

    return RUN_TESTS(tests);
}
