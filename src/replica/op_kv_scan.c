/* Scanners: all rows of a bucket as of one moment, over several calls.
 *
 *   OPEN ──> settling ──> reading (pool) ──> IDLE ──> reading (pool) ──> IDLE ...
 *                              │              └──> closing (pool) ──> gone
 *                              └──> gone: that were all rows, or an error
 *
 * A scanner holds a cursor of the bucket's store. Only while something of it runs in a pool it has a
 * job of the bucket; who wants the store closed ends the idle ones first (kv_scans_end).
 *
 * Its id: u64 random, u32 number, u32 shard. Ids of those that ended by themselves are remembered for
 * a while, so that clients learn why.
 */
#include "kv_ops.h"
#include "kv_scan.h"
#include "kv_tablet.h"
#include "row_batch.h"

#include <stdlib.h>

#include "io/clock.h"

#define SHARD_AT     12u /* in an id */
#define REMEMBER_TTL 2   /* ended scanners are remembered for so many times the time to live */

struct kv_scans {
    struct list scanners; /* the one used last at the end */
    struct list ended;    /* struct ended, newest at the end */
    struct timer timer;
    uint32_t number; /* of the newest */
    struct replica_set *set;
};

struct scanner {
    struct list link; /* in scans->scanners; unlinked: it is about to be freed */
    uint8_t id[KV_SCANNER_ID_SIZE];
    struct bucket *bucket;
    struct kv_cursor *cursor;
    int64_t left;     /* rows it may still give; -1: all */
    int32_t sequence; /* of the call before */
    int64_t used_us;
    struct kv_scan_op *call; /* under way; NULL: idle */
    bool ending;             /* after the call */
    struct kv_settled settled;
    struct pool_job job;
};

struct ended {
    struct list link;
    uint8_t id[KV_SCANNER_ID_SIZE];
    int64_t at_us;
};

static void scanner_close(struct scanner *s);

bool kv_scanner_shard(struct bytes id, unsigned shards, unsigned *ret)
{
    uint32_t shard;

    if (id.len != KV_SCANNER_ID_SIZE) {
        return false;
    }
    shard = get_u32le(id.data + SHARD_AT);
    if (shard >= shards) {
        return false;
    }
    *ret = shard;
    return true;
}

/* ---- the scanners of a set ---- */

static void remember(struct kv_scans *scans, const struct scanner *s)
{
    struct ended *gone = mem_new(struct ended);

    memcpy(gone->id, s->id, sizeof gone->id);
    gone->at_us = shard_now_us(scans->set->shard);
    list_init(&gone->link);
    list_push_back(&scans->ended, &gone->link);
}

static void forget(struct kv_scans *scans, int64_t before_us)
{
    LIST_FOR_EACH(it, &scans->ended)
    {
        struct ended *gone = container_of(it, struct ended, link);

        if (gone->at_us > before_us) {
            return;
        }
        list_remove(it);
        free(gone);
    }
}

static void scans_tick(struct timer *t)
{
    struct kv_scans *scans = container_of(t, struct kv_scans, timer);
    const struct kv_scan_options *options = &scans->set->config.kv_scan;
    int64_t now = shard_now_us(scans->set->shard);

    LIST_FOR_EACH(it, &scans->scanners)
    {
        struct scanner *s = container_of(it, struct scanner, link);

        if (s->call == NULL && s->used_us + options->ttl_us <= now) {
            remember(scans, s);
            scanner_close(s);
        }
    }
    forget(scans, now - REMEMBER_TTL * options->ttl_us);
    if (!list_empty(&scans->scanners) || !list_empty(&scans->ended)) {
        timer_start(scans->set->shard, t, options->check_us);
    }
}

static struct kv_scans *scans_of(struct replica_set *set)
{
    if (set->kv_scans == NULL) {
        struct kv_scans *scans = mem_new(struct kv_scans);

        scans->set = set;
        list_init(&scans->scanners);
        list_init(&scans->ended);
        timer_init(&scans->timer, scans_tick);
        set->kv_scans = scans;
    }
    return set->kv_scans;
}

void kv_scans_end(struct bucket *b)
{
    struct kv_scans *scans = b->set->kv_scans;

    if (scans == NULL) {
        return;
    }
    LIST_FOR_EACH(it, &scans->scanners)
    {
        struct scanner *s = container_of(it, struct scanner, link);

        if (s->bucket != b || s->ending) {
            continue;
        }
        remember(scans, s);
        s->ending = true;
        if (s->call == NULL) {
            scanner_close(s);
        }
    }
}

void kv_scans_stop(struct replica_set *set)
{
    if (set->kv_scans != NULL) {
        timer_stop(&set->kv_scans->timer);
    }
}

