/* Sockets of threads that run no shard: tools and load generators.
 *
 * The descriptor is non-blocking (socket_connect); waiting happens in socket_wait only, for several
 * descriptors at once. Everything else about sockets is in stream.h. Errors are ERR_NETWORK, the
 * connection is then of no further use. Thread: any, one at a time per descriptor.
 */
#ifndef IO_BLOCKING_H
#define IO_BLOCKING_H

#include "base/bytes.h"
#include "base/error.h"

#define SOCKET_RUNS_MAX 64  /* of one socket_send_runs */
#define SOCKET_WAIT_MAX 256 /* of one socket_wait */

/* What the kernel takes at once of the runs, in order; *ret may be 0. count <= SOCKET_RUNS_MAX. */
MUST_USE enum errcode socket_send_runs(int fd, const struct bytes *runs, size_t count, size_t *ret,
                                       struct error *e);
/* What has arrived, up to len bytes; *ret = 0: nothing yet. The end of the stream is an error. */
MUST_USE enum errcode socket_recv_some(int fd, void *buffer, size_t len, size_t *ret,
                                       struct error *e);

/* Two ends of a connection inside of this process. */
MUST_USE enum errcode socket_pair(int ret_fds[2], struct error *e);

struct socket_interest {
    int fd;
    bool want_write; /* besides reading */
    bool ready;      /* out: something can be done, or has gone wrong and the next call tells */
};

/* Until some descriptor is ready or the time is over, whichever is first; timeout_us 0 only looks,
 * negative waits for ever. Precise to tens of microseconds. count <= SOCKET_WAIT_MAX. */
void socket_wait(struct socket_interest *items, size_t count, int64_t timeout_us);

/* Sleeps at least that long. */
void thread_sleep_us(int64_t delay_us);

#endif
