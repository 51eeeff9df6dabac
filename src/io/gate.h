/* A count that threads outside of the shards may wait for: start, stop, and the coordinator's
 * blocking calls. Never waited for on a shard that serves connections. */
#ifndef IO_GATE_H
#define IO_GATE_H

#include "shard.h"

struct gate;

/* Opens after `count` passes. */
struct gate *gate_new(unsigned count);
void gate_pass(struct gate *g);
/* Blocks until the gate is open, then frees it. */
void gate_wait(struct gate *g);

/* Runs fn(context, index) on each of the shards and waits for all of them. Not from one of them. */
void shards_call(struct shard *const *shards, unsigned count,
                 void (*fn)(void *context, unsigned index), void *context);

#endif
