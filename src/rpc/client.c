#include "client.h"

#include <stdlib.h>

#include "io/blocking.h"
#include "io/clock.h"
#include "io/stream.h"

#define RECEIVE_MIN  ((size_t)64 << 10) /* room for small responses, several at once */
#define VERSION_NONE (-1)

/* One queued frame. */
struct outgoing {
    struct list link;
    struct arena arena;
    struct pieces pieces;
    size_t piece;      /* next to send */
    size_t piece_done; /* bytes of it already sent */
};

struct rpc_client {
    int fd;
    int32_t next_id;
    uint32_t inflight;
    struct error broken; /* code ERR_OK: fine */
    struct list queue;   /* of struct outgoing */
    /* what has been received: [start, end) of buffer; `taken` bytes of it are lent out */
    uint8_t *buffer;
    size_t cap;
    size_t start;
    size_t end;
    size_t taken;
    int16_t *versions; /* by index in the table of APIs */
};

/* ---- life ---- */

static size_t api_index(enum rpc_api_key key)
{
    return (size_t)(rpc_api_find((int16_t)key) - rpc_api_at(0));
}

struct rpc_client *rpc_client_of_socket(int fd)
{
    struct rpc_client *c = mem_new(struct rpc_client);

    c->fd = fd;
    list_init(&c->queue);
    c->versions = mem_zalloc(rpc_api_count() * sizeof *c->versions);
    for (size_t i = 0; i < rpc_api_count(); i++) {
        c->versions[i] = VERSION_NONE;
    }
    c->versions[api_index(API_API_VERSIONS)] = 0;
    return c;
}

enum errcode rpc_client_open(const char *host, uint16_t port, struct rpc_client **ret,
                             struct error *e)
{
    enum errcode code;
    int fd;

    code = socket_connect(host, port, &fd, e);
    if (code != ERR_OK) {
        if (code != ERR_INVALID_ARGUMENT && e != NULL) {
            e->code = ERR_NETWORK;
        }
        return code == ERR_INVALID_ARGUMENT ? code : ERR_NETWORK;
    }
    *ret = rpc_client_of_socket(fd);
    return ERR_OK;
}

static void outgoing_free(struct outgoing *o)
{
    pieces_fini(&o->pieces);
    arena_fini(&o->arena);
    free(o);
}

void rpc_client_free(struct rpc_client *c)
{
    if (c == NULL) {
        return;
    }
    LIST_FOR_EACH(it, &c->queue) { outgoing_free(container_of(it, struct outgoing, link)); }
    socket_close(c->fd);
    free(c->versions);
    free(c->buffer);
    free(c);
}

void rpc_client_freep(struct rpc_client **c) { rpc_client_free(*c); }

/* The error that ended the connection, told to everyone who asks. */
static enum errcode report(const struct rpc_client *c, struct error *e)
{
    ASSERT(c->broken.code != ERR_OK);
    if (e != NULL) {
        *e = c->broken;
    }
    return c->broken.code;
}

/* ---- sending ---- */

enum errcode rpc_client_send(struct rpc_client *c, enum rpc_api_key key, const void *message,
                             int32_t *ret_id, struct error *e)
{
    const struct rpc_api *api = rpc_api_find((int16_t)key);
    struct rpc_request header = {.api_key = (int16_t)key};
    struct outgoing *o;

    if (c->broken.code != ERR_OK) {
        return report(c, e);
    }
    header.api_version = c->versions[api_index(key)];
    if (header.api_version == VERSION_NONE) {
        return error_set(e, ERR_UNSUPPORTED_VERSION, "the server offers no version of %s",
                         api->name);
    }
    header.id = c->next_id;
    c->next_id = c->next_id == INT32_MAX ? 0 : c->next_id + 1;
    o = mem_new(struct outgoing);
    pieces_init(&o->pieces, &o->arena);
    rpc_frame_request(&header, api->request, message, &o->pieces);
    list_push_back(&c->queue, &o->link);
    c->inflight++;
    *ret_id = header.id;
    return ERR_OK;
}

uint32_t rpc_client_inflight(const struct rpc_client *c) { return c->inflight; }

