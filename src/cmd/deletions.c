/* From a dropped table to removed directories: the new view reaches every shard, each closes its
 * buckets and settles, then the pool removes the files and the catalog forgets them. */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"

struct deletion {
    struct list link;
    struct pool_job job;
    struct meta_deletion_done done;
    struct server *server;
    char *dir;
    enum errcode code;
    struct error error;
};

/* One shard's answer to a view. */
struct settling {
    struct replica_settled settled;
    struct message message; /* to the coordinator */
    struct publication *publication;
};

struct delivery {
    struct publication *publication;
    struct settling *settlings; /* per shard */
};

/* ---- removal ---- */

static void deletion_free(struct deletion *d)
{
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

static void deletion_work(struct pool_job *job)
{
    struct deletion *d = container_of(job, struct deletion, job);

    d->code = path_remove_tree(d->dir, &d->error);
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
    d->job = (struct pool_job){
        .work = deletion_work, .home = d->server->coordinator, .done.run = deletion_removed};
    pool_submit(d->server->disk, &d->job);
}

static struct deletion *deletion_new(struct server *s, const struct meta_deletion *m)
{
    struct deletion *d = mem_new(struct deletion);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *dir = arena_printf(&arena, "%s/%s/%s-%lld", s->data_dir, m->database, m->table,
                             (long long)m->table_id);

    if (m->partition != NULL) {
        dir = arena_printf(&arena, "%s/%s-p%lld", dir, m->partition, (long long)m->partition_id);
    }
    list_init(&d->link);
    d->server = s;
    d->dir = mem_strdup(dir);
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
    free(p);
}

static void settled_home(struct message *m)
{
    struct settling *s = container_of(m, struct settling, message);
    struct publication *p = s->publication;

    free(s);
    publication_release(p);
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
    struct settling *settling = mem_new(struct settling);

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

void deletions_init(struct server *s) { deferred_init(&s->publication_over, publication_over); }

void server_published(struct meta_view *view, void *context)
{
    struct server *s = context;
    struct publication *p = mem_new(struct publication);

    if (s->latest != NULL) {
        deferred_cancel(&s->publication_over);
        publication_over(&s->publication_over);
    }
    p->server = s;
    p->view = view;
    p->waiting = s->node.shard_count + 1;
    list_init(&p->deletions);
    s->latest = p;
    shards_call(s->shards, s->node.shard_count, deliver, p);
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
