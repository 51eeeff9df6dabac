#include "server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"

#define CLEAN_MARKER ".fluss_cleanshutdown"
#define LOCK_FILE    ".lock"
/* Requests in flight get this long to be answered before their connections are closed. */
#define STOP_GRACE_US 500000

/* ---- data directory ---- */

static enum errcode open_data_dir(struct server *s, struct error *e)
{
    if (s->config->data_dir == NULL) {
        TRY(dir_create_temporary("eider", &s->arena, &s->data_dir, e));
    } else {
        s->data_dir = arena_strndup(&s->arena, s->config->data_dir, strlen(s->config->data_dir));
        TRY(dir_create(s->data_dir, e));
    }
    TRY(remote_root_find(s->config->remote_data_dir, s->data_dir, &s->arena, &s->remote, e));
    return file_lock(arena_printf(&s->arena, "%s/%s", s->data_dir, LOCK_FILE), &s->lock, e);
}

/* The marker goes before any log is opened, so that a crash from here on is seen as one. */
static enum errcode take_marker(struct server *s, struct error *e)
{
    char *path = arena_printf(&s->arena, "%s/%s", s->data_dir, CLEAN_MARKER);

    s->clean = path_exists(path);
    if (s->clean) {
        TRY(path_remove(path, e));
        TRY(dir_sync(s->data_dir, e));
    }
    return ERR_OK;
}

static void close_data_dir(struct server *s, bool clean)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct error e;

    suspects_free(s->suspects, clean);
    if (s->data_dir != NULL && s->config->data_dir == NULL) {
        if (path_remove_tree(s->data_dir, &e) != ERR_OK) {
            diag_warn("server", "the temporary data stays: %s", e.message);
        }
    } else if (clean && file_replace(arena_printf(&arena, "%s/%s", s->data_dir, CLEAN_MARKER),
                                     BYTES_EMPTY, &e) != ERR_OK) {
        diag_warn("server", "the next start scans the logs: %s", e.message);
    }
    s->lock = file_unref(s->lock);
}

/* ---- shards ---- */

static void init_shard(void *context, unsigned index)
{
    struct server *s = context;
    struct shard *shard = s->shards[index];
    struct fluss_front_options options = s->config->front;

    options.fronts = s->fronts;
    s->replicas[index] = replica_set_new(shard, &s->replica_config);
    s->services[index] = service_new(&s->node, shard, s->replicas[index]);
    s->fronts[index] = fluss_front_new(s->services[index], &options);
}

/* The first view has no drops: it settles at once. */
static void first_view_settled(struct replica_settled *settled) { (void)settled; }

static void give_first_view(void *context, unsigned index)
{
    struct server *s = context;
    struct meta_view *view = meta_current(s->meta);
    struct replica_settled settled = {.done = first_view_settled};

    service_set_view(s->services[index], meta_view_ref(view));
    replica_set_apply(s->replicas[index], meta_view_ref(view), &settled);
    replica_set_recover(s->replicas[index]);
}

static enum errcode start_shards(struct server *s, struct error *e)
{
    for (unsigned i = 0; i < s->config->shards; i++) {
        char name[24];
        struct shard_options options = {
            .name = name, .index = i, .memory_limit = s->config->memory_bytes / s->config->shards};

        (void)snprintf(name, sizeof name, "shard-%u", i);
        TRY(shard_start(&options, &s->shards[i], e));
        s->node.shard_count = i + 1;
    }
    s->node.services = s->services;
    s->node.meta = s->meta;
    s->node.server_id = s->config->meta.server_id;
    s->node.rack = s->config->rack;
    s->node.wait_us_max = s->config->fetch_wait_us_max;
    s->replica_config = s->config->replicas;
    s->replica_config.data_dir = s->data_dir;
    s->replica_config.suspects = s->suspects;
    s->replica_config.remote_dir = s->remote.dir;
    s->replica_config.remote_uri = s->remote.uri;
    s->replica_config.shard_count = s->node.shard_count;
    s->replica_config.clean = s->clean;
    s->replica_config.disk = s->disk;
    s->replica_config.read_pool = s->reads;
    s->replica_config.sync_pool = s->sync;
    s->replica_config.kv_pool = s->kv;
    s->replica_config.snapshot_pool = s->snapshots;
    s->replica_config.kv_env = &s->kv_env;
    s->replica_config.kv_scan.open_count = &s->scanners;
    s->replica_config.meta = s->meta;
    s->kv_env.options = s->config->kv;
    s->kv_env.options.shard_count = s->node.shard_count;
    s->replica_config.hint = checkpoints_hint;
    s->replica_config.hint_context = s;
    shards_call(s->shards, s->node.shard_count, init_shard, s);
    shards_call(s->shards, s->node.shard_count, give_first_view, s);
    return ERR_OK;
}

