#include "conn.h"

#include <stdlib.h>

#define PREFIX 4u
/* The shared read buffer; a new one is taken when less than READ_MIN of it is free. */
#define READ_BUFFER (256u * 1024)
#define READ_MIN    (16u * 1024)
/* After a frame of at least this size the next one probably is large too: its length is read first
 * so that the rest needs no copy. */
#define LARGE_FRAME      (64u * 1024)
#define LARGE_FIRST_READ 64u
/* Reads of one connection in one turn, so that others get theirs. */
#define READS_PER_TURN 16
/* Memory of a frame is charged in steps of this size as it arrives. */
#define CHARGE_STEP      (256u * 1024)
#define STARVED_RETRY_US 2000
/* What holds up all others is not waited for much longer than a network hiccup takes. */
#define OVERDRAW_STALL_US 10000000
/* Nor does it get more than so many times that for a whole frame. */
#define OVERDRAW_STALLS_MAX 6

struct conn {
    struct conn_group *group;
    struct stream *stream;
    const struct conn_handler *handler;
    void *context;
    struct list link;
    struct list starved; /* in group->starved while waiting for memory */

    uint8_t head[PREFIX]; /* a length prefix that arrived in parts */
    size_t head_len;
    struct chunk *frame; /* a frame (without prefix) that arrives in parts */
    size_t frame_len;    /* received so far */
    size_t last_frame;
    struct chunk *rest_owner; /* where received frames wait for their delivery */
    struct bytes rest;        /* those; the stream is paused while there are any */
    struct deferred resume;   /* delivers them */
    uint32_t inflight;
    bool paused;
    bool hold;        /* until it is moved */
    bool unsent_seen; /* when `idle` fired last */
    bool *gone;       /* set when the connection is freed inside a read loop */
    struct timer idle;
};

static void conn_readable(struct stream *s, void *context);
static void conn_stream_closed(struct stream *s, void *context, const struct error *why);
static void conn_idle(struct timer *t);
static void conn_resume(struct deferred *d);
static void conn_update_reading(struct conn *c);
static void conn_join(struct conn *c, struct conn_group *g);
static void conn_part(struct conn *c);
static void conn_give_rights_back(struct conn *c);
static void group_retry(struct timer *t);

static const struct stream_handler conn_stream_handler = {
    .readable = conn_readable,
    .closed = conn_stream_closed,
};

void conn_group_init(struct conn_group *g, struct shard *shard)
{
    *g = (struct conn_group){
        .shard = shard,
        .frame_bytes_min = 8,
        .frame_bytes_max = 100u << 20,
        .unsent_bytes_max = 8u << 20,
        .inflight_max = 500,
        .stall_us = OVERDRAW_STALL_US,
    };
    list_init(&g->conns);
    list_init(&g->starved);
    timer_init(&g->retry, group_retry);
}

void conn_group_fini(struct conn_group *g)
{
    ASSERT(list_empty(&g->conns));
    timer_stop(&g->retry);
    g->read_buffer = chunk_unref(g->read_buffer);
}

void conn_group_close_all(struct conn_group *g)
{
    while (!list_empty(&g->conns)) {
        conn_close(container_of(g->conns.next, struct conn, link));
    }
}

size_t conn_group_inflight(const struct conn_group *g)
{
    size_t sum = 0;

    for (const struct list *it = g->conns.next; it != &g->conns; it = it->next) {
        sum += container_of(it, struct conn, link)->inflight;
    }
    return sum;
}

void conn_group_stop_reading(struct conn_group *g)
{
    g->stopped = true;
    LIST_FOR_EACH(it, &g->conns) { conn_update_reading(container_of(it, struct conn, link)); }
}

enum errcode conn_open(struct conn_group *g, int fd, const struct conn_handler *handler,
                       void *context, struct conn **ret, struct error *e)
{
    struct conn *c = mem_new(struct conn);
    enum errcode code = stream_open(g->shard, fd, &conn_stream_handler, c, &c->stream, e);

    if (code != ERR_OK) {
        free(c);
        return code;
    }
    c->handler = handler;
    c->context = context;
    list_init(&c->starved);
    list_init(&c->link);
    deferred_init(&c->resume, conn_resume);
    timer_init(&c->idle, conn_idle);
    conn_join(c, g);
    conn_update_reading(c);
    *ret = c;
    return ERR_OK;
}

