/* io/shard.h over tasks: the same turn as src/io/shard.c has. */
#include "sim_io.h"

#include <stdlib.h>

#define TURN_US_MAX 30 /* that a turn takes */

struct shard {
    unsigned index;
    struct task *task;
    bool joined;
    bool stopping;
    struct budget budget;
    struct message *first;
    struct message *last;
    struct list attention; /* struct attention */
    struct timer **timers; /* the next to expire is the last one */
    size_t timer_count;
    size_t timer_cap;
    struct list deferred[DEFER_PHASES];
    int64_t now_us;
    int64_t wall_ms;
};

static void shard_main(void *arg);

static void wake(struct shard *s)
{
    if (s->task != NULL) {
        task_wake(s->task);
    }
}

/* ---- life ---- */

enum errcode shard_start(const struct shard_options *options, struct shard **ret, struct error *e)
{
    struct shard *s = mem_new(struct shard);

    (void)e;
    s->index = options->index;
    s->budget.limit = options->memory_limit;
    s->now_us = world_here()->now_us;
    s->wall_ms = machine_wall_ms(world_here());
    list_init(&s->attention);
    for (int i = 0; i < DEFER_PHASES; i++) {
        list_init(&s->deferred[i]);
    }
    s->task = task_start(options->name, shard_main, s);
    task_set_shard(s->task, s);
    *ret = s;
    return ERR_OK;
}

void shard_stop(struct shard *s)
{
    s->stopping = true;
    wake(s);
}

void shard_wait(struct shard *s)
{
    if (!s->joined) {
        s->joined = true;
        task_join(s->task);
        s->task = NULL;
    }
}

void shard_join(struct shard *s)
{
    if (s != NULL) {
        shard_wait(s);
        free(s->timers);
        free(s);
    }
}

unsigned shard_index(const struct shard *s) { return s->index; }

struct shard *shard_current(void)
{
    struct task *t = task_current();

    return t == NULL ? NULL : task_shard(t);
}

struct budget *shard_budget(struct shard *s) { return &s->budget; }

int64_t shard_now_us(const struct shard *s) { return s->now_us; }

int64_t shard_wall_ms(const struct shard *s) { return s->wall_ms; }

/* ---- messages and sockets ---- */

void shard_send(struct shard *to, struct message *m)
{
    m->next = NULL;
    if (to->last != NULL) {
        to->last->next = m;
    } else {
        to->first = m;
    }
    to->last = m;
    wake(to);
}

void attention_init(struct attention *a, void (*run)(struct attention *a))
{
    list_init(&a->link);
    a->run = run;
}

void shard_attend(struct shard *s, struct attention *a)
{
    if (!list_linked(&a->link)) {
        list_push_back(&s->attention, &a->link);
        wake(s);
    }
}

void attention_cancel(struct attention *a) { list_remove(&a->link); }

/* ---- timers: an array in order of expiry, latest first ---- */

void timer_init(struct timer *t, void (*fire)(struct timer *t))
{
    *t = (struct timer){.fire = fire};
}

static void timer_place(struct shard *s, size_t i, struct timer *t)
{
    s->timers[i] = t;
    t->heap_index = i;
}

void timer_start(struct shard *s, struct timer *t, int64_t delay_us)
{
    size_t i;

    ASSERT_ON(s);
    timer_stop(t);
    if (s->timer_count == s->timer_cap) {
        s->timer_cap = s->timer_cap == 0 ? 16 : s->timer_cap * 2;
        s->timers = mem_realloc(s->timers, s->timer_cap * sizeof(struct timer *));
    }
    t->shard = s;
    t->expires_us = s->now_us + (delay_us < 1 ? 1 : delay_us);
    for (i = s->timer_count++; i > 0 && s->timers[i - 1]->expires_us <= t->expires_us; i--) {
        timer_place(s, i, s->timers[i - 1]);
    }
    timer_place(s, i, t);
}

void timer_stop(struct timer *t)
{
    struct shard *s = t->shard;

    if (s == NULL) {
        return;
    }
    ASSERT_ON(s);
    t->shard = NULL;
    s->timer_count--;
    for (size_t i = t->heap_index; i < s->timer_count; i++) {
        timer_place(s, i, s->timers[i + 1]);
    }
}

static bool timer_due(const struct shard *s)
{
    return s->timer_count > 0 && s->timers[s->timer_count - 1]->expires_us <= s->now_us;
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

/* ---- the loop ---- */

static void wait_events(struct shard *s)
{
    while (!s->stopping && s->first == NULL && list_empty(&s->attention)) {
        int64_t until_us =
            s->timer_count > 0 ? s->timers[s->timer_count - 1]->expires_us : INT64_MAX;

        if (until_us <= world_here()->now_us) {
            break;
        }
        task_wait(until_us);
    }
    s->now_us = world_here()->now_us;
    s->wall_ms = machine_wall_ms(world_here());
}

/* What was ready when the turn began: one that stays ready has its next turn. */
static void run_attention(struct shard *s)
{
    struct list ready;
    struct list *link;

    list_init(&ready);
    list_move_all(&ready, &s->attention);
    while ((link = list_pop_front(&ready)) != NULL) {
        struct attention *a = container_of(link, struct attention, link);

        a->run(a);
    }
}

/* As many as there are: what comes meanwhile has the next turn. */
static void run_messages(struct shard *s)
{
    struct message *m = s->first;

    s->first = NULL;
    s->last = NULL;
    while (m != NULL) {
        struct message *next = m->next;

        m->run(m);
        m = next;
    }
}

static void run_timers(struct shard *s)
{
    for (size_t left = s->timer_count; left > 0 && timer_due(s); left--) {
        struct timer *t = s->timers[s->timer_count - 1];

        timer_stop(t);
        t->fire(t);
    }
}

static void shard_main(void *arg)
{
    struct shard *s = arg;

    while (!s->stopping) {
        wait_events(s);
        run_attention(s);
        run_messages(s);
        run_timers(s);
        run_deferred(s);
        machine_turn(world_here());
    }
}
