/* Random numbers of a simulation: splitmix64. Every part of the world has a generator of its own,
 * split off by name, so that a change in one part does not change what the others draw. */
#ifndef SIM_PRNG_H
#define SIM_PRNG_H

#include "base/check.h"

struct prng {
    uint64_t state;
};

static inline uint64_t prng_u64(struct prng *p)
{
    uint64_t z = p->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* In [0, n); n > 0. */
static inline uint64_t prng_below(struct prng *p, uint64_t n)
{
    ASSERT(n > 0);
    return prng_u64(p) % n;
}

/* In [low, high]. */
static inline int64_t prng_between(struct prng *p, int64_t low, int64_t high)
{
    ASSERT(low <= high);
    return low + (int64_t)prng_below(p, (uint64_t)(high - low) + 1);
}

/* True in `count` of a million cases. */
static inline bool prng_chance(struct prng *p, uint32_t count)
{
    return prng_below(p, 1000000) < count;
}

/* Mostly near low, sometimes near high: each power of two between is as likely as the next. */
static inline int64_t prng_skewed(struct prng *p, int64_t low, int64_t high)
{
    int64_t top = high;

    ASSERT(low <= high);
    while (top > low && prng_below(p, 2) == 0) {
        top = low + (top - low) / 2;
    }
    return prng_between(p, low, top);
}

/* A generator of its own for the part with that name. */
static inline struct prng prng_split(const struct prng *p, const char *name)
{
    struct prng child = {.state = p->state ^ UINT64_C(0xcbf29ce484222325)};

    for (; *name != '\0'; name++) {
        child.state = (child.state ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    }
    (void)prng_u64(&child);
    return child;
}

#endif
