#include "fluss.h"

#include <stdlib.h>

#include "base/diag.h"
#include "rpc/frame.h"

#define STOP_TICK_US 2000
/* After so many requests in a row to another shard's buckets a connection moves there; each move
 * doubles the number, so that a peer who works with several shards does not travel for ever. */
#define MOVE_AFTER     8
#define MOVE_AFTER_MAX (1u << 20)
/* Complaints about peers in a second: hostile ones must not fill the disk with our diagnostics. */
#define COMPLAINTS_MAX 20
/* API key, version and request id: what every frame has */
#define REQUEST_HEADER_SIZE 8
/* Frames up to this size are copied: small requests may wait long (fetches do), and would keep a
 * whole read buffer. */
#define FRAME_COPY_MAX 4096
/* Longer responses are refused; the length field ends at 2 GiB. */
#define RESPONSE_BYTES_MAX ((size_t)1 << 30)

struct fluss_front {
    struct service *service;
    struct fluss_front *const *fronts; /* of all shards */
    struct conn_group group;
    size_t calls; /* not yet freed, those of vanished connections included */
    bool stopping;
    int64_t complaints_from_us; /* the second that is counted */
    uint64_t complaints;        /* in it, those left out included */
    struct timer stop_timer;
    int64_t stop_deadline_us;
    void (*stopped)(void *context);
    void *stopped_context;
};

/* A connection's own. It outlives the connection until the last of its requests is answered. */
struct session {
    struct fluss_front *front;
    struct conn *conn; /* NULL: gone */
    const struct node_listener *listener;
    uint32_t requests; /* not yet answered */
    uint32_t polls;    /* those of them that may take long: fetches */

    struct service *wanted; /* another shard that owned what was asked for lately */
    uint32_t wanted_count;  /* by so many requests in a row */
    uint32_t move_after;
    bool moving;
    struct deferred move; /* looks whether it can go now */
    struct message moved; /* to the new shard */
};

/* One request and, later, its response. */
struct call {
    struct request request;
    struct session *session;
    int32_t id;
    size_t charged; /* to the shard's budget */
    struct stream_write write;
};

static void session_release(struct session *s)
{
    if (s->conn == NULL && s->requests == 0) {
        free(s);
    }
}

/* Charges what the request has grown to. Nothing is refused here: the connection stops reading. */
static void call_charge(struct call *c, bool answered)
{
    const struct pieces *out = &c->write.pieces;
    size_t size = sizeof *c + c->request.arena.total;

    if (answered) { /* before, parts may be on other shards */
        LIST_FOR_EACH(it, &c->request.parts)
        {
            size += container_of(it, struct part, link)->arena.total;
        }
    }
    for (size_t i = 0; i < out->count; i++) {
        const struct chunk *owner = out->items[i].owner;

        /* neighbours share a chunk */
        size += owner != NULL && (i == 0 || out->items[i - 1].owner != owner) ? owner->len : 0;
    }
    if (size > c->charged) {
        budget_overdraw(shard_budget(c->request.service->shard), size - c->charged);
        c->charged = size;
    }
}

static void call_free(struct call *c)
{
    c->session->front->calls--;
    budget_give(shard_budget(c->request.service->shard), c->charged);
    request_fini(&c->request);
    free(c);
}

static void response_sent(struct stream_write *w, bool ok)
{
    struct call *c = container_of(w, struct call, write);
    struct session *s = c->session;

    (void)ok;
    call_free(c);
    s->requests--;
    if (s->conn != NULL) {
        conn_request_done(s->conn);
        if (s->moving) {
            shard_defer(s->front->service->shard, DEFER_WORK, &s->move);
        }
    }
    session_release(s);
}

/* ---- moving to the shard that owns the data ---- */

static void session_arrive(struct message *m)
{
    struct session *s = container_of(m, struct session, moved);

    s->moving = false;
    conn_attach(s->conn, &s->front->group);
    if (s->front->stopping) {
        conn_close(s->conn);
    }
}

static void session_move(struct deferred *d)
{
    struct session *s = container_of(d, struct session, move);

    if (s->requests > 0 || conn_unsent(s->conn) > 0 || s->front->stopping) {
        return;
    }
    conn_detach(s->conn);
    s->front = s->front->fronts[shard_index(s->wanted->shard)];
    s->wanted = NULL;
    s->wanted_count = 0;
    s->move_after = s->move_after < MOVE_AFTER_MAX ? s->move_after * 2 : s->move_after;
    s->moved.run = session_arrive;
    shard_send(s->front->service->shard, &s->moved);
}

/* Counts who owns the data of the session's requests. A move holds new ones back until all are
 * answered, so it is not begun while a fetch may still wait for data. */
static void session_note_owner(struct session *s, struct service *owner)
{
    if (owner == NULL || s->moving || s->front->fronts == NULL) {
        return;
    }
    s->wanted_count = owner == s->wanted ? s->wanted_count + 1 : 1;
    s->wanted = owner;
    if (owner != s->front->service && s->wanted_count >= s->move_after && s->polls == 0 &&
        s->conn != NULL) {
        s->moving = true;
        conn_hold(s->conn);
    }
}

static bool call_polls(const struct call *c)
{
    return c->request.api != NULL && c->request.api->key == API_FETCH_LOG;
}

/* What is answered is bounded by each API where it is large; this is the last line. */
static void check_size(struct request *r)
{
    size_t size;

    if (r->code == ERR_OK) {
        size = rpc_encoded_size(r->api->response, r->response);
        if (size > RESPONSE_BYTES_MAX) {
            r->code = error_set(&r->error, ERR_INVALID_ARGUMENT,
                                "the response to %s would have %zu bytes, ask for less",
                                r->api->name, size);
        }
    }
}

