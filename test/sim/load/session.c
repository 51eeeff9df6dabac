#include "session.h"

#include <stdlib.h>

#include "io/file.h"

#define HELLO_US     INT64_C(5000000)
#define AGAIN_US_MIN 2000
#define AGAIN_US_MAX 1000000
#define RESPONSE_MAX ((size_t)64 << 20)
#define NO_VERSION   (-1)

static void connect_now(struct session *s);

/* ---- end of a connection ---- */

static void call_done(struct session *s, struct call *call, const struct rpc_response *response)
{
    const struct rpc_api *api = rpc_api_find((int16_t)call->api);
    void *message = arena_zalloc(&s->arena, api->response->size);
    struct error e = {0};
    enum errcode code = ERR_NETWORK;

    if (response != NULL) {
        code = response->type == RPC_SUCCESS
                   ? rpc_decode(api->response, response->body, &s->arena, message, &e)
                   : rpc_response_error(response->body, &e);
    }
    call->done(call, code == ERR_OK ? message : NULL, code);
    arena_reset(&s->arena);
}

static void connection_lost(struct session *s)
{
    struct list lost;
    struct list *link;

    list_init(&lost);
    list_move_all(&lost, &s->calls);
    s->conn = NULL;
    s->open = false;
    buffer_clear(&s->received);
    world_cancel(s->world, &s->overtime);
    if (!s->stopped) {
        world_schedule(s->world, &s->again, prng_skewed(&s->prng, AGAIN_US_MIN, AGAIN_US_MAX));
    }
    while ((link = list_pop_front(&lost)) != NULL) {
        call_done(s, container_of(link, struct call, link), NULL);
    }
}

void session_cut(struct session *s)
{
    if (s->conn != NULL) {
        world_conn_close(s->conn);
        connection_lost(s);
    }
}

static void on_closed(struct world_conn *c, void *context)
{
    (void)c;
    connection_lost(context);
}

/* ---- deadlines ---- */

static void watch_deadline(struct session *s)
{
    int64_t first = INT64_MAX;

    LIST_FOR_EACH(it, &s->calls)
    {
        const struct call *call = container_of(it, struct call, link);

        first = call->deadline_us < first ? call->deadline_us : first;
    }
    if (first < INT64_MAX) {
        int64_t left = first - world_now_us(s->world);

        world_schedule(s->world, &s->overtime, left > 0 ? left : 0);
    } else {
        world_cancel(s->world, &s->overtime);
    }
}

static void on_overtime(struct world_event *ev)
{
    struct session *s = container_of(ev, struct session, overtime);
    int64_t now = world_now_us(s->world);

    LIST_FOR_EACH(it, &s->calls)
    {
        if (container_of(it, struct call, link)->deadline_us <= now) {
            trace_line(world_trace(s->world), "client", "no answer to request %d",
                       container_of(it, struct call, link)->id);
            session_cut(s);
            return;
        }
    }
    watch_deadline(s);
}

/* ---- receiving ---- */

static struct call *take_call(struct session *s, int32_t id)
{
    LIST_FOR_EACH(it, &s->calls)
    {
        struct call *call = container_of(it, struct call, link);

        if (call->id == id) {
            list_remove(it);
            return call;
        }
    }
    return NULL;
}

/* One frame from the start of what was received; false: there is none, or the connection is gone. */
static bool take_frame(struct session *s)
{
    struct rpc_response response;
    struct error e;
    struct call *call;
    struct bytes frame;
    size_t length;

    if (s->received.len < RPC_LENGTH_SIZE) {
        return false;
    }
    if (rpc_response_length(s->received.data, RESPONSE_MAX, &length, &e) != ERR_OK) {
        trace_violation(world_trace(s->world), "client", "%s", e.message);
        session_cut(s);
        return false;
    }
    if (s->received.len - RPC_LENGTH_SIZE < length) {
        return false;
    }
    frame = arena_copy(&s->arena, bytes_of(s->received.data + RPC_LENGTH_SIZE, length));
    s->received.len -= RPC_LENGTH_SIZE + length;
    memmove(s->received.data, s->received.data + RPC_LENGTH_SIZE + length, s->received.len);
    call = NULL;
    if (rpc_response_parse(frame, &response, &e) == ERR_OK) {
        call = take_call(s, response.id);
    }
    if (call == NULL) {
        trace_violation(world_trace(s->world), "client", "an answer to nothing");
        session_cut(s);
        return false;
    }
    call_done(s, call, &response);
    return true;
}

