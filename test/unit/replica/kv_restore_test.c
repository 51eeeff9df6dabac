#include "../../faults/fail_nth.h"
#include "../kv/rows.h"
#include "base/diag.h"
#include "io/clock.h"
#include "replica/kv_snapshot.h"

struct fixture {
    struct arena arena;
    char *dir;    /* of all */
    char *remote; /* of the bucket's snapshots */
    char *database;
    struct kv_env *env;     /* of the server that starts: none of the blocks is in its cache */
    struct kv_env *old_env; /* of the one that made the snapshots */
    struct kv_store *store; /* what snapshots are made of */
    struct kv_restore restore;
};

static void no_diag(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static int setup(void **state)
{
    const struct kv_env_options options = {.memory_bytes = KV_MEMORY_BYTES_MIN, .shard_count = 1};
    const struct diag_sink sink = {.level = DIAG_ERROR, .write = no_diag};
    struct fixture *f = mem_new(struct fixture);
    struct kv_open_params params = {0};
    struct error e;

    diag_configure(&sink);
    f->dir = rows_dir(&f->arena);
    f->remote = arena_printf(&f->arena, "%s/remote", f->dir);
    f->env = kv_env_new(&options);
    f->old_env = kv_env_new(&options);
    params.dir = arena_printf(&f->arena, "%s/origin", f->dir);
    OK(kv_rocksdb_open(f->old_env, &params, &f->store, &e));
    f->restore = (struct kv_restore){
        .id = {.table_id = 1, .partition_id = -1, .bucket = 0},
        .dir = arena_printf(&f->arena, "%s/kv-0", f->dir),
        .remote_dir = f->remote,
        .end_offset = 1000,
        .env = f->env,
    };
    f->database = arena_printf(&f->arena, "%s/db", f->restore.dir);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct error e;

    OK(kv_store_close(f->store, &e));
    kv_env_free(f->old_env);
    kv_env_free(f->env);
    rows_dir_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* Rows 0 .. offset - 1, of which each changelog batch has brought one. */
static void write_rows(struct fixture *f, uint32_t offset)
{
    struct kv_state state = {.offset = offset, .row_count = offset};
    uint32_t from = (uint32_t)kv_store_state(f->store).offset;
    struct error e;

    for (uint32_t i = from; i < offset; i++) {
        struct kv_change change = rows_change(&f->arena, i, i + 1);

        OK(kv_store_write(f->store, &change, 1, &state, &e));
    }
}

static struct kv_snapshot take_snapshot(struct fixture *f, int64_t id, int64_t table_id)
{
    char *checkpoint = arena_printf(&f->arena, "%s/checkpoint-%lld", f->dir, (long long)id);
    struct kv_snapshot_request r = {.table_id = table_id,
                                    .partition_id = -1,
                                    .id = id,
                                    .remote = f->remote,
                                    .random = random_u64};
    struct kv_local_file *files = NULL;
    struct kv_snapshot_plan plan;
    struct error e;

    OK(kv_store_checkpoint(f->store, checkpoint, &r.checkpoint, &e));
    OK(kv_snapshot_local_files(checkpoint, &f->arena, &files, &r.file_count, &e));
    r.files = files;
    kv_snapshot_make_plan(&r, &f->arena, &plan);
    OK(kv_snapshot_upload(&plan, checkpoint, f->remote, NULL, &e));
    return plan.snapshot;
}

/* Two of them, at offsets 10 and 20. */
static void take_two(struct fixture *f, struct kv_snapshot ret[2])
{
    write_rows(f, 10);
    ret[0] = take_snapshot(f, 3, 1);
    write_rows(f, 20);
    ret[1] = take_snapshot(f, 4, 1);
}

static struct kv_restored restore_newest(struct fixture *f)
{
    struct kv_restored restored;
    struct error e;

    OK(kv_restore_newest(&f->restore, &restored, &e));
    return restored;
}

static bool restore(struct fixture *f) { return restore_newest(f).found; }

/* The database has the rows below the offset and says so. */
static void expect_database(struct fixture *f, uint32_t offset)
{
    struct kv_open_params params = {.dir = f->database};
    struct kv_store *store = NULL;
    struct kv_items items;
    struct error e;

    OK(kv_rocksdb_open(f->env, &params, &store, &e));
    assert_int_equal(kv_store_state(store).offset, offset);
    assert_int_equal(kv_store_state(store).row_count, offset);
    OK(kv_store_prefix(store, BYTES_EMPTY, SIZE_MAX, &f->arena, &items, &e));
    assert_int_equal(items.count, offset);
    OK(kv_store_close(store, &e));
    assert_false(path_exists(arena_printf(&f->arena, "%s/restored", f->restore.dir)));
}

static void damage(const char *path, uint64_t offset)
{
    OWNED(file_unrefp) struct file *file = NULL;
    struct error e;

    OK(file_open(path, FILE_WRITE, &file, &e));
    OK(file_write_at(file, offset, bytes_str("damaged"), &e));
}

static void flip(const char *path, uint64_t offset)
{
    OWNED(file_unrefp) struct file *file = NULL;
    uint8_t byte = 0;
    struct error e;

    OK(file_open(path, FILE_WRITE, &file, &e));
    OK(file_read_at(file, offset, &byte, 1, &e));
    byte ^= 0x10;
    OK(file_write_at(file, offset, bytes_of(&byte, 1), &e));
}

/* ---- tests ---- */

static void the_newest_is_taken(void **state)
{
    struct fixture *f = *state;
    struct kv_snapshot two[2];

    assert_false(restore(f));
    assert_false(path_exists(f->restore.dir));
    take_two(f, two);
    assert_true(restore(f));
    expect_database(f, 20);
    write_rows(f, 30);
    (void)take_snapshot(f, 10, 1);
    assert_true(restore(f)); /* in the place of what is there */
    expect_database(f, 30);
}

static void a_broken_one_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct kv_snapshot two[2];
    char *metadata;
    struct error e;

    take_two(f, two);
    metadata = arena_printf(&f->arena, "%s/snap-4/_METADATA", f->remote);
    assert_true(two[1].shared.count > 0);
    damage(two[1].shared.items[0].path, 20); /* inside the rows: no size tells */
    assert_true(restore(f));
    expect_database(f, 10);
    OK(path_remove(two[1].shared.items[0].path, &e));
    assert_true(restore(f));
    expect_database(f, 10);
    OK(file_replace(metadata, bytes_str("{}"), &e));
    assert_true(restore(f));
    expect_database(f, 10);
    OK(path_remove(arena_printf(&f->arena, "%s/snap-3/_METADATA", f->remote), &e));
    assert_false(restore(f));
    expect_database(f, 10); /* nothing was touched */
}

/* Filters, properties and what lies between are not looked at by whoever reads all rows. */
static void no_damaged_byte_gets_in(void **state)
{
    struct fixture *f = *state;
    struct kv_snapshot two[2];
    struct kv_restored restored;
    int64_t size;

    take_two(f, two);
    restored = restore_newest(f);
    assert_true(restored.found && !restored.broken);
    assert_true(two[1].shared.count > 0);
    size = two[1].shared.items[0].size;
    for (int64_t at = 0; at < size; at += 1 + size / 40) {
        flip(two[1].shared.items[0].path, (uint64_t)at);
        restored = restore_newest(f);
        assert_true(restored.found && restored.broken);
        expect_database(f, 10);
        flip(two[1].shared.items[0].path, (uint64_t)at);
    }
    assert_true(restore(f));
    expect_database(f, 20);
}

static void the_log_must_reach_it(void **state)
{
    struct fixture *f = *state;
    struct kv_snapshot two[2];

    take_two(f, two);
    f->restore.end_offset = 19;
    assert_true(restore(f));
    expect_database(f, 10);
    f->restore.end_offset = 9;
    assert_false(restore(f));
    f->restore.start_offset = 20;
    f->restore.end_offset = 20;
    assert_true(restore(f));
    expect_database(f, 20);
    f->restore.start_offset = 21;
    f->restore.end_offset = 30;
    assert_false(restore(f));
}

static void others_are_not_taken(void **state)
{
    struct fixture *f = *state;

    write_rows(f, 10);
    (void)take_snapshot(f, 1, 1);
    (void)take_snapshot(f, 2, 77);
    f->restore.id.bucket = 1;
    assert_false(restore(f));
    f->restore.id.bucket = 0;
    f->restore.id.partition_id = 5;
    assert_false(restore(f));
    f->restore.id.partition_id = -1;
    assert_true(restore(f));
    expect_database(f, 10);
}

static void what_the_log_has_lost_is_disowned(void **state)
{
    struct fixture *f = *state;
    struct kv_snapshot two[2];
    struct error e;

    take_two(f, two);
    OK(kv_restore_disown(f->remote, 20, &e));
    assert_true(restore(f));
    expect_database(f, 20);
    OK(kv_restore_disown(f->remote, 19, &e));
    assert_true(restore(f));
    expect_database(f, 10);
    OK(kv_restore_disown(f->remote, 0, &e));
    OK(kv_restore_disown(f->remote, 0, &e));
    assert_false(restore(f));
}

static void leftovers_go(void **state)
{
    struct fixture *f = *state;
    struct error e;
    struct dir_list list;

    OK(kv_restore_clean(f->restore.dir, &e));
    OK(dir_create(arena_printf(&f->arena, "%s/restored/a", f->restore.dir), &e));
    OK(dir_create(arena_printf(&f->arena, "%s/checkpoint", f->restore.dir), &e));
    OK(dir_create(f->database, &e));
    OK(kv_restore_clean(f->restore.dir, &e));
    OK(dir_read(f->restore.dir, &f->arena, &list, &e));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.entries[0].name, "db");
}