/* What is queued, as much as fits into one call of the kernel. */
static size_t collect_runs(const struct rpc_client *c, struct bytes *runs)
{
    size_t count = 0;

    LIST_FOR_EACH(it, &c->queue)
    {
        const struct outgoing *o = container_of(it, struct outgoing, link);
        size_t done = o->piece_done;

        for (size_t i = o->piece; i < o->pieces.count; i++) {
            const struct piece *p = &o->pieces.items[i];

            if (count == SOCKET_RUNS_MAX) {
                return count;
            }
            ASSERT(p->data != NULL); /* nobody sends requests from files */
            runs[count++] = bytes_of(p->data + done, p->len - done);
            done = 0;
        }
    }
    return count;
}

/* Moves the queue's start over what was sent. */
static void sent(struct rpc_client *c, size_t len)
{
    LIST_FOR_EACH(it, &c->queue)
    {
        struct outgoing *o = container_of(it, struct outgoing, link);

        while (o->piece < o->pieces.count) {
            size_t left = o->pieces.items[o->piece].len - o->piece_done;

            if (len < left) {
                o->piece_done += len;
                return;
            }
            len -= left;
            o->piece++;
            o->piece_done = 0;
        }
        list_remove(&o->link);
        outgoing_free(o);
    }
    ASSERT(len == 0);
}

enum errcode rpc_client_flush(struct rpc_client *c, struct error *e)
{
    size_t len = 1;

    if (c->broken.code != ERR_OK) {
        return report(c, e);
    }
    while (len > 0 && !list_empty(&c->queue)) {
        struct bytes runs[SOCKET_RUNS_MAX];
        size_t count = collect_runs(c, runs);

        if (socket_send_runs(c->fd, runs, count, &len, &c->broken) != ERR_OK) {
            return report(c, e);
        }
        sent(c, len);
    }
    return ERR_OK;
}

/* ---- receiving ---- */

/* Makes room for at least `want` bytes from start on, moving and growing only when needed. */
static void reserve(struct rpc_client *c, size_t want)
{
    size_t have = c->end - c->start;
    size_t cap = c->cap == 0 ? RECEIVE_MIN : c->cap;

    if (c->cap - c->start >= want) {
        return;
    }
    if (have > 0) {
        memmove(c->buffer, c->buffer + c->start, have);
    }
    c->start = 0;
    c->end = have;
    while (cap < want) {
        cap *= 2;
    }
    if (cap > c->cap) {
        c->buffer = mem_realloc(c->buffer, cap);
        c->cap = cap;
    }
}

/* The size of the first frame in the buffer; 0 when its length is not there yet. */
static enum errcode frame_wanted(struct rpc_client *c, size_t *ret)
{
    size_t length;

    *ret = 0;
    if (c->end - c->start < RPC_LENGTH_SIZE) {
        return ERR_OK;
    }
    TRY(rpc_response_length(c->buffer + c->start, RPC_CLIENT_RESPONSE_MAX, &length, &c->broken));
    *ret = RPC_LENGTH_SIZE + length;
    return ERR_OK;
}

/* One read from the socket. Of a large frame nothing behind its end is read, so that the next one
 * starts at the start of the buffer; memory grows with what arrives, not with what is promised. */
static enum errcode receive(struct rpc_client *c, size_t wanted, size_t *ret)
{
    size_t have = c->end - c->start;
    size_t room;

    if (have == 0) {
        c->start = 0;
        c->end = 0;
    }
    if (wanted <= RECEIVE_MIN) {
        reserve(c, RECEIVE_MIN);
        room = c->cap - c->end;
    } else {
        reserve(c, wanted < 2 * have + RECEIVE_MIN ? wanted : 2 * have + RECEIVE_MIN);
        room = c->cap - c->end < wanted - have ? c->cap - c->end : wanted - have;
    }
    TRY(socket_recv_some(c->fd, c->buffer + c->end, room, ret, &c->broken));
    c->end += *ret;
    return ERR_OK;
}

/* A whole frame at the start of the buffer, or *ret 0. */
static enum errcode frame_next(struct rpc_client *c, size_t *ret)
{
    for (;;) {
        size_t wanted;
        size_t got;

        TRY(frame_wanted(c, &wanted));
        if (wanted > 0 && c->end - c->start >= wanted) {
            *ret = wanted;
            return ERR_OK;
        }
        TRY(receive(c, wanted, &got));
        if (got == 0) {
            *ret = 0;
            return ERR_OK;
        }
    }
}

enum errcode rpc_client_next(struct rpc_client *c, struct rpc_response *ret, bool *ret_found,
                             struct error *e)
{
    struct rpc_response response;
    struct bytes frame;
    size_t size;

