/* The part of world.h that clients need, over real time and sockets. */
#ifndef SIM_REAL_H
#define SIM_REAL_H

#include "workload.h"

struct world *real_world_new(uint64_t seed, uint16_t port);
/* Connections must be closed. */
void real_world_free(struct world *w);
/* Takes what has arrived so far, the ends of connections among it. */
void real_settle(struct world *w);

#endif
