#include "running.h"

#include "meta/catalog.h"

#define TABLES 40 /* dropped at once */

static char *table_dir(struct running *r, const char *table, int64_t id)
{
    return PATH_OF(r, "fluss/%s-%lld", table, (long long)id);
}

/* The catalog of the stopped server, as a tool sees it. */
static struct meta *open_catalog(struct running *r)
{
    struct meta_options options = r->config.meta;
    struct meta *m = NULL;

    options.data_dir = r->dir;
    if (meta_open(&options, &m, &r->error) != ERR_OK) {
        fail_msg("%s", r->error.message);
    }
    return m;
}

static size_t pending(struct running *r)
{
    struct meta *m = open_catalog(r);
    struct meta_deletion *list;
    size_t count = 0;

    assert_int_equal(meta_pending_deletions(m, &r->arena, &list, &count, NULL), ERR_OK);
    meta_close(m);
    return count;
}

/* Starts and stops until nothing is left to remove. */
static void finish(struct running *r)
{
    for (int round = 0; pending(r) > 0; round++) {
        assert_true(round < 100);
        running_start(r);
        thread_sleep_us(10000);
        assert_true(running_stop(r));
    }
}

static void change_partition(struct running *r, const char *day, bool create)
{
    struct msg_pb_key_value value = {bytes_str("day"), bytes_str(day)};
    struct msg_pb_partition_spec spec = {&value, 1};
    struct msg_create_partition_request made = {.table_path = table_path(PARTITIONED),
                                                .partition_spec = spec};
    struct msg_drop_partition_request dropped = {.table_path = table_path(PARTITIONED),
                                                 .partition_spec = spec};
    struct msg_create_partition_response made_response;
    struct msg_drop_partition_response dropped_response;

    if (create) {
        call_ok(r, API_CREATE_PARTITION, &made, &made_response);
    } else {
        call_ok(r, API_DROP_PARTITION, &dropped, &dropped_response);
    }
}

static void a_dropped_table_goes_from_disk_and_catalog(void **state)
{
    struct running *r = *state;
    char *dirs[2];
    char *remote[2]; /* what snapshots would have made */

    running_start(r);
    for (int i = 0; i < 2; i++) {
        char *name = arena_printf(&r->arena, "t%d", i);
        int64_t id;

        create_table(r, name);
        id = find_table(r, name).table_id;
        for (int32_t bucket = 0; bucket < BUCKETS; bucket++) {
            assert_int_equal(append(r, id, bucket), 0);
        }
        dirs[i] = table_dir(r, name, id);
        assert_true(path_exists(dirs[i]));
        remote[i] =
            arena_printf(&r->arena, "%s/remote/kv/fluss/%s-%lld", r->dir, name, (long long)id);
        assert_int_equal(dir_create(arena_printf(&r->arena, "%s/0/snap-0", remote[i]), NULL),
                         ERR_OK);
    }
    drop_table(r, "t0");
    await_path(dirs[0], false);
    await_path(remote[0], false);
    assert_true(path_exists(dirs[1]) && path_exists(remote[1]));
    create_table(r, "t0"); /* another table, in another directory */
    assert_int_equal(append(r, find_table(r, "t0").table_id, 0), 0);
    assert_true(running_stop(r));
    finish(r);
    assert_true(path_exists(dirs[1]));
}

static void a_partition_goes_alone(void **state)
{
    struct running *r = *state;
    struct msg_create_table_request request = {.table_path = table_path(PARTITIONED),
                                               .table_json = bytes_str(PARTITIONED_JSON)};
    struct msg_create_table_response response;
    char *dir;

    running_start(r);
    call_ok(r, API_CREATE_TABLE, &request, &response);
    change_partition(r, "monday", true);
    change_partition(r, "tuesday", true);
    dir = table_dir(r, PARTITIONED, find_table(r, PARTITIONED).table_id);
    for (int i = 0; i < 2; i++) { /* what writers would have made */
        assert_int_equal(dir_create(arena_printf(&r->arena, "%s/%s-p%d/log-0", dir,
                                                 i == 0 ? "monday" : "tuesday", i),
                                    NULL),
                         ERR_OK);
    }
    change_partition(r, "monday", false);
    await_path(arena_printf(&r->arena, "%s/monday-p0", dir), false);
    assert_true(path_exists(arena_printf(&r->arena, "%s/tuesday-p1", dir)));
    assert_true(running_stop(r));
    finish(r);
    assert_true(path_exists(arena_printf(&r->arena, "%s/tuesday-p1", dir)));
}

/* Dropped in the catalog alone, as if the process had died before it removed anything. */
static void a_start_removes_what_a_crash_left(void **state)
{
    struct running *r = *state;
    struct meta_drop_table drop = {
        .job.kind = META_DROP_TABLE, .database = bytes_str("fluss"), .table = bytes_str(TABLE)};
    struct meta *m;
    char *dir;

    running_start(r);
    create_table(r, TABLE);
    dir = table_dir(r, TABLE, find_table(r, TABLE).table_id);
    assert_int_equal(append(r, find_table(r, TABLE).table_id, 0), 0);
    assert_true(running_stop(r));
    m = open_catalog(r);
    meta_run(m, &drop.job, clock_wall_ms());
    assert_int_equal(drop.job.code, ERR_OK);
    meta_close(m);
    assert_true(path_exists(dir));
    assert_int_equal(pending(r), 1);

    running_start(r);
    await_path(dir, false);
    assert_true(running_stop(r));
    finish(r);
    assert_false(path_exists(dir));
}

/* Whatever state the removals are in: the stop waits for none of them, the next start ends them. */
static void a_stop_may_come_at_any_time(void **state)
{
    struct running *r = *state;
    char *names[TABLES];

    running_start(r);
    for (int i = 0; i < TABLES; i++) {
        names[i] = arena_printf(&r->arena, "t%d", i);
        create_table(r, names[i]);
        assert_int_equal(append(r, find_table(r, names[i]).table_id, 0), 0);
    }
    for (int i = 0; i < TABLES; i++) {
        drop_table(r, names[i]);
    }
    assert_true(running_stop(r));
    finish(r);
    for (int i = 0; i < TABLES; i++) {
        assert_false(path_exists(table_dir(r, names[i], i)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(a_dropped_table_goes_from_disk_and_catalog),
        RUNNING_TEST(a_partition_goes_alone),
        RUNNING_TEST(a_start_removes_what_a_crash_left),
        RUNNING_TEST(a_stop_may_come_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