/* The offset of a database that is whole. */
static int64_t database_offset(struct fixture *f)
{
    struct kv_open_params params = {.dir = f->database};
    struct kv_store *store = NULL;
    int64_t offset;
    struct error e;

    OK(kv_rocksdb_open(f->env, &params, &store, &e));
    offset = kv_store_state(store).offset;
    OK(kv_store_close(store, &e));
    expect_database(f, (uint32_t)offset);
    return offset;
}

/* One call of the system fails, every third in turn: what is said to be restored is one of the snapshots, and the next
 * attempt, which nothing fails, gives the newest. */
static void any_call_may_fail(void **state)
{
    struct fixture *f = *state;
    struct kv_snapshot two[2];
    unsigned broken = 0;

    take_two(f, two);
    for (unsigned n = 0; fail_nth(n, EIO); n += 3) {
        struct kv_restored restored = {0};
        struct error e = {0};
        enum errcode code;

        fail_begin();
        code = kv_restore_newest(&f->restore, &restored, &e);
        fail_end();
        assert_true(code == ERR_OK || e.message[0] != '\0');
        if (code == ERR_OK && restored.found) {
            int64_t offset = database_offset(f);

            assert_true(offset == 20 || (offset == 10 && restored.broken));
        }
        broken += restored.broken;
        OK(kv_restore_clean(f->restore.dir, &e));
        assert_true(restore(f));
        expect_database(f, 20);
    }
    assert_in_range(broken, 5, FAIL_NTH_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_one_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(no_damaged_byte_gets_in, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_must_reach_it, setup, teardown),
        cmocka_unit_test_setup_teardown(others_are_not_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_log_has_lost_is_disowned, setup, teardown),
        cmocka_unit_test_setup_teardown(leftovers_go, setup, teardown),
        cmocka_unit_test_setup_teardown(any_call_may_fail, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