/* The service is done with the request: frame the outcome. */
static void call_done(struct request *r)
{
    struct call *c = container_of(r, struct call, request);

    c->session->polls -= call_polls(c);
    session_note_owner(c->session, r->owner);
    check_size(r);
    pieces_init(&c->write.pieces, &r->arena);
    if (r->code == ERR_OK) {
        rpc_frame_response(c->id, r->api->response, r->response, &c->write.pieces);
    } else {
        rpc_frame_failure(c->id, &r->error, &c->write.pieces);
    }
    call_charge(c, true);
    list_init(&c->write.link);
    c->write.sent = response_sent;
    if (c->session->conn != NULL) {
        conn_send(c->session->conn, &c->write);
    } else {
        pieces_fini(&c->write.pieces);
        response_sent(&c->write, false);
    }
}

/* frame becomes bytes that live as long as the call. */
static struct call *call_new(struct session *s, struct chunk *owner, struct bytes *frame)
{
    struct call *c = mem_new(struct call);

    request_init(&c->request);
    c->request.service = s->front->service;
    c->request.listener = s->listener;
    if (frame->len <= FRAME_COPY_MAX) {
        *frame = arena_copy(&c->request.arena, *frame);
    } else {
        c->request.frame = chunk_ref(owner);
    }
    c->request.done = call_done;
    c->session = s;
    s->requests++;
    s->front->calls++;
    return c;
}

static void on_frame(struct conn *conn, void *context, struct chunk *owner, struct bytes frame)
{
    struct session *s = context;
    struct call *c = call_new(s, owner, &frame);
    struct rpc_request header;

    (void)conn;
    /* the connection delivers no frame shorter than the header */
    ASSERT(rpc_request_parse(frame, &header, &c->request.error) == ERR_OK);
    c->id = header.id;
    c->request.version = header.api_version;
    c->request.body = header.body;
    c->request.api = rpc_api_find(header.api_key);
    s->polls += call_polls(c);
    if (c->request.api == NULL) {
        c->request.code = error_set(&c->request.error, ERR_UNSUPPORTED_VERSION,
                                    "there is no API with key %d", header.api_key);
        call_done(&c->request);
        return;
    }
    service_dispatch(&c->request);
    call_charge(c, false); /* it still lives: responses leave at the end of the turn */
}

static void complain(struct fluss_front *f, const char *what, const struct error *why)
{
    int64_t now = shard_now_us(f->service->shard);

    if (now - f->complaints_from_us >= 1000000) {
        if (f->complaints > COMPLAINTS_MAX) {
            diag_warn("fluss", "%llu more such lines were left out",
                      (unsigned long long)(f->complaints - COMPLAINTS_MAX));
        }
        f->complaints_from_us = now;
        f->complaints = 0;
    }
    if (f->complaints++ < COMPLAINTS_MAX) {
        diag_warn("fluss", "%s: %s", what, why->message);
    }
}

static void on_closed(struct conn *conn, void *context, const struct error *why)
{
    struct session *s = context;

    (void)conn;
    if (why->code == ERR_CORRUPT_MESSAGE) {
        complain(s->front, "connection closed", why);
    } else {
        diag_debug("fluss", "connection closed: %s", why->message);
    }
    s->conn = NULL;
    deferred_cancel(&s->move);
    session_release(s);
}

static const struct conn_handler session_handler = {.frame = on_frame, .closed = on_closed};

static void stop_tick(struct timer *t);

struct fluss_front *fluss_front_new(struct service *service,
                                    const struct fluss_front_options *options)
{
    struct fluss_front *f = mem_new(struct fluss_front);

    f->service = service;
    f->fronts = options->fronts;
    conn_group_init(&f->group, service->shard);
    f->group.frame_bytes_min = REQUEST_HEADER_SIZE;
    f->group.frame_bytes_max = options->frame_bytes_max;
    f->group.inflight_max = options->inflight_max;
    f->group.unsent_bytes_max = options->unsent_bytes_max;
    f->group.idle_us = options->idle_us;
    timer_init(&f->stop_timer, stop_tick);
    return f;
}

void fluss_front_accept(struct fluss_front *f, const struct node_listener *listener, int fd)
{
    struct session *s;
    struct error e;

    if (f->stopping) {
        socket_close(fd);
        return;
    }
    s = mem_new(struct session);
    s->front = f;
    s->listener = listener;
    s->move_after = MOVE_AFTER;
    deferred_init(&s->move, session_move);
    if (conn_open(&f->group, fd, &session_handler, s, &s->conn, &e) != ERR_OK) {
        complain(f, "a connection could not be taken", &e);
        free(s);
    }
}

static void stop_tick(struct timer *t)
{
    struct fluss_front *f = container_of(t, struct fluss_front, stop_timer);

    if (f->calls > 0 && shard_now_us(f->service->shard) < f->stop_deadline_us) {
        timer_start(f->service->shard, t, STOP_TICK_US);
        return;
    }
    conn_group_close_all(&f->group);
    conn_group_fini(&f->group);
    f->stopped(f->stopped_context);
}

void fluss_front_stop(struct fluss_front *f, int64_t grace_us, void (*done)(void *context),
                      void *context)
{
    f->stopping = true;
    f->stopped = done;
    f->stopped_context = context;
    f->stop_deadline_us = shard_now_us(f->service->shard) + grace_us;
    conn_group_stop_reading(&f->group);
    timer_start(f->service->shard, &f->stop_timer, 0);
}

void fluss_front_free(struct fluss_front *f) { free(f); }

size_t fluss_front_connections(const struct fluss_front *f) { return f->group.conn_count; }
