#include "postgres.h"

#include "pg_session.h"

#include <stdlib.h>

#include "base/diag.h"
#include "io/clock.h"
#include "io/stream.h"

#define RECV_SIZE ((size_t)64 << 10)
/* After so many rows in a row that another shard looked up a connection moves there; each move doubles
 * what the next one takes. */
#define MOVE_AFTER     8
#define MOVE_AFTER_MAX (1u << 20)

struct postgres_front {
    struct service *service;
    struct postgres_options options;
    struct list connections;
    uint32_t count;  /* of those that were accepted here, wherever they are */
    uint32_t number; /* of the newest connection */
    bool stopping;
    void (*stopped)(void *context);
    void *stopped_context;
    struct deferred stop;
};

/*  READING ──> STEPPING (shard, then pool) ──> SENDING ──> READING or STEPPING
 *  any ──> CLOSING (pool) ──> gone */
struct connection {
    struct list link;
    struct postgres_front *front;
    struct postgres_front *home; /* that has accepted it */
    struct stream *stream;       /* NULL: closed */
    struct pg_session *session;
    struct pg_key key;
    struct buffer in;   /* the step's while one is under way */
    struct buffer more; /* what arrived meanwhile */
    struct buffer out;
    struct meta_view *view; /* a reference, for the step */
    struct pool_job job;
    bool stepping;
    bool sending;
    bool closing;
    enum pg_step step;
    struct stream_write write;
    struct arena arena; /* of the write */
    struct timer timeout;
    unsigned move_after;
    struct deferred move;
    struct message moved; /* to its new shard; and at last to its home */
};

static void connection_go(struct connection *c);
static void connection_step(struct connection *c);

/* ---- the end ---- */

static void stop_check(struct deferred *d)
{
    struct postgres_front *f = container_of(d, struct postgres_front, stop);

    if (f->stopping && f->count == 0 && f->stopped != NULL) {
        void (*stopped)(void *context) = TAKE(f->stopped);

        stopped(f->stopped_context);
    }
}

static void close_work(struct pool_job *job)
{
    pg_session_free(TAKE(container_of(job, struct connection, job)->session));
}

static void connection_gone(struct message *m)
{
    struct connection *c = container_of(m, struct connection, moved);
    struct postgres_front *home = c->home;

    home->count--;
    free(c);
    shard_defer(home->service->shard, DEFER_WORK, &home->stop);
}

static void close_done(struct message *m)
{
    struct connection *c = container_of(m, struct connection, job.done);

    list_remove(&c->link);
    buffer_fini(&c->in);
    buffer_fini(&c->more);
    buffer_fini(&c->out);
    arena_fini(&c->arena);
    if (c->front == c->home) {
        connection_gone(&c->moved);
    } else {
        c->moved.run = connection_gone;
        shard_send(c->home->service->shard, &c->moved);
    }
}

/* When nothing of it is under way: closing a session may wait for shards. */
static void connection_end(struct connection *c)
{
    if (c->stream != NULL) {
        stream_free(TAKE(c->stream));
    }
    if (c->stepping || c->closing) {
        return;
    }
    c->closing = true;
    deferred_cancel(&c->move);
    timer_stop(&c->timeout);
    c->job = (struct pool_job){
        .work = close_work, .home = c->front->service->shard, .done.run = close_done};
    pool_submit(c->front->options.pool, &c->job);
}

static void connection_abort(struct connection *c, enum pg_interrupt why)
{
    if (c->stepping) {
        pg_session_interrupt(c->session, why);
    }
    connection_end(c);
}

/* ---- cancel ---- */

struct cancel {
    struct message message;
    struct postgres_front *front;
    struct pg_key key;
    unsigned left; /* other shards that have not been asked */
};

static void cancel_run(struct message *m);

static void cancel_send(struct cancel *cancel, unsigned shard)
{
    cancel->message.run = cancel_run;
    cancel->front = cancel->front->options.fronts[shard % cancel->front->options.shard_count];
    shard_send(cancel->front->service->shard, &cancel->message);
}

static struct connection *cancel_find(const struct cancel *cancel)
{
    LIST_FOR_EACH(it, &cancel->front->connections)
    {
        struct connection *c = container_of(it, struct connection, link);

        if (c->key.pid == cancel->key.pid && c->key.secret == cancel->key.secret) {
            return c;
        }
    }
    return NULL;
}

