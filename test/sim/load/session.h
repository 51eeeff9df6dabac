/* A client's connection to the simulated server: it connects, asks for the API versions, and connects
 * again after a while whenever the connection is gone. Requests are pipelined; each one ends with
 * exactly one `done`: an answer, an error that the server answered, or nothing.
 *
 * A request without an answer in time takes the connection with it, as the stock clients do.
 */
#ifndef SIM_LOAD_SESSION_H
#define SIM_LOAD_SESSION_H

#include "world.h"

#include "base/buffer.h"
#include "base/list.h"
#include "rpc/api.h"
#include "rpc/frame.h"

struct session;

struct call {
    struct list link; /* among those in flight */
    int32_t id;
    enum rpc_api_key api;
    int64_t deadline_us;
    /* response: NULL without an answer or with an error (then its code; ERR_NETWORK: no answer). It
     * lives in the arena, as long as this call. May send again, and free the call. */
    void (*done)(struct call *call, const void *response, enum errcode error);
};

struct session {
    struct world *world;
    struct world_conn *conn;
    struct prng prng;
    struct list calls;
    struct buffer received;
    struct arena arena;          /* of one response */
    struct world_event again;    /* connect */
    struct world_event overtime; /* the first deadline */
    int32_t next_id;
    bool open;    /* versions are known */
    bool stopped; /* never connects again */
    struct call hello;
    int16_t *versions;
    /* Requests can be sent from now on. */
    void (*ready)(struct session *s);
};

void session_init(struct session *s, struct world *w, struct prng prng,
                  void (*ready)(struct session *s));
/* Calls in flight are never done. */
void session_fini(struct session *s);

/* Only when s->open, not from `done` of the version request. Copies the message. timeout_us > 0. */
void session_send(struct session *s, struct call *call, enum rpc_api_key api, const void *message,
                  int64_t timeout_us);
/* As when the network had cut it. */
void session_cut(struct session *s);

#endif
