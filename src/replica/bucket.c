#include "bucket.h"

#include "kv_scan.h"
#include "kv_tablet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/hash.h"
#include "base/mutant.h"

static uint64_t bucket_hash(const struct bucket_id *id)
{
    uint64_t h = hash_u64((uint64_t)id->table_id);

    h = hash_u64(h ^ (uint64_t)id->partition_id);
    return hash_u64(h ^ (uint64_t)(uint32_t)id->bucket);
}

unsigned bucket_shard(const struct bucket_id *id, unsigned shards)
{
    return (unsigned)(bucket_hash(id) % shards);
}

const char *bucket_name(const struct bucket_id *id, char text[96])
{
    if (id->partition_id < 0) {
        (void)snprintf(text, 96, "table %lld bucket %d", (long long)id->table_id, id->bucket);
    } else {
        (void)snprintf(text, 96, "table %lld partition %lld bucket %d", (long long)id->table_id,
                       (long long)id->partition_id, id->bucket);
    }
    return text;
}

enum diag_level bucket_complain(enum errcode *said, enum errcode code)
{
    enum diag_level level = *said == code ? DIAG_DEBUG : DIAG_ERROR;

    *said = code;
    return level;
}

/* ---- operations ---- */

void bucket_op_end(struct bucket_op *op, enum errcode code, const struct error *e)
{
    op->code = code;
    if (code != ERR_OK && e != &op->error) {
        op->error = *e;
    }
    op->done(op);
}

void bucket_op_fail(struct bucket_op *op, enum errcode code, const char *fmt, ...)
{
    char text[sizeof op->error.message];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    op->code = error_set(&op->error, code, "%s", text);
    op->done(op);
}

void bucket_submit(struct replica_set *set, struct bucket_op *op)
{
    struct bucket *b;
    char name[96];

    ASSERT_ON(set->shard);
    list_init(&op->link);
    op->code = ERR_OK;
    b = bucket_get(set, &op->id);
    if (b == NULL) {
        bucket_op_fail(op, ERR_UNKNOWN_TABLE_OR_BUCKET, "%s is not known here",
                       bucket_name(&op->id, name));
    } else if (set->closing) {
        bucket_op_fail(op, ERR_NOT_LEADER_OR_FOLLOWER, "the server is stopping");
    } else if (b->state == BUCKET_OPEN && !b->reopening) {
        op->run(op, b);
    } else if (b->state == BUCKET_CLOSED && shard_now_us(set->shard) < b->retry_us) {
        bucket_op_fail(op, ERR_STORAGE, "%s could not be opened a moment ago",
                       bucket_name(&op->id, name));
    } else {
        list_push_back(&b->pending, &op->link);
        if (b->state == BUCKET_CLOSED) {
            bucket_start_open(b);
        }
    }
}

/* ---- finding ---- */

struct bucket *bucket_find(const struct replica_set *set, const struct bucket_id *id)
{
    struct bucket *b = map_get(&set->by_id, bucket_hash(id));

    while (b != NULL && (b->id.table_id != id->table_id || b->id.bucket != id->bucket ||
                         b->id.partition_id != id->partition_id)) {
        b = b->chain;
    }
    return b;
}

struct bucket *bucket_get(struct replica_set *set, const struct bucket_id *id)
{
    struct bucket *b = bucket_find(set, id);

    if (b != NULL || set->view == NULL || place_table(set->view, id) == NULL) {
        return b;
    }
    b = mem_new(struct bucket);
    b->id = *id;
    b->set = set;
    b->clean = set->config.clean;
    b->high_watermark = -1;
    list_init(&b->pending);
    list_init(&b->acks);
    list_init(&b->acking);
    list_init(&b->waiters);
    list_init(&b->dirty);
    list_init(&b->link);
    list_push_back(&set->buckets, &b->link);
    b->chain = map_put(&set->by_id, bucket_hash(id), b);
    return b;
}

static void bucket_unmap(struct bucket *b)
{
    struct map *map = &b->set->by_id;
    uint64_t hash = bucket_hash(&b->id);
    struct bucket *first = map_remove(map, hash);

    if (first == b) {
        first = b->chain;
    } else {
        struct bucket *before = first;

        while (before->chain != b) {
            before = before->chain;
        }
        before->chain = b->chain;
    }
    if (first != NULL) {
        ASSERT(map_put(map, hash, first) == NULL);
    }
}

/* ---- jobs and the end ---- */

void bucket_job_begin(struct bucket *b)
{
    b->jobs++;
    b->set->jobs++;
}

struct leave_job {
    struct pool_job job;
    struct bucket *bucket;
};

static void leave_work(struct pool_job *job)
{
    struct error e;

    IGNORE(kv_tablet_close(container_of(job, struct leave_job, job)->bucket->kv, &e) != ERR_OK);
}

static void leave_done(struct message *m)
{
    struct leave_job *l = container_of(m, struct leave_job, job.done);
    struct bucket *b = l->bucket;

    kv_tablet_free(TAKE(b->kv));
    free(l);
    bucket_job_end(b);
}

/* Nobody removes files of a store that is still open. */
static void bucket_close_state(struct bucket *b)
{
    struct leave_job *l = mem_new(struct leave_job);

    l->bucket = b;
    l->job = (struct pool_job){.work = leave_work, .home = b->set->shard, .done.run = leave_done};
    bucket_job_begin(b);
    pool_submit(b->set->config.disk, &l->job);
}

static void bucket_settle(struct bucket *b)
{
    struct replica_settled *settled = b->settled;

    if (b->kv != NULL) {
        bucket_close_state(b); /* and then again */
        return;
    }
    list_remove(&b->link);
    log_free(b->log);
    free(b);
    if (settled != NULL && --settled->waiting == 0) {
        settled->done(settled);
    }
}

