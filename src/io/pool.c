#include "pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define POOL_THREADS_MAX 64
#define POOL_NICE        10 /* a tenth of the processor beside one thread that wants all of it */

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct pool_job *first; /* submission order */
    struct pool_job *last;
    unsigned queued;  /* jobs that no thread has taken */
    unsigned waiting; /* threads asleep in wake, those just signalled included */
    unsigned threads;
    unsigned threads_max;
    bool stopping;
    bool gives_way;
    char name[12];
    pthread_t ids[POOL_THREADS_MAX];
};

static struct pool_job *pool_take(struct pool *p)
{
    struct pool_job *job;

    pthread_mutex_lock(&p->lock);
    while (p->first == NULL && !p->stopping) {
        p->waiting++;
        pthread_cond_wait(&p->wake, &p->lock);
        p->waiting--;
    }
    job = p->first;
    if (job != NULL) {
        p->first = job->next;
        p->queued--;
        if (p->first == NULL) {
            p->last = NULL;
        }
    }
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void *pool_thread(void *arg)
{
    struct pool *p = arg;
    struct pool_job *job;

    if (p->gives_way) {
        IGNORE(nice(POOL_NICE)); /* of this thread alone, on Linux */
    }
    while ((job = pool_take(p)) != NULL) {
        struct shard *home = job->home;

        job->work(job);
        if (home != NULL) {
            shard_send(home, &job->done);
        }
    }
    return NULL;
}

struct pool *pool_new(const char *name, unsigned threads_max)
{
    struct pool *p = mem_new(struct pool);

    ASSERT(threads_max > 0 && threads_max <= POOL_THREADS_MAX);
    ASSERT(pthread_mutex_init(&p->lock, NULL) == 0);
    ASSERT(pthread_cond_init(&p->wake, NULL) == 0);
    p->threads_max = threads_max;
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    return p;
}

void pool_give_way(struct pool *p)
{
    ASSERT(p->threads == 0);
    p->gives_way = true;
}

void pool_free(struct pool *p)
{
    if (p == NULL) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads; i++) {
        pthread_join(p->ids[i], NULL);
    }
    ASSERT(p->first == NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* Under the lock. One thread must exist; more are welcome but not required. */
static void pool_grow(struct pool *p)
{
    char name[16];
    int rc = pthread_create(&p->ids[p->threads], NULL, pool_thread, p);

    if (rc == 0) {
        (void)snprintf(name, sizeof name, "%s-%u", p->name, p->threads % 100);
        (void)pthread_setname_np(p->ids[p->threads], name);
        p->threads++;
    }
    ASSERT(p->threads > 0);
}

void pool_submit(struct pool *p, struct pool_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&p->lock);
    ASSERT(!p->stopping);
    if (p->last != NULL) {
        p->last->next = job;
    } else {
        p->first = job;
    }
    p->last = job;
    p->queued++;
    /* a thread that was signalled for an earlier job still counts as waiting: more jobs than
     * waiting threads need one more, or two jobs would share a thread while others could start */
    if (p->queued <= p->waiting) {
        pthread_cond_signal(&p->wake);
    } else if (p->threads < p->threads_max) {
        pool_grow(p);
    }
    pthread_mutex_unlock(&p->lock);
}
