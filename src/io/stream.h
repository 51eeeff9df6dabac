/* Non-blocking TCP streams and listeners of a shard.
 *
 * Input is pulled: `readable` says that stream_recv will return something; a paused stream is not
 * read, so the peer feels it through TCP. Output is a queue of writes, each a list of pieces
 * (memory or file ranges); it leaves at the end of the turn by as few writev and sendfile calls as
 * possible. Errors and end of file surface as one `closed` callback; afterwards only stream_free
 * may be called, which every callback may do at any time. Thread: the shard of the stream.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include "file.h"
#include "shard.h"

#include "base/list.h"

struct stream;

struct stream_handler {
    void (*readable)(struct stream *s, void *context);
    /* The peer closed or an error happened (ERR_NETWORK). Once. */
    void (*closed)(struct stream *s, void *context, const struct error *why);
};

/* One queued write; embedded in the object that owns what is sent. */
struct stream_write {
    struct list link;
    struct pieces pieces; /* consumed: references are released before `sent` */
    size_t piece;         /* next to send */
    size_t piece_done;    /* bytes of it already sent */
    void (*sent)(struct stream_write *w, bool ok); /* last touch: may free the owner */
};

/* A connected, non-blocking socket; takes over fd. */
MUST_USE enum errcode stream_open(struct shard *shard, int fd, const struct stream_handler *handler,
                                  void *context, struct stream **ret, struct error *e);
/* Closes the descriptor; queued writes end with sent(ok = false) before this returns. No callback
 * afterwards. */
void stream_free(struct stream *s);

/* Moves a stream without queued output to another shard: detach on the old one, attach on the new
 * one, which owns it from then on. In between nobody may use it. */
void stream_detach(struct stream *s);
void stream_attach(struct stream *s, struct shard *shard);

/* Up to len bytes: > 0 count, 0 nothing now (or closed: the callback follows). */
size_t stream_recv(struct stream *s, void *buffer, size_t len);
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);
/* Appends to the output queue. */
void stream_send(struct stream *s, struct stream_write *w);
/* Bytes queued and not yet taken by the kernel. */
size_t stream_unsent(const struct stream *s);
/* When bytes last went in or out, by the shard's clock. */
int64_t stream_active_us(const struct stream *s);
/* "127.0.0.1:50123", for diagnostics. */
const char *stream_peer(const struct stream *s);
/* Port the peer connected to. */
uint16_t stream_local_port(const struct stream *s);

/* ---- listening and connecting ---- */

/* A socket that listens on host:port (port 0: any free one); returns it and the port.
 * ERR_INVALID_ARGUMENT: the host cannot be resolved; ERR_NETWORK: anything the system refuses. */
MUST_USE enum errcode socket_listen(const char *host, uint16_t port, int *ret_fd,
                                    uint16_t *ret_port, struct error *e);
/* Blocking connect for clients and tools; the socket is then non-blocking. Errors as above. */
MUST_USE enum errcode socket_connect(const char *host, uint16_t port, int *ret_fd, struct error *e);
void socket_close(int fd);

struct listener;
/* Accepts on the shard and calls `accepted` with each new non-blocking socket (owned by the
 * callee). Out of descriptors: accepting pauses for a while, nothing is dropped by us. */
struct listener *listener_new(struct shard *shard, int fd, void (*accepted)(void *context, int fd),
                              void *context);
void listener_free(struct listener *l);

#endif
