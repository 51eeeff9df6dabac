/* Closing a set: wait for what is under way, then close every log and state in the pool. */
#include "kv_scan.h"
#include "kv_tablet.h"

#include <stdlib.h>

#include "base/diag.h"

struct close_job {
    struct pool_job job;
    struct bucket *bucket;
    enum errcode code;
    struct error error;
    enum errcode kv_code; /* of the state; the log has it all the same */
    struct error kv_error;
};

static void close_work(struct pool_job *job)
{
    struct close_job *c = container_of(job, struct close_job, job);

    if (c->bucket->kv != NULL) {
        c->kv_code = kv_tablet_close(c->bucket->kv, &c->kv_error);
    }
    c->code = log_close(c->bucket->log, &c->error);
}

static void close_finish(struct replica_set *set)
{
    void (*closed)(void *context, bool clean) = set->closed;

    set->closed = NULL;
    ack_stop(set);
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
    if (c->kv_code != ERR_OK) {
        diag_warn("replica", "%s: the next start replays more of its log: %s",
                  bucket_name(&b->id, name), c->kv_error.message);
    }
    kv_tablet_free(TAKE(b->kv));
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

        if (b->state != BUCKET_OPEN) {
            /* what the next start has to find out is what this one could not */
            set->closed_clean = set->closed_clean && b->clean;
        } else {
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

struct last_spill {
    struct kv_settled settled;
    struct bucket *bucket;
};

static void last_spill_done(struct kv_settled *w)
{
    struct last_spill *l = container_of(w, struct last_spill, settled);
    struct bucket *b = l->bucket;

    free(l);
    bucket_job_end(b);
}

/* What is shown goes into the store, so that the next start need not read it from the log. */
static void spill_last(struct bucket *b)
{
    struct last_spill *l = mem_new(struct last_spill);

    l->bucket = b;
    l->settled.done = last_spill_done;
    bucket_job_begin(b);
    kv_tablet_settle(b->kv, &l->settled);
}

/* Nobody puts any more. A stop is to be short: what would take longer to write is left to the next
 * start. */
static void close_states(struct replica_set *set)
{
    bool little = set->kv_begun && set->kv.pending_bytes <= set->kv.budgets.spill_bytes;

    LIST_FOR_EACH(it, &set->buckets)
    {
        struct bucket *b = container_of(it, struct bucket, link);

        if (b->state == BUCKET_OPEN && b->kv != NULL) {
            kv_tablet_leave(b->kv, ERR_NOT_LEADER_OR_FOLLOWER, "the server is stopping");
            if (little) {
                spill_last(b);
            }
        }
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
    kv_scans_stop(set);
    bucket_wake_all(set);
    set->jobs++; /* so that nothing below closes early */
    close_states(set);
    set->jobs--;
    commit_now(set);
    close_step(set);
}
