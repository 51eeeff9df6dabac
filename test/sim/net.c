#include "net.h"

#include "inside.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_MIN     2048
#define WINDOW_MAX     (1 << 20)
#define REFUSED_US_MAX 2000000 /* until a client learns that nobody is there */
#define DRIBBLE_US_MAX 400

/* Bytes under way, or arrived and not yet read: [from, len). */
struct pipe {
    uint8_t *data;
    size_t from;
    size_t len;
    size_t cap;
};

struct world_conn {
    struct list link;
    struct net *net;
    uint64_t number;
    const struct world_conn_handler *handler;
    void *context;
    uint16_t port;
    int socket;   /* the machine's side; -1: none (any more) */
    bool waiting; /* for being accepted */
    bool client_gone;
    bool client_paused;
    bool silent; /* nothing arrives on either side any more */
    bool up_end; /* the client has closed: follows its bytes */
    bool down_end;
    bool inbox_end;
    size_t window;
    struct pipe up;    /* to the machine */
    struct pipe inbox; /* arrived there */
    struct pipe down;
    struct world_event up_arrives;
    struct world_event down_arrives;
    struct world_event connecting;
    struct world_event closing; /* for the client */
};

/* ---- pipes ---- */

static size_t pipe_len(const struct pipe *p) { return p->len - p->from; }

static void pipe_add(struct pipe *p, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    if (p->from == p->len) {
        p->from = 0;
        p->len = 0;
    }
    if (p->len + len > p->cap) {
        p->cap = (p->len + len) * 2;
        p->data = mem_realloc(p->data, p->cap);
    }
    memcpy(p->data + p->len, data, len);
    p->len += len;
}

static void pipe_drop(struct pipe *p) { p->from = p->len; }

/* ---- life ---- */

void net_init(struct net *n, struct world *w)
{
    n->world = w;
    n->random = world_prng(w, "net");
    list_init(&n->conns);
}

static void conn_free(struct world_conn *c)
{
    struct world *w = c->net->world;

    world_cancel(w, &c->up_arrives);
    world_cancel(w, &c->down_arrives);
    world_cancel(w, &c->connecting);
    world_cancel(w, &c->closing);
    list_remove(&c->link);
    free(c->up.data);
    free(c->inbox.data);
    free(c->down.data);
    free(c);
}

void net_fini(struct net *n)
{
    LIST_FOR_EACH(it, &n->conns) { conn_free(container_of(it, struct world_conn, link)); }
}

/* Connections are freed here only, so that no callback loses the ground under its feet. */
static void collect(struct net *n)
{
    LIST_FOR_EACH(it, &n->conns)
    {
        struct world_conn *c = container_of(it, struct world_conn, link);

        if (c->client_gone && c->socket < 0) {
            conn_free(c);
        }
    }
}

/* ---- who is told what ---- */

static int64_t delay(struct net *n)
{
    const struct net_faults *f = &n->world->faults.net;
    int64_t us = prng_skewed(&n->random, f->delay_us_min, f->delay_us_max);

    if (f->stall > 0 && prng_chance(&n->random, f->stall)) {
        us += prng_skewed(&n->random, 0, f->stall_us_max);
    }
    return us;
}

static void socket_ready(struct net *n, int socket)
{
    if (socket >= 0 && n->sockets[socket].end != NULL) {
        n->sockets[socket].end->ready(n->sockets[socket].end);
    }
}

static void client_closed(struct world_event *ev)
{
    struct world_conn *c = container_of(ev, struct world_conn, closing);

    if (!c->client_gone) {
        c->client_gone = true;
        c->handler->closed(c, c->context);
    }
}

static void tell_client(struct world_conn *c, int64_t delay_us)
{
    if (!c->client_gone && c->closing.heap_index == 0) {
        world_schedule(c->net->world, &c->closing, delay_us);
    }
}

static void tell_machine(struct world_conn *c)
{
    c->inbox_end = true;
    pipe_drop(&c->up);
    socket_ready(c->net, c->socket);
}

/* Perhaps the connection breaks now. */
static bool breaks(struct world_conn *c)
{
    struct net *n = c->net;
    const struct net_faults *f = &n->world->faults.net;
    bool cut = f->cut > 0 && prng_chance(&n->random, f->cut);
    bool half = !cut && f->half_open > 0 && prng_chance(&n->random, f->half_open);
    bool client_knows = cut || prng_below(&n->random, 2) == 0;

    if (!cut && !half) {
        return false;
    }
    trace_line(n->world->trace, "net", "connection %llu %s", (unsigned long long)c->number,
               cut            ? "is cut"
               : client_knows ? "is cut, the server does not know"
                              : "is cut, the client does not know");
    c->silent = true;
    if (client_knows) {
        tell_client(c, delay(n));
    }
    if (cut || !client_knows) {
        tell_machine(c);
    }
    return true;
}

