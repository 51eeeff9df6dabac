#include "real.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/list.h"
#include "io/blocking.h"
#include "io/clock.h"
#include "io/stream.h"

#define EVENTS_MAX    256
#define WAIT_US_MAX   2000
#define SETTLE_ROUNDS 3

struct world_conn {
    struct list link;
    const struct world_conn_handler *handler;
    void *context;
    int fd; /* -1: refused */
    bool announced;
    bool gone; /* freed at the next look */
    struct buffer out;
};

struct world {
    int64_t started_us;
    uint64_t seed;
    uint16_t port;
    struct trace *trace;
    struct list conns;
    struct world_event *events[EVENTS_MAX]; /* in no order; heap_index is the place from 1 on */
    size_t event_count;
    uint64_t next_number;
};

struct world *real_world_new(uint64_t seed, uint16_t port)
{
    struct world *w = mem_new(struct world);

    w->started_us = clock_mono_us();
    w->seed = seed;
    w->port = port;
    w->trace = trace_new(stdout, false);
    list_init(&w->conns);
    return w;
}

static void conn_free(struct world_conn *c)
{
    list_remove(&c->link);
    if (c->fd >= 0) {
        socket_close(c->fd);
    }
    buffer_fini(&c->out);
    free(c);
}

void real_world_free(struct world *w)
{
    LIST_FOR_EACH(it, &w->conns) { conn_free(container_of(it, struct world_conn, link)); }
    trace_free(w->trace);
    free(w);
}

int64_t world_now_us(const struct world *w) { return clock_mono_us() - w->started_us; }

struct trace *world_trace(struct world *w) { return w->trace; }

struct prng world_prng(const struct world *w, const char *name)
{
    const struct prng root = {.state = w->seed};

    return prng_split(&root, name);
}

/* ---- events ---- */

void world_event_init(struct world_event *ev, void (*fire)(struct world_event *ev))
{
    *ev = (struct world_event){.fire = fire};
}

void world_cancel(struct world *w, struct world_event *ev)
{
    struct world_event *last;

    if (ev->heap_index > 0) {
        last = w->events[--w->event_count];
        w->events[ev->heap_index - 1] = last;
        last->heap_index = ev->heap_index;
        ev->heap_index = 0;
    }
}

void world_schedule(struct world *w, struct world_event *ev, int64_t delay_us)
{
    world_cancel(w, ev);
    ASSERT(w->event_count < EVENTS_MAX);
    ev->at_us = world_now_us(w) + delay_us;
    ev->number = w->next_number++;
    w->events[w->event_count++] = ev;
    ev->heap_index = w->event_count;
}

/* The one that is due first; NULL: there is none. */
static struct world_event *first_event(const struct world *w)
{
    struct world_event *first = NULL;

    for (size_t i = 0; i < w->event_count; i++) {
        struct world_event *ev = w->events[i];

        if (first == NULL || ev->at_us < first->at_us ||
            (ev->at_us == first->at_us && ev->number < first->number)) {
            first = ev;
        }
    }
    return first;
}

static void fire_due(struct world *w)
{
    int64_t now_us = world_now_us(w);
    struct world_event *ev;

    while ((ev = first_event(w)) != NULL && ev->at_us <= now_us) {
        world_cancel(w, ev);
        ev->fire(ev);
    }
}

/* ---- connections ---- */

struct world_conn *world_connect(struct world *w, uint16_t port,
                                 const struct world_conn_handler *handler, void *context)
{
    struct world_conn *c = mem_new(struct world_conn);

    (void)port; /* the clients know one, the real server has another */
    c->handler = handler;
    c->context = context;
    if (socket_connect("127.0.0.1", w->port, &c->fd, NULL) != ERR_OK) {
        c->fd = -1;
    }
    list_push_back(&w->conns, &c->link);
    return c;
}

void world_conn_send(struct world_conn *c, struct bytes b) { buffer_bytes(&c->out, b); }

void world_conn_close(struct world_conn *c) { c->gone = true; }

static void conn_lost(struct world_conn *c)
{
    c->gone = true;
    c->handler->closed(c, c->context);
}

static void conn_flush(struct world_conn *c)
{
    struct bytes out = buffer_view(&c->out);
    size_t sent = 0;

    if (out.len > 0 && socket_send_runs(c->fd, &out, 1, &sent, NULL) != ERR_OK) {
        conn_lost(c);
        return;
    }
    c->out.len -= sent;
    if (sent > 0) {
        memmove(c->out.data, c->out.data + sent, c->out.len);
    }
}

static void conn_receive(struct world_conn *c)
{
    uint8_t buffer[32 << 10];
    size_t len = 0;

    if (socket_recv_some(c->fd, buffer, sizeof buffer, &len, NULL) != ERR_OK) {
        conn_lost(c);
    } else if (len > 0) {
        c->handler->received(c, c->context, bytes_of(buffer, len));
    }
}

/* What can be done at once with each connection; the ends and beginnings of them. */
static size_t look_at_conns(struct world *w, struct world_conn **ret)
{
    size_t count = 0;

    LIST_FOR_EACH(it, &w->conns)
    {
        struct world_conn *c = container_of(it, struct world_conn, link);

        if (c->gone) {
            conn_free(c);
            continue;
        }
        if (c->fd < 0) {
            conn_lost(c);
            continue;
        }
        if (!c->announced) {
            c->announced = true;
            c->handler->connected(c, c->context);
        }
        conn_flush(c);
        if (!c->gone) {
            ASSERT(count < SOCKET_WAIT_MAX);
            ret[count++] = c;
        }
    }
    return count;
}

static void turn(struct world *w, int64_t wait_us)
{
    struct socket_interest items[SOCKET_WAIT_MAX];
    struct world_conn *conns[SOCKET_WAIT_MAX];
    size_t count;

    fire_due(w);
    count = look_at_conns(w, conns);
    for (size_t i = 0; i < count; i++) {
        items[i] =
            (struct socket_interest){.fd = conns[i]->fd, .want_write = conns[i]->out.len > 0};
    }
    socket_wait(items, count, wait_us);
    for (size_t i = 0; i < count; i++) {
        if (items[i].ready && !conns[i]->gone) {
            conn_receive(conns[i]);
        }
    }
}

static int64_t wait_for_next(const struct world *w)
{
    const struct world_event *ev = first_event(w);
    int64_t left_us = ev == NULL ? WAIT_US_MAX : ev->at_us - world_now_us(w);

    return left_us < 0 ? 0 : left_us < WAIT_US_MAX ? left_us : WAIT_US_MAX;
}

void world_run(struct world *w, int64_t until_us)
{
    while (world_now_us(w) < until_us) {
        turn(w, wait_for_next(w));
    }
}

void real_settle(struct world *w)
{
    for (int i = 0; i < SETTLE_ROUNDS; i++) {
        turn(w, 0);
    }
}
