#include "../../support/kv_store.h"
#include "replica/kv_snapshot.h"

#define INTERVAL_US INT64_C(20000)
#define NEVER_US    INT64_C(3600000000)

static int setup(void **state)
{
    struct store *s = store_new(1);

    s->config.snapshot_interval_us = INTERVAL_US;
    store_open_sets(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_free(*state);
    return 0;
}

static void open_again(struct store *s, int64_t interval_us)
{
    store_close_sets(s);
    s->config.snapshot_interval_us = interval_us;
    store_open_sets(s);
}

static struct bucket_id table_of(struct store *s, const char *name)
{
    return bucket_of(store_create_table(s, name, STORE_KV("")), 1);
}

static char *remote_of(struct store *s, struct bucket_id id)
{
    const struct meta_table *t = meta_view_table_by_id(meta_current(s->meta), id.table_id);
    OWNED(mem_freep) char *path = kv_remote_path(s->config.remote_dir, t, &id);

    return arena_strndup(&s->arena, path, strlen(path));
}

static char *kv_dir_of(struct store *s, struct bucket_id id)
{
    char *dir = place_kv_dir(meta_current(s->meta), s->dir, &id);
    char *copy = arena_strndup(&s->arena, dir, strlen(dir));

    free(dir);
    return copy;
}

/* ---- what the catalog has ---- */

struct list_call {
    struct meta_list_snapshots list;
    struct store *store;
    struct gate *gate;
};

static void list_done(struct meta_job *job)
{
    gate_pass(container_of(job, struct list_call, list.job)->gate);
}

static void list_submit(void *context)
{
    struct list_call *c = context;

    meta_submit(c->store->meta, &c->list.job);
}

static struct meta_list_snapshots list_of(struct store *s, struct bucket_id id)
{
    struct list_call c = {
        .list = {.job = {.kind = META_LIST_SNAPSHOTS, .done = list_done},
                 .table_id = id.table_id,
                 .partition_id = id.partition_id,
                 .bucket = id.bucket,
                 .arena = &s->arena},
        .store = s,
        .gate = gate_new(1),
    };

    on_shard(s->shards[0], list_submit, &c);
    gate_wait(c.gate);
    assert_int_equal(c.list.job.code, ERR_OK);
    return c.list;
}

/* Waits for a snapshot of that offset; its id. */
static int64_t wait_for(struct store *s, struct bucket_id id, int64_t offset)
{
    int64_t end = clock_mono_us() + PATIENCE_US;

    while (clock_mono_us() < end) {
        struct meta_list_snapshots l = list_of(s, id);

        if (l.count > 0 && l.snapshots[l.count - 1].log_offset >= offset) {
            assert_int_equal(l.snapshots[l.count - 1].log_offset, offset);
            return l.snapshots[l.count - 1].id;
        }
        thread_sleep_us(2000);
    }
    fail_msg("no snapshot of offset %lld", (long long)offset);
    return -1;
}

static void wait_gone(const char *path)
{
    int64_t end = clock_mono_us() + PATIENCE_US;

    while (path_exists(path)) {
        if (clock_mono_us() > end) {
            fail_msg("%s is still there", path);
        }
        thread_sleep_us(2000);
    }
}

static void look_retained(struct kv_tablet *t, void *context)
{
    *(int64_t *)context = t->retain_offset;
}

static void expect_retained(struct store *s, struct bucket_id id, int64_t offset)
{
    int64_t retained = -1;

    store_look(s, id, look_retained, &retained);
    assert_int_equal(retained, offset);
}

/* Column b of a row of a bucket that may not be open yet. */
static const char *get_opened(struct store *s, struct bucket_id id, int32_t a)
{
    struct offset_op o = {.op.id = id, .kind = OFFSET_LATEST};

    assert_int_equal(store_op(s, &o.op, submit_offset), ERR_OK);
    return store_get(s, id, a, KV_SIGHT_SHOWN);
}

static size_t count_in(struct store *s, const char *dir)
{
    struct dir_list list = {0};

    assert_int_equal(dir_read(dir, &s->arena, &list, NULL), ERR_OK);
    return list.count;
}

/* ---- tests ---- */

static void what_clients_see_is_copied(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    char *remote = remote_of(s, id);
    struct meta_list_snapshots list;
    struct kv_snapshot snapshot;
    struct error e;

    assert_int_equal(store_put(s, id, 1, "one"), 1);
    assert_int_equal(store_put(s, id, 2, "two"), 2);
    (void)wait_for(s, id, 2);
    expect_retained(s, id, 2);
    list = list_of(s, id);
    assert_string_equal(list.snapshots[list.count - 1].metadata_path,
                        arena_printf(&s->arena, "file://%s/snap-%lld/_METADATA", remote,
                                     (long long)list.snapshots[list.count - 1].id));
    assert_int_equal(
        kv_snapshot_read(remote, list.snapshots[list.count - 1].id, &s->arena, &snapshot, &e),
        ERR_OK);
    assert_int_equal(snapshot.checkpoint.state.row_count, 2);
    assert_int_equal(snapshot.table_id, id.table_id);
    assert_int_equal(snapshot.bucket, 1);
    assert_int_equal(snapshot.partition_id, -1);
    assert_int_equal(path_exists(arena_printf(&s->arena, "%s/checkpoint", kv_dir_of(s, id))),
                     false);
}

static void only_what_has_moved_is_copied(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    int64_t newest;

    (void)store_put(s, id, 1, "one");
    newest = wait_for(s, id, 1);
    thread_sleep_us(5 * INTERVAL_US);
    assert_int_equal(wait_for(s, id, 1), newest);
    assert_int_equal(count_in(s, remote_of(s, bucket_of(id.table_id, 0))), 0);
}

static void old_ones_go(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    char *remote = remote_of(s, id);
    int64_t first = -1;
    int64_t last = -1;

    for (int64_t i = 1; i <= 5; i++) {
        last = wait_for(s, id, store_put(s, id, (int32_t)i, "row"));
        first = first < 0 ? last : first;
    }
    assert_true(last >= first + 4);
    wait_gone(arena_printf(&s->arena, "%s/snap-%lld", remote, (long long)first));
    wait_gone(arena_printf(&s->arena, "%s/snap-%lld", remote, (long long)last - 1));
    assert_int_equal(list_of(s, id).count, 1); /* as many as the catalog retains */
}

static void what_a_crash_has_left_goes(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    char *remote = remote_of(s, id);
    char *uncommitted = arena_printf(&s->arena, "%s/snap-77", remote);
    char *unnamed = arena_printf(&s->arena, "%s/shared/unnamed", remote);
    int64_t newest;
    struct error e;

    (void)store_put(s, id, 1, "one");
    newest = wait_for(s, id, 1);
    store_close_sets(s);
    assert_int_equal(dir_create(uncommitted, &e), ERR_OK);
    assert_int_equal(file_replace(unnamed, bytes_str("x"), &e), ERR_OK);
    store_open_sets(s);
    assert_string_equal(get_opened(s, id, 1), "one");
    wait_gone(uncommitted);
    wait_gone(unnamed);
    assert_int_equal(wait_for(s, id, 1), newest);
    expect_retained(s, id, 1);
}

static void state_comes_back_from_a_snapshot(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    struct error e;

    (void)store_put(s, id, 1, "one");
    (void)wait_for(s, id, 1);
    open_again(s, NEVER_US);
    assert_int_equal(store_put(s, id, 2, "two"), 2);
    assert_int_equal(store_remove(s, id, 1), 3);
    store_close_sets(s);
    assert_int_equal(path_remove_tree(kv_dir_of(s, id), &e), ERR_OK);
    store_open_sets(s);
    assert_null(get_opened(s, id, 1));
    assert_string_equal(store_get(s, id, 2, KV_SIGHT_SHOWN), "two");
    assert_int_equal(store_put(s, id, 3, "three"), 4);
}

static void without_snapshots_the_log_is_enough(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    struct error e;

    (void)store_put(s, id, 1, "one");
    (void)wait_for(s, id, 1);
    (void)store_put(s, id, 2, "two");
    store_close_sets(s);
    assert_int_equal(path_remove_tree(kv_dir_of(s, id), &e), ERR_OK);
    assert_int_equal(path_remove_tree(s->config.remote_dir, &e), ERR_OK);
    store_open_sets(s);
    assert_string_equal(get_opened(s, id, 1), "one");
    assert_string_equal(store_get(s, id, 2, KV_SIGHT_SHOWN), "two");
}

/* Remote storage that takes nothing: no snapshot, no harm, and one as soon as it does. */
static void a_failure_is_tried_again(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    struct error e;

    assert_int_equal(file_replace(s->config.remote_dir, bytes_str("not a directory"), &e), ERR_OK);
    (void)store_put(s, id, 1, "one");
    thread_sleep_us(5 * INTERVAL_US);
    assert_int_equal(list_of(s, id).count, 0);
    assert_int_equal(store_put(s, id, 2, "two"), 2);
    assert_int_equal(path_remove(s->config.remote_dir, &e), ERR_OK);
    (void)wait_for(s, id, 2);
}

static void one_that_cannot_be_read_is_made_again(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    struct kv_snapshot snapshot;
    int64_t lost;
    int64_t end = clock_mono_us() + PATIENCE_US;
    struct error e;

    (void)store_put(s, id, 1, "one");
    lost = wait_for(s, id, 1);
    store_close_sets(s);
    assert_int_equal(path_remove_tree(s->config.remote_dir, &e), ERR_OK);
    store_open_sets(s);
    assert_string_equal(get_opened(s, id, 1), "one");
    while (wait_for(s, id, 1) == lost) {
        assert_true(clock_mono_us() < end);
        thread_sleep_us(2000);
    }
    assert_int_equal(
        kv_snapshot_read(remote_of(s, id), wait_for(s, id, 1), &s->arena, &snapshot, &e), ERR_OK);
    assert_int_equal(kv_snapshot_check(&snapshot, remote_of(s, id), &e), ERR_OK);
}

/* The next one does not refer to files that are gone. */
static void what_is_lost_is_not_shared(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    struct kv_snapshot snapshot;
    struct error e;

    (void)store_put(s, id, 1, "one");
    (void)wait_for(s, id, 1);
    assert_int_equal(path_remove_tree(arena_printf(&s->arena, "%s/shared", remote_of(s, id)), &e),
                     ERR_OK);
    (void)store_put(s, id, 2, "two");
    assert_int_equal(
        kv_snapshot_read(remote_of(s, id), wait_for(s, id, 2), &s->arena, &snapshot, &e), ERR_OK);
    assert_int_equal(kv_snapshot_check(&snapshot, remote_of(s, id), &e), ERR_OK);
}

static void a_table_may_be_dropped_meanwhile(void **state)
{
    struct store *s = *state;

    for (int i = 0; i < 20; i++) {
        char *name = arena_printf(&s->arena, "t%d", i);
        struct bucket_id id = table_of(s, name);
        int settled = atomic_load(&s->settled);

        (void)store_put(s, id, 1, "one");
        thread_sleep_us(INTERVAL_US * i / 15);
        store_drop_table(s, name);
        assert_reaches(&s->settled, settled + 1);
    }
}

static void quieted(void *context) { gate_pass(context); }

struct quiet_call {
    struct store *store;
    struct gate *gate;
};

static void quiet_run(void *context)
{
    struct quiet_call *c = context;

    replica_set_quiet(c->store->sets[0], quieted, c->gate);
}

static void a_quiet_set_makes_none(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, "t");
    struct quiet_call c = {.store = s, .gate = gate_new(1)};

    (void)store_put(s, id, 1, "one");
    on_shard(s->shards[0], quiet_run, &c);
    gate_wait(c.gate);
    (void)store_put(s, id, 2, "two");
    thread_sleep_us(5 * INTERVAL_US);
    for (size_t i = 0; i < list_of(s, id).count; i++) {
        assert_int_equal(list_of(s, id).snapshots[i].log_offset, 1);
    }
    store_close_sets(s);
    assert_false(atomic_load(&s->unclean));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_clients_see_is_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_has_moved_is_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(old_ones_go, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_crash_has_left_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(state_comes_back_from_a_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(without_snapshots_the_log_is_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_cannot_be_read_is_made_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_lost_is_not_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_may_be_dropped_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(a_quiet_set_makes_none, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
