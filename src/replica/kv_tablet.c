#include "kv_tablet.h"

#include "kv_scan.h"
#include "kv_snapshot.h"

#include <stdlib.h>

#include "base/diag.h"

#define REOPEN_AFTER_US INT64_C(1000000)
#define REOPEN_DOUBLED  6u /* so many times, for what does not pass by itself */
#define SPILL_RETRY_US  100000

static void spill_next(struct kv_tablet *t);
static void spill_again(struct timer *timer);
static void spill_step(struct message *m);

/* ---- life ---- */

struct kv_tablet *kv_tablet_new(const struct kv_budgets *budgets)
{
    struct kv_tablet *t = mem_new(struct kv_tablet);

    t->budgets = *budgets;
    t->ids = t->next_ids = (struct kv_id_range){.start = 1, .end = 0};
    list_init(&t->puts);
    list_init(&t->settling);
    timer_init(&t->spill_retry, spill_again);
    return t;
}

static enum errcode make_table(const struct meta_table *meta, struct kv_table **ret,
                               struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_schema *schemas = arena_array(&arena, meta->schema_count, sizeof *schemas);

    for (size_t i = 0; i < meta->schema_count; i++) {
        schemas[i] = (struct kv_schema){
            .id = (int16_t)meta->schemas[i].id,
            .schema = (struct schema *)(uintptr_t)meta->schemas[i].schema, /* counts references */
        };
    }
    return kv_table_new(meta->options, schemas, meta->schema_count, ret, e);
}

/* Buckets of one table share what is known of it, and so what prepares their puts. */
static void share_table(struct kv_tablet *t)
{
    LIST_FOR_EACH(it, &t->bucket->set->buckets)
    {
        const struct kv_tablet *other = container_of(it, struct bucket, link)->kv;

        if (other != NULL && other != t && other->table != t->table &&
            other->meta->schemas == t->meta->schemas && other->meta->options == t->meta->options) {
            (void)kv_table_unref(t->table);
            t->table = kv_table_ref(other->table);
            return;
        }
    }
}

enum errcode kv_tablet_set_table(struct kv_tablet *t, const struct meta_table *table,
                                 struct error *e)
{
    struct kv_table *made = NULL;

    TRY(make_table(table, &made, e));
    if (t->origin == NULL) {
        t->origin = meta_table_ref(table);
        t->key = key_format_primary(table->descriptor, table->options, &t->arena);
        t->prefix = key_prefix_of(table->descriptor, table->options, &t->arena);
    }
    meta_table_unref(t->meta);
    t->meta = meta_table_ref(table);
    (void)kv_table_unref(t->table);
    t->table = made;
    if (t->bucket != NULL) {
        share_table(t);
    }
    return ERR_OK;
}

static size_t prefix_of(const void *context, struct bytes key)
{
    return key_prefix_size(context, key);
}

kv_prefix_fn kv_tablet_prefix(const struct kv_tablet *t)
{
    return t->prefix.count > 0 ? prefix_of : NULL;
}

/* Damage stays until somebody mends it, and each look at it reads the snapshots whole. */
static int64_t reopen_after_us(const struct kv_tablet *t)
{
    uint32_t failures = t->bucket->kv_failures;
    uint32_t doubled = failures > REOPEN_DOUBLED ? REOPEN_DOUBLED : failures - 1;

    return t->failed == ERR_CORRUPT_FILE ? REOPEN_AFTER_US << doubled : REOPEN_AFTER_US;
}

void kv_tablet_start(struct kv_tablet *t, struct bucket *b)
{
    struct replica_set *set = b->set;
    struct kv_bucket_params params = {
        .shard = &set->kv,
        .store = t->store,
        .owner = t,
        .prefix_of = kv_tablet_prefix(t),
        .prefix_context = &t->prefix,
        .pending = TAKE(t->replayed),
    };

    t->bucket = b;
    share_table(t);
    b->kv_failures = t->failed == ERR_OK ? 0 : b->kv_failures + 1;
    if (t->failed != ERR_OK) {
        t->retry_us = shard_now_us(set->shard) + reopen_after_us(t);
        return;
    }
    if (!set->kv_begun) {
        kv_shard_init(&set->kv, &t->budgets);
        set->kv_begun = true;
    }
    t->rows = kv_bucket_new(&params);
    if (t->has_ids) {
        kv_bucket_set_ids(t->rows, &t->ids);
    }
    kv_tablet_apply(t, place_table(set->view, &b->id)); /* it may have changed during the open */
    t->snapshots = kv_snapshots_start(t);
    spill_next(t);
}

enum errcode kv_tablet_close(struct kv_tablet *t, struct error *e)
{
    return kv_store_close(TAKE(t->store), e);
}

