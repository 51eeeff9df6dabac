#include "rows.h"

static struct kv_store *open_store(struct kv_memory *memory, const char *dir)
{
    struct kv_open_params params = {.dir = dir};
    struct kv_store *s = NULL;
    struct error e;

    OK(kv_memory_open(memory, &params, &s, &e));
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
    struct kv_memory *memory = kv_memory_new();
    struct kv_store *s = open_store(memory, "a");
    struct error e;

    (void)state;
    put(s, 1, 10, 1);
    OK(kv_store_flush(s, &e));
    put(s, 1, 11, 2);
    assert_int_equal(get(s, 1), 11);
    assert_int_equal(kv_store_durable_offset(s), 1);
    kv_memory_crash(s);
    s = open_store(memory, "a");
    assert_int_equal(get(s, 1), 10);
    assert_int_equal(kv_store_state(s).offset, 1);
    put(s, 1, 12, 3);
    OK(kv_store_close(s, &e));
    s = open_store(memory, "a");
    assert_int_equal(get(s, 1), 12);
    kv_memory_crash(s);
    kv_memory_free(memory);
}

static void directories_are_apart(void **state)
{
    struct kv_memory *memory = kv_memory_new();
    struct kv_store *a = open_store(memory, "a");
    struct kv_store *b = open_store(memory, "b");
    struct kv_checkpoint at;
    struct error e;

    (void)state;
    put(a, 1, 10, 1);
    assert_int_equal(get(b, 1), 0);
    assert_int_equal(kv_store_checkpoint(a, "c", &at, &e), ERR_UNSUPPORTED_OPERATION);
    kv_memory_crash(a);
    kv_memory_crash(b);
    kv_memory_free(memory);
    kv_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_takes_what_was_not_flushed),
        cmocka_unit_test(directories_are_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
