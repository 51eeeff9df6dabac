/* Named thread pools for calls that block: fsync, recovery, cold reads.
 *
 * A job runs once on some thread of the pool and then comes back to the shard that submitted it as
 * a message. Jobs of one pool start in submission order. Thread: pool_submit any.
 */
#ifndef IO_POOL_H
#define IO_POOL_H

#include "shard.h"

struct pool;

struct pool_job {
    struct message done;                /* delivered to home after work; set done.run */
    struct shard *home;                 /* NULL: work itself ends the job, no message */
    void (*work)(struct pool_job *job); /* on a thread of the pool */
    struct pool_job *next;
};

/* Threads start on the first job, so that an idle pool costs nothing. */
struct pool *pool_new(const char *name, unsigned threads_max);
/* Its threads, and those that they start, leave the processors to all others that want them; on idle ones
 * they are as fast as any. Before the first job. */
void pool_give_way(struct pool *p);
/* Runs what was submitted, then ends the threads. */
void pool_free(struct pool *p);
void pool_submit(struct pool *p, struct pool_job *job);

#endif
