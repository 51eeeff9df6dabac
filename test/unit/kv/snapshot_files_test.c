#include "rows.h"

#include "io/clock.h"

#define REMOTE "remote/kv"

struct fixture {
    struct arena arena;
    char *dir;
    char *remote;
    char *checkpoint;
    struct kv_env *env;
    struct kv_store *store;
    int64_t offset;
};

static void start(struct fixture *f)
{
    const struct kv_env_options options = {.memory_bytes = KV_MEMORY_BYTES_MIN, .shard_count = 1};
    struct kv_open_params params = {0};
    struct error e;

    *f = (struct fixture){.arena = ARENA_INIT};
    f->dir = rows_dir(&f->arena);
    f->remote = arena_printf(&f->arena, "%s/" REMOTE, f->dir);
    f->checkpoint = arena_printf(&f->arena, "%s/checkpoint", f->dir);
    f->env = kv_env_new(&options);
    params.dir = arena_printf(&f->arena, "%s/db", f->dir);
    OK(kv_rocksdb_open(f->env, &params, &f->store, &e));
}

static void stop_fixture(struct fixture *f)
{
    struct error e;

    OK(kv_store_close(f->store, &e));
    kv_env_free(f->env);
    rows_dir_remove(f->dir);
    arena_fini(&f->arena);
}

static void write_rows(struct fixture *f, uint32_t from, uint32_t end)
{
    struct kv_change *changes = arena_array(&f->arena, end - from, sizeof *changes);
    struct kv_state state = {.row_count = end};
    struct error e;

    state.offset = ++f->offset;
    for (uint32_t i = from; i < end; i++) {
        changes[i - from] = rows_change(&f->arena, i, i + 1);
    }
    OK(kv_store_write(f->store, changes, end - from, &state, &e));
}

/* What a server does for snapshot `id`; the newest there is the base. */
static struct kv_snapshot_plan plan_snapshot(struct fixture *f, int64_t id)
{
    struct kv_snapshot *base = arena_new(&f->arena, struct kv_snapshot);
    struct kv_snapshot_request r = {
        .table_id = 1, .partition_id = -1, .id = id, .remote = f->remote, .random = random_u64};
    struct kv_local_file *files = NULL;
    struct kv_snapshot_plan plan;
    int64_t *ids = NULL;
    size_t count = 0;
    struct error e;

    OK(path_remove_tree(f->checkpoint, &e));
    OK(kv_store_checkpoint(f->store, f->checkpoint, &r.checkpoint, &e));
    OK(kv_snapshot_local_files(f->checkpoint, &f->arena, &files, &r.file_count, &e));
    r.files = files;
    OK(kv_snapshot_list(f->remote, &f->arena, &ids, &count, &e));
    if (count > 0) {
        OK(kv_snapshot_read(f->remote, ids[count - 1], &f->arena, base, &e));
        r.base = base;
    }
    kv_snapshot_make_plan(&r, &f->arena, &plan);
    return plan;
}

static struct kv_snapshot take_snapshot(struct fixture *f, int64_t id)
{
    struct kv_snapshot_plan plan = plan_snapshot(f, id);
    struct error e;

    OK(kv_snapshot_upload(&plan, f->checkpoint, f->remote, NULL, &e));
    return plan.snapshot;
}

static void expect_restorable(struct fixture *f, int64_t id, uint32_t rows)
{
    struct kv_open_params params = {.dir = arena_printf(&f->arena, "%s/restored", f->dir)};
    struct kv_store *store = NULL;
    struct kv_snapshot s;
    struct kv_items items;
    struct error e;

    OK(kv_snapshot_read(f->remote, id, &f->arena, &s, &e));
    OK(kv_snapshot_restore(&s, f->remote, params.dir, &e));
    params.state = s.checkpoint.state;
    OK(kv_rocksdb_open(f->env, &params, &store, &e));
    assert_int_equal(kv_store_state(store).row_count, rows);
    OK(kv_store_prefix(store, BYTES_EMPTY, SIZE_MAX, &f->arena, &items, &e));
    assert_int_equal(items.count, rows);
    for (uint32_t i = 0; i < rows; i++) {
        assert_int_equal(rows_number(items.items[i].value), i + 1);
    }
    OK(kv_store_close(store, &e));
}

static size_t count_entries(struct fixture *f, const char *name)
{
    struct dir_list list;
    struct error e;

    OK(dir_read(arena_printf(&f->arena, "%s/%s", f->remote, name), &f->arena, &list, &e));
    return list.count;
}

