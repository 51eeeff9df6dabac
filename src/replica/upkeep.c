/* What happens by itself: opening logs after a start, retention, forgetting idle writers, and what
 * the checkpoint files say. */
#include "kv_tablet.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"

/* Logs being opened in the background at a time. */
#define RECOVERIES_MAX 8

/* A bucket to be opened. */
struct recovery {
    struct bucket_op op; /* waits like any other for the bucket to be open */
    struct list link;
    struct replica_set *set;
};

struct trash_job {
    struct pool_job job;
    struct replica_set *set;
    struct log_trash trash;
};

/* ---- retention ---- */

static void trash_work(struct pool_job *job)
{
    log_trash_run(&container_of(job, struct trash_job, job)->trash);
}

static void trash_done(struct message *m)
{
    struct trash_job *t = container_of(m, struct trash_job, job.done);
    struct replica_set *set = t->set;

    free(t);
    set->jobs--;
    if (set->closing) {
        close_step(set);
    }
}

static void expire_bucket(struct bucket *b)
{
    struct replica_set *set = b->set;
    struct log_expiry expiry = {
        .now_ms = shard_wall_ms(set->shard),
        .limit_offset = b->high_watermark,
        .roll_active = set->config.roll_active,
    };
    struct log_trash trash = {0};
    struct trash_job *t;
    struct error e;
    char name[96];

    if (b->kv != NULL && kv_tablet_retain_offset(b->kv) < expiry.limit_offset) {
        expiry.limit_offset = kv_tablet_retain_offset(b->kv);
    }
    expiry.ttl_ms = place_table(set->view, &b->id)->options->log_ttl_ms;
    if (log_expire(b->log, &expiry, &trash, &e) != ERR_OK) {
        diag_warn("replica", "%s: expired segments stay: %s", bucket_name(&b->id, name), e.message);
    }
    if (trash.count == 0) {
        return;
    }
    t = mem_new(struct trash_job);
    t->set = set;
    t->trash = trash;
    t->job = (struct pool_job){.work = trash_work, .home = set->shard, .done.run = trash_done};
    set->jobs++;
    pool_submit(set->config.disk, &t->job);
}

static void retention_run(struct timer *t)
{
    struct replica_set *set = container_of(t, struct replica_set, retention_timer);

    LIST_FOR_EACH(it, &set->buckets)
    {
        struct bucket *b = container_of(it, struct bucket, link);

        if (b->state == BUCKET_OPEN) {
            expire_bucket(b);
            if (b->kv != NULL) {
                kv_tablet_upkeep(b->kv);
            }
        }
    }
    kv_writers_trim(&set->kv_writers);
    timer_start(set->shard, t, set->config.retention_us);
}

static void writers_run(struct timer *t)
{
    struct replica_set *set = container_of(t, struct replica_set, writer_timer);

    LIST_FOR_EACH(it, &set->buckets)
    {
        struct bucket *b = container_of(it, struct bucket, link);

        if (b->state == BUCKET_OPEN) {
            log_expire_writers(b->log, shard_wall_ms(set->shard));
        }
    }
    timer_start(set->shard, t, set->config.writer_check_us);
}

void upkeep_start(struct replica_set *set)
{
    timer_init(&set->retention_timer, retention_run);
    timer_init(&set->writer_timer, writers_run);
    timer_start(set->shard, &set->retention_timer, set->config.retention_us);
    timer_start(set->shard, &set->writer_timer, set->config.writer_check_us);
}

void upkeep_stop(struct replica_set *set)
{
    struct list *link;

    timer_stop(&set->retention_timer);
    timer_stop(&set->writer_timer);
    while ((link = list_pop_front(&set->recovering)) != NULL) {
        set->closed_clean = set->closed_clean && set->config.clean;
        free(container_of(link, struct recovery, link));
    }
}

/* ---- opening after a start ---- */

static void recovery_run(struct bucket_op *op, struct bucket *b)
{
    (void)b;
    bucket_op_end(op, ERR_OK, NULL);
}

static void recovery_done(struct bucket_op *op)
{
    struct recovery *r = container_of(op, struct recovery, op);
    struct replica_set *set = r->set;

    free(r);
    set->recoveries--;
    recover_step(set);
}

