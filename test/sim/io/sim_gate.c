/* io/gate.h over tasks. */
#include "sim_io.h"

#include <stdlib.h>

#include "io/gate.h"

struct gate {
    unsigned closed;
    struct task *waiter;
};

struct gate_call {
    struct message message;
    struct gate *gate;
    void (*fn)(void *context, unsigned index);
    void *context;
    unsigned index;
};

struct gate *gate_new(unsigned count)
{
    struct gate *g = mem_new(struct gate);

    g->closed = count;
    return g;
}

void gate_pass(struct gate *g)
{
    ASSERT(g->closed > 0);
    if (--g->closed == 0 && g->waiter != NULL) {
        task_wake(g->waiter);
    }
}

void gate_wait(struct gate *g)
{
    g->waiter = task_current();
    while (g->closed > 0) {
        task_wait(INT64_MAX);
    }
    free(g);
}

static void call_run(struct message *m)
{
    struct gate_call *c = container_of(m, struct gate_call, message);

    c->fn(c->context, c->index);
    gate_pass(c->gate);
}

void shards_call(struct shard *const *shards, unsigned count,
                 void (*fn)(void *context, unsigned index), void *context)
{
    struct gate *gate = gate_new(count);
    struct gate_call *calls = mem_zalloc(count * sizeof *calls);

    for (unsigned i = 0; i < count; i++) {
        ASSERT(shard_current() != shards[i]);
        calls[i] = (struct gate_call){
            .message.run = call_run, .gate = gate, .fn = fn, .context = context, .index = i};
        shard_send(shards[i], &calls[i].message);
    }
    gate_wait(gate);
    free(calls);
}