static void expect_ids(struct fixture *f, const int64_t *expected, size_t count)
{
    int64_t *ids = NULL;
    size_t found = 0;
    struct error e;

    OK(kv_snapshot_list(f->remote, &f->arena, &ids, &found, &e));
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ids[i], expected[i]);
    }
}

static void snapshots_share_and_are_swept(void **state)
{
    static const int64_t all[] = {1, 2, 10};
    struct fixture f;
    struct kv_snapshot first;
    struct kv_snapshot second;
    struct error e;

    (void)state;
    start(&f);
    write_rows(&f, 0, 500);
    first = take_snapshot(&f, 1);
    write_rows(&f, 500, 600);
    second = take_snapshot(&f, 2);
    assert_true(second.incremental_size < first.incremental_size);
    assert_string_equal(second.shared.items[0].path, first.shared.items[0].path);
    write_rows(&f, 600, 700);
    (void)take_snapshot(&f, 10);
    expect_ids(&f, all, 3);
    for (size_t i = 0; i < 3; i++) {
        expect_restorable(&f, all[i], 500 + (uint32_t)i * 100);
    }
    /* leftovers of an attempt that a crash ended */
    OK(file_replace(arena_printf(&f.arena, "%s/shared/nobody", f.remote), bytes_str("x"), &e));
    OK(dir_create(arena_printf(&f.arena, "%s/snap-11", f.remote), &e));
    OK(file_replace(arena_printf(&f.arena, "%s/snap-11/half", f.remote), bytes_str("x"), &e));
    expect_ids(&f, all, 3);

    OK(kv_snapshot_sweep(f.remote, all + 1, 2, &e));
    expect_ids(&f, all + 1, 2);
    expect_restorable(&f, 2, 600);
    expect_restorable(&f, 10, 700);
    assert_int_equal(count_entries(&f, "snap-11"), 0);
    OK(kv_snapshot_sweep(f.remote, all + 2, 1, &e));
    expect_restorable(&f, 10, 700);
    OK(kv_snapshot_sweep(f.remote, NULL, 0, &e));
    assert_int_equal(count_entries(&f, "shared"), 0);
    assert_int_equal(count_entries(&f, ""), 1);
    stop_fixture(&f);
}

static void an_upload_may_be_repeated(void **state)
{
    struct fixture f;
    struct kv_snapshot_plan plan;
    struct kv_snapshot none;
    struct error e;

    (void)state;
    start(&f);
    write_rows(&f, 0, 10);
    plan = plan_snapshot(&f, 1);
    OK(path_rename(arena_printf(&f.arena, "%s/CURRENT", f.checkpoint),
                   arena_printf(&f.arena, "%s/away", f.checkpoint), &e));
    assert_int_not_equal(kv_snapshot_upload(&plan, f.checkpoint, f.remote, NULL, &e), ERR_OK);
    assert_int_equal(kv_snapshot_read(f.remote, 1, &f.arena, &none, &e), ERR_KV_SNAPSHOT_NOT_EXIST);
    (void)take_snapshot(&f, 1);
    expect_restorable(&f, 1, 10);
    stop_fixture(&f);
}

static void an_upload_may_be_given_up(void **state)
{
    const int64_t none_kept = 0;
    atomic_bool stop = true;
    struct fixture f;
    struct kv_snapshot_plan plan;
    struct kv_snapshot none;
    struct error e;

    (void)state;
    start(&f);
    write_rows(&f, 0, 10);
    plan = plan_snapshot(&f, 1);
    assert_int_equal(kv_snapshot_upload(&plan, f.checkpoint, f.remote, &stop, &e), ERR_STORAGE);
    assert_int_equal(kv_snapshot_read(f.remote, 1, &f.arena, &none, &e), ERR_KV_SNAPSHOT_NOT_EXIST);
    OK(kv_snapshot_sweep(f.remote, &none_kept, 0, &e));
    assert_int_equal(count_entries(&f, "shared"), 0);
    atomic_store(&stop, false);
    OK(kv_snapshot_upload(&plan, f.checkpoint, f.remote, &stop, &e));
    expect_restorable(&f, 1, 10);
    stop_fixture(&f);
}

