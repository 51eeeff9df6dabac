/* Put: from a KV batch to the changelog and the state above it.
 *
 *   queue ──> begin ──> (numbers) ──> (old values) ──> finish: prepare, append, add ──> acknowledge
 *
 * One put of a bucket at a time is between begin and finish, so that each sees what the one before
 * has changed. Numbers of the auto-increment column and old values that are not in memory come from
 * elsewhere; then the put, and those behind it, wait. A put whose writer has sent it before changes
 * nothing: the log says so when the prepared batch is appended. */
#include "kv_tablet.h"

#include <stdlib.h>

#define REFUSE_PRESSURE 1.0

static void put_numbers(struct kv_tablet *t);
static void put_old_values(struct kv_tablet *t);
static void put_finish(struct kv_tablet *t);

/* The put under way is over, in whatever way. */
static struct put_op *put_take(struct kv_tablet *t)
{
    kv_writer_give(&t->bucket->set->kv_writers, TAKE(t->writer));
    return TAKE(t->preparing);
}

void put_end(struct kv_tablet *t, enum errcode code, const struct error *e)
{
    if (t->preparing != NULL) {
        bucket_op_end(&put_take(t)->op, code, e);
    }
}

/* ---- numbers of the auto-increment column ---- */

static int64_t range_left(const struct kv_id_range *range) { return range->end - range->start + 1; }

static enum errcode next_id(void *context, int64_t *ret, struct error *e)
{
    struct kv_tablet *t = context;

    if (t->ids.start > t->ids.end) {
        t->ids = t->next_ids;
        t->next_ids = (struct kv_id_range){.start = 1, .end = 0};
    }
    if (t->ids.start > t->ids.end) {
        return error_set(e, ERR_UNKNOWN_SERVER_ERROR, "too few numbers for the batch");
    }
    *ret = t->ids.start++;
    return ERR_OK;
}

static void add_range(struct kv_tablet *t, const struct meta_allocate_ids *a)
{
    struct kv_id_range range = {
        .column_id = a->column_id, .start = a->first, .end = a->first + a->count - 1};

    if (range_left(&t->ids) <= 0) {
        t->ids = range;
    } else {
        t->next_ids = range;
    }
}

static void allocated(struct meta_job *job)
{
    struct kv_allocation *a = container_of(job, struct kv_allocation, ids.job);
    struct kv_tablet *t = a->tablet;

    if (t != NULL) {
        t->allocation = NULL;
        if (job->code == ERR_OK) {
            add_range(t, &a->ids);
            put_old_values(t);
        } else {
            put_end(t, job->code, &job->error);
        }
        put_run_queue(t);
    }
    free(a);
}

static void allocate(struct kv_tablet *t, int64_t needed)
{
    struct kv_allocation *a = mem_new(struct kv_allocation);
    const struct schema *schema = t->table->schema;
    int64_t cached = t->meta->options->auto_increment_cache;

    a->tablet = t;
    a->ids = (struct meta_allocate_ids){
        .job.kind = META_ALLOCATE_IDS,
        .job.done = allocated,
        .table_id = t->bucket->id.table_id,
        .column_id = schema->columns[schema->auto_increment].id,
        .count = cached > needed ? cached : needed,
    };
    t->allocation = a;
    meta_submit(t->bucket->set->config.meta, &a->ids.job);
}

/* Every record may insert a row. */
static void put_numbers(struct kv_tablet *t)
{
    int64_t needed = kv_prepare_record_count(t->writer->prepare);
    int64_t left = range_left(&t->ids) + range_left(&t->next_ids);

    if (t->table->schema->auto_increment < 0 || needed <= left) {
        put_old_values(t);
    } else {
        allocate(t, needed);
    }
}

/* ---- old values ---- */

static void read_work(struct pool_job *job)
{
    struct kv_tablet *t = container_of(job, struct kv_tablet, read);

    t->read_code = kv_lookup_run(t->store, &t->lookup, &t->read_error);
}

static void read_done(struct message *m)
{
    struct kv_tablet *t = container_of(m, struct kv_tablet, read.done);
    struct bucket *b = t->bucket;

    if (b->state != BUCKET_OPEN) {
        bucket_op_fail(&put_take(t)->op, ERR_UNKNOWN_TABLE_OR_BUCKET,
                       "the table or partition was dropped");
    } else if (t->read_code != ERR_OK) {
        put_end(t, t->read_code, &t->read_error);
    } else {
        kv_lookup_end(t->rows, &t->lookup);
        put_finish(t);
    }
    put_run_queue(t);
    bucket_job_end(b);
}

static void put_old_values(struct kv_tablet *t)
{
    struct replica_set *set = t->bucket->set;

    if (t->lookup.count == 0 || kv_lookup_begin(t->rows, &t->lookup)) {
        put_finish(t);
        return;
    }
    t->read = (struct pool_job){.work = read_work, .home = set->shard, .done.run = read_done};
    bucket_job_begin(t->bucket);
    pool_submit(set->config.read_pool, &t->read);
}