static void forget_allocation(struct kv_tablet *t)
{
    if (t->allocation != NULL) {
        t->allocation->tablet = NULL;
        t->allocation = NULL;
    }
}

void kv_tablet_free(struct kv_tablet *t)
{
    if (t == NULL) {
        return;
    }
    ASSERT(t->store == NULL && !t->spilling && t->preparing == NULL);
    ASSERT(list_empty(&t->puts) && list_empty(&t->settling));
    timer_stop(&t->spill_retry);
    kv_snapshots_free(t->snapshots);
    forget_allocation(t);
    kv_pending_free(t->replayed);
    kv_bucket_free(t->rows);
    arena_fini(&t->arena);
    (void)kv_table_unref(t->table);
    meta_table_unref(t->newest);
    meta_table_unref(t->meta);
    meta_table_unref(t->origin);
    free(t);
}

/* ---- the table ---- */

void kv_tablet_apply(struct kv_tablet *t, const struct meta_table *table)
{
    const struct meta_table *known = t->newest != NULL ? t->newest : t->meta;

    /* new partitions leave both as they are */
    if (table != NULL && (table->schemas != known->schemas || table->options != known->options)) {
        meta_table_unref(t->newest);
        t->newest = meta_table_ref(table);
    }
}

/* ---- failure ---- */

static void fail_waiters(struct kv_tablet *t, enum errcode code, const struct error *why)
{
    struct list *link;

    kv_scans_end(t->bucket);
    if (t->allocation != NULL) {
        forget_allocation(t);
        put_end(t, code, why);
    }
    while ((link = list_pop_front(&t->puts)) != NULL) {
        bucket_op_end(container_of(link, struct bucket_op, link), code, why);
    }
    while ((link = list_pop_front(&t->settling)) != NULL) {
        struct kv_settled *w = container_of(link, struct kv_settled, link);

        w->code = code;
        w->error = *why;
        w->done(w);
    }
}

void kv_tablet_fail(struct kv_tablet *t, enum errcode code, const struct error *why)
{
    char name[96];

    diag_line(bucket_complain(&t->bucket->kv_broke, code), "replica",
              "%s: the state is not to be used until it is opened again: %s",
              bucket_name(&t->bucket->id, name), why->message);
    t->failed = code;
    t->why = *why;
    t->retry_us = shard_now_us(t->bucket->set->shard) + REOPEN_AFTER_US;
    kv_snapshots_stop(t->snapshots);
    fail_waiters(t, code, why);
}

void kv_tablet_leave(struct kv_tablet *t, enum errcode code, const char *why)
{
    struct error e;

    (void)error_set(&e, code, "%s", why);
    timer_stop(&t->spill_retry);
    kv_snapshots_stop(t->snapshots);
    fail_waiters(t, code, &e);
}

/* Reads in pools find damage as well as the way to the store does. */
static void fail_damaged(struct kv_tablet *t)
{
    struct error why;

    if (t->failed == ERR_OK && kv_store_damaged(t->store)) {
        (void)error_set(&why, ERR_CORRUPT_FILE, "its files are damaged");
        kv_tablet_fail(t, ERR_CORRUPT_FILE, &why);
    }
}

struct kv_tablet *kv_tablet_for(struct bucket_op *op, struct bucket *b)
{
    struct kv_tablet *t = b->kv;

    if (t == NULL) {
        bucket_op_fail(op, ERR_NON_PRIMARY_KEY_TABLE, "table %lld has no primary key",
                       (long long)b->id.table_id);
        return NULL;
    }
    fail_damaged(t);
    if (t->failed == ERR_OK) {
        return t;
    }
    if (log_failed(b->log) == ERR_OK && t->retry_us <= shard_now_us(b->set->shard)) {
        list_push_back(&b->pending, &op->link);
        bucket_reopen(b);
    } else {
        bucket_op_end(op, t->failed, &t->why);
    }
    return NULL;
}

/* ---- into the store ----
 *
 *   idle ──> collecting ──> writing (pool) ──> releasing ──> idle
 *
 * The shard does its part in steps, one a turn. A bucket has a job as long as it is not idle. */

static int64_t stored_offset(const struct kv_tablet *t) { return kv_store_state(t->store).offset; }

static void settle_waiters(struct kv_tablet *t)
{
    while (!list_empty(&t->settling)) {
        struct kv_settled *w = container_of(t->settling.next, struct kv_settled, link);

        if (w->offset > stored_offset(t)) {
            return;
        }
        list_remove(&w->link);
        w->code = ERR_OK;
        w->done(w);
    }
}