static void conn_end(struct conn *c, const struct error *why)
{
    if (c->gone != NULL) {
        *c->gone = true;
    }
    conn_part(c);
    stream_free(TAKE(c->stream)); /* queued responses end here, while the context still lives */
    c->handler->closed(c, c->context, why);
    (void)chunk_unref(c->frame);
    (void)chunk_unref(c->rest_owner);
    free(c);
}

void conn_close(struct conn *c)
{
    struct error why;

    if (c->stream == NULL) {
        return; /* by a response that ends with the connection */
    }
    (void)error_set(&why, ERR_NETWORK, "the connection of %s was closed by the server",
                    stream_peer(c->stream));
    conn_end(c, &why);
}

static void conn_stream_closed(struct stream *s, void *context, const struct error *why)
{
    struct error copy = *why; /* the stream's own, which goes first */

    (void)s;
    conn_end(context, &copy);
}

static void conn_idle(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, idle);
    int64_t limit_us = c->group->idle_us;
    int64_t quiet_us = shard_now_us(c->group->shard) - stream_active_us(c->stream);
    bool stuck = c->unsent_seen && stream_unsent(c->stream) > 0; /* the peer takes nothing */

    /* while requests are in flight or memory is short, it is we who are quiet */
    if (quiet_us >= limit_us && (c->inflight == 0 || stuck) && !list_linked(&c->starved)) {
        conn_close(c);
        return;
    }
    c->unsent_seen = stream_unsent(c->stream) > 0;
    timer_start(c->group->shard, t, quiet_us < limit_us ? limit_us - quiet_us : limit_us);
}

/* ---- moving ---- */

void conn_hold(struct conn *c)
{
    c->hold = true;
    conn_update_reading(c);
}

size_t conn_unsent(const struct conn *c) { return stream_unsent(c->stream); }

static void conn_join(struct conn *c, struct conn_group *g)
{
    c->group = g;
    list_push_back(&g->conns, &c->link);
    g->conn_count++;
    if (g->idle_us > 0) {
        timer_start(g->shard, &c->idle, g->idle_us);
    }
}

static void conn_part(struct conn *c)
{
    conn_give_rights_back(c);
    timer_stop(&c->idle);
    deferred_cancel(&c->resume);
    list_remove(&c->link);
    list_remove(&c->starved);
    c->group->conn_count--;
}

void conn_detach(struct conn *c)
{
    ASSERT(c->hold && c->inflight == 0 && c->gone == NULL);
    conn_part(c);
    stream_detach(c->stream);
    c->group = NULL;
}

void conn_attach(struct conn *c, struct conn_group *g)
{
    stream_attach(c->stream, g->shard);
    conn_join(c, g);
    c->hold = false;
    conn_update_reading(c);
}

/* ---- back-pressure ---- */

static bool conn_held(const struct conn *c)
{
    return c->group->stopped || c->hold || c->inflight >= c->group->inflight_max ||
           stream_unsent(c->stream) > c->group->unsent_bytes_max;
}

static void conn_update_reading(struct conn *c)
{
    bool held = conn_held(c) || list_linked(&c->starved);
    bool pause = held || c->rest.len > 0;

    if (!held && c->rest.len > 0) {
        shard_defer(c->group->shard, DEFER_WORK, &c->resume);
    }
    if (pause && !c->paused) {
        stream_pause(c->stream);
    } else if (!pause && c->paused) {
        stream_resume(c->stream);
    }
    c->paused = pause;
}

void conn_send(struct conn *c, struct stream_write *w) { stream_send(c->stream, w); }

void conn_request_done(struct conn *c)
{
    ASSERT(c->inflight > 0);
    c->inflight--;
    if (c->stream != NULL) {
        conn_update_reading(c);
    }
}

uint32_t conn_inflight(const struct conn *c) { return c->inflight; }

const char *conn_peer(const struct conn *c) { return stream_peer(c->stream); }

/* Joins those who wait for memory. */
static void conn_starve(struct conn *c)
{
    struct conn_group *g = c->group;

    if (!list_linked(&c->starved)) {
        list_push_back(&g->starved, &c->starved);
    }
    if (!timer_running(&g->retry)) {
        timer_start(g->shard, &g->retry, STARVED_RETRY_US);
    }
}

static void conn_give_rights_back(struct conn *c)
{
    if (c->group->overdrawer == c) {
        c->group->overdrawer = NULL;
    }
    if (c->group->let_in == c) {
        c->group->let_in = NULL;
    }
}

/* Whether another request may come in; if not the connection has to wait. */
static bool conn_has_memory(struct conn *c)
{
    if (c->group->let_in == c || !budget_full(shard_budget(c->group->shard))) {
        return true;
    }
    conn_starve(c);
    return false;
}

