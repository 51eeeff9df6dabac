#include "rows.h"

#include <glob.h>

#include "kv/inspect.h"

#define KEYS 5000

static const struct kv_env_options small = {.memory_bytes = KV_MEMORY_BYTES_MIN, .shard_count = 1};

struct world {
    struct arena arena;
    struct kv_env *env;
    char *dir;
};

/* A closed store of KEYS rows. */
static int setup(void **state)
{
    struct world *w = mem_new(struct world);
    struct kv_change *changes = arena_array(&w->arena, KEYS, sizeof *changes);
    struct kv_state after = {.offset = 77, .row_count = KEYS};
    struct kv_open_params params = {0};
    struct kv_store *s = NULL;
    struct error e;

    OK(dir_create_temporary("inspect-test", &w->arena, &w->dir, &e));
    w->env = kv_env_new(&small);
    params.dir = arena_printf(&w->arena, "%s/db", w->dir);
    OK(kv_rocksdb_open(w->env, &params, &s, &e));
    for (uint32_t i = 0; i < KEYS; i++) {
        changes[i] = rows_change(&w->arena, i, i + 1);
    }
    OK(kv_store_write(s, changes, KEYS, &after, &e));
    OK(kv_store_close(s, &e));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    kv_env_free(w->env);
    assert_int_equal(path_remove_tree(w->dir, NULL), ERR_OK);
    arena_fini(&w->arena);
    mem_freep(state);
    return 0;
}

static bool count_row(void *context, struct bytes key, struct bytes value)
{
    assert_true(key.len > 0 && value.len > 0);
    ++*(uint32_t *)context;
    return false; /* does not end it */
}

static void all_rows_are_shown(void **state)
{
    struct world *w = *state;
    OWNED(kv_inspect_closep) struct kv_inspect *i = NULL;
    uint32_t rows = 0;
    struct error e;

    OK(kv_inspect_open(w->env, arena_printf(&w->arena, "%s/db", w->dir), &i, &e));
    assert_int_equal(kv_inspect_state(i).offset, 77);
    assert_int_equal(kv_inspect_state(i).row_count, KEYS);
    OK(kv_inspect_visit(i, count_row, &rows, &e));
    assert_int_equal(rows, KEYS);
}

static void a_damaged_table_file_is_an_error(void **state)
{
    struct world *w = *state;
    OWNED(kv_inspect_closep) struct kv_inspect *i = NULL;
    uint32_t rows = 0;
    glob_t found;
    struct error e;

    assert_int_equal(glob(arena_printf(&w->arena, "%s/db/*.sst", w->dir), 0, NULL, &found), 0);
    {
        OWNED(file_unrefp) struct file *f = NULL;

        OK(file_open(found.gl_pathv[0], FILE_WRITE, &f, &e));
        OK(file_write_at(f, 5000, bytes_str("no block"), &e));
    }
    globfree(&found);
    OK(kv_inspect_open(w->env, arena_printf(&w->arena, "%s/db", w->dir), &i, &e));
    assert_int_equal(kv_inspect_visit(i, count_row, &rows, &e), ERR_CORRUPT_FILE);
}

static void what_is_no_state_is_an_error(void **state)
{
    struct world *w = *state;
    struct kv_inspect *i = NULL;
    char *dir = arena_printf(&w->arena, "%s/none", w->dir);
    struct error e;

    OK(dir_create(dir, &e));
    assert_int_not_equal(kv_inspect_open(w->env, dir, &i, &e), ERR_OK);
    OK(file_replace(arena_printf(&w->arena, "%s/CURRENT", dir), bytes_str("MANIFEST-000099\n"),
                    &e));
    assert_int_equal(kv_inspect_open(w->env, dir, &i, &e), ERR_CORRUPT_FILE);
    assert_null(i);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_rows_are_shown),
        TEST(a_damaged_table_file_is_an_error),
        TEST(what_is_no_state_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
