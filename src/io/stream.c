#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define RUNS_PER_CALL 64
/* One stream sends at most this much in a turn, so that others get theirs. */
#define BYTES_PER_TURN (4u << 20)

struct stream {
    struct watch watch; /* first: `ready` gets it */
    struct shard *shard;
    const struct stream_handler *handler;
    void *context;
    struct list writes; /* struct stream_write */
    size_t unsent;
    int64_t active_us; /* when bytes last moved */
    struct deferred flush;
    struct deferred closing; /* delivers `closed` outside of the call that noticed */
    struct error why;
    bool paused;
    bool blocked; /* the socket is full: wait for EPOLLOUT */
    bool failed;
    bool flushing; /* inside stream_flush, which frees what is `freed` meanwhile */
    bool freed;
    bool closed_told;
    char peer[64];
};

static void stream_ready(struct watch *w, uint32_t events);
static void stream_fail(struct stream *s, int why);
static void stream_flush(struct deferred *d);
static void stream_tell_closed(struct deferred *d);

static void describe_peer(struct stream *s)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    char host[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;

    if (getpeername(s->watch.fd, (struct sockaddr *)&a, &len) == 0) {
        if (a.ss_family == AF_INET) {
            const struct sockaddr_in *in = (const struct sockaddr_in *)&a;

            (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
            port = ntohs(in->sin_port);
        } else if (a.ss_family == AF_INET6) {
            const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&a;

            (void)inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
            port = ntohs(in->sin6_port);
        }
    }
    (void)snprintf(s->peer, sizeof s->peer, "%s:%u", host, port);
}

enum errcode stream_open(struct shard *shard, int fd, const struct stream_handler *handler,
                         void *context, struct stream **ret, struct error *e)
{
    struct stream *s = mem_new(struct stream);
    int on = 1;
    enum errcode code;

    ASSERT_ON(shard);
    s->watch = (struct watch){.fd = fd, .ready = stream_ready};
    s->shard = shard;
    s->handler = handler;
    s->context = context;
    s->active_us = shard_now_us(shard);
    list_init(&s->writes);
    deferred_init(&s->flush, stream_flush);
    deferred_init(&s->closing, stream_tell_closed);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    describe_peer(s);
    code = watch_start(shard, &s->watch, EPOLLIN, e);
    if (code != ERR_OK) {
        (void)close(fd);
        free(s);
        return code;
    }
    *ret = s;
    return ERR_OK;
}

static void end_write(struct stream *s, struct stream_write *w, bool ok)
{
    list_remove(&w->link);
    s->unsent -= w->pieces.len; /* what was not sent; 0 after success */
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
    s->failed = true; /* what a callback below still sends stays in the queue and ends here */
    watch_stop(s->shard, &s->watch);
    deferred_cancel(&s->flush);
    deferred_cancel(&s->closing);
    (void)close(s->watch.fd);
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
    if (!s->failed) {
        watch_stop(s->shard, &s->watch);
    }
    deferred_cancel(&s->flush);
    deferred_cancel(&s->closing);
    s->shard = NULL;
}

void stream_attach(struct stream *s, struct shard *shard)
{
    struct error e;

    ASSERT_ON(shard);
    s->shard = shard;
    s->blocked = false;
    if (s->failed) {
        shard_defer(shard, DEFER_WORK, &s->closing); /* not yet told */
    } else if (watch_start(shard, &s->watch, s->paused ? 0 : (uint32_t)EPOLLIN, &e) != ERR_OK) {
        stream_fail(s, e.os_errno);
    }
}

static void update_events(struct stream *s)
{
    uint32_t events = 0;

    if (!s->failed) {
        events = (s->paused ? 0 : (uint32_t)EPOLLIN) | (s->blocked ? (uint32_t)EPOLLOUT : 0);
        watch_change(s->shard, &s->watch, events);
    }
}

/* Notes the end of the stream; `closed` follows at the end of the turn. */
static void stream_fail(struct stream *s, int why)
{
    if (s->failed) {
        return;
    }
    s->failed = true;
    if (why == 0) {
        (void)error_set(&s->why, ERR_NETWORK, "%s closed the connection", s->peer);
    } else {
        (void)error_set(&s->why, ERR_NETWORK, "connection to %s: %s", s->peer, strerror(why));
        s->why.os_errno = why;
    }
    watch_stop(s->shard, &s->watch);
    shard_defer(s->shard, DEFER_WORK, &s->closing);
}

static void stream_tell_closed(struct deferred *d)
{
    struct stream *s = container_of(d, struct stream, closing);

    ASSERT(!s->closed_told);
    s->closed_told = true;
    s->handler->closed(s, s->context, &s->why);
}

static void stream_ready(struct watch *w, uint32_t events)
{
    struct stream *s = container_of(w, struct stream, watch);

    if ((events & EPOLLOUT) != 0) {
        s->blocked = false;
        update_events(s);
        shard_defer(s->shard, DEFER_FLUSH, &s->flush);
    }
    if ((events & EPOLLIN) != 0 && !s->paused) {
        s->handler->readable(s, s->context);
        return; /* the callback may have freed the stream */
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        int why = 0;
        socklen_t len = sizeof why;

        (void)getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &why, &len);
        stream_fail(s, why);
    }
}