/* ---- the catalog ---- */

static void start_upkeep(void *context, unsigned index)
{
    (void)index;
    checkpoints_start(context);
}

static enum errcode open_meta(struct server *s, struct error *e)
{
    struct shard_options coordinator = {.name = "coordinator", .memory_limit = SIZE_MAX};
    struct meta_options options = s->config->meta;

    TRY(shard_start(&coordinator, &s->coordinator, e));
    options.data_dir = s->data_dir;
    options.coordinator = s->coordinator;
    options.listener = (struct meta_listener){
        .context = s, .published = server_published, .dropped = server_dropped};
    return meta_open(&options, &s->meta, e);
}

/* ---- listening ---- */

struct handover {
    struct message message;
    struct server *server;
    const struct node_listener *listener;
    unsigned shard;
    int fd;
};

static void handover_run(struct message *m)
{
    struct handover *h = container_of(m, struct handover, message);

    fluss_front_accept(h->server->fronts[h->shard], h->listener, h->fd);
    free(h);
}

/* What `accepted` gets: which listener it was. */
struct accepting {
    struct server *server;
    const struct node_listener *listener;
};

static void accepted(void *context, int fd)
{
    struct accepting *a = context;
    struct server *s = a->server;
    struct handover *h = mem_new(struct handover);

    h->server = s;
    h->listener = a->listener;
    h->shard = s->next_shard++ % s->node.shard_count;
    h->fd = fd;
    h->message.run = handover_run;
    shard_send(s->shards[h->shard], &h->message);
}

static enum errcode listen_all(struct server *s, struct error *e)
{
    for (size_t i = 0; i < s->config->listener_count; i++) {
        const struct server_listener *l = &s->config->listeners[i];
        uint16_t port = 0;

        TRY(socket_listen(l->host, l->port, &s->listen_fds[i], &port, e));
        s->listeners[i] = (struct node_listener){
            .name = l->name,
            .host = l->advertised_host != NULL ? l->advertised_host : l->host,
            .port = l->advertised_port != 0 ? l->advertised_port : port,
        };
        s->node.listener_count = i + 1;
    }
    s->node.listeners = s->listeners;
    return ERR_OK;
}

static void start_accepting(void *context, unsigned index)
{
    struct server *s = context;

    (void)index;
    for (size_t i = 0; i < s->node.listener_count; i++) {
        struct accepting *a = arena_new(&s->arena, struct accepting);

        a->server = s;
        a->listener = &s->listeners[i];
        s->accepting[i] = listener_new(s->shards[0], s->listen_fds[i], accepted, a);
        s->listen_fds[i] = -1; /* the listener's now */
    }
}

/* ---- start ---- */

static enum errcode start_all(struct server *s, struct error *e)
{
    TRY(listen_all(s, e)); /* a port that is taken is found out before anything is touched */
    TRY(server_sql_listen(s, e));
    TRY(open_data_dir(s, e));
    s->disk = pool_new("disk", s->config->disk_threads);
    s->reads = pool_new("reads", s->config->read_threads);
    s->sync = pool_new("sync", s->config->sync_threads);
    s->kv = pool_new("kv", s->config->kv_threads);
    s->snapshots = pool_new("snapshots", s->config->snapshot_threads);
    TRY(open_meta(s, e));
    TRY(take_marker(s, e));
    s->suspects = suspects_new(s->data_dir);
    TRY(checkpoints_load(s, e));
    TRY(start_shards(s, e));
    TRY(deletions_resume(s, e));
    if (!s->config->sql.read_only) {
        meta_start(s->meta); /* what it does by the clock: partitions come and go, leases end */
    }
    shards_call(&s->coordinator, 1, start_upkeep, s);
    shards_call(s->shards, 1, start_accepting, s);
    server_sql_start(s);
    return ERR_OK;
}

enum errcode server_start(const struct server_config *config, struct server **ret, struct error *e)
{
    struct server *s = mem_new(struct server);
    enum errcode code;