/* Whether a large frame is under way; others count like those in the shared buffer. */
static bool conn_has_large(const struct conn *c)
{
    return c->frame != NULL && c->frame->len >= LARGE_FRAME;
}

/* Bytes of the frame under way that memory is granted for and that are not yet received; 0: the
 * connection has to wait. A frame that began before the connection moved stays with its budget. */
static size_t conn_frame_room(struct conn *c)
{
    struct conn_group *g = c->group;
    size_t left = c->frame->len - c->frame->charged;
    size_t step = left < CHARGE_STEP ? left : CHARGE_STEP;
    struct budget *budget = c->frame->budget != NULL ? c->frame->budget : shard_budget(g->shard);

    if (c->frame_len < c->frame->charged) {
        return c->frame->charged - c->frame_len;
    }
    if (!conn_has_large(c) && !conn_has_memory(c)) {
        return 0;
    }
    if (g->overdrawer == c || !conn_has_large(c)) {
        chunk_overdraw(c->frame, budget, step);
        return step;
    }
    if (!chunk_charge(c->frame, budget, step)) {
        conn_starve(c);
        return 0;
    }
    return step;
}

/* Takes the right to overdraw from a connection that cannot use it. When its peer has long sent
 * nothing, it ends. */
static void group_check_overdrawer(struct conn_group *g)
{
    struct conn *c = g->overdrawer;
    int64_t now_us = shard_now_us(g->shard);
    struct error why;

    if (c != NULL && conn_held(c)) {
        g->overdrawer = NULL;
        return;
    }
    if (c == NULL || now_us - g->overdraw_us < g->stall_us ||
        (now_us - stream_active_us(c->stream) < g->stall_us &&
         now_us - g->overdraw_us < OVERDRAW_STALLS_MAX * g->stall_us)) {
        return;
    }
    (void)error_set(&why, ERR_NETWORK, "%s stalled within a request while memory is short",
                    stream_peer(c->stream));
    conn_end(c, &why);
}

/* Of those with a large frame under way the one that waits longest goes on, with the right to
 * overdraw until it is delivered; of the others the one that waits longest may deliver one frame.
 * The rest follows as far as the budget goes. */
static void group_retry(struct timer *t)
{
    struct conn_group *g = container_of(t, struct conn_group, retry);
    struct list waiting;

    group_check_overdrawer(g);
    list_init(&waiting);
    list_move_all(&waiting, &g->starved);
    g->let_in = NULL; /* who has not used it by now has no whole frame */
    LIST_FOR_EACH(it, &waiting)
    {
        struct conn *c = container_of(it, struct conn, starved);

        if (conn_has_large(c) && g->overdrawer == NULL) {
            g->overdrawer = c;
            g->overdraw_us = shard_now_us(g->shard);
        } else if (!conn_has_large(c) && g->let_in == NULL) {
            g->let_in = c;
        }
        list_remove(&c->starved);
        if (c->frame != NULL ? conn_frame_room(c) > 0 : conn_has_memory(c)) {
            conn_update_reading(c);
        }
    }
}

/* ---- frames ---- */

static void conn_deliver(struct conn *c, struct chunk *owner, struct bytes frame)
{
    conn_give_rights_back(c);
    c->inflight++;
    c->last_frame = frame.len;
    c->handler->frame(c, c->context, owner, frame);
}

/* Whether the length prefix is legal; closes the connection when it is not. */
static bool conn_length_ok(struct conn *c, uint32_t len)
{
    struct error why;

    if (len >= c->group->frame_bytes_min && len <= c->group->frame_bytes_max - PREFIX) {
        return true;
    }
    (void)error_set(
        &why, ERR_CORRUPT_MESSAGE, "frame of %u bytes from %s, between %zu and %zu expected", len,
        stream_peer(c->stream), c->group->frame_bytes_min, c->group->frame_bytes_max - PREFIX);
    conn_end(c, &why);
    return false;
}

/* Starts a frame of its own chunk with what is already there (less than one read buffer). */
static void conn_start_frame(struct conn *c, size_t len, struct bytes have)
{
    c->frame = chunk_new(len);
    c->frame_len = have.len;
    if (have.len > 0) {
        memcpy(c->frame->data, have.data, have.len);
        chunk_overdraw(c->frame, shard_budget(c->group->shard), have.len);
    }
}

/* Keeps frames that may not be delivered yet. */
static void conn_keep(struct conn *c, struct chunk *owner, struct bytes b)
{
    c->rest_owner = chunk_ref(owner);
    c->rest = b;
}