size_t stream_recv(struct stream *s, void *buffer, size_t len)
{
    ssize_t n;

    if (s->failed || len == 0) {
        return 0;
    }
    do {
        n = recv(s->watch.fd, buffer, len, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        s->active_us = shard_now_us(s->shard);
        return (size_t)n;
    }
    if (n == 0) {
        stream_fail(s, 0);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
        stream_fail(s, errno);
    }
    return 0;
}

void stream_pause(struct stream *s)
{
    s->paused = true;
    update_events(s);
}

void stream_resume(struct stream *s)
{
    s->paused = false;
    update_events(s);
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
    struct sockaddr_storage a;
    socklen_t len = sizeof a;

    if (getsockname(s->watch.fd, (struct sockaddr *)&a, &len) != 0) {
        return 0;
    }
    return a.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a)->sin6_port)
                                   : ntohs(((struct sockaddr_in *)&a)->sin_port);
}

/* ---- sending ---- */

/* The memory pieces at the head of the queue, across writes, up to the first file range. Sets
 * *ret_file when one follows. */
static size_t gather(struct stream *s, struct iovec *iov, bool *ret_file)
{
    size_t count = 0;

    *ret_file = false;
    LIST_FOR_EACH(it, &s->writes)
    {
        struct stream_write *w = container_of(it, struct stream_write, link);
        size_t done = w->piece_done;

        for (size_t i = w->piece; i < w->pieces.count; i++, done = 0) {
            const struct piece *p = &w->pieces.items[i];

            if (count == RUNS_PER_CALL || p->data == NULL) {
                *ret_file = true; /* more follows: ask the kernel to hold a short segment back */
                return count;
            }
            iov[count++] = (struct iovec){.iov_base = (void *)(uintptr_t)(p->data + done),
                                          .iov_len = p->len - done};
        }
    }
    return count;
}

/* Takes n sent bytes off the head of the queue and ends the writes they complete. */
static void advance(struct stream *s, size_t n)
{
    while (!list_empty(&s->writes)) {
        struct stream_write *w = container_of(s->writes.next, struct stream_write, link);

        while (w->piece < w->pieces.count) {
            size_t left = w->pieces.items[w->piece].len - w->piece_done;
            size_t step = n < left ? n : left;

            w->piece_done += step;
            w->pieces.len -= step;
            s->unsent -= step;
            n -= step;
            if (step < left) {
                return;
            }
            w->piece++;
            w->piece_done = 0;
        }
        end_write(s, w, true);
    }
}

static ssize_t send_memory(struct stream *s, struct iovec *iov, size_t count, bool more)
{
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = count};

    return sendmsg(s->watch.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
}

static ssize_t send_file(struct stream *s)
{
    struct stream_write *w = container_of(s->writes.next, struct stream_write, link);
    const struct piece *p = &w->pieces.items[w->piece];
    off_t at = (off_t)(p->file_offset + w->piece_done);
    ssize_t n = sendfile(s->watch.fd, p->file->fd, &at, p->len - w->piece_done);

    if (n == 0) {
        errno = EIO; /* the file is shorter than promised: the response cannot be completed */
        return -1;
    }
    return n;
}

/* Sends one run. false: nothing more can be sent now. */
static bool flush_step(struct stream *s, size_t *budget)
{
    struct iovec iov[RUNS_PER_CALL];
    bool file_next;
    size_t count = gather(s, iov, &file_next);
    ssize_t n = count > 0 ? send_memory(s, iov, count, file_next) : send_file(s);

    if (n < 0 && errno == EINTR) {
        return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        s->blocked = true;
        update_events(s);
        return false;
    }
    if (n < 0) {
        stream_fail(s, errno);
        return false;
    }
    s->active_us = shard_now_us(s->shard);
    advance(s, (size_t)n);
    *budget -= (size_t)n < *budget ? (size_t)n : *budget;
    return *budget > 0;
}

static void stream_flush(struct deferred *d)
{
    struct stream *s = container_of(d, struct stream, flush);
    size_t budget = BYTES_PER_TURN;

    s->flushing = true;
    advance(s, 0); /* writes without bytes */
    while (!s->failed && !s->blocked && !list_empty(&s->writes)) {
        if (!flush_step(s, &budget)) {
            break;
        }
    }
    s->flushing = false;
    if (s->freed) { /* by a `sent` callback */
        free(s);
        return;
    }
    if (!s->failed && !s->blocked && !list_empty(&s->writes)) {
        s->blocked = true; /* out of turn budget: the socket reports ready in the next turn */
        update_events(s);
    }
}
