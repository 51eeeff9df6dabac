/* Time and randomness of the world. Thread: any. Code that runs on a shard asks the shard
 * (shard_now_us, shard_wall_ms) instead: one reading per turn, and virtual in a simulation. */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include "base/check.h"

int64_t clock_mono_us(void);
int64_t clock_wall_ms(void);
/* CPU time used by the whole process. */
int64_t clock_cpu_us(void);
/* From the kernel, for ids that must not repeat across restarts. */
uint64_t random_u64(void);

#endif