/* ---- the write ---- */

static enum errcode append_prepared(struct kv_tablet *t, struct log_appended *ret, struct error *e)
{
    struct bucket *b = t->bucket;
    struct kv_prepared prepared;

    TRY(kv_prepare_finish(t->writer->prepare, &t->writer->scratch, &prepared, e));
    /* the batch lies in our arena: its header fields are assigned there */
    TRY(log_append(b->log, (uint8_t *)(uintptr_t)prepared.batch.data, prepared.batch.len,
                   shard_wall_ms(b->set->shard), ret, e));
    if (!ret->duplicate) {
        kv_bucket_add(t->rows, prepared.changes, prepared.change_count, ret->end_offset,
                      prepared.row_delta);
    }
    return ERR_OK;
}

static void put_finish(struct kv_tablet *t)
{
    struct put_op *p = t->preparing;
    struct kv_id_range ids = t->ids;
    struct kv_id_range next_ids = t->next_ids;
    struct log_appended appended;
    enum errcode code = append_prepared(t, &appended, &p->op.error);

    if (code != ERR_OK) {
        t->ids = ids;
        t->next_ids = next_ids;
        put_end(t, code, &p->op.error);
        return;
    }
    if (t->table->schema->auto_increment >= 0) {
        kv_bucket_set_ids(t->rows, &t->ids);
    }
    p->end_offset = appended.end_offset;
    IGNORE(put_take(t) == p);
    ack_append(t->bucket, &p->op, &p->ack, &appended);
}

/* ---- the queue ---- */

/* The table may have changed since the last put; a definition that is of no use leaves the old one,
 * and rows of its schema are refused. */
static enum errcode put_table(struct kv_tablet *t, struct error *e)
{
    const struct meta_table *newest = TAKE(t->newest);
    enum errcode code = ERR_OK;

    if (newest != NULL) {
        code = kv_tablet_set_table(t, newest, e);
        if (code != ERR_OK) {
            t->newest = TAKE(newest); /* and again with the next put */
        }
        meta_table_unref(newest);
    }
    return code;
}

static enum errcode prepare_begin(struct kv_tablet *t, struct put_op *p)
{
    struct kv_request request = {
        .merge = {.mode = p->overwrite ? KV_MERGE_OVERWRITE : KV_MERGE_DEFAULT,
                  .target_columns = p->target_columns,
                  .target_count = p->target_count},
        .next_id = next_id,
        .next_id_context = t,
    };

    t->lookup = (struct kv_lookup){.sight = KV_SIGHT_NEWEST, .arena = &t->writer->scratch};
    return kv_prepare_begin(t->writer->prepare, p->batch, &request, &t->lookup.keys,
                            &t->lookup.count, &p->op.error);
}

static void put_begin(struct kv_tablet *t, struct put_op *p)
{
    struct replica_set *set = t->bucket->set;
    enum errcode code;

    if (set->closing) {
        bucket_op_fail(&p->op, ERR_NOT_LEADER_OR_FOLLOWER, "the server is stopping");
        return;
    }
    code = put_table(t, &p->op.error);
    if (code != ERR_OK) {
        bucket_op_end(&p->op, code, &p->op.error);
        return;
    }
    t->preparing = p;
    t->writer = kv_writer_take(&set->kv_writers, t->table);
    code = prepare_begin(t, p);
    if (code != ERR_OK) {
        put_end(t, code, &p->op.error);
    } else {
        put_numbers(t);
    }
}

/* Those who are answered may put again: that is done here, not inside. */
void put_run_queue(struct kv_tablet *t)
{
    struct list *link;

    if (t->put_stepping) {
        return;
    }
    t->put_stepping = true;
    while (t->preparing == NULL && (link = list_pop_front(&t->puts)) != NULL) {
        put_begin(t, container_of(link, struct put_op, op.link));
    }
    t->put_stepping = false;
}

static void put_run(struct bucket_op *op, struct bucket *b)
{
    struct put_op *p = container_of(op, struct put_op, op);
    struct kv_tablet *t = kv_tablet_for(op, b);
    char name[96];

    if (t == NULL) {
        return;
    }
    p->pressure = kv_bucket_pressure(t->rows, b->set->config.kv_level0_trigger);
    if (p->pressure >= REFUSE_PRESSURE) {
        bucket_op_fail(op, ERR_STORAGE_BACKPRESSURE, "%s: writes come faster than they are stored",
                       bucket_name(&b->id, name));
        return;
    }
    list_push_back(&t->puts, &op->link);
    put_run_queue(t);
}

void replica_put(struct replica_set *set, struct put_op *p)
{
    p->op.run = put_run;
    bucket_submit(set, &p->op);
}
