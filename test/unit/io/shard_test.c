#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../support/shards.h"

#define SHARDS  4
#define MARBLES 2000

/* ---- messages ---- */

/* Marbles that every shard passes to all others, numbered per pair of shards. */
struct table {
    struct shard *shards[SHARDS];
    int next[SHARDS][SHARDS]; /* [receiver][sender]: the number expected; the receiver's */
    atomic_int received;
};

struct marble {
    struct message message;
    struct table *table;
    unsigned from;
    int number;
};

static void marble_run(struct message *m)
{
    struct marble *b = container_of(m, struct marble, message);
    unsigned here = shard_index(shard_current());

    ASSERT(b->table->next[here][b->from] == b->number);
    b->table->next[here][b->from]++;
    atomic_fetch_add(&b->table->received, 1);
    free(b);
}

static void throw_marbles(void *context, unsigned index)
{
    struct table *t = context;

    for (int i = 0; i < MARBLES; i++) {
        for (unsigned to = 0; to < SHARDS; to++) {
            struct marble *b = mem_new(struct marble);

            *b = (struct marble){.message.run = marble_run, .table = t, .from = index, .number = i};
            shard_send(t->shards[to], &b->message);
        }
    }
}

static void messages_of_one_sender_arrive_in_order(void **state)
{
    struct table *t = mem_new(struct table);

    (void)state;
    for (unsigned i = 0; i < SHARDS; i++) {
        t->shards[i] = test_shard(i, 0);
    }
    shards_call(t->shards, SHARDS, throw_marbles, t);
    assert_reaches(&t->received, SHARDS * SHARDS * MARBLES);
    for (unsigned i = 0; i < SHARDS; i++) {
        test_shard_end(t->shards[i]);
    }
    free(t);
}

/* One message there and back again: a lost wake-up would end this test by its patience. */
struct ping {
    struct message message;
    struct shard *ends[2];
    int left;
    atomic_int over;
};

static void ping_run(struct message *m)
{
    struct ping *p = container_of(m, struct ping, message);

    if (--p->left == 0) {
        atomic_store(&p->over, 1);
    } else {
        shard_send(p->ends[p->left % 2], m);
    }
}

static void no_wake_up_is_lost(void **state)
{
    struct ping p = {.message.run = ping_run, .left = 20000};

    (void)state;
    p.ends[0] = test_shard(0, 0);
    p.ends[1] = test_shard(1, 0);
    shard_send(p.ends[0], &p.message);
    assert_reaches(&p.over, 1);
    test_shard_end(p.ends[0]);
    test_shard_end(p.ends[1]);
}

static void stopped_with_messages_left(void **state)
{
    struct table *t = mem_new(struct table);
    struct marble lost = {.message.run = marble_run, .table = t};

    (void)state;
    t->shards[0] = test_shard(0, 0);
    shard_stop(t->shards[0]);
    shard_wait(t->shards[0]);
    shard_send(t->shards[0], &lost.message); /* allowed until the shard is freed */
    shard_wait(t->shards[0]);
    shard_join(t->shards[0]);
    shard_join(NULL);
    assert_int_equal(atomic_load(&t->received), 0);
    free(t);
}

static void ask_where(void *context) { *(struct shard **)context = shard_current(); }

static void knows_itself(void **state)
{
    struct shard *s = test_shard(7, 1234);
    struct shard *there = NULL;

    (void)state;
    on_shard(s, ask_where, &there);
    assert_ptr_equal(there, s);
    assert_null(shard_current());
    assert_int_equal(shard_index(s), 7);
    assert_int_equal(shard_budget(s)->limit, 1234);
    test_shard_end(s);
}

/* ---- timers ---- */

struct alarm {
    struct timer timer;
    struct alarms *all;
    int delay_us;
};

struct alarms {
    struct shard *shard;
    struct alarm items[200];
    int64_t started_us;
    int last_us; /* delay of the one that fired last */
    atomic_int fired;
};