/* How much of the pipe arrives at once; the rest follows by the same event. */
static size_t portion(struct world_conn *c, const struct pipe *p, struct world_event *rest)
{
    struct net *n = c->net;
    size_t len = pipe_len(p);
    uint32_t dribble = n->world->faults.net.dribble;

    if (len > 1 && dribble > 0 && prng_chance(&n->random, dribble)) {
        len = 1 + (size_t)prng_below(&n->random, len < 4 ? len : 4);
    } else if (len > 1 && prng_below(&n->random, 8) == 0) {
        len = 1 + (size_t)prng_below(&n->random, len);
    }
    if (len < pipe_len(p)) {
        world_schedule(n->world, rest, prng_between(&n->random, 1, DRIBBLE_US_MAX));
    }
    return len;
}

static void up_arrives(struct world_event *ev)
{
    struct world_conn *c = container_of(ev, struct world_conn, up_arrives);
    size_t len;

    /* what arrives before the connection is accepted is kept for whoever accepts it */
    if (c->silent || (c->socket < 0 && !c->waiting) || breaks(c)) {
        pipe_drop(&c->up);
        return;
    }
    len = portion(c, &c->up, ev);
    pipe_add(&c->inbox, c->up.data + c->up.from, len);
    c->up.from += len;
    if (pipe_len(&c->up) == 0 && c->up_end) {
        c->inbox_end = true;
    }
    socket_ready(c->net, c->socket);
}

static void down_arrives(struct world_event *ev)
{
    struct world_conn *c = container_of(ev, struct world_conn, down_arrives);
    struct bytes run;

    if (c->silent || c->client_gone || breaks(c)) {
        pipe_drop(&c->down);
        return;
    }
    if (c->client_paused) {
        return;
    }
    if (pipe_len(&c->down) > 0) {
        size_t len = portion(c, &c->down, ev);
        /* the callback may send, but not on this pipe */
        run = bytes_of(c->down.data + c->down.from, len);
        c->down.from += len;
        c->handler->received(c, c->context, run);
        socket_ready(c->net, c->socket);
    }
    if (pipe_len(&c->down) == 0 && c->down_end) {
        tell_client(c, 1);
    }
}

/* ---- the clients' side ---- */

static struct net_socket *listener_on(struct net *n, uint16_t port, int *ret)
{
    for (int i = 0; i < NET_SOCKETS; i++) {
        if (n->sockets[i].used && n->sockets[i].port == port) {
            *ret = i;
            return &n->sockets[i];
        }
    }
    return NULL;
}

static void connecting(struct world_event *ev)
{
    struct world_conn *c = container_of(ev, struct world_conn, connecting);
    struct net *n = c->net;
    int at = -1;

    if (c->client_gone) {
        return;
    }
    if (listener_on(n, c->port, &at) == NULL ||
        (n->world->faults.net.refuse > 0 && prng_chance(&n->random, n->world->faults.net.refuse))) {
        tell_client(c, prng_skewed(&n->random, 1, REFUSED_US_MAX));
        return;
    }
    c->waiting = true;
    c->handler->connected(c, c->context);
    socket_ready(n, at);
}

struct world_conn *world_connect(struct world *w, uint16_t port,
                                 const struct world_conn_handler *handler, void *context)
{
    struct net *n = &w->net;
    struct world_conn *c = mem_new(struct world_conn);

    collect(n);
    c->net = n;
    c->number = ++n->next_number;
    c->handler = handler;
    c->context = context;
    c->port = port;
    c->socket = -1;
    c->window = (size_t)prng_skewed(&n->random, WINDOW_MIN, WINDOW_MAX);
    world_event_init(&c->up_arrives, up_arrives);
    world_event_init(&c->down_arrives, down_arrives);
    world_event_init(&c->connecting, connecting);
    world_event_init(&c->closing, client_closed);
    list_push_back(&n->conns, &c->link);
    world_schedule(w, &c->connecting, delay(n));
    return c;
}

/* What the client does comes to nothing, and it hears of that. */
static void reset_client(struct world_conn *c)
{
    if (!c->waiting && c->socket < 0) {
        tell_client(c, delay(c->net));
    }
}

void world_conn_send(struct world_conn *c, struct bytes b)
{
    ASSERT(!c->client_gone);
    reset_client(c);
    pipe_add(&c->up, b.data, b.len);
    if (c->up_arrives.heap_index == 0) {
        world_schedule(c->net->world, &c->up_arrives, delay(c->net));
    }
}

void world_conn_pause(struct world_conn *c) { c->client_paused = true; }

