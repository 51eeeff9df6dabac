/* The client side of a connection: pipelined requests, responses matched by their id.
 *
 * Nothing waits by itself but rpc_clients_wait and what is built on it (handshake, call); the rest
 * does what the socket takes or has at the moment. So one thread serves many connections:
 *
 *   rpc_client_send   queues a request, returns its id
 *   rpc_clients_wait  sends what is queued, returns when something has arrived
 *   rpc_client_next   the next whole response, until there is none
 *
 * After an error, and after a call that ran out of time, the connection is of no further use: every
 * later operation repeats the error. Requests that were in flight may or may not have been carried
 * out. Reconnecting is the caller's, who knows what may be repeated.
 * Thread: any, one at a time per client.
 */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include "api.h"
#include "frame.h"

#define RPC_CLIENT_RESPONSE_MAX ((size_t)512 << 20) /* larger ones end the connection */
#define RPC_CLIENTS_MAX         256                 /* of one rpc_clients_wait */

struct rpc_client;

/* Connects; the API versions are not known yet. ERR_NETWORK, ERR_INVALID_ARGUMENT (host). */
MUST_USE enum errcode rpc_client_open(const char *host, uint16_t port, struct rpc_client **ret,
                                      struct error *e);
/* The same over a connected, non-blocking socket, which it takes over. */
struct rpc_client *rpc_client_of_socket(int fd);
void rpc_client_free(struct rpc_client *c);
void rpc_client_freep(struct rpc_client **c); /* for OWNED */

/* Asks for the API versions; from then on the highest version both sides know is sent. */
MUST_USE enum errcode rpc_client_handshake(struct rpc_client *c, const char *software,
                                           int64_t timeout_us, struct error *e);

/* Queues a request and returns its id. Runs of RPC_INLINE_MAX bytes and more in the message are
 * not copied: they must stay as they are until the response. Nothing is sent yet.
 * ERR_UNSUPPORTED_VERSION: not offered by the server, or not in a version of ours. */
MUST_USE enum errcode rpc_client_send(struct rpc_client *c, enum rpc_api_key key,
                                      const void *message, int32_t *ret_id, struct error *e);
/* Sends what the socket takes. */
MUST_USE enum errcode rpc_client_flush(struct rpc_client *c, struct error *e);
/* Requests without a response so far. */
uint32_t rpc_client_inflight(const struct rpc_client *c);

/* The next response that is wholly there; *ret_found false: none at the moment. Its body lives
 * until the next call. A connection-wide failure is an error here. */
MUST_USE enum errcode rpc_client_next(struct rpc_client *c, struct rpc_response *ret,
                                      bool *ret_found, struct error *e);
/* Flushes all clients, then waits until one of them may have something, at most timeout_us
 * (negative: for ever). count <= RPC_CLIENTS_MAX. */
MUST_USE enum errcode rpc_clients_wait(struct rpc_client *const *clients, size_t count,
                                       int64_t timeout_us, struct error *e);

/* The response message of that API, or the error that the server answered with. */
MUST_USE enum errcode rpc_response_decode(const struct rpc_response *response, enum rpc_api_key key,
                                          struct arena *a, void *ret_message, struct error *e);

/* One request with nothing else in flight: sends, waits, decodes. ret_message: the response struct
 * of the API; it borrows from the arena only. ERR_REQUEST_TIME_OUT. */
struct rpc_call {
    enum rpc_api_key key;
    const void *request;
    int64_t timeout_us;
};
MUST_USE enum errcode rpc_client_call(struct rpc_client *c, const struct rpc_call *call,
                                      struct arena *a, void *ret_message, struct error *e);

#endif
