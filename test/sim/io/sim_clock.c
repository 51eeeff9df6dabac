#include "sim_io.h"

#include "io/clock.h"

int64_t clock_mono_us(void) { return world_here()->now_us; }

int64_t clock_wall_ms(void) { return machine_wall_ms(world_here()); }

int64_t clock_cpu_us(void) { return world_here()->now_us; }

uint64_t random_u64(void) { return prng_u64(&world_here()->machine.random); }
