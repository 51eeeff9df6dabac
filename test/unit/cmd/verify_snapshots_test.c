#include "../kv/rows.h"
#include "cmd/verify_snapshots.h"
#include "io/clock.h"

struct fixture {
    struct arena arena;
    char *dir;
    char *remote;
    struct kv_env *env;
    struct kv_store *store;
    struct kv_snapshot snapshot;
};

/* One snapshot of some rows. */
static int setup(void **state)
{
    const struct kv_env_options options = {.memory_bytes = KV_MEMORY_BYTES_MIN, .shard_count = 1};
    struct fixture *f = mem_new(struct fixture);
    struct kv_open_params params = {0};
    struct kv_snapshot_request r = {
        .table_id = 1, .partition_id = -1, .id = 3, .random = random_u64};
    struct kv_local_file *files = NULL;
    struct kv_state rows = {.offset = 1, .row_count = 1};
    struct kv_snapshot_plan plan;
    struct kv_change change;
    char *checkpoint;
    struct error e;

    f->dir = rows_dir(&f->arena);
    f->remote = arena_printf(&f->arena, "%s/remote", f->dir);
    f->env = kv_env_new(&options);
    params.dir = arena_printf(&f->arena, "%s/db", f->dir);
    OK(kv_rocksdb_open(f->env, &params, &f->store, &e));
    change = rows_change(&f->arena, 7, 8);
    OK(kv_store_write(f->store, &change, 1, &rows, &e));
    checkpoint = arena_printf(&f->arena, "%s/checkpoint", f->dir);
    r.remote = f->remote;
    OK(kv_store_checkpoint(f->store, checkpoint, &r.checkpoint, &e));
    OK(kv_snapshot_local_files(checkpoint, &f->arena, &files, &r.file_count, &e));
    r.files = files;
    kv_snapshot_make_plan(&r, &f->arena, &plan);
    OK(kv_snapshot_upload(&plan, checkpoint, f->remote, NULL, &e));
    f->snapshot = plan.snapshot;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct error e;

    OK(kv_store_close(f->store, &e));
    kv_env_free(f->env);
    rows_dir_remove(f->dir);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static void expect_findings(struct fixture *f, size_t count, const char *name)
{
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    struct error e;

    OK(verify_snapshots(f->remote, &report, &e));
    assert_int_equal(report.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(report.findings[i].kind, VERIFY_SNAPSHOTS);
        assert_non_null(strstr(report.findings[i].what, name));
    }
}

static void flip(const char *path, uint64_t position)
{
    OWNED(file_unrefp) struct file *file = NULL;
    uint8_t byte;
    struct error e;

    OK(file_open(path, FILE_CREATE, &file, &e));
    OK(file_read_at(file, position, &byte, 1, &e));
    byte ^= 4;
    OK(file_write_at(file, position, bytes_of(&byte, 1), &e));
}

static void whole_ones(void **state)
{
    struct fixture *f = *state;
    OWNED(verify_report_fini) struct verify_report report = {.count = 0};
    struct error e;

    expect_findings(f, 0, "");
    OK(verify_snapshots(arena_printf(&f->arena, "%s/nowhere", f->dir), &report, &e));
    assert_int_equal(report.count, 0);
}

static void a_file_that_has_changed(void **state)
{
    struct fixture *f = *state;
    const struct kv_snapshot_file *file = &f->snapshot.shared.items[0];
    struct error e;

    for (int64_t at = 0; at < file->size; at += file->size / 7) {
        flip(file->path, (uint64_t)at);
        expect_findings(f, 1, file->path);
        flip(file->path, (uint64_t)at);
    }
    OK(path_remove(file->path, &e));
    expect_findings(f, 1, file->path);
}

static void a_document_that_has_changed(void **state)
{
    struct fixture *f = *state;
    char *path = arena_printf(&f->arena, "%s/snap-3/_METADATA", f->remote);

    flip(path, 40);
    expect_findings(f, 1, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_has_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_document_that_has_changed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
