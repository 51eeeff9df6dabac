/* Shards for tests. The test's thread starts them, runs functions on them and waits; assertions of
 * cmocka belong to that thread, what runs on a shard uses ASSERT. */
#ifndef TEST_SUPPORT_SHARDS_H
#define TEST_SUPPORT_SHARDS_H

#include "unit.h"

#include "io/blocking.h"
#include "io/clock.h"
#include "io/gate.h"

#define PATIENCE_US 120000000 /* no test waits longer for what must happen */

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

struct settling {
    struct timer timer;
    struct shard *shard;
    struct gate *gate;
    int turns;
};

static inline void settling_fire(struct timer *t)
{
    struct settling *s = container_of(t, struct settling, timer);

    if (--s->turns > 0) {
        timer_start(s->shard, t, 1); /* not in this turn: its time stands still */
    } else {
        gate_pass(s->gate);
    }
}

static inline void settling_start(void *context)
{
    struct settling *s = context;

    timer_init(&s->timer, settling_fire);
    timer_start(s->shard, &s->timer, 1);
}

/* Waits until all that was under way on the shard in one turn is over: events, messages, timers of
 * the next turn, and what these have deferred. */
static inline void shard_settle(struct shard *s)
{
    struct settling settling = {.shard = s, .gate = gate_new(1), .turns = 2};

    on_shard(s, settling_start, &settling);
    gate_wait(settling.gate);
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
