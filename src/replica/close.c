/* Closing a set: wait for what is under way, then close every log in the pool. */
#include "bucket.h"

#include <stdlib.h>

#include "base/diag.h"

struct close_job {
    struct pool_job job;
    struct bucket *bucket;
    enum errcode code;
    struct error error;
};

static void close_work(struct pool_job *job)
{
    struct close_job *c = container_of(job, struct close_job, job);

    c->code = log_close(c->bucket->log, &c->error);
}

static void close_finish(struct replica_set *set)
{
    void (*closed)(void *context, bool clean) = set->closed;

    set->closed = NULL;
    timer_stop(&set->ack_timer);
    commit_stop(set);
    closed(set->closed_context, set->closed_clean);
}

static void close_done(struct message *m)
{
    struct close_job *c = container_of(m, struct close_job, job.done);
    struct bucket *b = c->bucket;
    struct replica_set *set = b->set;
    char name[96];

    if (c->code != ERR_OK) {
        set->closed_clean = false;
        diag_error("replica", "%s could not be closed: %s", bucket_name(&b->id, name),
                   c->error.message);
    }
    free(c);
    if (--set->close_jobs == 0) {
        close_finish(set);
    }
    bucket_job_end(b);
}

/* When nothing of the set runs in a pool any more, closes the logs. Not while a bucket still waits
 * for a sync: that would begin on a log which is just being closed. */
void close_step(struct replica_set *set)
{
    if (set->jobs > 0 || !list_empty(&set->dirty) || set->closed == NULL || set->close_jobs > 0) {
        return;
    }
    set->close_jobs = 1; /* this loop */
    LIST_FOR_EACH(it, &set->buckets)
    {
        struct bucket *b = container_of(it, struct bucket, link);

        if (b->state == BUCKET_OPEN) {
            struct close_job *c = mem_new(struct close_job);

            c->bucket = b;
            c->job =
                (struct pool_job){.work = close_work, .home = set->shard, .done.run = close_done};
            set->close_jobs++;
            bucket_job_begin(b); /* its table may be dropped meanwhile */
            pool_submit(set->config.disk, &c->job);
        }
    }
    if (--set->close_jobs == 0) {
        close_finish(set);
    }
}

/* Whoever still waits for the high watermark gets its answer when the syncs that are under way or
 * due are done; waiting readers are woken now. */
void replica_set_close(struct replica_set *set, void (*done)(void *context, bool clean),
                       void *context)
{
    ASSERT_ON(set->shard);
    ASSERT(!set->closing);
    set->closing = true;
    set->closed = done;
    set->closed_context = context;
    set->closed_clean = true;
    upkeep_stop(set);
    bucket_wake_all(set);
    commit_now(set);
    close_step(set);
}