void kv_scans_free(struct replica_set *set)
{
    if (set->kv_scans != NULL) {
        ASSERT(list_empty(&set->kv_scans->scanners));
        forget(set->kv_scans, INT64_MAX);
        free(TAKE(set->kv_scans));
    }
}

static struct scanner *scanner_find(struct replica_set *set, const uint8_t *id)
{
    LIST_FOR_EACH(it, &scans_of(set)->scanners)
    {
        struct scanner *s = container_of(it, struct scanner, link);

        if (memcmp(s->id, id, sizeof s->id) == 0) {
            return s;
        }
    }
    return NULL;
}

static bool has_ended(struct replica_set *set, const uint8_t *id)
{
    LIST_FOR_EACH(it, &scans_of(set)->ended)
    {
        if (memcmp(container_of(it, struct ended, link)->id, id, KV_SCANNER_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the end of a scanner ---- */

static void scanner_free(struct scanner *s)
{
    ASSERT(s->cursor == NULL && s->call == NULL);
    free(s);
}

static void close_work(struct pool_job *job)
{
    kv_cursor_close(TAKE(container_of(job, struct scanner, job)->cursor));
}

static void close_done(struct message *m)
{
    struct scanner *s = container_of(m, struct scanner, job.done);
    struct bucket *b = s->bucket;

    scanner_free(s);
    bucket_job_end(b);
}

/* Of an idle one, or at the end of a call: nobody finds it any more. Closing a cursor may remove
 * files. */
static void scanner_close(struct scanner *s)
{
    struct bucket *b = s->bucket;

    ASSERT(s->call == NULL);
    list_remove(&s->link);
    atomic_fetch_sub_explicit(b->set->config.kv_scan.open_count, 1, memory_order_relaxed);
    if (s->cursor == NULL) {
        scanner_free(s);
        return;
    }
    s->job = (struct pool_job){.work = close_work, .home = b->set->shard, .done.run = close_done};
    bucket_job_begin(b);
    pool_submit(b->set->config.read_pool, &s->job);
}

/* ---- a call ---- */

static enum errcode read_rows(struct scanner *s, struct error *e)
{
    struct kv_scan_op *op = s->call;
    struct row_batch batch = {.rows_max = s->left < 0 ? SIZE_MAX : (size_t)s->left,
                              .size_max = op->batch_bytes};
    bool more = false;

    TRY(row_batch_read(&batch, &op->rows, s->cursor, &more, e));
    s->left -= s->left < 0 ? 0 : (int64_t)batch.count;
    op->more = more && s->left != 0;
    if (batch.count == 0) {
        pieces_fini(&op->rows);
    }
    return ERR_OK;
}

static enum errcode open_cursor(struct scanner *s, struct error *e)
{
    TRY(kv_cursor_open(s->bucket->kv->store, &s->cursor, e));
    s->call->log_offset = kv_cursor_state(s->cursor).offset;
    return ERR_OK;
}

static void call_work(struct pool_job *job)
{
    struct scanner *s = container_of(job, struct scanner, job);
    struct kv_scan_op *op = s->call;

    op->more = false;
    op->op.code = s->cursor == NULL ? open_cursor(s, &op->op.error) : ERR_OK;
    if (op->op.code == ERR_OK) {
        op->op.code = read_rows(s, &op->op.error);
    }
    if (!op->more) {
        kv_cursor_close(TAKE(s->cursor));
    }
}

/* Answers the call. */
static void call_over(struct scanner *s)
{
    struct kv_scan_op *op = TAKE(s->call);
    struct bucket *b = s->bucket;

    s->used_us = shard_now_us(b->set->shard);
    s->sequence = op->sequence;
    list_remove(&s->link);
    list_push_back(&scans_of(b->set)->scanners, &s->link);
    if (!op->more || s->ending) {
        scanner_close(s);
    }
    if (b->state == BUCKET_GONE) {
        op->op.code = error_set(&op->op.error, ERR_UNKNOWN_TABLE_OR_BUCKET,
                                "the table or partition was dropped");
    }
    if (op->op.code != ERR_OK) {
        pieces_fini(&op->rows);
        op->more = false;
    }
    bucket_op_end(&op->op, op->op.code, &op->op.error);
    bucket_job_end(b);
}

static void call_done(struct message *m) { call_over(container_of(m, struct scanner, job.done)); }

static void call_start(struct scanner *s)
{
    struct replica_set *set = s->bucket->set;

    s->job = (struct pool_job){.work = call_work, .home = set->shard, .done.run = call_done};
    pool_submit(set->config.read_pool, &s->job);
}

/* ---- opening ---- */

static void open_settled(struct kv_settled *w)
{
    struct scanner *s = w->context;

    if (w->code == ERR_OK) {
        call_start(s);
        return;
    }
    s->call->op.code = w->code;
    s->call->op.error = w->error;
    call_over(s);
}

static enum errcode count_scanner(const struct bucket *b, struct error *e)
{
    const struct kv_scan_options *options = &b->set->config.kv_scan;
    uint32_t of_bucket = 0;

    LIST_FOR_EACH(it, &scans_of(b->set)->scanners)
    {
        of_bucket += container_of(it, struct scanner, link)->bucket == b;
    }
    if (of_bucket >= options->per_bucket) {
        return error_set(e, ERR_TOO_MANY_SCANNERS, "the bucket has %u scanners already", of_bucket);
    }
    if (atomic_fetch_add_explicit(options->open_count, 1, memory_order_relaxed) >=
        options->per_server) {
        atomic_fetch_sub_explicit(options->open_count, 1, memory_order_relaxed);
        return error_set(e, ERR_TOO_MANY_SCANNERS, "the server has %u scanners already",
                         options->per_server);
    }
    return ERR_OK;
}

static struct scanner *scanner_new(struct bucket *b, struct kv_scan_op *op)
{
    struct kv_scans *scans = scans_of(b->set);
    struct scanner *s = mem_new(struct scanner);
    struct writer w = writer_of(s->id, sizeof s->id);

    writer_u64le(&w, random_u64());
    writer_u32le(&w, ++scans->number);
    writer_u32le(&w, shard_index(b->set->shard));
    s->bucket = b;
    s->left = op->limit > 0 ? op->limit : -1;
    s->call = op;
    list_init(&s->link);
    list_push_back(&scans->scanners, &s->link);
    if (!timer_running(&scans->timer)) {
        timer_start(b->set->shard, &scans->timer, b->set->config.kv_scan.check_us);
    }
    memcpy(op->scanner, s->id, sizeof op->scanner);
    return s;
}

static void open_run(struct bucket_op *bucket_op, struct bucket *b)
{
    struct kv_scan_op *op = container_of(bucket_op, struct kv_scan_op, op);
    enum errcode code;
    struct scanner *s;

    if (kv_tablet_for(bucket_op, b) == NULL) {
        return;
    }
    code = count_scanner(b, &bucket_op->error);
    if (code != ERR_OK) {
        bucket_op_end(bucket_op, code, &bucket_op->error);
        return;
    }
    s = scanner_new(b, op);
    s->settled.done = open_settled;
    s->settled.context = s;
    bucket_job_begin(b);
    kv_tablet_settle(b->kv, &s->settled);
}

/* ---- going on, and closing ---- */

static enum errcode check_call(struct replica_set *set, const struct kv_scan_op *op,
                               struct scanner *s, struct error *e)
{
    if (set->closing) {
        return error_set(e, ERR_NOT_LEADER_OR_FOLLOWER, "the server is stopping");
    }
    if (s == NULL && op->step == KV_SCAN_CLOSE) {
        return ERR_OK;
    }
    if (s == NULL && has_ended(set, op->scanner)) {
        return error_set(e, ERR_SCANNER_EXPIRED,
                         "the scanner was idle for too long, or its bucket "
                         "moved: start again");
    }
    if (s == NULL) {
        return error_set(e, ERR_UNKNOWN_SCANNER_ID, "there is no such scanner");
    }
    if (s->call != NULL) {
        return error_set(e, ERR_INVALID_SCAN_REQUEST,
                         "another call of the scanner is under way; it ends with that");
    }
    if (op->step == KV_SCAN_NEXT && op->sequence != (int64_t)s->sequence + 1) {
        return error_set(e, ERR_INVALID_SCAN_REQUEST, "call %d after call %d of the scanner",
                         op->sequence, s->sequence);
    }
    return ERR_OK;
}

static void next_call(struct replica_set *set, struct kv_scan_op *op)
{
    struct scanner *s = scanner_find(set, op->scanner);
    enum errcode code = check_call(set, op, s, &op->op.error);

    op->more = false;
    if (code == ERR_OK && op->step == KV_SCAN_NEXT) {
        s->call = op;
        bucket_job_begin(s->bucket);
        call_start(s);
        return;
    }
    if (s != NULL && s->call != NULL) {
        s->ending = true;
    } else if (s != NULL) {
        scanner_close(s);
    }
    bucket_op_end(&op->op, code, &op->op.error);
}

void replica_kv_scan(struct replica_set *set, struct kv_scan_op *op)
{
    ASSERT_ON(set->shard);
    if (op->batch_bytes > set->config.kv_scan.batch_bytes_max) {
        op->batch_bytes = set->config.kv_scan.batch_bytes_max;
    }
    if (op->step != KV_SCAN_OPEN) {
        next_call(set, op);
    } else if (op->sequence != 0) {
        bucket_op_fail(&op->op, ERR_INVALID_SCAN_REQUEST, "call %d without call 0 of a scanner",
                       op->sequence);
    } else {
        op->op.run = open_run;
        bucket_submit(set, &op->op);
    }
}
