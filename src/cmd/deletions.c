/* From a dropped table to removed directories: the new view reaches every shard, each closes its
 * buckets and settles, then the pool removes the files, here and in remote storage, and the catalog
 * forgets them. */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"

struct deletion {
    struct list link; /* of its publication, then of the server */
    struct pool_job job;
    struct meta_deletion_done done;
    struct server *server;
    char *dir;
    char *remote_dir; /* of snapshots; most tables have none */
    enum errcode code;
    struct error error;
};

/* One shard's answer to a view. */
struct settling {
    struct replica_settled settled;
    struct message message; /* to the coordinator */
    struct publication *publication;
};

/* A view on its way to all shards, and what was dropped with it: the directories go when every
 * shard has let go of them. */
struct publication {
    struct list link;
    struct server *server;
    struct meta_view *view; /* borrowed during the call */
    unsigned waiting;       /* shards not yet settled, and the turn that published it */
    struct list deletions;
    struct settling settlings[]; /* by shard */
};

/* ---- removal ---- */

static void deletion_free(struct deletion *d)
{
    list_remove(&d->link);
    free(d->remote_dir);
    free(d->dir);
    free(d);
}

static void deletion_forgotten(struct meta_job *job)
{
    struct deletion *d = container_of(job, struct deletion, done.job);

    if (job->code != ERR_OK) {
        diag_warn("server",
                  "the removal of %s is not recorded, it is repeated at the next start: "
                  "%s",
                  d->dir, job->error.message);
    }
    deletion_free(d);
}

/* The catalog forgets a directory only when its removal is durable: nothing else knows of it. */
static enum errcode remove_durably(const char *dir, struct error *e)
{
    OWNED(mem_freep) char *parent = mem_strdup(dir);

    TRY(path_remove_tree(dir, e));
    *strrchr(parent, '/') = '\0';
    return path_exists(parent) ? dir_sync(parent, e) : ERR_OK;
}

static void deletion_work(struct pool_job *job)
{
    struct deletion *d = container_of(job, struct deletion, job);

    if (atomic_load(&d->server->ending)) {
        d->code = error_set(&d->error, ERR_STORAGE, "the server is stopping");
    } else {
        d->code = remove_durably(d->dir, &d->error);
        if (d->code == ERR_OK) {
            d->code = remove_durably(d->remote_dir, &d->error);
        }
    }
}

static void deletion_removed(struct message *m)
{
    struct deletion *d = container_of(m, struct deletion, job.done);

    if (d->code != ERR_OK) {
        diag_warn("server", "%s cannot be removed now: %s", d->dir, d->error.message);
        deletion_free(d);
        return;
    }
    d->done.job.kind = META_DELETION_DONE;
    d->done.job.done = deletion_forgotten;
    meta_submit(d->server->meta, &d->done.job);
}

static void deletion_start(struct deletion *d)
{
    list_push_back(&d->server->deletions, &d->link);
    d->job = (struct pool_job){
        .work = deletion_work, .home = d->server->coordinator, .done.run = deletion_removed};
    pool_submit(d->server->disk, &d->job);
}

/* What a table or partition has below a root, heap. Source of the layout: FlussPaths of Apache
 * Fluss. */
static char *dir_below(const char *root, const struct meta_deletion *m)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir =
        arena_printf(&arena, "%s/%s/%s-%lld", root, m->database, m->table, (long long)m->table_id);

    if (m->partition != NULL) {
        dir = arena_printf(&arena, "%s/%s-p%lld", dir, m->partition, (long long)m->partition_id);
    }
    return mem_strdup(dir);
}

static struct deletion *deletion_new(struct server *s, const struct meta_deletion *m)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct deletion *d = mem_new(struct deletion);

    list_init(&d->link);
    d->server = s;
    d->dir = dir_below(s->data_dir, m);
    d->remote_dir = dir_below(arena_printf(&arena, "%s/kv", s->remote.dir), m);
    d->done.table_id = m->table_id;
    d->done.partition_id = m->partition_id;
    return d;
}

/* ---- views to the shards ---- */

static void publication_release(struct publication *p)
{
    struct list *link;

    if (--p->waiting > 0) {
        return;
    }
    while ((link = list_pop_front(&p->deletions)) != NULL) {
        deletion_start(container_of(link, struct deletion, link));
    }
    list_remove(&p->link);
    free(p);
}

static void settled_home(struct message *m)
{
    publication_release(container_of(m, struct settling, message)->publication);
}

static void shard_settled(struct replica_settled *settled)
{
    struct settling *s = container_of(settled, struct settling, settled);

    s->message.run = settled_home;
    shard_send(s->publication->server->coordinator, &s->message);
}

static void deliver(void *context, unsigned index)
{
    struct publication *p = context;
    struct server *s = p->server;
    struct settling *settling = &p->settlings[index];

    settling->publication = p;
    settling->settled.done = shard_settled;
    service_set_view(s->services[index], meta_view_ref(p->view));
    replica_set_apply(s->replicas[index], meta_view_ref(p->view), &settling->settled);
}

/* The turn that published a view is over: nothing more is dropped with it. */
static void publication_over(struct deferred *d)
{
    struct server *s = container_of(d, struct server, publication_over);

    publication_release(TAKE(s->latest));
}

void deletions_init(struct server *s)
{
    deferred_init(&s->publication_over, publication_over);
    list_init(&s->publications);
    list_init(&s->deletions);
}

void server_published(struct meta_view *view, void *context)
{
    struct server *s = context;
    unsigned shards = s->node.shard_count;
    struct publication *p = mem_zalloc(sizeof *p + shards * sizeof(struct settling));

    if (s->latest != NULL) {
        deferred_cancel(&s->publication_over);
        publication_over(&s->publication_over);
    }
    p->server = s;
    p->view = view;
    p->waiting = shards + 1;
    list_init(&p->deletions);
    list_push_back(&s->publications, &p->link);
    s->latest = p;
    shards_call(s->shards, shards, deliver, p);
    shard_defer(s->coordinator, DEFER_WORK, &s->publication_over);
}

void server_dropped(const struct meta_deletion *deletion, void *context)
{
    struct server *s = context;

    ASSERT(s->latest != NULL);
    list_push_back(&s->latest->deletions, &deletion_new(s, deletion)->link);
}

enum errcode deletions_resume(struct server *s, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct meta_deletion *pending;
    size_t count;

    TRY(meta_pending_deletions(s->meta, &arena, &pending, &count, e));
    for (size_t i = 0; i < count; i++) {
        deletion_start(deletion_new(s, &pending[i]));
    }
    return ERR_OK;
}

static void free_all(struct list *deletions)
{
    struct list *link;

    while ((link = list_pop_front(deletions)) != NULL) {
        deletion_free(container_of(link, struct deletion, link));
    }
}

void deletions_free(struct server *s)
{
    struct list *link;

    free_all(&s->deletions);
    while ((link = list_pop_front(&s->publications)) != NULL) {
        struct publication *p = container_of(link, struct publication, link);

        free_all(&p->deletions);
        free(p);
    }
}
