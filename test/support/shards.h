/* Shards for tests. The test's thread starts them, runs functions on them and waits; assertions of
 * cmocka belong to that thread, what runs on a shard uses ASSERT. */
#ifndef TEST_SUPPORT_SHARDS_H
#define TEST_SUPPORT_SHARDS_H

#include "unit.h"

#include "io/blocking.h"
#include "io/clock.h"
#include "io/gate.h"

#define PATIENCE_US 20000000 /* no test waits longer for what must happen */

static inline struct shard *test_shard(unsigned index, size_t memory_limit)
{
    struct shard_options options = {.name = "test", .index = index, .memory_limit = memory_limit};
    struct shard *s = NULL;

    assert_int_equal(shard_start(&options, &s, NULL), ERR_OK);
    return s;
}

static inline void test_shard_end(struct shard *s)
{
    shard_stop(s);
    shard_join(s);
}

struct on_shard {
    void (*fn)(void *context);
    void *context;
};

static inline void on_shard_run(void *context, unsigned index)
{
    struct on_shard *call = context;

    (void)index;
    call->fn(call->context);
}

/* Runs fn on the shard and waits for it. */
static inline void on_shard(struct shard *s, void (*fn)(void *context), void *context)
{
    struct on_shard call = {.fn = fn, .context = context};

    shards_call(&s, 1, on_shard_run, &call);
}

static inline void on_shard_nothing(void *context) { (void)context; }

/* Waits until all that was under way on the shard in one turn is over. */
static inline void shard_settle(struct shard *s)
{
    on_shard(s, on_shard_nothing, NULL);
    on_shard(s, on_shard_nothing, NULL);
}

/* Waits until an atomic_int has at least the value. */
#define assert_reaches(counter, value)                                                             \
    do {                                                                                           \
        int64_t reaches_end = clock_mono_us() + PATIENCE_US;                                       \
                                                                                                   \
        while (atomic_load(counter) < (value)) {                                                   \
            if (clock_mono_us() > reaches_end) {                                                   \
                fail_msg("%s is %d, %d expected", #counter, atomic_load(counter), (value));        \
            }                                                                                      \
            thread_sleep_us(200);                                                                  \
        }                                                                                          \
    } while (0)

#endif