    ASSERT(config->shards > 0 && config->shards <= SERVER_SHARDS_MAX);
    ASSERT(config->listener_count <= SERVER_LISTENERS_MAX);
    s->config = config;
    deletions_init(s);
    for (size_t i = 0; i < SERVER_LISTENERS_MAX; i++) {
        s->listen_fds[i] = -1;
        s->sql_fds[i] = -1;
    }
    code = start_all(s, e);
    if (code != ERR_OK) {
        (void)server_stop(s);
        return code;
    }
    *ret = s;
    return ERR_OK;
}

/* ---- stop ---- */

static void stop_accepting(void *context, unsigned index)
{
    struct server *s = context;

    (void)index;
    for (size_t i = 0; i < s->node.listener_count; i++) {
        listener_free(TAKE(s->accepting[i]));
    }
}

static void pass_gate(void *context) { gate_pass(((struct server *)context)->stopping); }

static void stop_front(void *context, unsigned index)
{
    struct server *s = context;

    service_drain(s->services[index]);
    fluss_front_stop(s->fronts[index], STOP_GRACE_US, pass_gate, s);
}

static void replicas_quiet(void *context) { gate_pass(((struct server *)context)->stopping); }

static void quiet_replicas(void *context, unsigned index)
{
    struct server *s = context;

    replica_set_quiet(s->replicas[index], replicas_quiet, s);
}

static void replicas_closed(void *context, bool clean)
{
    struct server *s = context;

    if (!clean) {
        atomic_store(&s->closed_clean, false);
    }
    gate_pass(s->stopping);
}

static void close_replicas(void *context, unsigned index)
{
    struct server *s = context;

    replica_set_close(s->replicas[index], replicas_closed, s);
}

/* Runs fn on every shard; each passes the gate when it is done, which may be later. */
static void stop_stage(struct server *s, void (*fn)(void *context, unsigned index))
{
    s->stopping = gate_new(s->node.shard_count);
    shards_call(s->shards, s->node.shard_count, fn, s);
    gate_wait(s->stopping);
    s->stopping = NULL;
}

static void end_thread(struct shard *shard)
{
    if (shard != NULL) {
        shard_stop(shard);
        shard_wait(shard);
    }
}

/* What serves: connections first, then the catalog, so that no view and no checkpoint meets logs
 * that are being closed. */
static void stop_serving(struct server *s)
{
    struct error e;

    if (s->fronts[0] == NULL) {
        return;
    }
    shards_call(s->shards, 1, stop_accepting, s);
    server_sql_stop(s);
    stop_stage(s, stop_front);
    stop_stage(s, quiet_replicas);
    end_thread(s->coordinator);
    stop_stage(s, close_replicas);
    if (checkpoints_write(s, &e) != ERR_OK) {
        diag_warn("server", "the checkpoints stay as they are: %s", e.message);
        atomic_store(&s->closed_clean, false);
    }
}

/* Nothing is freed before all threads have ended: they know each other. */
static void end_threads(struct server *s)
{
    atomic_store(&s->ending, true);
    end_thread(s->coordinator);
    for (unsigned i = 0; i < s->node.shard_count; i++) {
        end_thread(s->shards[i]);
    }
    pool_free(s->snapshots);
    pool_free(s->kv);
    pool_free(s->sync);
    pool_free(s->reads);
    pool_free(s->disk);
}

bool server_stop(struct server *s)
{
    bool clean;

    atomic_store(&s->closed_clean, s->fronts[0] != NULL);
    stop_serving(s);
    end_threads(s);
    deletions_free(s);
    server_sql_free(s);
    for (unsigned i = 0; i < s->node.shard_count; i++) {
        fluss_front_free(s->fronts[i]);
        service_free(s->services[i]);
        replica_set_free(s->replicas[i]);
        shard_join(s->shards[i]);
    }
    shard_join(s->coordinator);
    kv_env_lazy_fini(&s->kv_env);
    meta_close(s->meta);
    for (size_t i = 0; i < SERVER_LISTENERS_MAX; i++) {
        socket_close(s->listen_fds[i]);
    }
    clean = atomic_load(&s->closed_clean);
    close_data_dir(s, clean);
    checkpoints_free(s);
    arena_fini(&s->arena);
    free(s);
    return clean;
}
