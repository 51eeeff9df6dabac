#include "shard.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256
/* Messages a turn takes before descriptors are looked at again. */
#define MESSAGES_PER_TURN 4096
#define SLEEP_MAX_US      60000000
/* Longer delays are cut to this, some 30 years. */
#define TIMER_DELAY_MAX_US INT64_C(1000000000000000)

struct shard {
    int epoll_fd;
    int wake_fd;
    unsigned index;
    char name[16];
    pthread_t thread;
    bool joined; /* the thread has been waited for */
    struct budget budget;

    /* mailbox: senders push onto `inbox` (newest first), the loop takes all and reverses */
    _Atomic(struct message *) inbox;
    struct message *backlog; /* taken, in order, not yet run */
    atomic_bool asleep;      /* a sender must write to wake_fd */
    atomic_bool stopping;

    struct timer **timers; /* binary heap by expires_us */
    size_t timer_count;
    size_t timer_cap;

    struct list deferred[DEFER_PHASES];
    struct epoll_event events[EVENTS_PER_TURN];
    int event_count;
    int event_next;
    bool coarse; /* no sleeps below a millisecond here */
    int64_t now_us;
    int64_t wall_ms;
};

static _Thread_local struct shard *shard_here;

struct shard *shard_current(void) { return shard_here; }

unsigned shard_index(const struct shard *s) { return s->index; }

struct budget *shard_budget(struct shard *s) { return &s->budget; }

int64_t shard_now_us(const struct shard *s) { return s->now_us; }

int64_t shard_wall_ms(const struct shard *s) { return s->wall_ms; }

/* ---- messages ---- */

static void shard_wake(struct shard *s)
{
    uint64_t one = 1;
    ssize_t n;

    do {
        n = write(s->wake_fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
}

void shard_send(struct shard *to, struct message *m)
{
    struct message *head = atomic_load_explicit(&to->inbox, memory_order_relaxed);

    do {
        m->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&to->inbox, &head, m, memory_order_seq_cst,
                                                    memory_order_relaxed));
    if (shard_here != to && atomic_exchange_explicit(&to->asleep, false, memory_order_seq_cst)) {
        shard_wake(to);
    }
}

static struct message *inbox_take(struct shard *s)
{
    struct message *newest = atomic_exchange_explicit(&s->inbox, NULL, memory_order_acquire);
    struct message *ordered = NULL;

    while (newest != NULL) {
        struct message *next = newest->next;

        newest->next = ordered;
        ordered = newest;
        newest = next;
    }
    return ordered;
}

static void run_messages(struct shard *s)
{
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        struct message *m;

        if (s->backlog == NULL) {
            s->backlog = inbox_take(s);
        }
        m = s->backlog;
        if (m == NULL) {
            return;
        }
        s->backlog = m->next;
        m->run(m);
    }
}

/* ---- timers: a binary heap ---- */

void timer_init(struct timer *t, void (*fire)(struct timer *t))
{
    *t = (struct timer){.fire = fire};
}

static void heap_place(struct shard *s, size_t i, struct timer *t)
{
    s->timers[i] = t;
    t->heap_index = i;
}

static void heap_up(struct shard *s, size_t i, struct timer *t)
{
    while (i > 0 && s->timers[(i - 1) / 2]->expires_us > t->expires_us) {
        heap_place(s, i, s->timers[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_place(s, i, t);
}

static void heap_down(struct shard *s, size_t i, struct timer *t)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= s->timer_count) {
            break;
        }
        if (child + 1 < s->timer_count &&
            s->timers[child + 1]->expires_us < s->timers[child]->expires_us) {
            child++;
        }
        if (s->timers[child]->expires_us >= t->expires_us) {
            break;
        }
        heap_place(s, i, s->timers[child]);
        i = child;
    }
    heap_place(s, i, t);
}

