/* io/stream.h over the simulated network: the same order of callbacks as src/io/stream.c has. */
#include "sim_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/stream.h"

#define COPY_BYTES 4096 /* of a file at a time */

struct stream {
    struct net_end end;
    struct attention attention;
    int socket;
    struct shard *shard;
    const struct stream_handler *handler;
    void *context;
    struct list writes; /* struct stream_write */
    size_t unsent;
    int64_t active_us;
    struct deferred flush;
    struct deferred closing;
    struct error why;
    bool paused;
    bool failed;
    bool flushing; /* inside stream_flush, which frees what is `freed` meanwhile */
    bool freed;
    char peer[32];
};

static void stream_flush(struct deferred *d);

static struct net *net_here(void) { return &world_here()->net; }

static void stream_ready(struct net_end *end)
{
    struct stream *s = container_of(end, struct stream, end);

    if (s->shard != NULL && !s->failed) {
        shard_attend(s->shard, &s->attention);
    }
}

static void stream_fail(struct stream *s, const char *why)
{
    if (!s->failed) {
        s->failed = true;
        (void)error_set(&s->why, ERR_NETWORK, "connection to %s: %s", s->peer, why);
        attention_cancel(&s->attention);
        shard_defer(s->shard, DEFER_WORK, &s->closing);
    }
}

static void stream_attention(struct attention *a)
{
    struct stream *s = container_of(a, struct stream, attention);

    if (!list_empty(&s->writes)) {
        shard_defer(s->shard, DEFER_FLUSH, &s->flush);
    }
    if (!s->paused && net_readable(net_here(), s->socket)) {
        shard_attend(s->shard, &s->attention); /* as long as there is something: the next turn */
        s->handler->readable(s, s->context);
    }
}

static void stream_tell_closed(struct deferred *d)
{
    struct stream *s = container_of(d, struct stream, closing);

    s->handler->closed(s, s->context, &s->why);
}

enum errcode stream_open(struct shard *shard, int fd, const struct stream_handler *handler,
                         void *context, struct stream **ret, struct error *e)
{
    struct stream *s = mem_new(struct stream);

    (void)e;
    ASSERT_ON(shard);
    s->end.ready = stream_ready;
    s->socket = fd;
    s->shard = shard;
    s->handler = handler;
    s->context = context;
    s->active_us = shard_now_us(shard);
    list_init(&s->writes);
    attention_init(&s->attention, stream_attention);
    deferred_init(&s->flush, stream_flush);
    deferred_init(&s->closing, stream_tell_closed);
    (void)snprintf(s->peer, sizeof s->peer, "client:%llu",
                   (unsigned long long)net_number(net_here(), fd));
    net_attach(net_here(), fd, &s->end);
    stream_ready(&s->end);
    *ret = s;
    return ERR_OK;
}

static void end_write(struct stream *s, struct stream_write *w, bool ok)
{
    list_remove(&w->link);
    s->unsent -= w->pieces.len;
    pieces_fini(&w->pieces);
    w->sent(w, ok);
}

void stream_free(struct stream *s)
{
    if (s == NULL) {
        return;
    }
    ASSERT_ON(s->shard);
    ASSERT(!s->freed);
    s->failed = true;
    attention_cancel(&s->attention);
    deferred_cancel(&s->flush);
    deferred_cancel(&s->closing);
    net_close(net_here(), s->socket);
    while (!list_empty(&s->writes)) {
        end_write(s, container_of(s->writes.next, struct stream_write, link), false);
    }
    deferred_cancel(&s->flush);
    s->freed = true;
    if (!s->flushing) {
        free(s);
    }
}

void stream_detach(struct stream *s)
{
    ASSERT_ON(s->shard);
    ASSERT(list_empty(&s->writes));
    attention_cancel(&s->attention);
    deferred_cancel(&s->flush);
    deferred_cancel(&s->closing);
    s->shard = NULL;
}

void stream_attach(struct stream *s, struct shard *shard)
{
    ASSERT_ON(shard);
    s->shard = shard;
    if (s->failed) {
        shard_defer(shard, DEFER_WORK, &s->closing);
    } else {
        shard_attend(shard, &s->attention);
    }
}

size_t stream_recv(struct stream *s, void *buffer, size_t len)
{
    bool over = false;
    size_t n = 0;

    if (!s->failed && len > 0) {
        n = net_recv(net_here(), s->socket, buffer, len, &over);
        s->active_us = n > 0 ? shard_now_us(s->shard) : s->active_us;
        if (over) {
            stream_fail(s, "closed by the peer");
        }
    }
    return n;
}

void stream_pause(struct stream *s) { s->paused = true; }

void stream_resume(struct stream *s)
{
    s->paused = false;
    stream_ready(&s->end);
}

