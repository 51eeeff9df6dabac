/* The part of the server that serves SQL: listeners, sessions on all shards, the engine. */
#include "server.h"

#include <stdlib.h>

#include "base/diag.h"

/* Steps of sessions that run at once: each may wait for its query. */
#define SQL_POOL_THREADS 64
#define SQL_CONNECTIONS  1000 /* of all shards together */

enum errcode server_sql_listen(struct server *s, struct error *e)
{
    for (size_t i = 0; i < s->config->sql_listener_count; i++) {
        const struct server_listener *l = &s->config->sql_listeners[i];
        size_t at = s->sql_listener_count;
        uint16_t port = 0;
        enum errcode code = socket_listen(l->host, l->port, &s->sql_fds[at], &port, e);

        if (code != ERR_OK && !s->config->sql_may_miss) {
            return code;
        }
        if (code != ERR_OK) {
            diag_warn("server", "SQL is not served: %s", e->message);
            continue;
        }
        s->sql_listeners[at] =
            (struct node_listener){.name = l->name, .host = l->host, .port = port};
        s->sql_listener_count++;
    }
    return ERR_OK;
}

/* ---- accepting ---- */

struct sql_handover {
    struct message message;
    struct postgres_front *front;
    int fd;
};

static void handover_run(struct message *m)
{
    struct sql_handover *h = container_of(m, struct sql_handover, message);

    postgres_front_accept(h->front, h->fd);
    free(h);
}

static void hand_over(struct server *s, unsigned shard, int fd)
{
    struct sql_handover *h = mem_new(struct sql_handover);

    h->front = s->sql_fronts[shard];
    h->fd = fd;
    h->message.run = handover_run;
    shard_send(s->shards[shard], &h->message);
}

static void accepted(void *context, int fd)
{
    struct server *s = context;

    hand_over(s, s->next_shard++ % s->node.shard_count, fd);
}

void server_sql_adopt(struct server *s, int fd) { hand_over(s, 0, fd); }

static void init_front(void *context, unsigned index)
{
    struct server *s = context;
    struct postgres_options options = {
        .engine = s->sql,
        .pool = s->sql_pool,
        .fronts = s->sql_fronts,
        .shard_count = s->node.shard_count,
        .connections_max = SQL_CONNECTIONS / s->node.shard_count + 1,
    };

    s->sql_fronts[index] = postgres_front_new(s->services[index], &options);
}

static void start_accepting(void *context, unsigned index)
{
    struct server *s = context;

    (void)index;
    for (size_t i = 0; i < s->sql_listener_count; i++) {
        s->sql_accepting[i] = listener_new(s->shards[0], s->sql_fds[i], accepted, s);
        s->sql_fds[i] = -1; /* the listener's now */
    }
}

static struct meta_view *current_view(void *context)
{
    const struct server *s = context;

    return meta_view_ref(s->services[0]->view);
}

void server_sql_start(struct server *s)
{
    struct sql_world world = {.shards = s->shards,
                              .replicas = s->replicas,
                              .count = s->node.shard_count,
                              .meta = s->meta,
                              .view = current_view,
                              .context = s};
    struct sql_options options = s->config->sql;

    if (s->sql_listener_count == 0 && !s->config->sql_private) {
        return;
    }
    options.spool_dir = s->data_dir;
    s->sql = sql_engine_new(&options, &world);
    s->sql_pool = pool_new("sql", SQL_POOL_THREADS);
    pool_give_way(s->sql_pool); /* DuckDB's threads begin in it, and so give way, too */
    shards_call(s->shards, s->node.shard_count, init_front, s);
    shards_call(s->shards, 1, start_accepting, s);
}

/* ---- stop ---- */

static void stop_accepting(void *context, unsigned index)
{
    struct server *s = context;

    (void)index;
    for (size_t i = 0; i < s->sql_listener_count; i++) {
        listener_free(TAKE(s->sql_accepting[i]));
    }
}

static void pass_gate(void *context) { gate_pass(context); }

struct stopping {
    struct server *server;
    struct gate *gate;
};

static void stop_front(void *context, unsigned index)
{
    struct stopping *stopping = context;

    postgres_front_stop(stopping->server->sql_fronts[index], pass_gate, stopping->gate);
}

void server_sql_stop(struct server *s)
{
    struct stopping stopping = {.server = s};

    if (s->sql == NULL) {
        return;
    }
    shards_call(s->shards, 1, stop_accepting, s);
    stopping.gate = gate_new(s->node.shard_count);
    shards_call(s->shards, s->node.shard_count, stop_front, &stopping);
    gate_wait(stopping.gate);
}

void server_sql_free(struct server *s)
{
    for (unsigned i = 0; i < s->node.shard_count; i++) {
        postgres_front_free(s->sql_fronts[i]);
    }
    for (size_t i = 0; i < SERVER_LISTENERS_MAX; i++) {
        socket_close(s->sql_fds[i]);
    }
    if (s->sql_pool != NULL) {
        pool_free(s->sql_pool);
    }
    sql_engine_free(s->sql);
}
