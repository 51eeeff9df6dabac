/* A lock, for what threads that are not ours share with us: callbacks of a foreign library. Data of
 * shards needs none. Held for a moment only, never across anything that waits for a shard that might
 * want it. Thread: any. */
#ifndef IO_LOCK_H
#define IO_LOCK_H

#include <pthread.h>

struct lock {
    pthread_mutex_t mutex;
};

void lock_init(struct lock *l);
void lock_fini(struct lock *l); /* nobody holds it */
void lock_take(struct lock *l);
void lock_give(struct lock *l);

#endif