void stream_send(struct stream *s, struct stream_write *w)
{
    ASSERT_ON(s->shard);
    w->piece = 0;
    w->piece_done = 0;
    s->unsent += w->pieces.len;
    list_push_back(&s->writes, &w->link);
    shard_defer(s->shard, DEFER_FLUSH, &s->flush);
}

size_t stream_unsent(const struct stream *s) { return s->unsent; }

int64_t stream_active_us(const struct stream *s) { return s->active_us; }

const char *stream_peer(const struct stream *s) { return s->peer; }

uint16_t stream_local_port(const struct stream *s)
{
    (void)s;
    return WORLD_PORT;
}

/* ---- sending ---- */

/* Sends up to len bytes of the piece from `done`; 0: the file is shorter than promised. */
static size_t send_run(struct stream *s, const struct piece *p, size_t done, size_t len)
{
    uint8_t copy[COPY_BYTES];
    size_t got = 0;
    struct error e;

    if (p->data != NULL) {
        net_send(net_here(), s->socket, bytes_of(p->data + done, len));
        return len;
    }
    len = len < sizeof copy ? len : sizeof copy;
    if (file_read_some(p->file, p->file_offset + done, copy, len, &got, &e) != ERR_OK) {
        return 0;
    }
    if (got > 0) {
        net_send(net_here(), s->socket, bytes_of(copy, got));
    }
    return got;
}

/* One run of the write at the head of the queue. false: nothing more can be sent now. */
static bool flush_step(struct stream *s, struct stream_write *w)
{
    const struct piece *p = &w->pieces.items[w->piece];
    size_t room = net_room(net_here(), s->socket);
    size_t left = p->len - w->piece_done;
    size_t n;

    if (left > 0 && room == 0) {
        return false;
    }
    n = left > 0 ? send_run(s, p, w->piece_done, left < room ? left : room) : 0;
    if (left > 0 && n == 0) {
        stream_fail(s, "the file is shorter than promised");
        return false;
    }
    s->active_us = shard_now_us(s->shard);
    w->piece_done += n;
    w->pieces.len -= n;
    s->unsent -= n;
    if (n == left) {
        w->piece++;
        w->piece_done = 0;
    }
    return true;
}

static void stream_flush(struct deferred *d)
{
    struct stream *s = container_of(d, struct stream, flush);

    s->flushing = true;
    while (!s->failed && !list_empty(&s->writes)) {
        struct stream_write *w = container_of(s->writes.next, struct stream_write, link);

        if (w->piece == w->pieces.count) {
            end_write(s, w, true);
        } else if (!flush_step(s, w)) {
            break;
        }
    }
    s->flushing = false;
    if (s->freed) {
        free(s);
    }
}

/* ---- listening ---- */

struct listener {
    struct net_end end;
    struct attention attention;
    int socket;
    struct shard *shard;
    void (*accepted)(void *context, int fd);
    void *context;
};

enum errcode socket_listen(const char *host, uint16_t port, int *ret_fd, uint16_t *ret_port,
                           struct error *e)
{
    int socket = net_listen(net_here(), port);

    if (socket < 0) {
        return error_set(e, ERR_NETWORK, "listen on %s:%u: taken", host, port);
    }
    *ret_fd = socket;
    *ret_port = port;
    return ERR_OK;
}

enum errcode socket_connect(const char *host, uint16_t port, int *ret_fd, struct error *e)
{
    (void)ret_fd;
    return error_set(e, ERR_NETWORK, "connect to %s:%u: there is no way out of a simulation", host,
                     port);
}

void socket_close(int fd)
{
    if (fd >= 0) {
        net_close(net_here(), fd);
    }
}

static void listener_ready(struct net_end *end)
{
    struct listener *l = container_of(end, struct listener, end);

    shard_attend(l->shard, &l->attention);
}

static void listener_attention(struct attention *a)
{
    struct listener *l = container_of(a, struct listener, attention);
    int fd;

    while ((fd = net_accept(net_here(), l->socket)) >= 0) {
        l->accepted(l->context, fd);
    }
}

struct listener *listener_new(struct shard *shard, int fd, void (*accepted)(void *context, int fd),
                              void *context)
{
    struct listener *l = mem_new(struct listener);

    ASSERT_ON(shard);
    l->end.ready = listener_ready;
    l->socket = fd;
    l->shard = shard;
    l->accepted = accepted;
    l->context = context;
    attention_init(&l->attention, listener_attention);
    net_attach(net_here(), fd, &l->end);
    shard_attend(shard, &l->attention);
    return l;
}

void listener_free(struct listener *l)
{
    if (l != NULL) {
        attention_cancel(&l->attention);
        socket_close(l->socket);
        free(l);
    }
}