/* Delivers the complete frames in b (inside chunk owner) and keeps the rest. */
static void conn_cut(struct conn *c, struct chunk *owner, struct bytes b, const bool *gone)
{
    while (b.len >= PREFIX) {
        uint32_t len = get_u32be(b.data);
        struct bytes rest = bytes_slice(b, PREFIX, b.len - PREFIX);

        if (!conn_length_ok(c, len)) {
            return;
        }
        if (rest.len < len) {
            conn_start_frame(c, len, rest);
            return;
        }
        if (conn_held(c) || !conn_has_memory(c)) {
            conn_keep(c, owner, b);
            return;
        }
        conn_deliver(c, owner, bytes_slice(rest, 0, len));
        if (*gone) {
            return;
        }
        b = bytes_slice(rest, len, rest.len - len);
    }
    if (b.len > 0) {
        memcpy(c->head, b.data, b.len);
    }
    c->head_len = b.len;
}

static void conn_resume(struct deferred *d)
{
    struct conn *c = container_of(d, struct conn, resume);
    struct chunk *owner = TAKE(c->rest_owner);
    struct bytes b = c->rest;
    bool gone = false;

    c->rest = BYTES_EMPTY;
    c->gone = &gone;
    conn_cut(c, owner, b, &gone);
    (void)chunk_unref(owner);
    if (!gone) {
        c->gone = NULL;
        conn_update_reading(c);
    }
}

/* Completes a prefix that arrived in parts. Returns false when nothing more can be read now. */
static bool conn_read_head(struct conn *c)
{
    size_t n = stream_recv(c->stream, c->head + c->head_len, PREFIX - c->head_len);
    uint32_t len;

    c->head_len += n;
    if (n == 0 || c->head_len < PREFIX) {
        return n > 0;
    }
    c->head_len = 0;
    len = get_u32be(c->head);
    if (!conn_length_ok(c, len)) {
        return false;
    }
    conn_start_frame(c, len, BYTES_EMPTY);
    return true;
}

static bool conn_read_frame(struct conn *c)
{
    struct chunk *frame = c->frame;
    size_t n = stream_recv(c->stream, frame->data + c->frame_len, conn_frame_room(c));

    c->frame_len += n;
    if (c->frame_len == frame->len) {
        c->frame = NULL;
        conn_deliver(c, frame, bytes_of(frame->data, frame->len));
        (void)chunk_unref(frame);
    }
    return n > 0;
}

static struct chunk *group_buffer(struct conn_group *g)
{
    if (g->read_buffer != NULL &&
        atomic_load_explicit(&g->read_buffer->refs, memory_order_acquire) == 1) {
        g->read_used = 0; /* nobody holds a frame in it */
    }
    if (g->read_buffer == NULL || g->read_buffer->len - g->read_used < READ_MIN) {
        if (g->read_buffer != NULL) { /* small frames hold all of it from now on */
            chunk_overdraw(g->read_buffer, shard_budget(g->shard), g->read_buffer->len);
            (void)chunk_unref(g->read_buffer);
        }
        g->read_buffer = chunk_new(READ_BUFFER);
        g->read_used = 0;
    }
    return g->read_buffer;
}

/* Reads into the shared buffer and cuts frames. false: nothing more now. */
static bool conn_read_shared(struct conn *c, const bool *gone)
{
    struct conn_group *g = c->group;
    struct chunk *buffer = chunk_ref(group_buffer(g));
    uint8_t *at = buffer->data + g->read_used;
    size_t room = c->last_frame >= LARGE_FRAME ? LARGE_FIRST_READ : buffer->len - g->read_used;
    size_t n = stream_recv(c->stream, at, room);

    if (n > 0) {
        g->read_used += n;
        conn_cut(c, buffer, bytes_of(at, n), gone);
    }
    (void)chunk_unref(buffer);
    return n == room;
}

static void conn_readable(struct stream *s, void *context)
{
    struct conn *c = context;
    bool gone = false;
    bool more = true;

    (void)s;
    c->gone = &gone;
    for (int i = 0; i < READS_PER_TURN && more && !gone && !c->paused; i++) {
        if (c->frame != NULL) {
            more = conn_read_frame(c);
        } else if (!conn_has_memory(c)) {
            more = false;
        } else if (c->head_len > 0) {
            more = conn_read_head(c);
        } else {
            more = conn_read_shared(c, &gone);
        }
        if (!gone) {
            conn_update_reading(c);
        }
    }
    if (!gone) {
        c->gone = NULL;
    }
}
