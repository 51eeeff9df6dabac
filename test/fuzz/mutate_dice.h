/* The choices of a mutation, from its seed. */
#ifndef FUZZ_MUTATE_DICE_H
#define FUZZ_MUTATE_DICE_H

#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline struct dice dice_of(unsigned seed) { return (struct dice){.state = seed}; }

/* splitmix64 */
static inline unsigned dice_next(struct dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)(z >> 32);
}

/* 0 to sides - 1; 0 when there are none. */
static inline size_t dice_roll(struct dice *d, size_t sides)
{
    return sides == 0 ? 0 : dice_next(d) % sides;
}

#endif
