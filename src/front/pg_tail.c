/* Queries that do not end, between their rows. See pg_state.h.
 *
 * They wait as lookups do: the connection is told when it is worth to step again. That is when the watch
 * (sql.h) has seen rows; when somebody interrupts, the statement's time is over or the catalog is another
 * one; and, after rows of which WHERE let none pass, with the next tick, so that many such rows are
 * looked at together. */
#include "pg_state.h"

#include "io/clock.h"

#define TICK_US 50000

bool pg_tail_waits(const struct pg_session *s)
{
    const struct pg_portal *p = s->running;

    const struct pg_portal *from = p != NULL ? p->from : NULL;

    return from != NULL && from->result != NULL && from->row == from->rows &&
           sql_result_waits(from->result);
}

/* The connection goes on. */
static void wake(struct pg_tail *t)
{
    if (t->waiting) {
        t->waiting = false;
        timer_stop(&t->timer);
        t->wait.done(t->wait.context);
    }
}

static void fired(void *context)
{
    struct pg_session *s = context;

    s->tail.fired = true;
    wake(&s->tail);
}

static void ticked(struct timer *timer)
{
    struct pg_tail *t = container_of(timer, struct pg_tail, timer);

    t->ticked = true;
    wake(t);
}

void pg_tail_init(struct pg_session *s) { timer_init(&s->tail.timer, ticked); }

void pg_tail_fini(struct pg_session *s) { pg_tail_end(s); }

void pg_tail_begin(struct pg_session *s)
{
    int64_t timeout_ms = pg_session_timeout_ms(s);

    s->tail.deadline_us = timeout_ms > 0 ? clock_mono_us() + timeout_ms * 1000 : 0;
    s->tail.woken = false;
}

void pg_tail_end(struct pg_session *s)
{
    if (s->tail.watch != NULL) {
        sql_watch_free(TAKE(s->tail.watch));
    }
}

bool pg_tail_stops(struct pg_session *s)
{
    if (s->tail.deadline_us > 0 && clock_mono_us() >= s->tail.deadline_us) {
        atomic_store(&s->interrupt, PG_INTERRUPT_TIMEOUT);
    }
    return atomic_load(&s->interrupt) != PG_INTERRUPT_NONE;
}

/* Whether a step has something to do. */
static bool is_due(struct pg_session *s, const struct meta_view *view)
{
    struct pg_tail *t = &s->tail;
    bool idle = t->woken && t->sent == s->running->sent;

    return pg_tail_stops(s) || view->version != t->version || (t->fired && (!idle || t->ticked));
}

enum pg_step pg_tail_wait(struct pg_session *s, const struct meta_view *view,
                          const struct sql_lookup_wait *wait)
{
    struct pg_tail *t = &s->tail;
    int64_t left_us = t->deadline_us - clock_mono_us();

    if (t->watch == NULL) {
        t->watch = sql_watch_new(s->sql, wait->shard, fired, s);
        t->fired = false;
    }
    if (is_due(s, view)) {
        t->woken = t->fired;
        t->sent = s->running->sent;
        t->fired = false;
        t->ticked = false;
        return PG_NEEDS_STEP;
    }
    if (!t->fired) {
        sql_watch_start(t->watch, s->running->from->result);
    }
    t->wait = *wait;
    t->waiting = true;
    timer_start(wait->shard, &t->timer,
                t->deadline_us > 0 && left_us < TICK_US ? (left_us > 0 ? left_us : 0) : TICK_US);
    return PG_LOOKS_UP;
}

void pg_tail_interrupted(struct pg_session *s)
{
    if (s->tail.waiting) {
        timer_start(s->tail.wait.shard, &s->tail.timer, 0);
    }
}