void world_conn_resume(struct world_conn *c)
{
    c->client_paused = false;
    if (c->down_arrives.heap_index == 0) {
        world_schedule(c->net->world, &c->down_arrives, delay(c->net));
    }
}

void world_conn_close(struct world_conn *c)
{
    ASSERT(!c->client_gone);
    c->client_gone = true;
    c->waiting = false;
    c->up_end = true;
    pipe_drop(&c->down);
    if (c->socket >= 0 && c->up_arrives.heap_index == 0) {
        world_schedule(c->net->world, &c->up_arrives, delay(c->net));
    }
}

/* ---- the machine's side ---- */

static int socket_new(struct net *n)
{
    for (int i = 0; i < NET_SOCKETS; i++) {
        if (!n->sockets[i].used) {
            n->sockets[i] = (struct net_socket){.used = true};
            return i;
        }
    }
    return -1;
}

int net_listen(struct net *n, uint16_t port)
{
    int at = -1;
    int taken;

    ASSERT(port > 0);
    if (listener_on(n, port, &taken) == NULL) {
        at = socket_new(n);
        ASSERT(at >= 0);
        n->sockets[at].port = port;
    }
    return at;
}

int net_accept(struct net *n, int listener)
{
    LIST_FOR_EACH(it, &n->conns)
    {
        struct world_conn *c = container_of(it, struct world_conn, link);
        int at;

        if (!c->waiting || c->port != n->sockets[listener].port || (at = socket_new(n)) < 0) {
            continue;
        }
        c->waiting = false;
        c->socket = at;
        n->sockets[at].conn = c;
        return at;
    }
    return -1;
}

static struct world_conn *conn_of(const struct net *n, int socket)
{
    ASSERT(socket >= 0 && socket < NET_SOCKETS && n->sockets[socket].used);
    return n->sockets[socket].conn;
}

void net_attach(struct net *n, int socket, struct net_end *end)
{
    ASSERT(n->sockets[socket].used);
    n->sockets[socket].end = end;
}

bool net_readable(const struct net *n, int socket)
{
    const struct world_conn *c = conn_of(n, socket);

    if (c == NULL) {
        LIST_FOR_EACH(it, &n->conns)
        {
            const struct world_conn *other = container_of(it, struct world_conn, link);

            if (other->waiting && other->port == n->sockets[socket].port) {
                return true;
            }
        }
        return false;
    }
    return pipe_len(&c->inbox) > 0 || c->inbox_end;
}

size_t net_recv(struct net *n, int socket, void *buffer, size_t len, bool *ret_over)
{
    struct world_conn *c = conn_of(n, socket);
    size_t have = pipe_len(&c->inbox);

    have = have < len ? have : len;
    if (have > 0) {
        memcpy(buffer, c->inbox.data + c->inbox.from, have);
        c->inbox.from += have;
    }
    *ret_over = have == 0 && c->inbox_end;
    return have;
}

size_t net_room(const struct net *n, int socket)
{
    const struct world_conn *c = conn_of(n, socket);
    size_t used = pipe_len(&c->down);

    return used < c->window ? c->window - used : 0;
}

void net_send(struct net *n, int socket, struct bytes b)
{
    struct world_conn *c = conn_of(n, socket);

    ASSERT(b.len <= net_room(n, socket));
    if (c->client_gone && !c->silent) {
        tell_machine(c); /* reset by peer */
        return;
    }
    pipe_add(&c->down, b.data, b.len);
    if (c->down_arrives.heap_index == 0) {
        world_schedule(n->world, &c->down_arrives, delay(n));
    }
}

void net_close(struct net *n, int socket)
{
    struct world_conn *c = conn_of(n, socket);

    n->sockets[socket] = (struct net_socket){0};
    if (c == NULL) {
        return;
    }
    c->socket = -1;
    c->down_end = true;
    if (!c->client_gone && c->down_arrives.heap_index == 0) {
        world_schedule(n->world, &c->down_arrives, delay(n));
    }
}

uint64_t net_number(const struct net *n, int socket)
{
    const struct world_conn *c = conn_of(n, socket);

    return c == NULL ? 0 : c->number;
}

void net_machine_gone(struct net *n, bool quiet)
{
    memset(n->sockets, 0, sizeof n->sockets);
    LIST_FOR_EACH(it, &n->conns)
    {
        struct world_conn *c = container_of(it, struct world_conn, link);

        if (c->socket < 0 && !c->waiting) {
            continue;
        }
        c->socket = -1;
        c->waiting = false;
        if (!quiet || prng_below(&n->random, 2) == 0) {
            tell_client(c, delay(n));
        } else {
            pipe_drop(&c->down);
        }
    }
}
