/* The server side of a connection: cuts the byte stream into length-prefixed frames.
 *
 * A frame is delivered as bytes inside a shared chunk: small frames share the shard's read buffer
 * (no allocation, no copy), a large frame gets a chunk of its own size and is received straight
 * into it; at most the part that arrived together with earlier frames is copied.
 *
 * Memory for large frames is charged to the shard's budget as the bytes arrive, so that a promise
 * of a large frame costs nothing; a read buffer that frames in flight still hold when the next one
 * is taken is charged as a whole. What one read brought of a frame that begins is charged even
 * beyond the budget: at most a read buffer, and nothing is read while the budget is full. When it
 * is exhausted, or the peer does not take its responses, or too many requests are in flight, no
 * frame is delivered and the connection is not read until things get better; nothing is dropped or
 * killed.
 *
 * Without memory things still go on, slowly. One waiting connection at a time may overdraw the
 * budget to complete its large frame, so half-received frames cannot block each other for good;
 * when its peer stalls, it is closed after a while: that is what holds up all others. And every
 * few milliseconds one that waits with small frames may deliver one of them.
 *
 * A length outside [min, max] closes the connection: there is no way to find the next frame, and
 * not every client understands a connection-wide error frame (the Rust client reads it as garbage).
 * Thread: the shard of the connection. Source of the framing: MessageCodec of Apache Fluss.
 */
#ifndef RPC_CONN_H
#define RPC_CONN_H

#include "io/stream.h"

struct conn;

/* What all connections of a shard share. */
struct conn_group {
    struct shard *shard;
    size_t frame_bytes_min;    /* smallest legal value of the length prefix */
    size_t frame_bytes_max;    /* largest legal frame, the prefix included */
    size_t unsent_bytes_max;   /* above: no frames are delivered */
    uint32_t inflight_max;     /* frames delivered at a time */
    int64_t idle_us;           /* closed after so long without bytes in or out; 0: never */
    int64_t stall_us;          /* the same for the one that may overdraw */
    bool stopped;              /* conn_group_stop_reading was called */
    struct chunk *read_buffer; /* where small frames are received */
    size_t read_used;
    struct list conns;
    size_t conn_count;
    struct list starved;     /* paused connections that wait for the budget, longest first */
    struct timer retry;      /* looks at `starved` */
    struct conn *overdrawer; /* the one that may overdraw the budget for its frame, or NULL */
    int64_t overdraw_us;     /* since when */
    struct conn *let_in;     /* the one that may deliver a small frame nevertheless, or NULL */
};

struct conn_handler {
    /* One frame without its length prefix. The bytes live as long as `owner`: take a reference
     * to keep them. The callee answers by conn_send later, in any order, and then calls
     * conn_request_done. */
    void (*frame)(struct conn *c, void *context, struct chunk *owner, struct bytes frame);
    /* The connection is gone; free the context. conn is invalid afterwards. */
    void (*closed)(struct conn *c, void *context, const struct error *why);
};

void conn_group_init(struct conn_group *g, struct shard *shard);
/* All connections must be gone. */
void conn_group_fini(struct conn_group *g);
/* Delivered frames that are not yet dealt with, of all connections. */
size_t conn_group_inflight(const struct conn_group *g);
/* Closes all connections. */
void conn_group_close_all(struct conn_group *g);
/* Stops reading on all connections, also on later ones: no new frames are delivered (shutdown). */
void conn_group_stop_reading(struct conn_group *g);

/* Takes over the socket. */
MUST_USE enum errcode conn_open(struct conn_group *g, int fd, const struct conn_handler *handler,
                                void *context, struct conn **ret, struct error *e);
/* Closes; `closed` is called before this returns. Any callback may do it. */
void conn_close(struct conn *c);
/* Delivers no more frames until the connection is moved. */
void conn_hold(struct conn *c);
/* Moves a held connection without requests in flight and unsent responses to another shard: detach
 * on the old one, attach on the new one. What has been received of further frames moves along. */
void conn_detach(struct conn *c);
void conn_attach(struct conn *c, struct conn_group *g);
void conn_send(struct conn *c, struct stream_write *w);
/* One delivered frame has been dealt with; delivers none itself. */
void conn_request_done(struct conn *c);
uint32_t conn_inflight(const struct conn *c);
size_t conn_unsent(const struct conn *c);
const char *conn_peer(const struct conn *c);

#endif
