#include "clock.h"

#include <sys/random.h>
#include <time.h>

static int64_t clock_read_us(clockid_t id)
{
    struct timespec ts;

    ASSERT(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void) { return clock_read_us(CLOCK_MONOTONIC); }

int64_t clock_wall_ms(void) { return clock_read_us(CLOCK_REALTIME) / 1000; }

int64_t clock_cpu_us(void) { return clock_read_us(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t random_u64(void)
{
    uint64_t v;

    ASSERT(getrandom(&v, sizeof v, 0) == (ssize_t)sizeof v);
    return v;
}
