#include "world.h"

static size_t pending(struct world *w, struct meta_deletion **ret)
{
    size_t count = 0;

    assert_int_equal(meta_pending_deletions(w->meta, &w->arena, ret, &count, NULL), ERR_OK);
    return count;
}

static enum errcode done(struct world *w, int64_t table_id, int64_t partition_id)
{
    struct meta_deletion_done job = {
        .job.kind = META_DELETION_DONE, .table_id = table_id, .partition_id = partition_id};

    return world_run(w, &job.job);
}

static void a_dropped_table_waits_for_its_directories(void **state)
{
    struct world *w = *state;
    struct meta_deletion *list = NULL;

    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(create_table(w, "fluss", "kept", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(pending(w, &list), 0);
    assert_int_equal(done(w, 0, META_NO_PARTITION), ERR_INVALID_ARGUMENT);
    assert_int_equal(drop_table(w, "fluss", "t", false), ERR_OK);
    assert_int_equal(w->dropped, 1);
    assert_int_equal(w->last_dropped.table_id, 0);
    assert_int_equal(w->last_dropped.partition_id, META_NO_PARTITION);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(pending(w, &list), 1);
        assert_int_equal(list[0].table_id, 0);
        assert_int_equal(list[0].partition_id, META_NO_PARTITION);
        assert_string_equal(list[0].database, "fluss");
        assert_string_equal(list[0].table, "t");
        assert_null(list[0].partition);
        world_restart(w);
    }
    assert_int_equal(done(w, 0, META_NO_PARTITION), ERR_OK);
    assert_int_equal(done(w, 0, META_NO_PARTITION), ERR_OK);
    world_restart(w);
    assert_int_equal(pending(w, &list), 0);
    assert_non_null(table_of(w, "kept"));
}

static void partitions_go_one_by_one_or_with_their_table(void **state)
{
    struct world *w = *state;
    struct meta_deletion *list = NULL;

    assert_int_equal(create_table(w, "fluss", "t", PARTITIONED_TABLE, false), ERR_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(create_partition(w, "t", arena_printf(&w->arena, "p%d", i)), ERR_OK);
    }
    assert_int_equal(drop_partition(w, "t", "p1"), ERR_OK);
    assert_int_equal(pending(w, &list), 1);
    assert_int_equal(list[0].table_id, 0);
    assert_int_equal(list[0].partition_id, 1);
    assert_string_equal(list[0].partition, "p1");
    assert_int_equal(done(w, 0, 2), ERR_INVALID_ARGUMENT);
    assert_int_equal(drop_table(w, "fluss", "t", false), ERR_OK);
    assert_int_equal(w->dropped, 2);
    world_restart(w);
    assert_int_equal(pending(w, &list), 2); /* the table, and the partition dropped before */
    assert_int_equal(done(w, 0, META_NO_PARTITION), ERR_OK);
    assert_int_equal(done(w, 0, 1), ERR_OK);
    assert_int_equal(pending(w, &list), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_dropped_table_waits_for_its_directories),
        WORLD_TEST(partitions_go_one_by_one_or_with_their_table),
    };

    return RUN_TESTS(tests);
}
