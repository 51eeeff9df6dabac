#include "rows.h"

static void one_option_divides_the_memory(void **state)
{
    const struct kv_env_options options = {
        .memory_bytes = (size_t)1 << 30, .shard_count = 4, .rate_bytes_per_second = 1 << 20};
    struct kv_env *env = kv_env_new(&options);
    struct kv_budgets b = kv_env_budgets(env);
    struct kv_env_stats stats = kv_env_stats(env);

    (void)state;
    assert_int_equal(b.cache_bytes * 4, (size_t)1 << 28);
    assert_int_equal(b.cache_pool->left, (size_t)1 << 28);
    assert_int_equal(b.pending_bytes, (size_t)3 << 26);
    assert_true(b.spill_bytes <= b.pending_bytes / 2);
    assert_int_equal(stats.block_cache_capacity, (size_t)1 << 28);
    assert_int_equal(stats.unflushed_bytes, 0);
    kv_env_free(env);
}

static void too_little_memory_is_raised(void **state)
{
    const struct kv_env_options options = {.memory_bytes = 1, .shard_count = 64};
    struct kv_env *env = kv_env_new(&options);
    struct kv_budgets b = kv_env_budgets(env);
    struct kv_shard shard;

    (void)state;
    assert_true(b.cache_bytes >= KV_CACHE_BYTES_MIN);
    kv_shard_init(&shard, &b);
    kv_shard_fini(&shard);
    kv_env_free(env);
    kv_env_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_option_divides_the_memory),
        cmocka_unit_test(too_little_memory_is_raised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
