#include "gate.h"

#include <pthread.h>
#include <stdlib.h>

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    unsigned closed; /* passes still missing */
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

    ASSERT(pthread_mutex_init(&g->lock, NULL) == 0);
    ASSERT(pthread_cond_init(&g->opened, NULL) == 0);
    g->closed = count;
    return g;
}

void gate_pass(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    ASSERT(g->closed > 0);
    if (--g->closed == 0) {
        pthread_cond_signal(&g->opened);
    }
    pthread_mutex_unlock(&g->lock);
}

void gate_wait(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    while (g->closed > 0) {
        pthread_cond_wait(&g->opened, &g->lock);
    }
    pthread_mutex_unlock(&g->lock);
    pthread_cond_destroy(&g->opened);
    pthread_mutex_destroy(&g->lock);
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