static void alarm_fire(struct timer *t)
{
    struct alarm *a = container_of(t, struct alarm, timer);

    ASSERT(!timer_running(t));
    ASSERT(a->delay_us >= a->all->last_us);
    ASSERT(shard_now_us(a->all->shard) >= a->all->started_us + a->delay_us);
    a->all->last_us = a->delay_us;
    atomic_fetch_add(&a->all->fired, 1);
}

static void alarms_start(void *context)
{
    struct alarms *all = context;

    all->started_us = shard_now_us(all->shard);
    for (size_t i = 0; i < ARRAY_LEN(all->items); i++) {
        struct alarm *a = &all->items[i];

        a->all = all;
        a->delay_us = (int)(i * 7919 % 200) * 100;
        timer_init(&a->timer, alarm_fire);
        timer_start(all->shard, &a->timer, 5 + (int64_t)i);
        timer_start(all->shard, &a->timer, a->delay_us); /* moves it */
    }
    for (size_t i = 0; i < ARRAY_LEN(all->items); i += 2) {
        timer_stop(&all->items[i].timer);
        timer_stop(&all->items[i].timer);
    }
}

static void timers_fire_once_in_order_unless_stopped(void **state)
{
    struct alarms *all = mem_new(struct alarms);

    (void)state;
    all->shard = test_shard(0, 0);
    on_shard(all->shard, alarms_start, all);
    assert_reaches(&all->fired, 100);
    thread_sleep_us(3000);
    assert_int_equal(atomic_load(&all->fired), 100);
    test_shard_end(all->shard);
    free(all);
}

struct spinner {
    struct timer timer;
    struct shard *shard;
    atomic_int turns;
};

static void spinner_fire(struct timer *t)
{
    struct spinner *s = container_of(t, struct spinner, timer);

    atomic_fetch_add(&s->turns, 1);
    timer_start(s->shard, t, -5);
}

static void spinner_start(void *context)
{
    struct spinner *s = context;

    timer_init(&s->timer, spinner_fire);
    timer_start(s->shard, &s->timer, 0);
}

static void a_timer_without_delay_does_not_hold_up_the_loop(void **state)
{
    struct spinner s = {.shard = test_shard(0, 0)};

    (void)state;
    on_shard(s.shard, spinner_start, &s);
    for (int i = 0; i < 100; i++) {
        on_shard(s.shard, on_shard_nothing, NULL);
    }
    assert_reaches(&s.turns, 100);
    test_shard_end(s.shard);
}

static void far_future_start(void *context)
{
    struct spinner *s = context;

    timer_init(&s->timer, spinner_fire);
    timer_start(s->shard, &s->timer, INT64_MAX);
}

static void a_delay_may_be_for_ever(void **state)
{
    struct spinner s = {.shard = test_shard(0, 0)};

    (void)state;
    on_shard(s.shard, far_future_start, &s);
    shard_settle(s.shard);
    assert_true(timer_running(&s.timer));
    assert_int_equal(atomic_load(&s.turns), 0);
    test_shard_end(s.shard);
}

/* ---- end of turn ---- */

struct turn {
    struct shard *shard;
    struct deferred work[3];
    struct deferred flush;
    struct deferred cancelled;
    char order[16];
    size_t len;
};

static void turn_note(struct turn *t, char what) { t->order[t->len++] = what; }

static void work0_run(struct deferred *d) { turn_note(container_of(d, struct turn, work[0]), '0'); }

static void work1_run(struct deferred *d)
{
    struct turn *t = container_of(d, struct turn, work[1]);

    turn_note(t, '1');
    shard_defer(t->shard, DEFER_WORK, &t->work[2]);
}

static void work2_run(struct deferred *d) { turn_note(container_of(d, struct turn, work[2]), '2'); }

/* Work that appears while the later phase runs comes first again. */
static void flush_run(struct deferred *d)
{
    struct turn *t = container_of(d, struct turn, flush);

    turn_note(t, 'f');
    if (t->len < 8) {
        shard_defer(t->shard, DEFER_FLUSH, &t->flush);
        shard_defer(t->shard, DEFER_WORK, &t->work[0]);
    }
}