static void on_received(struct world_conn *c, void *context, struct bytes b)
{
    struct session *s = context;

    buffer_bytes(&s->received, b);
    while (s->conn == c && take_frame(s)) {
    }
    if (s->conn == c) {
        watch_deadline(s);
    }
}

/* ---- sending ---- */

static void send_frame(struct session *s, struct call *call, const void *message)
{
    const struct rpc_api *api = rpc_api_find((int16_t)call->api);
    struct rpc_request header = {.api_key = (int16_t)call->api,
                                 .api_version = s->versions[api - rpc_api_at(0)],
                                 .id = call->id};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct pieces pieces;

    ASSERT(header.api_version != NO_VERSION);
    pieces_init(&pieces, &arena);
    rpc_frame_request(&header, api->request, message, &pieces);
    for (size_t i = 0; i < pieces.count; i++) {
        buffer_bytes(&out, bytes_of(pieces.items[i].data, pieces.items[i].len));
    }
    world_conn_send(s->conn, buffer_view(&out));
    pieces_fini(&pieces);
}

static void start_call(struct session *s, struct call *call, enum rpc_api_key api,
                       const void *message, int64_t timeout_us)
{
    call->id = s->next_id++;
    call->api = api;
    call->deadline_us = world_now_us(s->world) + timeout_us;
    list_push_back(&s->calls, &call->link);
    send_frame(s, call, message);
    watch_deadline(s);
}

void session_send(struct session *s, struct call *call, enum rpc_api_key api, const void *message,
                  int64_t timeout_us)
{
    ASSERT(s->open);
    start_call(s, call, api, message, timeout_us);
}

/* ---- beginning ---- */

static void on_hello(struct call *call, const void *response, enum errcode error)
{
    struct session *s = container_of(call, struct session, hello);
    const struct msg_api_versions_response *m = response;

    if (error != ERR_OK) {
        return; /* the connection goes, or its deadline comes */
    }
    for (size_t i = 0; i < m->api_versions_count; i++) {
        const struct msg_pb_api_version *theirs = &m->api_versions[i];
        const struct rpc_api *ours = rpc_api_find((int16_t)theirs->api_key);

        if (ours != NULL && ours->served) {
            s->versions[ours - rpc_api_at(0)] = (int16_t)theirs->max_version;
        }
    }
    s->open = true;
    s->ready(s);
}

static void on_connected(struct world_conn *c, void *context)
{
    struct session *s = context;
    struct msg_api_versions_request request = {
        .client_software_name = bytes_str("sim"),
        .client_software_version = bytes_str("0"),
    };

    s->conn = c;
    s->hello.done = on_hello;
    start_call(s, &s->hello, API_API_VERSIONS, &request, HELLO_US);
}

static void connect_now(struct session *s)
{
    static const struct world_conn_handler handler = {
        .connected = on_connected, .received = on_received, .closed = on_closed};

    s->conn = world_connect(s->world, WORLD_PORT, &handler, s);
}

static void on_again(struct world_event *ev)
{
    connect_now(container_of(ev, struct session, again));
}

void session_init(struct session *s, struct world *w, struct prng prng,
                  void (*ready)(struct session *s))
{
    *s = (struct session){.world = w, .prng = prng, .ready = ready};
    list_init(&s->calls);
    s->versions = mem_zalloc(rpc_api_count() * sizeof *s->versions);
    for (size_t i = 0; i < rpc_api_count(); i++) {
        s->versions[i] = NO_VERSION;
    }
    s->versions[rpc_api_find(API_API_VERSIONS) - rpc_api_at(0)] = 0;
    world_event_init(&s->again, on_again);
    world_event_init(&s->overtime, on_overtime);
    world_schedule(w, &s->again, prng_between(&s->prng, 0, AGAIN_US_MIN));
}

void session_fini(struct session *s)
{
    if (s->conn != NULL) {
        world_conn_close(s->conn);
    }
    world_cancel(s->world, &s->again);
    world_cancel(s->world, &s->overtime);
    buffer_fini(&s->received);
    arena_fini(&s->arena);
    free(s->versions);
}
