#include "running.h"

static const char *const names[CHECKPOINT_COUNT] = {
    [CHECKPOINT_RECOVERY] = "recovery-point-offset-checkpoint",
    [CHECKPOINT_WATERMARK] = "high-watermark-checkpoint",
};

/* The offset the file has for the bucket; -1: none. */
static int64_t offset_in(struct running *r, int which, int64_t table_id, int32_t bucket)
{
    struct checkpoint c = {0};
    const struct checkpoint_entry *found;

    assert_int_equal(checkpoint_read(running_path(r, names[which]), &r->arena, &c, NULL), ERR_OK);
    found = checkpoint_find(&c, table_id, -1, bucket);
    return found == NULL ? -1 : found->offset;
}

static void put(struct running *r, int which, const char *text)
{
    assert_int_equal(file_replace(running_path(r, names[which]), bytes_str(text), NULL), ERR_OK);
}

static int64_t start_with_rows(struct running *r)
{
    int64_t id;

    running_start(r);
    create_table(r, TABLE);
    id = find_table(r, TABLE).table_id;
    assert_int_equal(append(r, id, 0), 0);
    return id;
}

static void a_stop_writes_what_the_next_start_opens_with(void **state)
{
    struct running *r = *state;
    int64_t id = start_with_rows(r);
    struct bucket_id bucket = {.table_id = id, .partition_id = -1};

    assert_true(running_stop(r));
    for (int which = 0; which < CHECKPOINT_COUNT; which++) {
        assert_int_equal(offset_in(r, which, id, 0), ROWS);
        assert_int_equal(offset_in(r, which, id, 1), -1); /* never opened */
    }
    running_start(r);
    assert_int_equal(checkpoints_hint(r->server, &bucket).recovery_point, ROWS);
    bucket.bucket = 1;
    assert_int_equal(checkpoints_hint(r->server, &bucket).recovery_point, 0);
}

static void buckets_that_were_not_opened_keep_their_entries(void **state)
{
    struct running *r = *state;
    int64_t id = start_with_rows(r);

    assert_int_equal(id, 0);
    assert_true(running_stop(r));
    /* bucket 2 has no directory, so nothing opens it; table 9 is not known */
    put(r, CHECKPOINT_RECOVERY, "0\n3\n0 2 5\n9 0 3\n0 0 8\n");
    put(r, CHECKPOINT_WATERMARK, "0\n3\n0 2 7\n9 0 3\n0 0 8\n");
    running_start(r);
    assert_int_equal(end_offset(r, id, 0), ROWS); /* opened by now */
    assert_int_equal(append(r, id, 0), ROWS);
    assert_true(running_stop(r));
    assert_int_equal(offset_in(r, CHECKPOINT_RECOVERY, id, 2), 5);
    assert_int_equal(offset_in(r, CHECKPOINT_WATERMARK, id, 2), 7);
    for (int which = 0; which < CHECKPOINT_COUNT; which++) {
        assert_int_equal(offset_in(r, which, 9, 0), -1);
        assert_int_equal(offset_in(r, which, id, 0), 2 * ROWS);
    }
}

static void entries_go_with_their_table(void **state)
{
    struct running *r = *state;
    int64_t id = start_with_rows(r);

    assert_true(running_stop(r));
    running_start(r);
    drop_table(r, TABLE);
    assert_true(running_stop(r));
    assert_int_equal(offset_in(r, CHECKPOINT_RECOVERY, id, 0), -1);
    assert_int_equal(offset_in(r, CHECKPOINT_WATERMARK, id, 0), -1);
}

static void files_that_cannot_be_read_cost_only_time(void **state)
{
    struct running *r = *state;
    int64_t id = start_with_rows(r);

    assert_true(running_stop(r));
    put(r, CHECKPOINT_RECOVERY, "no checkpoint at all");
    put(r, CHECKPOINT_WATERMARK, "");
    running_start(r);
    assert_int_equal(end_offset(r, id, 0), ROWS);
    assert_true(running_stop(r));
    assert_int_equal(offset_in(r, CHECKPOINT_RECOVERY, id, 0), ROWS);
    assert_int_equal(offset_in(r, CHECKPOINT_WATERMARK, id, 0), ROWS);
}

static void they_are_written_while_the_server_runs(void **state)
{
    struct running *r = *state;
    int64_t end_us = clock_mono_us() + PATIENCE_US;
    int64_t id;

    r->config.checkpoint_us = 1000;
    r->config.recovery_point_us = 5000;
    id = start_with_rows(r);
    while (offset_in(r, CHECKPOINT_WATERMARK, id, 0) != ROWS ||
           offset_in(r, CHECKPOINT_RECOVERY, id, 0) != ROWS) {
        assert_true(clock_mono_us() < end_us);
        thread_sleep_us(1000);
    }
    assert_true(running_stop(r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(a_stop_writes_what_the_next_start_opens_with),
        RUNNING_TEST(buckets_that_were_not_opened_keep_their_entries),
        RUNNING_TEST(entries_go_with_their_table),
        RUNNING_TEST(files_that_cannot_be_read_cost_only_time),
        RUNNING_TEST(they_are_written_while_the_server_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