/* Outcomes that are known at once come back inside bucket_submit: the loop goes on, not a recursion
 * as deep as there are buckets. */
void recover_step(struct replica_set *set)
{
    if (set->recover_stepping) {
        return;
    }
    set->recover_stepping = true;
    while (set->recoveries < RECOVERIES_MAX && !list_empty(&set->recovering)) {
        struct recovery *r = container_of(list_pop_front(&set->recovering), struct recovery, link);

        set->recoveries++;
        r->op.run = recovery_run;
        r->op.done = recovery_done;
        bucket_submit(set, &r->op);
    }
    set->recover_stepping = false;
}

static void recover_buckets(struct replica_set *set, const struct meta_table *table,
                            const struct meta_partition *partition,
                            const struct meta_buckets *buckets)
{
    for (int32_t i = 0; i < buckets->count; i++) {
        struct bucket_id id = {.table_id = table->id,
                               .partition_id = partition != NULL ? partition->id : -1,
                               .bucket = i};
        OWNED(mem_freep) char *dir = NULL;
        struct recovery *r;

        if (bucket_shard(&id, set->config.shard_count) != shard_index(set->shard)) {
            continue;
        }
        dir = place_dir(set->view, set->config.data_dir, &id);
        if (!path_exists(dir)) {
            continue; /* nothing was ever written to it */
        }
        r = mem_new(struct recovery);
        r->op.id = id;
        r->set = set;
        list_init(&r->link);
        list_push_back(&set->recovering, &r->link);
    }
}

void replica_set_recover(struct replica_set *set)
{
    const struct meta_view *v = set->view;

    ASSERT_ON(set->shard);
    for (size_t i = 0; i < v->table_count; i++) {
        const struct meta_table *t = v->tables[i];

        if (!meta_table_partitioned(t)) {
            recover_buckets(set, t, NULL, &t->buckets);
        }
        for (size_t k = 0; meta_table_partitioned(t) && k < t->partitions->count; k++) {
            recover_buckets(set, t, t->partitions->by_id[k], &t->partitions->by_id[k]->buckets);
        }
    }
    recover_step(set);
}

/* ---- checkpoints and totals ---- */

void replica_want_recovery_points(struct replica_set *set)
{
    if (set->closing) {
        return; /* the end of every log is synced anyway */
    }
    LIST_FOR_EACH(it, &set->buckets)
    {
        struct bucket *b = container_of(it, struct bucket, link);

        if (b->state == BUCKET_OPEN && log_recovery_point(b->log) < log_end_offset(b->log)) {
            log_want_recovery_point(b->log);
            commit_mark(b);
        }
    }
}

size_t replica_checkpoint(struct replica_set *set, struct replica_checkpoint_entry **ret)
{
    struct replica_checkpoint_entry *entries = NULL;
    size_t count = 0;
    size_t cap = 0;

    LIST_FOR_EACH(it, &set->buckets)
    {
        struct bucket *b = container_of(it, struct bucket, link);

        if (b->state != BUCKET_OPEN) {
            continue;
        }
        if (count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            entries = mem_realloc(entries, cap * sizeof *entries);
        }
        entries[count++] = (struct replica_checkpoint_entry){
            .id = b->id,
            .recovery_point = log_recovery_point(b->log),
            .high_watermark = b->high_watermark,
        };
    }
    *ret = entries;
    return count;
}

struct replica_totals replica_totals(const struct replica_set *set)
{
    struct replica_totals totals = {0};

    for (const struct list *it = set->buckets.next; it != &set->buckets; it = it->next) {
        const struct bucket *b = container_of(it, struct bucket, link);

        totals.buckets++;
        if (b->state == BUCKET_OPEN) {
            totals.failed +=
                log_failed(b->log) != ERR_OK || (b->kv != NULL && b->kv->failed != ERR_OK);
            totals.log_bytes += log_size_bytes(b->log);
        } else if (b->state == BUCKET_CLOSED && b->retry_us > 0) {
            totals.failed++;
        }
    }
    return totals;
}