static void write_work(struct pool_job *job)
{
    struct kv_tablet *t = container_of(job, struct kv_tablet, write);
    struct kv_spill *s = &t->spill;

    if (s->store != NULL) {
        kv_spill_run(s);
    }
    if (t->flushing && s->code == ERR_OK) {
        s->code = kv_store_flush(t->store, &s->error);
    }
}

static void write_done(struct message *m)
{
    spill_step(&container_of(m, struct kv_tablet, write.done)->step);
}

static void spill_write(struct kv_tablet *t)
{
    struct replica_set *set = t->bucket->set;

    t->write = (struct pool_job){.work = write_work, .home = set->shard, .done.run = write_done};
    pool_submit(set->config.kv_pool, &t->write);
}

static void collect_step(struct message *m)
{
    struct kv_tablet *t = container_of(m, struct kv_tablet, step);

    if (kv_spill_collect(t->rows, &t->spill)) {
        spill_write(t);
    } else {
        shard_send(t->bucket->set->shard, &t->step);
    }
}

static void spill_over(struct kv_tablet *t)
{
    struct bucket *b = t->bucket;
    enum errcode code = t->spill.code;

    t->spilling = false;
    t->flushing = false;
    if (code == ERR_STORAGE_BACKPRESSURE) {
        if (b->state == BUCKET_OPEN && !b->set->closing) {
            timer_start(b->set->shard, &t->spill_retry, SPILL_RETRY_US);
        } else {
            fail_waiters(t, code, &t->spill.error);
        }
    } else if (code != ERR_OK) {
        kv_tablet_fail(t, code, &t->spill.error);
    } else {
        t->bucket->kv_broke = ERR_OK;
        settle_waiters(t);
        spill_next(t);
    }
    bucket_job_end(b);
}

/* After the write: gives memory back, part by part. */
static void spill_step(struct message *m)
{
    struct kv_tablet *t = container_of(m, struct kv_tablet, step);

    if (t->spill.store == NULL || kv_spill_end(t->rows, &t->spill)) {
        spill_over(t);
    } else {
        t->step.run = spill_step;
        shard_send(t->bucket->set->shard, &t->step);
    }
}

/* Writes what is shown, if there is anything, and flushes if somebody wants that. */
static void spill_start(struct kv_tablet *t)
{
    bool any;

    if (t->spilling || t->failed != ERR_OK || t->bucket->state != BUCKET_OPEN ||
        timer_running(&t->spill_retry)) {
        return;
    }
    t->spill = (struct kv_spill){0};
    any = kv_spill_begin(t->rows, &t->spill);
    if (!any && !t->flush_wanted) {
        return;
    }
    t->spilling = true;
    t->flushing = t->flush_wanted;
    t->flush_wanted = false;
    bucket_job_begin(t->bucket);
    if (any) {
        t->step.run = collect_step;
        collect_step(&t->step);
    } else {
        t->spill.store = NULL;
        spill_write(t);
    }
}

/* Somebody waits, or there is enough, here or in all buckets together. */
static void spill_next(struct kv_tablet *t)
{
    struct replica_set *set = t->bucket->set;
    struct kv_tablet *most;

    if (t->flush_wanted || !list_empty(&t->settling)) {
        spill_start(t);
    }
    if (set->closing) {
        return;
    }
    if (kv_bucket_spill_due(t->rows)) {
        spill_start(t);
    }
    most = kv_shard_spill_owner(&set->kv);
    if (most != NULL) {
        spill_start(most);
    }
}

static void spill_again(struct timer *timer)
{
    spill_next(container_of(timer, struct kv_tablet, spill_retry));
}

void kv_tablet_show(struct kv_tablet *t)
{
    if (t->rows != NULL) {
        kv_bucket_show(t->rows, t->bucket->high_watermark);
        spill_next(t);
    }
}

void kv_tablet_settle(struct kv_tablet *t, struct kv_settled *w)
{
    list_init(&w->link);
    if (t->failed != ERR_OK) {
        w->code = t->failed;
        w->error = t->why;
        w->done(w);
        return;
    }
    w->offset = kv_bucket_shown_offset(t->rows);
    list_push_back(&t->settling, &w->link);
    if (!t->spilling) {
        settle_waiters(t);
        spill_next(t);
    }
}

/* ---- upkeep ---- */

int64_t kv_tablet_retain_offset(const struct kv_tablet *t)
{
    int64_t durable = t->store == NULL ? 0 : kv_store_durable_offset(t->store);

    return durable < t->retain_offset ? durable : t->retain_offset;
}

void kv_tablet_upkeep(struct kv_tablet *t)
{
    if (t->failed == ERR_OK && !t->spilling &&
        kv_store_durable_offset(t->store) < kv_bucket_shown_offset(t->rows)) {
        t->flush_wanted = true;
        spill_next(t);
    }
}