void timer_start(struct shard *s, struct timer *t, int64_t delay_us)
{
    ASSERT_ON(s);
    timer_stop(t);
    if (s->timer_count == s->timer_cap) {
        s->timer_cap = s->timer_cap == 0 ? 16 : s->timer_cap * 2;
        s->timers = mem_realloc(s->timers, s->timer_cap * sizeof(struct timer *));
    }
    if (delay_us < 1) {
        delay_us = 1; /* never in this turn: a timer that starts itself again holds up nothing */
    }
    t->shard = s;
    t->expires_us = s->now_us + (delay_us < TIMER_DELAY_MAX_US ? delay_us : TIMER_DELAY_MAX_US);
    heap_up(s, s->timer_count++, t);
}

void timer_stop(struct timer *t)
{
    struct shard *s = t->shard;
    size_t i = t->heap_index;
    struct timer *last;

    if (s == NULL) {
        return;
    }
    ASSERT_ON(s);
    t->shard = NULL;
    last = s->timers[--s->timer_count];
    if (last == t) {
        return;
    }
    if (last->expires_us < t->expires_us) {
        heap_up(s, i, last);
    } else {
        heap_down(s, i, last);
    }
}

/* As many as were running at most: one that restarts itself without delay would hold up the turn. */
static void run_timers(struct shard *s)
{
    for (size_t left = s->timer_count;
         left > 0 && s->timer_count > 0 && s->timers[0]->expires_us <= s->now_us; left--) {
        struct timer *t = s->timers[0];

        timer_stop(t);
        t->fire(t);
    }
}

/* ---- end of turn ---- */

void deferred_init(struct deferred *d, void (*run)(struct deferred *d))
{
    list_init(&d->link);
    d->run = run;
}

void shard_defer(struct shard *s, enum defer_phase phase, struct deferred *d)
{
    ASSERT_ON(s);
    if (!list_linked(&d->link)) {
        list_push_back(&s->deferred[phase], &d->link);
    }
}

void deferred_cancel(struct deferred *d) { list_remove(&d->link); }

/* Each phase until it is empty; work of an earlier phase may appear while a later one runs. */
static void run_deferred(struct shard *s)
{
    enum defer_phase phase = DEFER_WORK;

    while (phase < DEFER_PHASES) {
        struct list *link = list_pop_front(&s->deferred[phase]);

        if (link == NULL) {
            phase++;
            continue;
        }
        container_of(link, struct deferred, link)->run(container_of(link, struct deferred, link));
        phase = DEFER_WORK;
    }
}

/* ---- descriptors ---- */

enum errcode watch_start(struct shard *s, struct watch *w, uint32_t events, struct error *e)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};

    w->events = events;
    if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, w->fd, &ev) != 0) {
        return error_os(e, errno, "watch descriptor %d", w->fd);
    }
    return ERR_OK;
}

void watch_change(struct shard *s, struct watch *w, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};

    if (w->events != events) {
        w->events = events;
        ASSERT(epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) == 0);
    }
}

void watch_stop(struct shard *s, struct watch *w)
{
    ASSERT_ON(s);
    (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = s->event_next; i < s->event_count; i++) {
        if (s->events[i].data.ptr == w) {
            s->events[i].data.ptr = NULL;
        }
    }
}

static void run_events(struct shard *s)
{
    while (s->event_next < s->event_count) {
        struct epoll_event ev = s->events[s->event_next++];
        struct watch *w = ev.data.ptr;

        if (w != NULL) {
            w->ready(w, ev.events);
        }
    }
}

static void wake_ready(struct watch *w, uint32_t events)
{
    uint64_t count;

    (void)events;
    if (read(w->fd, &count, sizeof count) < 0) {
        return; /* another reading already took it */
    }
}

/* ---- the loop ---- */

/* Longest sleep; NULL: until something happens. */
static struct timespec *sleep_time(const struct shard *s, struct timespec *ret)
{
    int64_t wait_us = 0;

