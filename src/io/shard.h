/* A shard: one thread, one loop, one mailbox. Everything a bucket or connection owns is touched
 * by its shard only; shards talk by messages.
 *
 * One turn of the loop: events of descriptors, messages, timers, then the work deferred to the end
 * of the turn (phase by phase), then sleep. Deferred work is how things are batched: all appends of
 * a turn are committed together, all responses of a connection leave in one writev.
 *
 * Rules: callbacks never run inside the call that starts them; a callback may free the object
 * whose callback it is; nothing on a shard waits (see pool.h), except on a shard started for
 * blocking work (the coordinator).
 */
#ifndef IO_SHARD_H
#define IO_SHARD_H

#include "base/chunk.h"
#include "base/error.h"
#include "base/list.h"

struct shard;

/* ---- life ---- */

struct shard_options {
    const char *name; /* thread name, at most 15 characters */
    unsigned index;
    size_t memory_limit; /* of shard_budget */
};

/* Starts the thread. */
MUST_USE enum errcode shard_start(const struct shard_options *options, struct shard **ret,
                                  struct error *e);
/* Asks the loop to end after the current turn; any thread. Messages sent later never run. */
void shard_stop(struct shard *s);
/* Waits for the thread. The shard may still be sent messages (which never run) and looked at:
 * shards and pools that know each other end all their threads before any of them is freed. */
void shard_wait(struct shard *s);
/* Waits for the thread unless that has been done, and frees the shard. Accepts NULL. */
void shard_join(struct shard *s);

unsigned shard_index(const struct shard *s);
/* The shard this thread runs, or NULL. */
struct shard *shard_current(void);
#define ASSERT_ON(s) ASSERT(shard_current() == (s))

struct budget *shard_budget(struct shard *s);
/* Monotonic and wall time as of the start of the turn. Thread: the shard. */
int64_t shard_now_us(const struct shard *s);
int64_t shard_wall_ms(const struct shard *s);

/* ---- messages ---- */

struct message {
    struct message *next;
    void (*run)(struct message *m); /* on the receiving shard; owns the message from then on */
};

/* Any thread, the shard itself included. Messages of one sender arrive in order. */
void shard_send(struct shard *to, struct message *m);

/* ---- timers ---- */

struct timer {
    int64_t expires_us;
    void (*fire)(struct timer *t);
    struct shard *shard; /* NULL: not running */
    size_t heap_index;   /* position in the shard's heap */
};

void timer_init(struct timer *t, void (*fire)(struct timer *t));
/* Fires once after delay, at the earliest in the next turn when it is started by a timer; restarting
 * moves it. Thread: the shard. */
void timer_start(struct shard *s, struct timer *t, int64_t delay_us);
void timer_stop(struct timer *t);
static inline bool timer_running(const struct timer *t) { return t->shard != NULL; }

/* ---- end of turn ---- */

enum defer_phase {
    DEFER_WORK,  /* what other deferred work may depend on: wake waiters, finish appends */
    DEFER_FLUSH, /* what leaves the shard: sockets, sync jobs */
    DEFER_PHASES
};

struct deferred {
    struct list link; /* list_init'ed when idle */
    void (*run)(struct deferred *d);
};

void deferred_init(struct deferred *d, void (*run)(struct deferred *d));
/* Runs d->run once at the end of this turn; already scheduled is fine. Thread: the shard. */
void shard_defer(struct shard *s, enum defer_phase phase, struct deferred *d);
void deferred_cancel(struct deferred *d);

/* ---- descriptors (for io/ itself) ---- */

struct watch {
    int fd;
    uint32_t events; /* EPOLL* currently asked for */
    void (*ready)(struct watch *w, uint32_t events);
};

MUST_USE enum errcode watch_start(struct shard *s, struct watch *w, uint32_t events,
                                  struct error *e);
void watch_change(struct shard *s, struct watch *w, uint32_t events);
/* No event is delivered afterwards, not even one already collected in this turn. */
void watch_stop(struct shard *s, struct watch *w);

#endif
