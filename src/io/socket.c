/* Listening and connecting sockets: the rest of stream.h. */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_BACKLOG   4096
#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_US  100000

struct listener {
    struct watch watch;
    struct shard *shard;
    struct timer retry;
    void (*accepted)(void *context, int fd);
    void *context;
};

static void freeaddrinfop(struct addrinfo **info)
{
    if (*info != NULL) {
        freeaddrinfo(*info);
    }
}

static enum errcode resolve(const char *host, uint16_t port, int flags, struct addrinfo **ret,
                            struct error *e)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    char service[8];
    int rc;

    (void)snprintf(service, sizeof service, "%u", port);
    rc = getaddrinfo(host, service, &hints, ret);
    if (rc != 0) {
        return error_set(e, ERR_INVALID_ARGUMENT, "cannot resolve host '%s': %s", host,
                         gai_strerror(rc));
    }
    return ERR_OK;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;

    ASSERT(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    return a.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a)->sin6_port)
                                   : ntohs(((struct sockaddr_in *)&a)->sin_port);
}

enum errcode socket_listen(const char *host, uint16_t port, int *ret_fd, uint16_t *ret_port,
                           struct error *e)
{
    OWNED(freeaddrinfop) struct addrinfo *info = NULL;
    int on = 1;
    int fd;

    TRY(resolve(host, port, AI_PASSIVE, &info, e));
    fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return error_set(e, ERR_NETWORK, "create a socket for %s:%u: %s", host, port,
                         strerror(errno));
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int why = errno;

        (void)close(fd);
        return error_set(e, ERR_NETWORK, "listen on %s:%u: %s", host, port, strerror(why));
    }
    *ret_fd = fd;
    *ret_port = bound_port(fd);
    return ERR_OK;
}

enum errcode socket_connect(const char *host, uint16_t port, int *ret_fd, struct error *e)
{
    OWNED(freeaddrinfop) struct addrinfo *info = NULL;
    int on = 1;
    int fd = -1;
    int why = 0;

    TRY(resolve(host, port, 0, &info, e));
    for (struct addrinfo *a = info; a != NULL; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
            break;
        }
        why = errno;
        socket_close(fd);
        fd = -1;
    }
    if (fd < 0) {
        return error_set(e, ERR_NETWORK, "connect to %s:%u: %s", host, port, strerror(why));
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    *ret_fd = fd;
    return ERR_OK;
}

void socket_close(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void listener_ready(struct watch *w, uint32_t events)
{
    struct listener *l = container_of(w, struct listener, watch);

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int why = errno;

        if (fd >= 0) {
            l->accepted(l->context, fd);
            continue;
        }
        if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
            /* a level-triggered loop would spin: look again in a while */
            watch_change(l->shard, &l->watch, 0);
            timer_start(l->shard, &l->retry, ACCEPT_PAUSE_US);
        }
        if (why != ECONNABORTED && why != EINTR) {
            return;
        }
    }
}

static void listener_retry(struct timer *t)
{
    struct listener *l = container_of(t, struct listener, retry);

    watch_change(l->shard, &l->watch, EPOLLIN);
}

struct listener *listener_new(struct shard *shard, int fd, void (*accepted)(void *context, int fd),
                              void *context)
{
    struct listener *l = mem_new(struct listener);
    struct error e;

    ASSERT_ON(shard);
    l->watch = (struct watch){.fd = fd, .ready = listener_ready};
    l->shard = shard;
    l->accepted = accepted;
    l->context = context;
    timer_init(&l->retry, listener_retry);
    ASSERT(watch_start(shard, &l->watch, EPOLLIN, &e) == ERR_OK);
    return l;
}

void listener_free(struct listener *l)
{
    if (l != NULL) {
        timer_stop(&l->retry);
        watch_stop(l->shard, &l->watch);
        socket_close(l->watch.fd);
        free(l);
    }
}