    if (s->backlog == NULL) {
        if (s->timer_count == 0) {
            return NULL;
        }
        wait_us = s->timers[0]->expires_us - s->now_us;
    }
    wait_us = wait_us > 0 ? wait_us : 0;
    wait_us = wait_us < SLEEP_MAX_US ? wait_us : SLEEP_MAX_US;
    *ret = (struct timespec){.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    return ret;
}

/* Kernels before 5.11, and sandboxes that do not know the call, sleep by milliseconds. */
static int epoll_sleep(struct shard *s, const struct timespec *time)
{
    int n = -1;
    int ms = -1;

    if (!s->coarse) {
        n = epoll_pwait2(s->epoll_fd, s->events, EVENTS_PER_TURN, time, NULL);
        s->coarse = n < 0 && (errno == ENOSYS || errno == EPERM);
    }
    if (s->coarse) {
        if (time != NULL) {
            ms = (int)(time->tv_sec * 1000 + (time->tv_nsec + 999999) / 1000000);
        }
        n = epoll_wait(s->epoll_fd, s->events, EVENTS_PER_TURN, ms);
    }
    return n;
}

static void wait_events(struct shard *s)
{
    struct timespec time;
    struct timespec *timeout = sleep_time(s, &time);
    int n;

    /* announce the sleep, then look once more: a sender either sees the flag or is seen here */
    atomic_store_explicit(&s->asleep, true, memory_order_seq_cst);
    if (atomic_load_explicit(&s->inbox, memory_order_seq_cst) != NULL) {
        time = (struct timespec){0};
        timeout = &time;
    }
    n = epoll_sleep(s, timeout);
    atomic_store_explicit(&s->asleep, false, memory_order_relaxed);
    ASSERT(n >= 0 || errno == EINTR);
    s->event_count = n > 0 ? n : 0;
    s->event_next = 0;
    s->now_us = clock_mono_us();
    s->wall_ms = clock_wall_ms();
}

static void *shard_thread(void *arg)
{
    struct shard *s = arg;
    struct watch wake = {.fd = s->wake_fd, .ready = wake_ready};
    struct error e;
    sigset_t pipe;

    /* sendfile to a connection that is gone raises it, and has no flag against that */
    ASSERT(sigemptyset(&pipe) == 0 && sigaddset(&pipe, SIGPIPE) == 0);
    ASSERT(pthread_sigmask(SIG_BLOCK, &pipe, NULL) == 0);
    shard_here = s;
    ASSERT(watch_start(s, &wake, EPOLLIN, &e) == ERR_OK);
    while (!atomic_load_explicit(&s->stopping, memory_order_acquire)) {
        wait_events(s);
        run_events(s);
        run_messages(s);
        run_timers(s);
        run_deferred(s);
    }
    shard_here = NULL;
    return NULL;
}

static enum errcode shard_open(struct shard *s, struct error *e)
{
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->epoll_fd < 0 || s->wake_fd < 0) {
        return error_os(e, errno, "create the loop of shard %s", s->name);
    }
    return ERR_OK;
}

static void shard_close(struct shard *s)
{
    if (s->epoll_fd >= 0) {
        (void)close(s->epoll_fd);
    }
    if (s->wake_fd >= 0) {
        (void)close(s->wake_fd);
    }
    free(s->timers);
    free(s);
}

enum errcode shard_start(const struct shard_options *options, struct shard **ret, struct error *e)
{
    struct shard *s = mem_new(struct shard);
    enum errcode code;
    int rc;

    s->index = options->index;
    s->budget.limit = options->memory_limit;
    s->now_us = clock_mono_us();
    s->wall_ms = clock_wall_ms();
    s->wake_fd = -1;
    (void)snprintf(s->name, sizeof s->name, "%s", options->name);
    for (int i = 0; i < DEFER_PHASES; i++) {
        list_init(&s->deferred[i]);
    }
    code = shard_open(s, e);
    if (code == ERR_OK && (rc = pthread_create(&s->thread, NULL, shard_thread, s)) != 0) {
        code = error_os(e, rc, "start the thread of shard %s", s->name);
    }
    if (code != ERR_OK) {
        shard_close(s);
        return code;
    }
    (void)pthread_setname_np(s->thread, s->name);
    *ret = s;
    return ERR_OK;
}

void shard_stop(struct shard *s)
{
    atomic_store_explicit(&s->stopping, true, memory_order_release);
    shard_wake(s);
}

void shard_wait(struct shard *s)
{
    if (!s->joined) {
        s->joined = true;
        ASSERT(pthread_join(s->thread, NULL) == 0);
    }
}

void shard_join(struct shard *s)
{
    if (s != NULL) {
        shard_wait(s);
        shard_close(s);
    }
}
