#include "../../support/shards.h"
#include "io/lock.h"

#define ROUNDS 20000

struct shared {
    struct lock lock;
    int64_t count;
};

static void add(void *context, unsigned index)
{
    struct shared *shared = context;

    (void)index;
    for (int i = 0; i < ROUNDS; i++) {
        lock_take(&shared->lock);
        shared->count++;
        lock_give(&shared->lock);
    }
}

static void one_holder_at_a_time(void **state)
{
    struct shard *shards[] = {test_shard(0, 1 << 20), test_shard(1, 1 << 20)};
    struct shared shared = {0};

    (void)state;
    lock_init(&shared.lock);
    shards_call(shards, 2, add, &shared);
    assert_int_equal(shared.count, 2 * ROUNDS);
    lock_fini(&shared.lock);
    test_shard_end(shards[0]);
    test_shard_end(shards[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_holder_at_a_time)};

    return cmocka_run_group_tests_name("io/lock", tests, NULL, NULL);
}