void bucket_job_end(struct bucket *b)
{
    struct replica_set *set = b->set;

    ASSERT(b->jobs > 0 && set->jobs > 0);
    b->jobs--;
    set->jobs--;
    if (b->state == BUCKET_GONE && b->jobs == 0) {
        bucket_settle(b);
    } else if (b->reopening) {
        bucket_reopen_step(b);
    }
    if (set->closing) {
        close_step(set);
    }
}

static void bucket_wake(struct bucket *b)
{
    struct list *link;

    while ((link = list_pop_front(&b->waiters)) != NULL) {
        struct replica_waiter *w = container_of(link, struct replica_waiter, link);

        w->wake(w);
    }
}

void bucket_wake_all(struct replica_set *set)
{
    LIST_FOR_EACH(it, &set->buckets) { bucket_wake(container_of(it, struct bucket, link)); }
}

static void bucket_fail_all(struct bucket *b, enum errcode code, const char *why)
{
    struct list *link;
    struct error e;

    while ((link = list_pop_front(&b->pending)) != NULL) {
        bucket_op_fail(container_of(link, struct bucket_op, link), code, "%s", why);
    }
    (void)error_set(&e, code, "%s", why);
    ack_fail(b, code, &e);
    if (b->kv != NULL) {
        kv_tablet_leave(b->kv, code, why);
    }
    bucket_wake(b);
}

/* Nobody finds it any more. Its operations still wait. */
static void bucket_retire(struct bucket *b, struct replica_settled *settled)
{
    b->state = BUCKET_GONE;
    b->settled = settled;
    if (settled != NULL) {
        settled->waiting++;
    }
    bucket_unmap(b);
    list_remove(&b->dirty);
    list_remove(&b->link);
    b->jobs++; /* until it has left: nothing frees it before */
    b->set->jobs++;
}

static void bucket_leave(struct bucket *b)
{
    list_push_back(&b->set->gone, &b->link);
    bucket_fail_all(b, ERR_UNKNOWN_TABLE_OR_BUCKET, "the table or partition was dropped");
    bucket_job_end(b);
}

void replica_set_apply(struct replica_set *set, struct meta_view *view,
                       struct replica_settled *settled)
{
    struct list retired;
    struct list *link;

    ASSERT_ON(set->shard);
    list_init(&retired);
    meta_view_unref(set->view);
    set->view = view;
    settled->waiting = 1; /* this call */
    LIST_FOR_EACH(it, &set->buckets)
    {
        struct bucket *b = container_of(it, struct bucket, link);
        const struct meta_table *table = place_table(view, &b->id);

        if (table == NULL) {
            bucket_retire(b, settled);
            list_push_back(&retired, &b->link);
        } else if (b->kv != NULL) {
            kv_tablet_apply(b->kv, table);
        }
    }
    /* Whoever waited for one may go on with another at once: all are away by then. */
    while ((link = list_pop_front(&retired)) != NULL) {
        bucket_leave(container_of(link, struct bucket, link));
    }
    if (--settled->waiting == 0) {
        settled->done(settled);
    }
}

/* ---- high watermark ---- */

static void wake_waiters(struct bucket *b)
{
    struct list woken;

    list_init(&woken);
    LIST_FOR_EACH(it, &b->waiters)
    {
        if (container_of(it, struct replica_waiter, link)->offset < b->high_watermark) {
            list_remove(it);
            list_push_back(&woken, it);
        }
    }
    while (!list_empty(&woken)) {
        struct replica_waiter *w =
            container_of(list_pop_front(&woken), struct replica_waiter, link);

        w->wake(w);
    }
}

void bucket_advance(struct bucket *b)
{
    bool sync = b->set->config.sync && !MUTANT(SHOW_BEFORE_DURABLE);
    int64_t now = sync ? log_durable_offset(b->log) : log_end_offset(b->log);

    ASSERT(b->state == BUCKET_OPEN);
    ASSERT(now >= b->high_watermark);
    if (now > b->high_watermark) {
        b->high_watermark = now;
        if (b->kv != NULL) {
            kv_tablet_show(b->kv);
        }
        ack_answer(b);
        wake_waiters(b);
    }
}

bool replica_wait(struct replica_set *set, const struct bucket_id *id, struct replica_waiter *w)
{
    struct bucket *b = bucket_find(set, id);

    if (b == NULL || b->state != BUCKET_OPEN || w->offset < b->high_watermark || set->closing) {
        return false;
    }
    list_push_back(&b->waiters, &w->link);
    return true;
}

void replica_unwait(struct replica_waiter *w) { list_remove(&w->link); }

/* ---- the set ---- */

struct replica_set *replica_set_new(struct shard *shard, const struct replica_config *config)
{
    struct replica_set *set = mem_new(struct replica_set);

    set->shard = shard;
    set->config = *config;
    map_init(&set->by_id);
    list_init(&set->buckets);
    list_init(&set->dirty);
    list_init(&set->gone);
    list_init(&set->recovering);
    kv_writers_init(&set->kv_writers);
    ack_init(set);
    commit_init(set);
    upkeep_start(set);
    return set;
}

void replica_set_free(struct replica_set *set)
{
    if (set == NULL) {
        return;
    }
    LIST_FOR_EACH(it, &set->buckets)
    {
        struct bucket *b = container_of(it, struct bucket, link);

        ASSERT(b->jobs == 0);
        kv_tablet_free(b->kv);
        log_free(b->log);
        free(b);
    }
    kv_scans_free(set);
    kv_writers_trim(&set->kv_writers);
    if (set->kv_begun) {
        kv_shard_fini(&set->kv);
    }
    meta_view_unref(set->view);
    map_fini(&set->by_id);
    free(set);
}