/* One that moves meanwhile is not found; nothing of it is running then. */
static void cancel_run(struct message *m)
{
    struct cancel *cancel = container_of(m, struct cancel, message);
    struct connection *c = cancel_find(cancel);

    if (c == NULL && cancel->left > 0) {
        cancel->left--;
        cancel_send(cancel, shard_index(cancel->front->service->shard) + 1);
        return;
    }
    if (c != NULL && c->stepping) {
        pg_session_interrupt(c->session, PG_INTERRUPT_USER);
    }
    free(cancel);
}

/* The shard that has accepted it is part of the number that clients are told; mostly it is there. */
static void cancel_start(struct postgres_front *f, struct pg_key key)
{
    struct cancel *cancel = mem_new(struct cancel);

    cancel->front = f;
    cancel->key = key;
    cancel->left = f->options.shard_count - 1;
    cancel_send(cancel, key.pid);
}

/* ---- steps ---- */

static void step_work(struct pool_job *job)
{
    struct connection *c = container_of(job, struct connection, job);

    c->step = pg_session_step(c->session, c->view, &c->in, &c->out);
}

static void write_sent(struct stream_write *w, bool ok)
{
    struct connection *c = container_of(w, struct connection, write);

    c->sending = false;
    buffer_clear(&c->out);
    arena_reset(&c->arena);
    if (ok && c->stream != NULL) {
        connection_go(c);
    }
}

static void send_out(struct connection *c)
{
    c->sending = true;
    c->write = (struct stream_write){.sent = write_sent};
    list_init(&c->write.link);
    pieces_init(&c->write.pieces, &c->arena);
    pieces_add_bytes(&c->write.pieces, buffer_view(&c->out));
    stream_send(c->stream, &c->write);
}

static void step_done(struct message *m)
{
    struct connection *c = container_of(m, struct connection, job.done);

    c->stepping = false;
    timer_stop(&c->timeout);
    c->view = meta_view_unref(c->view);
    if (c->step == PG_CANCELS) {
        cancel_start(c->front, pg_session_cancel(c->session));
    }
    if (c->stream == NULL || c->front->stopping) {
        connection_end(c);
    } else if (c->out.len > 0) {
        send_out(c);
    } else {
        connection_go(c);
    }
}

static void timed_out(struct timer *t)
{
    struct connection *c = container_of(t, struct connection, timeout);

    pg_session_interrupt(c->session, PG_INTERRUPT_TIMEOUT);
}

static void step_start(struct connection *c)
{
    struct service *service = c->front->service;
    int64_t timeout_ms = pg_session_timeout_ms(c->session);

    c->stepping = true;
    c->view = meta_view_ref(service->view);
    c->job = (struct pool_job){.work = step_work, .home = service->shard, .done.run = step_done};
    if (timeout_ms > 0) {
        timer_start(service->shard, &c->timeout, timeout_ms * 1000);
    }
    pool_submit(c->front->options.pool, &c->job);
}

static void looked_up(void *context)
{
    struct connection *c = context;

    c->stepping = false;
    if (c->stream == NULL || c->front->stopping) {
        connection_end(c);
        return;
    }
    connection_step(c);
    stream_resume(c->stream);
}

/* What a client sends ahead of long answers stays in `more`, and then in the network. */
static void take_more(struct connection *c)
{
    if (c->step == PG_WANTS_INPUT || c->in.len <= PG_AHEAD_MAX) {
        buffer_bytes(&c->in, buffer_view(&c->more));
        buffer_clear(&c->more);
    }
}

/* On the shard as far as nothing has to be waited for, then in the pool. */
static void connection_step(struct connection *c)
{
    const struct sql_lookup_wait wait = {
        .shard = c->front->service->shard, .done = looked_up, .context = c};

    do {
        take_more(c);
        c->step = pg_session_quick(c->session, c->front->service->view, &c->in, &c->out, &wait);
    } while (c->step == PG_WANTS_INPUT && c->out.len == 0 && c->more.len > 0);
    c->stepping = c->step == PG_LOOKS_UP;
    if (c->step == PG_NEEDS_STEP) {
        step_start(c);
    } else if (!c->stepping && c->out.len > 0) {
        send_out(c);
    }
}

/* ---- moving to the shard that has the rows ---- */

