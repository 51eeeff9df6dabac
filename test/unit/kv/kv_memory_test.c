#include "rows.h"

struct fixture {
    struct arena arena;
    struct kv_env *env;
    char *dir;
};

static struct fixture start(size_t spill_bytes)
{
    const struct kv_env_options options = {.in_memory = true, .spill_bytes = spill_bytes};
    struct fixture f = {.arena = ARENA_INIT, .env = kv_env_new(&options)};

    f.dir = rows_dir(&f.arena);
    return f;
}

static void stop(struct fixture *f)
{
    kv_env_free(f->env);
    rows_dir_remove(f->dir);
    arena_fini(&f->arena);
}

static struct kv_store *open_store(struct fixture *f, const char *name)
{
    struct kv_open_params params = {.dir = arena_printf(&f->arena, "%s/%s", f->dir, name)};
    struct kv_store *s = NULL;
    struct error e;

    OK(kv_store_open(f->env, &params, &s, &e));
    return s;
}

static void put(struct kv_store *s, uint32_t key, uint32_t value, int64_t offset)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_change change = rows_change(&arena, key, value);
    struct kv_state state = {.offset = offset};
    struct error e;

    OK(kv_store_write(s, &change, 1, &state, &e));
}

static uint32_t get(struct kv_store *s, uint32_t key)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes k = rows_key(&arena, key);
    struct bytes value;
    struct error e;

    OK(kv_store_multi_get(s, &k, 1, &arena, &value, &e));
    return rows_number(value);
}

static void a_crash_takes_what_was_not_flushed(void **state)
{
    struct fixture f = start(0);
    struct kv_store *s = open_store(&f, "a");
    struct error e;

    (void)state;
    put(s, 1, 10, 1);
    OK(kv_store_flush(s, &e));
    put(s, 1, 11, 2);
    assert_int_equal(get(s, 1), 11);
    assert_int_equal(kv_store_durable_offset(s), 1);
    kv_memory_crash(s);
    s = open_store(&f, "a");
    assert_int_equal(get(s, 1), 10);
    assert_int_equal(kv_store_state(s).offset, 1);
    put(s, 1, 12, 3);
    OK(kv_store_close(s, &e));
    s = open_store(&f, "a");
    assert_int_equal(get(s, 1), 12);
    kv_memory_crash(s);
    stop(&f);
}

static void directories_are_apart(void **state)
{
    struct fixture f = start(0);
    struct kv_store *a = open_store(&f, "a");
    struct kv_store *b = open_store(&f, "b");

    (void)state;
    put(a, 1, 10, 1);
    assert_int_equal(get(b, 1), 0);
    kv_memory_crash(a);
    kv_memory_crash(b);
    stop(&f);
}

static void a_checkpoint_is_a_store_of_its_own(void **state)
{
    struct fixture f = start(0);
    struct kv_store *a = open_store(&f, "a");
    struct kv_checkpoint at;
    struct kv_store *b;
    struct error e;

    (void)state;
    put(a, 1, 10, 1);
    OK(kv_store_checkpoint(a, arena_printf(&f.arena, "%s/c", f.dir), &at, &e));
    assert_int_equal(at.state.offset, 1);
    put(a, 1, 11, 2);
    b = open_store(&f, "c");
    assert_int_equal(get(b, 1), 10);
    assert_int_equal(kv_store_state(b).offset, 1);
    kv_memory_crash(a);
    kv_memory_crash(b);
    stop(&f);
}

static void a_share_that_is_full_is_flushed(void **state)
{
    struct fixture f = start(100);
    struct kv_store *s = open_store(&f, "a");

    (void)state;
    for (uint32_t i = 1; i < 100; i++) {
        put(s, i, i, i);
        assert_true(kv_store_state(s).offset == i);
    }
    assert_in_range(kv_store_durable_offset(s), 90, 99);
    assert_true(kv_env_stats(f.env).unflushed_bytes < 100);
    kv_memory_crash(s);
    stop(&f);
}

static void a_damaged_file_is_found(void **state)
{
    struct fixture f = start(0);
    struct kv_store *s = open_store(&f, "a");
    struct kv_open_params params = {.dir = arena_printf(&f.arena, "%s/a", f.dir)};
    char *path = arena_printf(&f.arena, "%s/a/rows", f.dir);
    struct bytes whole;
    bool exists;
    struct error e;

    (void)state;
    put(s, 1, 10, 1);
    OK(kv_store_close(s, &e));
    OK(file_read_whole(path, 1000, &f.arena, &whole, &exists, &e));
    for (size_t i = 0; i < whole.len; i++) {
        struct bytes bad = arena_copy(&f.arena, whole);

        ((uint8_t *)(uintptr_t)bad.data)[i] ^= 4;
        OK(file_replace(path, bad, &e));
        assert_int_equal(kv_store_open(f.env, &params, &s, &e), ERR_CORRUPT_FILE);
        OK(file_replace(path, bytes_slice(whole, 0, i), &e));
        assert_int_equal(kv_store_open(f.env, &params, &s, &e), ERR_CORRUPT_FILE);
    }
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_takes_what_was_not_flushed),
        cmocka_unit_test(directories_are_apart),
        cmocka_unit_test(a_checkpoint_is_a_store_of_its_own),
        cmocka_unit_test(a_share_that_is_full_is_flushed),
        cmocka_unit_test(a_damaged_file_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