static void cancelled_run(struct deferred *d)
{
    turn_note(container_of(d, struct turn, cancelled), 'x');
}

static void turn_start(void *context)
{
    struct turn *t = context;

    deferred_init(&t->work[0], work0_run);
    deferred_init(&t->work[1], work1_run);
    deferred_init(&t->work[2], work2_run);
    deferred_init(&t->flush, flush_run);
    deferred_init(&t->cancelled, cancelled_run);
    shard_defer(t->shard, DEFER_FLUSH, &t->flush);
    shard_defer(t->shard, DEFER_WORK, &t->work[1]);
    shard_defer(t->shard, DEFER_WORK, &t->work[0]);
    shard_defer(t->shard, DEFER_WORK, &t->work[0]);
    shard_defer(t->shard, DEFER_WORK, &t->cancelled);
    deferred_cancel(&t->cancelled);
    turn_note(t, 's');
}

static void deferred_work_runs_by_phases_after_the_turn(void **state)
{
    struct turn t = {.shard = test_shard(0, 0)};

    (void)state;
    on_shard(t.shard, turn_start, &t);
    shard_settle(t.shard);
    test_shard_end(t.shard);
    assert_string_equal(t.order, "s102f0f0f");
}

/* ---- descriptors ---- */

struct lamp {
    struct watch watch;
    struct lamp *other;
    struct shard *shard;
    atomic_int seen;
};

/* The first of two that are ready takes the other one away: its event must not be delivered. */
static void lamp_ready(struct watch *w, uint32_t events)
{
    struct lamp *l = container_of(w, struct lamp, watch);

    ASSERT((events & EPOLLIN) != 0);
    atomic_fetch_add(&l->seen, 1);
    watch_stop(l->shard, &l->other->watch);
    watch_stop(l->shard, &l->watch);
}

static void lamps_start(void *context)
{
    struct lamp *lamps = context;
    struct error e;

    for (int i = 0; i < 2; i++) {
        lamps[i].watch.ready = lamp_ready;
        ASSERT(watch_start(lamps[i].shard, &lamps[i].watch, 0, &e) == ERR_OK);
    }
    for (int i = 0; i < 2; i++) {
        watch_change(lamps[i].shard, &lamps[i].watch, EPOLLIN);
    }
}

static void a_stopped_watch_is_silent_at_once(void **state)
{
    struct shard *s = test_shard(0, 0);
    struct lamp lamps[2] = {{.shard = s, .other = &lamps[1]}, {.shard = s, .other = &lamps[0]}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        lamps[i].watch.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
        assert_true(lamps[i].watch.fd >= 0);
    }
    on_shard(s, lamps_start, lamps);
    shard_settle(s);
    shard_settle(s);
    assert_int_equal(atomic_load(&lamps[0].seen) + atomic_load(&lamps[1].seen), 1);
    test_shard_end(s);
    (void)close(lamps[0].watch.fd);
    (void)close(lamps[1].watch.fd);
}

static void watch_nothing(void *context)
{
    struct watch w = {.fd = -1};
    struct error *e = context;

    ASSERT(watch_start(shard_current(), &w, EPOLLIN, e) != ERR_OK);
}

static void a_bad_descriptor_is_an_error(void **state)
{
    struct shard *s = test_shard(0, 0);
    struct error e = {0};

    (void)state;
    on_shard(s, watch_nothing, &e);
    assert_string_equal(e.message, "watch descriptor -1: Bad file descriptor");
    test_shard_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_one_sender_arrive_in_order),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(stopped_with_messages_left),
        cmocka_unit_test(knows_itself),
        cmocka_unit_test(timers_fire_once_in_order_unless_stopped),
        cmocka_unit_test(a_timer_without_delay_does_not_hold_up_the_loop),
        cmocka_unit_test(a_delay_may_be_for_ever),
        cmocka_unit_test(deferred_work_runs_by_phases_after_the_turn),
        cmocka_unit_test(a_stopped_watch_is_silent_at_once),
        cmocka_unit_test(a_bad_descriptor_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
