/* The Fluss protocol as a front end: frames in, service requests, frames out. One fluss_front per
 * shard holds its connections.
 *
 * A request lives until its response is sent, also when its connection is gone before; meanwhile
 * its memory is charged to the shard's budget, which stops the reading of connections when it is
 * exhausted (rpc/conn.h). A connection whose requests keep going to the buckets of one other shard
 * moves there, so that its data crosses no thread; it moves when nothing is in flight, and does not
 * wait for long polls to get there. Thread: the shard. */
#ifndef FRONT_FLUSS_H
#define FRONT_FLUSS_H

#include "rpc/conn.h"
#include "service/service.h"

struct fluss_front;

struct fluss_front_options {
    /* Of all shards, by index; filled before the first connection. NULL: connections stay. */
    struct fluss_front *const *fronts;
    size_t frame_bytes_max;  /* netty.server.max-request-size, the length prefix included */
    uint32_t inflight_max;   /* requests of one connection that are not yet answered */
    size_t unsent_bytes_max; /* responses a peer may leave unread before it is not read any more */
    int64_t idle_us;         /* netty.connection.max-idle-time */
};

struct fluss_front *fluss_front_new(struct service *service,
                                    const struct fluss_front_options *options);
/* A new connection of the listener; takes over the socket, and closes it at once after stop. */
void fluss_front_accept(struct fluss_front *f, const struct node_listener *listener, int fd);
/* No new requests are read; when the ones in flight are answered and sent, or grace_us has passed,
 * the connections are closed and done is called. */
void fluss_front_stop(struct fluss_front *f, int64_t grace_us, void (*done)(void *context),
                      void *context);
/* After stop. */
void fluss_front_free(struct fluss_front *f);

size_t fluss_front_connections(const struct fluss_front *f);

#endif
