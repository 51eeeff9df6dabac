/* Group commit: all buckets appended to in a turn of the loop are synced together, and while a
 * sync is under way the next group gathers. A few jobs share a group, so that the syncs of several
 * files overlap in the device's queue.
 *
 * Writers that keep several requests in flight would otherwise fall into two groups that take turns:
 * those who wait for a sync, and those who have just been answered by it and are about to send. So
 * when a sync ends that has answered some while others came to wait, the next one gives the answered
 * as long as they need to come again, but no more than GATHER_MAX_US, nor a quarter of what a sync
 * takes. A writer alone never waits. */
#include "bucket.h"

#include <stdlib.h>

#include "base/diag.h"

#define COMMIT_JOBS      4
#define GATHER_MAX_US    200
#define COMMIT_GROUP_MAX 64 /* buckets a job; more buckets make more jobs */

struct commit_job {
    struct pool_job job;
    struct replica_set *set;
    uint64_t parked; /* acknowledgements ever waited for, when it began */
    int64_t begun_us;
    size_t count;
    struct bucket *buckets[COMMIT_GROUP_MAX];
};

static void commit_run(struct deferred *d);

static void gather_over(struct timer *t)
{
    struct replica_set *set = container_of(t, struct replica_set, gather_timer);

    shard_defer(set->shard, DEFER_FLUSH, &set->commit);
}

void commit_init(struct replica_set *set)
{
    deferred_init(&set->commit, commit_run);
    timer_init(&set->gather_timer, gather_over);
}

void commit_now(struct replica_set *set)
{
    if (timer_running(&set->gather_timer)) {
        timer_stop(&set->gather_timer);
        shard_defer(set->shard, DEFER_FLUSH, &set->commit);
    }
}

void commit_stop(struct replica_set *set)
{
    ASSERT(list_empty(&set->dirty));
    timer_stop(&set->gather_timer);
    deferred_cancel(&set->commit);
}

void commit_parked(struct replica_set *set)
{
    set->acks_parked++;
    if (set->acks_parked >= set->gather_until) {
        commit_now(set);
    }
}

void commit_mark(struct bucket *b)
{
    if (!list_linked(&b->dirty)) {
        list_push_back(&b->set->dirty, &b->dirty);
    }
    if (!b->syncing && !timer_running(&b->set->gather_timer)) {
        shard_defer(b->set->shard, DEFER_FLUSH, &b->set->commit);
    }
}

static void commit_work(struct pool_job *job)
{
    struct commit_job *c = container_of(job, struct commit_job, job);

    for (size_t i = 0; i < c->count; i++) {
        log_sync_run(&c->buckets[i]->sync);
    }
}

static void commit_bucket_done(struct bucket *b)
{
    struct error why = b->sync.error;
    bool failed = b->sync.code != ERR_OK;
    char name[96];

    log_sync_end(b->log, &b->sync);
    b->syncing = false;
    if (failed) {
        diag_error("replica", "%s refuses writes until the server is restarted: %s",
                   bucket_name(&b->id, name), why.message);
        ack_fail(b, ERR_LOG_STORAGE, &why);
    } else if (b->state == BUCKET_OPEN) {
        bucket_advance(b);
    }
    bucket_job_end(b);
}

/* A sync has ended: the next one begins at the end of this turn, or when those who have just been
 * answered have come again. */
static void commit_next(struct replica_set *set, const struct commit_job *ended, uint64_t answered)
{
    int64_t took_us = shard_now_us(set->shard) - ended->begun_us;
    int64_t wait_us = took_us / 4 < GATHER_MAX_US ? took_us / 4 : GATHER_MAX_US;

    if (list_empty(&set->dirty)) {
        return;
    }
    if (answered > 0 && set->acks_parked > ended->parked && wait_us > 0 && !set->closing &&
        !timer_running(&set->gather_timer)) {
        set->gather_until = set->acks_parked + answered;
        timer_start(set->shard, &set->gather_timer, wait_us);
    } else if (!timer_running(&set->gather_timer)) {
        shard_defer(set->shard, DEFER_FLUSH, &set->commit);
    }
}

static void commit_done(struct message *m)
{
    struct commit_job *c = container_of(m, struct commit_job, job.done);
    struct replica_set *set = c->set;
    uint64_t answered = set->acks_answered;

    set->jobs++; /* so that the set outlives its last bucket's job */
    for (size_t i = 0; i < c->count; i++) {
        commit_bucket_done(c->buckets[i]);
    }
    commit_next(set, c, set->acks_answered - answered);
    set->jobs--;
    if (set->closing) {
        close_step(set);
    }
    free(c);
}

/* The log has failed by a write: what was appended before it and waits will not be synced. */
static void commit_refused(struct bucket *b)
{
    struct error why;

    bucket_job_begin(b); /* its end is what others may wait for */
    if (log_failed(b->log) != ERR_OK) {
        (void)error_set(&why, ERR_LOG_STORAGE, "the log failed before this append was synced");
        ack_fail(b, ERR_LOG_STORAGE, &why);
    }
    bucket_job_end(b);
}

/* Takes buckets off the dirty list into a job; NULL when none needs a sync. */
static struct commit_job *commit_gather(struct replica_set *set, size_t group)
{
    struct commit_job *c = mem_new(struct commit_job);

    LIST_FOR_EACH(it, &set->dirty)
    {
        struct bucket *b = container_of(it, struct bucket, dirty);

        if (c->count == group) {
            break;
        }
        if (b->syncing) {
            continue; /* stays dirty: its turn comes when the sync under way is done */
        }
        list_remove(&b->dirty);
        if (log_sync_begin(b->log, &b->sync)) {
            b->syncing = true;
            bucket_job_begin(b);
            c->buckets[c->count++] = b;
        } else {
            commit_refused(b);
        }
    }
    if (c->count == 0) {
        free(c);
        return NULL;
    }
    c->set = set;
    c->parked = set->acks_parked;
    c->begun_us = shard_now_us(set->shard);
    c->job = (struct pool_job){.work = commit_work, .home = set->shard, .done.run = commit_done};
    return c;
}

static void commit_run(struct deferred *d)
{
    struct replica_set *set = container_of(d, struct replica_set, commit);
    struct commit_job *c;
    size_t ready = 0;
    size_t group;

    LIST_FOR_EACH(it, &set->dirty) { ready += !container_of(it, struct bucket, dirty)->syncing; }
    group = (ready + COMMIT_JOBS - 1) / COMMIT_JOBS;
    if (group > COMMIT_GROUP_MAX) {
        group = COMMIT_GROUP_MAX;
    }
    while (group > 0 && (c = commit_gather(set, group)) != NULL) {
        pool_submit(set->config.sync_pool, &c->job);
    }
    if (set->closing) {
        close_step(set); /* it waits for this too */
    }
}
