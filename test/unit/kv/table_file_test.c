/* What a database makes of such files is in kv_rocksdb_test.c. */
#include "rows.h"

#include "kv/rocks.h"
#include "kv/table_file.h"

#define ROWS 3000u

static void sorted_changes(struct arena *arena, struct kv_change changes[ROWS])
{
    for (uint32_t i = 0; i < ROWS; i++) {
        changes[i] = rows_change(arena, i, i % 7 == 0 ? 0 : i);
    }
}

static void a_file_stays_in_the_page_cache(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(file_unrefp) struct file *file = NULL;
    const struct kv_env_options options = {.shard_count = 1};
    struct kv_env *env = kv_env_new(&options);
    char *dir = rows_dir(&arena);
    char *path = arena_printf(&arena, "%s/table", dir);
    struct kv_change changes[ROWS];
    uint64_t size = 0;
    struct error e;

    (void)state;
    sorted_changes(&arena, changes);
    OK(file_replace(path, bytes_str("an older one"), &e));
    OK(table_file_write(env, path, changes, ROWS, bytes_str("state"), &e));
    OK(file_open(path, FILE_READ, &file, &e));
    OK(file_size(file, &size, &e));
    assert_true(size > ROWS * 10);
    assert_true(file_resident(file, 0, size));
    kv_env_free(env);
    rows_dir_remove(dir);
}

static void errors_leave_no_file(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct kv_env_options options = {.shard_count = 1};
    struct kv_env *env = kv_env_new(&options);
    char *dir = rows_dir(&arena);
    char *path = arena_printf(&arena, "%s/table", dir);
    struct kv_change changes[ROWS];
    struct kv_change first;
    struct error e;

    (void)state;
    sorted_changes(&arena, changes);
    first = changes[0];
    changes[0] = changes[1];
    changes[1] = first; /* not sorted */
    assert_int_equal(table_file_write(env, path, changes, ROWS, bytes_str("state"), &e),
                     ERR_KV_STORAGE);
    assert_false(path_exists(path));
    changes[1] = changes[0];
    changes[0] = first;
    path = arena_printf(&arena, "%s/missing/table", dir);
    assert_int_equal(table_file_write(env, path, changes, ROWS, bytes_str("state"), &e),
                     ERR_KV_STORAGE);
    kv_env_free(env);
    rows_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_stays_in_the_page_cache),
        cmocka_unit_test(errors_leave_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