static void a_disowned_snapshot_is_none(void **state)
{
    struct fixture f;
    struct kv_snapshot none;
    struct error e;

    (void)state;
    start(&f);
    write_rows(&f, 0, 10);
    (void)take_snapshot(&f, 1);
    write_rows(&f, 10, 20);
    (void)take_snapshot(&f, 2);
    OK(kv_snapshot_disown(f.remote, 2, &e));
    OK(kv_snapshot_disown(f.remote, 2, &e));
    OK(kv_snapshot_disown(f.remote, 3, &e));
    assert_int_equal(kv_snapshot_read(f.remote, 2, &f.arena, &none, &e), ERR_KV_SNAPSHOT_NOT_EXIST);
    expect_restorable(&f, 1, 10);
    expect_ids(&f, (const int64_t[]){1}, 1);
    stop_fixture(&f);
}

/* Remote storage elsewhere: what is there can be restored, and is not shared. */
static void a_moved_snapshot_is_found(void **state)
{
    struct fixture f;
    struct kv_snapshot before;
    struct kv_snapshot_plan plan;
    char *elsewhere;
    struct error e;

    (void)state;
    start(&f);
    write_rows(&f, 0, 10);
    before = take_snapshot(&f, 1);
    assert_true(kv_snapshot_is_of(&before, f.remote));
    elsewhere = arena_printf(&f.arena, "%s/elsewhere", f.dir);
    OK(path_rename(f.remote, elsewhere, &e));
    f.remote = elsewhere;
    assert_false(kv_snapshot_is_of(&before, f.remote));
    expect_restorable(&f, 1, 10);
    plan = plan_snapshot(&f, 2);
    assert_int_equal(plan.copy_count, plan.snapshot.shared.count + plan.snapshot.own.count);
    OK(kv_snapshot_upload(&plan, f.checkpoint, f.remote, NULL, &e));
    expect_restorable(&f, 2, 10);
    stop_fixture(&f);
}

static void damage_is_noticed(void **state)
{
    struct fixture f;
    struct kv_snapshot s;
    const int64_t id = 1;
    char *restored;
    char *metadata;
    struct error e;

    (void)state;
    start(&f);
    restored = arena_printf(&f.arena, "%s/restored", f.dir);
    metadata = arena_printf(&f.arena, "%s/snap-1/_METADATA", f.remote);
    write_rows(&f, 0, 10);
    s = take_snapshot(&f, 1);
    OK(kv_snapshot_check(&s, f.remote, &e));
    OK(file_replace(s.shared.items[0].path, bytes_str("short"), &e));
    assert_int_equal(kv_snapshot_check(&s, f.remote, &e), ERR_CORRUPT_FILE);
    assert_int_equal(kv_snapshot_restore(&s, f.remote, restored, &e), ERR_CORRUPT_FILE);
    OK(path_remove(s.shared.items[0].path, &e));
    assert_int_equal(kv_snapshot_check(&s, f.remote, &e), ERR_CORRUPT_FILE);
    assert_int_equal(kv_snapshot_restore(&s, f.remote, restored, &e), ERR_CORRUPT_FILE);
    s.shared.items[0].path = "s3://b/x";
    assert_int_equal(kv_snapshot_restore(&s, f.remote, restored, &e), ERR_UNSUPPORTED_OPERATION);
    /* nothing is removed while it is not known what is needed */
    OK(file_replace(metadata, bytes_str("{"), &e));
    assert_int_equal(kv_snapshot_sweep(f.remote, &id, 1, &e), ERR_CORRUPT_FILE);
    assert_non_null(strstr(e.message, "_METADATA"));
    assert_true(count_entries(&f, "snap-1") > 1);
    stop_fixture(&f);
}

static void paths_of_this_machine(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = rows_dir(&arena);
    char *to = arena_printf(&arena, "%s/to", dir);
    static const char *const schemes[] = {"", "file:", "file://"};
    struct error e;

    (void)state;
    OK(file_replace(arena_printf(&arena, "%s/from", dir), bytes_str("abc"), &e));
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        struct kv_snapshot_file file = {
            .path = arena_printf(&arena, "%s%s/from", schemes[i], dir), .name = "f", .size = 3};
        struct kv_snapshot s = {.location = "", .own = {.items = &file, .count = 1}};

        OK(kv_snapshot_restore(&s, dir, to, &e));
        assert_true(path_exists(arena_printf(&arena, "%s/f", to)));
    }
    rows_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_share_and_are_swept),
        cmocka_unit_test(an_upload_may_be_repeated),
        cmocka_unit_test(an_upload_may_be_given_up),
        cmocka_unit_test(a_disowned_snapshot_is_none),
        cmocka_unit_test(a_moved_snapshot_is_found),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(paths_of_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
