/* Opening a bucket in a pool: its log, and of a primary-key table its state, brought to the end of
 * the log. Nobody else holds either of them meanwhile. */
#include "kv_snapshot.h"

#include <stdlib.h>

#include "base/diag.h"

#define OPEN_RETRY_US 1000000

struct open_job {
    struct pool_job job;
    struct bucket *bucket;
    char *dir;
    struct bucket_hint hint;
    bool clean;
    int64_t now_ms;
    struct log *old_log;            /* opened again: what was open, closed first */
    struct kv_tablet *old_kv;       /* likewise; freed on the shard */
    bool damaged;                   /* likewise: its state is of no use any more */
    bool again;                     /* its state could not be opened the last time */
    char *kv_dir;                   /* of a primary-key table */
    char *remote_dir;               /* likewise: where its snapshots are */
    const struct meta_table *table; /* likewise; a reference */
    struct log *log;                /* result */
    struct kv_tablet *kv;           /* likewise */
    struct log_open_report report;
    struct meta_add_snapshot disown;
    enum errcode code;
    struct error error;
};

static void close_old(struct open_job *o)
{
    struct error e;

    if (o->old_log != NULL) {
        o->damaged = o->old_kv->store != NULL && kv_store_damaged(o->old_kv->store);
        IGNORE(kv_tablet_close(o->old_kv, &e) != ERR_OK);
        IGNORE(log_close(o->old_log, &e) != ERR_OK);
        log_free(TAKE(o->old_log));
    }
}

static enum errcode open_state(struct open_job *o, struct error *e)
{
    const struct replica_config *config = &o->bucket->set->config;
    char name[96];
    struct kv_open open = {
        .name = bucket_name(&o->bucket->id, name),
        .meta = o->table,
        .dir = o->kv_dir,
        .remote_dir = o->remote_dir,
        .id = o->bucket->id,
        .log = o->log,
        .sync = config->sync,
        .cut = !config->sync && !config->clean,
        .damaged = o->damaged,
        .again = o->again,
        .env = kv_env_lazy_get(config->kv_env),
    };

    return kv_tablet_open(&open, &o->kv, e);
}

static void open_work(struct pool_job *job)
{
    struct open_job *o = container_of(job, struct open_job, job);
    const struct replica_config *config = &o->bucket->set->config;
    struct log_open_params params = {
        .dir = o->dir,
        .options = &config->log,
        .clean = o->clean,
        .recovery_point = o->hint.recovery_point,
        .now_ms = o->now_ms,
        .suspects = config->suspects,
    };

    close_old(o);
    o->code = log_open(&params, &o->log, &o->report, &o->error);
    if (o->code == ERR_OK && o->table != NULL) {
        o->code = open_state(o, &o->error);
        if (o->code != ERR_OK) {
            log_free(TAKE(o->log));
        }
    }
}

static void open_report(const struct open_job *o)
{
    struct bucket *b = o->bucket;
    enum errcode kv_code = o->kv == NULL ? ERR_OK : o->kv->failed;
    enum diag_level log_level = bucket_complain(&b->log_failed, o->code);
    enum diag_level kv_level = bucket_complain(&b->kv_failed, kv_code);
    char name[96];

    if (o->code != ERR_OK) {
        diag_line(log_level, "replica", "%s cannot be opened: %s", bucket_name(&b->id, name),
                  o->error.message);
    } else if (kv_code != ERR_OK) {
        diag_line(kv_level, "replica", "%s: its state cannot be opened: %s",
                  bucket_name(&b->id, name), o->kv->why.message);
    }
    if (o->code == ERR_OK && o->report.aside_bytes > 0) {
        diag_warn("replica", "%s: %llu bytes at the end of the log were no valid batch, kept in %s",
                  bucket_name(&o->bucket->id, name), (unsigned long long)o->report.aside_bytes,
                  o->report.aside_path);
    }
}

static void run_pending(struct bucket *b)
{
    struct list *link;

    while (!b->reopening && (link = list_pop_front(&b->pending)) != NULL) {
        struct bucket_op *op = container_of(link, struct bucket_op, link);

        if (b->set->closing) {
            bucket_op_fail(op, ERR_NOT_LEADER_OR_FOLLOWER, "the server is stopping");
        } else {
            op->run(op, b);
        }
    }
}

static void bucket_opened(struct bucket *b)
{
    b->state = BUCKET_OPEN;
    b->clean = false;
    b->retry_us = 0;
    b->high_watermark = b->set->config.sync ? log_durable_offset(b->log) : log_end_offset(b->log);
    if (!b->set->config.sync) {
        log_assume_durable(b->log);
    } else if (log_durable_offset(b->log) < log_end_offset(b->log)) {
        commit_mark(b);
    }
    if (b->kv != NULL) {
        kv_tablet_start(b->kv, b);
    }
    run_pending(b);
}

static void open_failed(struct bucket *b, enum errcode code, const struct error *why)
{
    struct list *link;

    b->state = BUCKET_CLOSED;
    b->clean = false; /* the attempt may have changed something */
    b->retry_us = shard_now_us(b->set->shard) + OPEN_RETRY_US;
    while ((link = list_pop_front(&b->pending)) != NULL) {
        bucket_op_end(container_of(link, struct bucket_op, link), code, why);
    }
}

