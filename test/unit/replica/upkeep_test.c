#include "../../support/store_ops.h"

static int setup(void **state)
{
    struct store *s = store_new(1);

    s->config.log.segment_bytes_max = 2000;
    store_open_sets(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_free(*state);
    return 0;
}

static int64_t earliest(struct store *s, struct bucket_id id)
{
    struct offset_op o = {.op.id = id, .kind = OFFSET_EARLIEST};

    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_OK);
    return o.offset;
}

static size_t files_of(struct store *s, const char *table, struct bucket_id id)
{
    struct dir_list list = {0};

    assert_int_equal(dir_read(arena_printf(&s->arena, "%s/fluss/%s-%lld/log-%d", s->dir, table,
                                           (long long)id.table_id, id.bucket),
                              &s->arena, &list, NULL),
                     ERR_OK);
    return list.count;
}

/* ---- retention ---- */

static void expired_segments_go_by_themselves(void **state)
{
    struct store *s = *state;
    struct bucket_id brief = bucket_of(
        store_create_table(s, "brief", STORE_TABLE("", "1", "\"table.log.ttl\":\"1 ms\"")), 0);
    struct bucket_id kept = bucket_of(store_create_table(s, "kept", STORE_PLAIN), 0);
    size_t files;

    for (int i = 0; i < 20; i++) {
        (void)store_append(s, brief, store_batch(s, 1, 500, 1));
        (void)store_append(s, kept, store_batch(s, 1, 500, 1));
    }
    files = files_of(s, "brief", brief);
    assert_true(files > 10);
    store_close_sets(s);
    s->config.retention_us = 5000;
    s->config.writer_check_us = 5000;
    s->config.roll_active = true;
    store_open_sets(s);
    while (earliest(s, brief) < 20 || files_of(s, "brief", brief) > 5) {
        thread_sleep_us(2000);
    }
    assert_int_equal(earliest(s, kept), 0);
    assert_true(files_of(s, "kept", kept) >= files);
    assert_int_equal(store_append(s, brief, store_batch(s, 1, 500, 1)), 20);
}

/* ---- after a start ---- */

struct census {
    struct store *store;
    struct replica_totals totals;
    struct replica_checkpoint_entry *entries;
    size_t count;
};

static void census_run(void *context)
{
    struct census *c = context;

    c->totals = replica_totals(c->store->sets[0]);
    free(c->entries);
    c->count = replica_checkpoint(c->store->sets[0], &c->entries);
}

static void take_census(struct census *c) { on_shard(c->store->shards[0], census_run, c); }

static void recover_run(void *context) { replica_set_recover(((struct store *)context)->sets[0]); }

static void logs_that_exist_are_opened(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_TABLE("", "100", ""));
    int64_t days = store_create_table(s, "days", STORE_TABLE("\"b\"", "3", ""));
    struct bucket_id in_partition = {
        .table_id = days, .partition_id = store_create_partition(s, "days", "monday"), .bucket = 2};
    struct census c = {.store = s};

    for (int32_t b = 0; b < 100; b += 2) {
        (void)store_append(s, bucket_of(table, b), store_batch(s, 1, 100, 1));
    }
    (void)store_append(s, in_partition, store_batch(s, 1, 100, 1));
    store_close_sets(s);
    store_open_sets(s);
    take_census(&c);
    assert_int_equal(c.count, 0);
    on_shard(s->shards[0], recover_run, s);
    while (c.count < 51) {
        take_census(&c);
    }
    assert_int_equal(c.totals.buckets, 51);
    assert_int_equal(c.totals.failed, 0);
    assert_true(c.totals.log_bytes > 51 * 100);
    free(c.entries);
}

/* Answers that are known at once must not nest: 900 buckets are open already. */
static void buckets_that_are_open_already_are_skipped(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_TABLE("", "900", ""));
    struct census c = {.store = s};

    for (int32_t b = 0; b < 900; b++) {
        struct stats_op stats = {.op.id = bucket_of(table, b)};

        assert_int_equal(store_op(s, &stats.op, submit_stats), ERR_OK);
    }
    on_shard(s->shards[0], recover_run, s);
    take_census(&c);
    assert_int_equal(c.count, 900);
    free(c.entries);
}

static void a_close_ends_the_recovery(void **state)
{
    struct store *s = *state;
    int64_t table = store_create_table(s, "t", STORE_TABLE("", "100", ""));

    for (int32_t b = 0; b < 100; b++) {
        struct append_op a = append_of(s, bucket_of(table, b), store_batch(s, 1, 10, 1), 1);

        assert_int_equal(store_op(s, &a.op, submit_append), ERR_OK);
    }
    store_close_sets(s);
    s->config.clean = true; /* and those that were not reached are so still */
    store_open_sets(s);
    on_shard(s->shards[0], recover_run, s);
    store_close_sets(s);
    assert_false(atomic_load(&s->unclean));
}

static void a_log_that_cannot_be_opened_counts_as_failed(void **state)
{
    struct store *s = *state;
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 0);
    char *in_the_way = arena_printf(&s->arena, "%s/fluss", s->dir);
    struct stats_op stats = {.op.id = id};
    struct census c = {.store = s};

    assert_int_equal(file_replace(in_the_way, bytes_str("x"), NULL), ERR_OK);
    assert_int_equal(store_op(s, &stats.op, submit_stats), ERR_LOG_STORAGE);
    take_census(&c);
    assert_int_equal(c.totals.failed, 1);
    assert_int_equal(c.totals.buckets, 1);
    free(c.entries);
}

/* ---- checkpoints ---- */

static void want_run(void *context)
{
    replica_want_recovery_points(((struct store *)context)->sets[0]);
}

static void check_recovery_points(struct store *s)
{
    struct bucket_id id = bucket_of(store_create_table(s, "t", STORE_PLAIN), 1);
    struct census c = {.store = s};

    (void)store_append(s, id, store_batch(s, 7, 100, 1));
    take_census(&c);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.entries[0].id.table_id, id.table_id);
    assert_int_equal(c.entries[0].id.partition_id, -1);
    assert_int_equal(c.entries[0].id.bucket, 1);
    assert_int_equal(c.entries[0].high_watermark, 7);
    on_shard(s->shards[0], want_run, s);
    while (c.entries[0].recovery_point < 7) {
        take_census(&c);
    }
    assert_int_equal(c.entries[0].recovery_point, 7);
    free(c.entries);
}

static void recovery_points_move_when_asked(void **state) { check_recovery_points(*state); }

static void recovery_points_move_without_durability_as_well(void **state)
{
    struct store *s = *state;

    store_close_sets(s);
    s->config.sync = false;
    store_open_sets(s);
    check_recovery_points(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(expired_segments_go_by_themselves),
        TEST(logs_that_exist_are_opened),
        TEST(buckets_that_are_open_already_are_skipped),
        TEST(a_close_ends_the_recovery),
        TEST(a_log_that_cannot_be_opened_counts_as_failed),
        TEST(recovery_points_move_when_asked),
        TEST(recovery_points_move_without_durability_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