static void connection_arrive(struct message *m)
{
    struct connection *c = container_of(m, struct connection, moved);

    list_push_back(&c->front->connections, &c->link);
    stream_attach(c->stream, c->front->service->shard);
    if (c->front->stopping) {
        connection_end(c);
    }
}

/* NULL: it stays. No step is under way. */
static const struct shard *place_of_rows(const struct connection *c)
{
    unsigned count = 0;
    const struct shard *owner = pg_session_owner(c->session, &count);

    return c->step == PG_WANTS_INPUT && owner != c->front->service->shard && count >= c->move_after
               ? owner
               : NULL;
}

static void connection_move(struct deferred *d)
{
    struct connection *c = container_of(d, struct connection, move);
    bool busy = c->stepping || c->sending || c->more.len > 0;
    const struct shard *to = busy || c->stream == NULL ? NULL : place_of_rows(c);

    if (to == NULL || c->front->stopping) {
        return;
    }
    stream_detach(c->stream);
    list_remove(&c->link);
    c->front = c->front->options.fronts[shard_index(to)];
    c->move_after = c->move_after < MOVE_AFTER_MAX ? c->move_after * 2 : c->move_after;
    c->moved.run = connection_arrive;
    shard_send(c->front->service->shard, &c->moved);
}

/* What is next, when no step and no write is under way. */
static void connection_go(struct connection *c)
{
    if (c->step == PG_ENDS || c->step == PG_CANCELS) {
        connection_end(c);
        return;
    }
    if (c->more.len > 0 || c->step == PG_HAS_MORE) {
        connection_step(c);
    } else if (place_of_rows(c) != NULL) {
        shard_defer(c->front->service->shard, DEFER_WORK, &c->move);
    }
    stream_resume(c->stream);
}

/* ---- connections ---- */

static void on_readable(struct stream *stream, void *context)
{
    struct connection *c = context;
    uint8_t *room;
    size_t len;

    if (c->more.len >= RECV_SIZE) { /* the client is ahead of us */
        stream_pause(stream);
        return;
    }
    room = buffer_room(&c->more, RECV_SIZE);
    len = stream_recv(stream, room, RECV_SIZE);
    c->more.len -= RECV_SIZE - len;
    if (len > 0 && !c->stepping && !c->sending) {
        connection_go(c);
    }
}

static void on_closed(struct stream *stream, void *context, const struct error *why)
{
    struct connection *c = context;

    (void)stream;
    diag_debug("postgres", "connection closed: %s", why->message);
    connection_abort(c, PG_INTERRUPT_STOP); /* nobody is there to be answered */
}

static const struct stream_handler handler = {.readable = on_readable, .closed = on_closed};

void postgres_front_accept(struct postgres_front *f, int fd)
{
    struct connection *c;
    struct error e;

    if (f->stopping || f->count >= f->options.connections_max) {
        socket_close(fd);
        return;
    }
    c = mem_new(struct connection);
    c->front = f;
    c->home = f;
    c->move_after = MOVE_AFTER;
    list_init(&c->link);
    deferred_init(&c->move, connection_move);
    timer_init(&c->timeout, timed_out);
    if (stream_open(f->service->shard, fd, &handler, c, &c->stream, &e) != ERR_OK) {
        diag_warn("postgres", "a connection could not be taken: %s", e.message);
        free(c);
        return;
    }
    f->number = f->number + 1 < UINT32_MAX / f->options.shard_count / 2 ? f->number + 1 : 1;
    c->key.pid = f->number * f->options.shard_count + shard_index(f->service->shard);
    c->key.secret = (uint32_t)random_u64();
    c->session = pg_session_new(f->options.engine, c->key);
    list_push_back(&f->connections, &c->link);
    f->count++;
}

struct postgres_front *postgres_front_new(struct service *service,
                                          const struct postgres_options *options)
{
    struct postgres_front *f = mem_new(struct postgres_front);

    f->service = service;
    f->options = *options;
    list_init(&f->connections);
    deferred_init(&f->stop, stop_check);
    return f;
}

void postgres_front_stop(struct postgres_front *f, void (*done)(void *context), void *context)
{
    f->stopping = true;
    f->stopped = done;
    f->stopped_context = context;
    LIST_FOR_EACH(it, &f->connections)
    {
        connection_abort(container_of(it, struct connection, link), PG_INTERRUPT_STOP);
    }
    shard_defer(f->service->shard, DEFER_WORK, &f->stop);
}

void postgres_front_free(struct postgres_front *f) { free(f); }
