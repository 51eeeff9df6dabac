/* A sync that does not come: what is appended to a store (store.h) stays undurable for a while. */
#ifndef TEST_SUPPORT_PLUG_H
#define TEST_SUPPORT_PLUG_H

#include "store_ops.h"

struct store_plug {
    struct pool_job job;
    atomic_int *release;
    struct gate *ended;
};

static inline void store_plug_work(struct pool_job *job)
{
    struct store_plug *p = container_of(job, struct store_plug, job);

    while (atomic_load(p->release) == 0) {
        thread_sleep_us(200);
    }
    gate_pass(p->ended);
}

/* Occupies both threads of the sync pool. The gate opens when both have ended. */
static inline struct gate *store_plug_sync(struct store *s, struct store_plug plugs[2],
                                           atomic_int *release)
{
    struct gate *ended = gate_new(2);

    for (int i = 0; i < 2; i++) {
        plugs[i] =
            (struct store_plug){.job.work = store_plug_work, .release = release, .ended = ended};
        pool_submit(s->sync, &plugs[i].job);
    }
    return ended;
}

#endif