/* What was opened has nowhere to go; its store is closed with the bucket. */
static void open_too_late(struct open_job *o)
{
    if (o->code == ERR_OK) {
        log_free(o->log);
        o->bucket->kv = o->kv;
    }
}

static void open_end(struct open_job *o)
{
    struct bucket *b = o->bucket;

    open_report(o);
    kv_tablet_free(o->old_kv);
    if (b->state == BUCKET_GONE) {
        open_too_late(o);
    } else if (o->code == ERR_OK) {
        b->log = o->log;
        b->kv = o->kv;
        bucket_opened(b);
    } else {
        open_failed(b, o->code, &o->error);
    }
    meta_table_unref(o->table);
    free(o->remote_dir);
    free(o->kv_dir);
    free(o->dir);
    free(o);
    bucket_job_end(b);
}

/* Rows are not to be had: where its snapshots end is not known to agree with where the log does. */
static void disown_failed(struct open_job *o, enum errcode code, const struct error *why)
{
    if (o->kv->failed == ERR_OK) {
        kv_pending_free(TAKE(o->kv->replayed));
        o->kv->failed = code;
        o->kv->why = *why;
        error_wrap(&o->kv->why, "snapshots beyond the end of its log stay listed");
    }
}

static void disowned(struct meta_job *job)
{
    struct open_job *o = container_of(job, struct open_job, disown.job);
    struct replica_set *set = o->bucket->set;

    if (job->code != ERR_OK && job->code != ERR_UNKNOWN_TABLE_OR_BUCKET) {
        disown_failed(o, job->code, &job->error);
    }
    set->jobs++; /* the bucket may go, the set stays */
    open_end(o);
    kv_snapshots_release(set);
    set->jobs--;
    if (set->closing) {
        close_step(set);
    }
}

/* What the catalog lists beyond the end of a log that a power failure has cut short leaves the list
 * before the bucket is open: later, when the log has grown, nobody could tell. */
static void disown_begin(struct open_job *o)
{
    const struct bucket_id *id = &o->bucket->id;
    struct error e;

    if (!kv_snapshots_hold(o->bucket->set)) {
        disown_failed(o, error_set(&e, ERR_NOT_LEADER_OR_FOLLOWER, "the server is stopping"), &e);
        open_end(o);
        return;
    }
    o->disown = (struct meta_add_snapshot){
        .job = {.kind = META_DISOWN_SNAPSHOTS, .done = disowned},
        .bucket = {.table_id = id->table_id,
                   .partition_id = id->partition_id,
                   .bucket = id->bucket},
        .log_offset = log_end_offset(o->log),
    };
    meta_submit(o->bucket->set->config.meta, &o->disown.job);
}

static void open_done(struct message *m)
{
    struct open_job *o = container_of(m, struct open_job, job.done);

    if (o->code == ERR_OK && o->kv != NULL && !o->bucket->set->config.sync) {
        disown_begin(o);
    } else {
        open_end(o);
    }
}

static struct open_job *open_job_new(struct bucket *b)
{
    struct replica_set *set = b->set;
    struct open_job *o = mem_new(struct open_job);
    const struct meta_table *table = place_table(set->view, &b->id);

    o->bucket = b;
    o->again = b->kv_failed != ERR_OK;
    o->dir = place_dir(set->view, set->config.data_dir, &b->id);
    ASSERT(o->dir != NULL); /* bucket_get asked the same view */
    if (table_has_primary_key(table->descriptor)) {
        o->kv_dir = place_kv_dir(set->view, set->config.data_dir, &b->id);
        o->remote_dir = kv_remote_path(set->config.remote_dir, table, &b->id);
        o->table = meta_table_ref(table);
    }
    o->hint = set->config.hint(set->config.hint_context, &b->id);
    o->clean = b->clean;
    o->now_ms = shard_wall_ms(set->shard);
    o->job = (struct pool_job){.work = open_work, .home = set->shard, .done.run = open_done};
    return o;
}

void bucket_start_open(struct bucket *b)
{
    struct open_job *o = open_job_new(b);

    ASSERT(b->state == BUCKET_CLOSED);
    b->state = BUCKET_OPENING;
    bucket_job_begin(b);
    pool_submit(b->set->config.disk, &o->job);
}

/* ---- opening again ---- */

void bucket_reopen(struct bucket *b)
{
    ASSERT(b->state == BUCKET_OPEN && b->kv != NULL);
    b->reopening = true;
    bucket_reopen_step(b);
}

/* What was appended is synced and acknowledged first. A log that has failed is not opened again: what
 * it could not sync would look as if it were there. */
void bucket_reopen_step(struct bucket *b)
{
    struct open_job *o;

    if (b->state != BUCKET_OPEN || b->jobs > 0 || list_linked(&b->dirty)) {
        return;
    }
    b->reopening = false;
    if (b->set->closing || log_failed(b->log) != ERR_OK) {
        run_pending(b);
        return;
    }
    o = open_job_new(b);
    o->hint.recovery_point = log_recovery_point(b->log);
    o->old_log = TAKE(b->log);
    o->old_kv = TAKE(b->kv);
    b->state = BUCKET_OPENING;
    bucket_job_begin(b);
    pool_submit(b->set->config.disk, &o->job);
}
