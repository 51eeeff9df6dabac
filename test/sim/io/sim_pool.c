/* io/pool.h over tasks. */
#include "sim_io.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/pool.h"

#define THREADS_MAX 64

struct pool {
    const char *name;
    struct pool_job *first;
    struct pool_job *last;
    unsigned queued;
    unsigned idle;
    unsigned threads;
    unsigned threads_max;
    bool stopping;
    struct task *tasks[THREADS_MAX];
};

static struct pool_job *pool_take(struct pool *p)
{
    struct pool_job *job;

    while (p->first == NULL && !p->stopping) {
        p->idle++;
        task_wait(INT64_MAX);
        p->idle--;
    }
    job = p->first;
    if (job != NULL) {
        p->first = job->next;
        p->last = p->first == NULL ? NULL : p->last;
        p->queued--;
    }
    return job;
}

static void pool_main(void *arg)
{
    struct pool *p = arg;
    struct pool_job *job;

    while ((job = pool_take(p)) != NULL) {
        struct shard *home = job->home;

        machine_turn(world_here());
        job->work(job);
        if (home != NULL) {
            machine_turn(world_here());
            shard_send(home, &job->done);
        }
    }
}

struct pool *pool_new(const char *name, unsigned threads_max)
{
    struct pool *p = mem_new(struct pool);

    ASSERT(threads_max > 0 && threads_max <= THREADS_MAX);
    p->name = name;
    p->threads_max = threads_max;
    return p;
}

void pool_give_way(struct pool *p) { (void)p; }

void pool_free(struct pool *p)
{
    if (p == NULL) {
        return;
    }
    p->stopping = true;
    for (unsigned i = 0; i < p->threads; i++) {
        task_wake(p->tasks[i]);
    }
    for (unsigned i = 0; i < p->threads; i++) {
        task_join(p->tasks[i]);
    }
    ASSERT(p->first == NULL);
    free(p);
}

void pool_submit(struct pool *p, struct pool_job *job)
{
    ASSERT(!p->stopping);
    job->next = NULL;
    if (p->last != NULL) {
        p->last->next = job;
    } else {
        p->first = job;
    }
    p->last = job;
    p->queued++;
    if (p->queued > p->idle && p->threads < p->threads_max) {
        p->tasks[p->threads++] = task_start(p->name, pool_main, p);
        return;
    }
    for (unsigned i = 0; i < p->threads && !task_wake(p->tasks[i]); i++) {
    }
}
