#include "blocking.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define TIMER_SLACK_NS 1000 /* the kernel's default of 50 us would show in every latency */

static bool would_block(int why) { return why == EAGAIN || why == EWOULDBLOCK || why == EINTR; }

enum errcode socket_send_runs(int fd, const struct bytes *runs, size_t count, size_t *ret,
                              struct error *e)
{
    struct iovec parts[SOCKET_RUNS_MAX];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t sent;

    ASSERT(count <= SOCKET_RUNS_MAX);
    for (size_t i = 0; i < count; i++) {
        parts[i] =
            (struct iovec){.iov_base = (void *)(uintptr_t)runs[i].data, .iov_len = runs[i].len};
    }
    sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && !would_block(errno)) {
        return error_set(e, ERR_NETWORK, "send: %s", strerror(errno));
    }
    *ret = sent < 0 ? 0 : (size_t)sent;
    return ERR_OK;
}

enum errcode socket_recv_some(int fd, void *buffer, size_t len, size_t *ret, struct error *e)
{
    ssize_t got = recv(fd, buffer, len, MSG_DONTWAIT);

    if (got == 0 && len > 0) {
        return error_set(e, ERR_NETWORK, "the peer closed the connection");
    }
    if (got < 0 && !would_block(errno)) {
        return error_set(e, ERR_NETWORK, "receive: %s", strerror(errno));
    }
    *ret = got < 0 ? 0 : (size_t)got;
    return ERR_OK;
}

enum errcode socket_pair(int ret_fds[2], struct error *e)
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_fds) == 0
               ? ERR_OK
               : error_set(e, ERR_NETWORK, "socketpair: %s", strerror(errno));
}

static struct timespec timespec_of(int64_t us)
{
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

void socket_wait(struct socket_interest *items, size_t count, int64_t timeout_us)
{
    struct pollfd polls[SOCKET_WAIT_MAX];
    int64_t deadline_us = clock_mono_us() + timeout_us;
    int rc;

    ASSERT(count <= SOCKET_WAIT_MAX);
    for (size_t i = 0; i < count; i++) {
        polls[i] = (struct pollfd){.fd = items[i].fd,
                                   .events = (short)(POLLIN | (items[i].want_write ? POLLOUT : 0))};
    }
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    do {
        struct timespec left = timespec_of(timeout_us > 0 ? timeout_us : 0);

        rc = ppoll(polls, count, timeout_us < 0 ? NULL : &left, NULL);
        if (rc < 0 && timeout_us > 0) {
            timeout_us = deadline_us > clock_mono_us() ? deadline_us - clock_mono_us() : 0;
        }
    } while (rc < 0 && errno == EINTR);
    ASSERT(rc >= 0 || errno == ENOMEM);
    for (size_t i = 0; i < count; i++) {
        items[i].ready = rc > 0 && polls[i].revents != 0;
    }
}

void thread_sleep_us(int64_t delay_us)
{
    struct timespec left = timespec_of(delay_us);

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}