    if (c->broken.code != ERR_OK) {
        return report(c, e);
    }
    c->start += c->taken;
    c->taken = 0;
    if (frame_next(c, &size) != ERR_OK) {
        return report(c, e);
    }
    if (size == 0) {
        *ret_found = false;
        return ERR_OK;
    }
    frame = bytes_of(c->buffer + c->start + RPC_LENGTH_SIZE, size - RPC_LENGTH_SIZE);
    if (rpc_response_parse(frame, &response, &c->broken) != ERR_OK) {
        return report(c, e);
    }
    if (response.type == RPC_FATAL) {
        IGNORE(rpc_response_error(response.body, &c->broken));
        return report(c, e);
    }
    c->taken = size;
    c->inflight -= c->inflight > 0 ? 1 : 0;
    *ret = response;
    *ret_found = true;
    return ERR_OK;
}

enum errcode rpc_clients_wait(struct rpc_client *const *clients, size_t count, int64_t timeout_us,
                              struct error *e)
{
    struct socket_interest items[RPC_CLIENTS_MAX];

    static_assert(RPC_CLIENTS_MAX <= SOCKET_WAIT_MAX, "one wait for all");
    ASSERT(count <= RPC_CLIENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        TRY(rpc_client_flush(clients[i], e));
        items[i] = (struct socket_interest){.fd = clients[i]->fd,
                                            .want_write = !list_empty(&clients[i]->queue)};
    }
    socket_wait(items, count, timeout_us);
    return ERR_OK;
}

/* ---- one request ---- */

enum errcode rpc_response_decode(const struct rpc_response *response, enum rpc_api_key key,
                                 struct arena *a, void *ret_message, struct error *e)
{
    const struct rpc_api *api = rpc_api_find((int16_t)key);

    if (response->type != RPC_SUCCESS) {
        return rpc_response_error(response->body, e);
    }
    return rpc_decode(api->response, response->body, a, ret_message, e);
}

/* Waits for the response; every other one answers something that was given up. */
static enum errcode await(struct rpc_client *c, int32_t id, int64_t deadline_us,
                          struct rpc_response *ret, struct error *e)
{
    TRY(rpc_client_flush(c, e));
    for (;;) {
        int64_t left_us = deadline_us - clock_mono_us();
        bool found = false;

        TRY(rpc_client_next(c, ret, &found, e));
        if (found && ret->id == id) {
            return ERR_OK;
        }
        if (!found && left_us <= 0) {
            IGNORE(error_set(&c->broken, ERR_REQUEST_TIME_OUT, "no response in time"));
            return report(c, e);
        }
        if (!found) {
            TRY(rpc_clients_wait(&c, 1, left_us, e));
        }
    }
}

enum errcode rpc_client_call(struct rpc_client *c, const struct rpc_call *call, struct arena *a,
                             void *ret_message, struct error *e)
{
    int64_t deadline_us = clock_mono_us() + call->timeout_us;
    struct rpc_response response;
    int32_t id;

    ASSERT(c->inflight == 0);
    TRY(rpc_client_send(c, call->key, call->request, &id, e));
    if (await(c, id, deadline_us, &response, e) != ERR_OK) {
        error_wrap(e, "%s", rpc_api_find((int16_t)call->key)->name);
        return c->broken.code;
    }
    response.body = arena_copy(a, response.body);
    return rpc_response_decode(&response, call->key, a, ret_message, e);
}

enum errcode rpc_client_handshake(struct rpc_client *c, const char *software, int64_t timeout_us,
                                  struct error *e)
{
    struct msg_api_versions_request request = {
        .client_software_name = bytes_str(software),
        .client_software_version = bytes_str(EIDER_VERSION),
    };
    struct rpc_call call = {.key = API_API_VERSIONS, .request = &request, .timeout_us = timeout_us};
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct msg_api_versions_response response;

    TRY(rpc_client_call(c, &call, &a, &response, e));
    for (size_t i = 0; i < response.api_versions_count; i++) {
        const struct msg_pb_api_version *theirs = &response.api_versions[i];
        bool fits = theirs->api_key >= INT16_MIN && theirs->api_key <= INT16_MAX;
        const struct rpc_api *ours = fits ? rpc_api_find((int16_t)theirs->api_key) : NULL;

        if (ours != NULL && ours->version_min <= theirs->max_version &&
            ours->version_max >= theirs->min_version) {
            c->versions[ours - rpc_api_at(0)] =
                (int16_t)(ours->version_max < theirs->max_version ? ours->version_max
                                                                  : theirs->max_version);
        }
    }
    return ERR_OK;
}
