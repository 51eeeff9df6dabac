/* Connected TCP sockets and the other end of a connection, played by the test's thread. */
#ifndef TEST_SUPPORT_PEERS_H
#define TEST_SUPPORT_PEERS_H

#include "unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/stream.h"

struct peers {
    int ours;  /* non-blocking */
    int other; /* blocking, gives up after a while */
};

static inline struct peers peers_connect(void)
{
    struct timeval patience = {.tv_sec = 20};
    struct peers p;
    uint16_t port = 0;
    int listening = -1;
    int on = 1;

    assert_int_equal(socket_listen("127.0.0.1", 0, &listening, &port, NULL), ERR_OK);
    assert_int_equal(socket_connect("127.0.0.1", port, &p.ours, NULL), ERR_OK);
    p.other = accept(listening, NULL, NULL);
    while (p.other < 0) { /* the listener is non-blocking */
        p.other = accept(listening, NULL, NULL);
    }
    assert_int_equal(setsockopt(p.other, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(setsockopt(p.other, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    socket_close(listening);
    return p;
}

static inline void peer_write(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        assert_true(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

/* Fails the test when the stream ends before. */
static inline void peer_read(int fd, void *buffer, size_t len)
{
    uint8_t *p = buffer;

    while (len > 0) {
        ssize_t n = recv(fd, p, len, 0);

        assert_true(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

/* The next read finds the end of the stream (or a reset). */
static inline void peer_sees_end(int fd)
{
    uint8_t byte;

    assert_true(recv(fd, &byte, 1, 0) <= 0);
}

/* Closes with a reset instead of an end. */
static inline void peer_reset(int fd)
{
    struct linger at_once = {.l_onoff = 1};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(fd);
}

#endif
