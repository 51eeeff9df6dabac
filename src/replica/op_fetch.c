/* Fetch: whole batches leave as a range of the segment file; projections and filters go through
 * scan.c. Bytes that are not in the page cache are read in the pool first.
 *
 *   run ──> answered                     whole batches, resident
 *   run ──> finding (pool) ──> run       the place of the offset is cold
 *   run ──> warming (pool) ──> answered  whole batches, cold
 *   run ──> scanned ──> answered         projection or filter, resident
 *   run ──> scanning (pool) ──> answered the same, cold
 */
#include "bucket.h"
#include "scan.h"

#include "base/mutant.h"

#define OFFSET_EARLIEST_WIRE (-2)
/* Segments without a matching batch that one fetch looks through. */
#define DROPPED_SEGMENTS_MAX 16
/* A scan in a pool or on a shard looks at no more stored bytes than this in one go, so that
 * selective filters cannot hold up a shard. */
#define SCAN_BYTES_MAX (64u << 20)

static void fetch_continue(struct fetch_op *f, struct bucket *b);

static void fetch_end(struct fetch_op *f, enum errcode code)
{
    f->range.file = file_unref(f->range.file);
    f->table = meta_table_unref(f->table);
    if (code != ERR_OK) {
        pieces_fini(&f->pieces);
    }
    bucket_op_end(&f->op, code, &f->op.error);
}

/* ---- cold bytes ---- */

static void warm_work(struct pool_job *job)
{
    struct fetch_op *f = container_of(job, struct fetch_op, job);

    file_warm(f->range.file, f->range.position, f->range.len);
}

static void warm_done(struct message *m)
{
    struct fetch_op *f = container_of(m, struct fetch_op, job.done);
    struct bucket *b = f->bucket;

    pieces_add_file(&f->pieces, TAKE(f->range.file), f->range.position, f->range.len);
    fetch_end(f, ERR_OK);
    bucket_job_end(b);
}

static void fetch_submit(struct fetch_op *f, struct bucket *b, void (*work)(struct pool_job *),
                         void (*done)(struct message *))
{
    f->bucket = b;
    f->job = (struct pool_job){.work = work, .home = b->set->shard, .done.run = done};
    bucket_job_begin(b);
    pool_submit(b->set->config.read_pool, &f->job);
}

/* ---- projection and filter ---- */

static void fetch_scan(struct fetch_op *f, struct pieces *pieces, bool *ret_blocked)
{
    struct scan_request q = {
        .file = f->range.file,
        .position = f->range.position,
        .len = f->range.len,
        .max_bytes = f->max_bytes,
        .min_one = f->min_one,
        .projection = f->projection,
        .filter = f->filter,
        .table = f->table,
        .may_block = pieces == &f->pooled,
    };

    f->scanned = (struct scan_result){.pieces = pieces, .filtered_end_offset = -1};
    f->op.code = scan_run(&q, &f->scanned, ret_blocked, &f->op.error);
}

/* The outcome of a scan: answer, or go on behind it when everything was dropped. */
static void fetch_scanned(struct fetch_op *f, struct bucket *b)
{
    if (f->op.code != ERR_OK) {
        fetch_end(f, f->op.code);
        return;
    }
    if (f->scanned.end_offset >= 0) { /* else the offset of an earlier segment stays right */
        f->filtered_end_offset = f->scanned.filtered_end_offset;
    }
    if (f->scanned.all_dropped && f->dropped_segments < DROPPED_SEGMENTS_MAX &&
        f->scanned.end_offset < b->high_watermark && b->state == BUCKET_OPEN) {
        f->dropped_segments++;
        f->range.file = file_unref(f->range.file);
        f->position_offset = f->scanned.end_offset;
        fetch_continue(f, b);
        return;
    }
    fetch_end(f, ERR_OK);
}

static void scan_work(struct pool_job *job)
{
    struct fetch_op *f = container_of(job, struct fetch_op, job);
    bool blocked;

    fetch_scan(f, &f->pooled, &blocked);
}

static void scan_done(struct message *m)
{
    struct fetch_op *f = container_of(m, struct fetch_op, job.done);
    struct bucket *b = f->bucket;

    pieces_move(&f->pieces, &f->pooled);
    arena_fini(&f->pool_arena);
    fetch_scanned(f, b);
    bucket_job_end(b);
}

/* ---- one range ---- */

static void fetch_range(struct fetch_op *f, struct bucket *b)
{
    bool blocked = false;

    if (f->projection == NULL && f->filter == NULL) {
        if (!file_resident(f->range.file, f->range.position, f->range.len)) {
            fetch_submit(f, b, warm_work, warm_done);
            return;
        }
        pieces_add_file(&f->pieces, TAKE(f->range.file), f->range.position, f->range.len);
        fetch_end(f, ERR_OK);
        return;
    }
    fetch_scan(f, &f->pieces, &blocked);
    if (blocked) {
        arena_init(&f->pool_arena);
        pieces_init(&f->pooled, &f->pool_arena);
        fetch_submit(f, b, scan_work, scan_done);
    } else {
        fetch_scanned(f, b);
    }
}

static void found_warm(struct message *m)
{
    struct fetch_op *f = container_of(m, struct fetch_op, job.done);
    struct bucket *b = f->bucket;

    f->range.file = file_unref(f->range.file);
    f->warmed = true; /* whatever has been evicted again is waited for: no second round */
    if (b->state == BUCKET_OPEN) {
        fetch_continue(f, b);
    } else {
        fetch_end(f, error_set(&f->op.error, ERR_UNKNOWN_TABLE_OR_BUCKET,
                               "the table or partition was dropped"));
    }
    bucket_job_end(b);
}

/* Reads at f->position_offset, which lies below the high watermark. */
static void fetch_continue(struct fetch_op *f, struct bucket *b)
{
    bool whole = f->projection == NULL && f->filter == NULL;
    struct log_read read = {
        .offset = f->position_offset,
        .limit_offset = MUTANT(SERVE_ABOVE) ? log_end_offset(b->log) : b->high_watermark,
        .max_bytes = whole ? f->max_bytes : SCAN_BYTES_MAX,
        .min_one = whole ? f->min_one : true,
        .nowait = !f->warmed,
    };
    enum errcode code = log_read(b->log, &read, &f->range, &f->op.error);

    f->high_watermark = read.limit_offset; /* it may have moved while a read was waited for */
    if (code != ERR_OK || f->range.len == 0) {
        if (code == ERR_OK && f->range.end_offset > f->position_offset) {
            f->filtered_end_offset = f->range.end_offset; /* all that is left is damaged */
        }
        fetch_end(f, code);
    } else if (f->range.cold) {
        fetch_submit(f, b, warm_work, found_warm); /* where the offset is, is not in memory */
    } else {
        fetch_range(f, b);
    }
}

/* ---- starting ---- */

/* What the table must be for the projection and filter asked for. */
static enum errcode fetch_check(struct fetch_op *f, struct bucket *b)
{
    bool arrow;

    if (f->projection == NULL && f->filter == NULL) {
        return ERR_OK;
    }
    f->table = meta_table_ref(place_table(b->set->view, &b->id));
    arrow = f->table->options->log_format == LOG_FORMAT_ARROW;
    if (!arrow) {
        f->filter = NULL; /* only work is saved by it */
    }
    if (f->projection != NULL && !arrow) {
        return error_set(&f->op.error, ERR_INVALID_COLUMN_PROJECTION,
                         "table %s.%s is not in ARROW format, columns cannot be projected",
                         f->table->database, f->table->name);
    }
    if (f->projection != NULL && f->projection->count == 0) {
        return error_set(&f->op.error, ERR_INVALID_COLUMN_PROJECTION,
                         "the projection of table %s.%s names no column", f->table->database,
                         f->table->name);
    }
    return ERR_OK;
}

static void fetch_run(struct bucket_op *op, struct bucket *b)
{
    struct fetch_op *f = container_of(op, struct fetch_op, op);
    int64_t start = log_start_offset(b->log);
    char name[96];
    enum errcode code;

    f->high_watermark = b->high_watermark;
    f->filtered_end_offset = -1;
    f->range.file = NULL;
    f->table = NULL;
    f->dropped_segments = 0;
    f->warmed = false;
    if (f->offset == OFFSET_EARLIEST_WIRE) {
        f->offset = start;
    }
    if (f->offset < start || f->offset > log_end_offset(b->log)) {
        bucket_op_fail(op, ERR_LOG_OFFSET_OUT_OF_RANGE, "%s: offset %lld is not in [%lld, %lld]",
                       bucket_name(&b->id, name), (long long)f->offset, (long long)start,
                       (long long)log_end_offset(b->log));
        return;
    }
    code = fetch_check(f, b);
    if (code != ERR_OK || f->offset >= b->high_watermark) {
        fetch_end(f, code);
        return;
    }
    f->position_offset = f->offset;
    fetch_continue(f, b);
}

void replica_fetch(struct replica_set *set, struct fetch_op *f)
{
    f->op.run = fetch_run;
    bucket_submit(set, &f->op);
}

/* ---- the last rows ---- */

static void last_continue(struct fetch_op *f, struct bucket *b);

/* The range found is part of the answer. */
static void last_take(struct fetch_op *f)
{
    const struct log_range *range = &f->range;

    f->position_offset = range->next_offset >= 0 ? range->next_offset : range->end_offset;
    pieces_add_file(&f->pieces, TAKE(f->range.file), range->position, range->len);
}

/* Back from warming: a range, or what it takes to find one. */
static void last_warm(struct message *m)
{
    struct fetch_op *f = container_of(m, struct fetch_op, job.done);
    struct bucket *b = f->bucket;

    if (f->range.cold) {
        f->range.file = file_unref(f->range.file);
        f->warmed = true;
    } else {
        last_take(f);
    }
    if (b->state == BUCKET_OPEN) {
        last_continue(f, b);
    } else {
        fetch_end(f, error_set(&f->op.error, ERR_UNKNOWN_TABLE_OR_BUCKET,
                               "the table or partition was dropped"));
    }
    bucket_job_end(b);
}

/* Whole batches from f->position_offset to the high watermark, over as many segments as it takes. */
static void last_continue(struct fetch_op *f, struct bucket *b)
{
    enum errcode code = ERR_OK;

    while (code == ERR_OK && f->position_offset < f->high_watermark) {
        struct log_read read = {
            .offset = f->position_offset,
            .limit_offset = f->high_watermark,
            .max_bytes = SIZE_MAX / 2,
            .min_one = true,
            .nowait = !f->warmed,
        };

        code = log_read(b->log, &read, &f->range, &f->op.error);
        if (code != ERR_OK || f->range.len == 0) {
            break;
        }
        if (!f->range.cold && f->range.len > f->max_bytes - f->pieces.len) {
            code = error_set(&f->op.error, ERR_INVALID_ARGUMENT,
                             "the last %d rows have more than %zu bytes", f->limit, f->max_bytes);
        } else if (f->range.cold ||
                   !file_resident(f->range.file, f->range.position, f->range.len)) {
            fetch_submit(f, b, warm_work, last_warm);
            return;
        } else {
            last_take(f);
        }
    }
    fetch_end(f, code);
}

static void last_run(struct bucket_op *op, struct bucket *b)
{
    struct fetch_op *f = container_of(op, struct fetch_op, op);
    int64_t start = log_start_offset(b->log);
    int64_t from = b->high_watermark - (f->limit > 0 ? f->limit : 0);

    f->high_watermark = b->high_watermark;
    f->filtered_end_offset = -1;
    f->range.file = NULL;
    f->table = NULL;
    f->warmed = false;
    f->offset = from > start ? from : start;
    f->position_offset = f->offset;
    last_continue(f, b);
}

void replica_fetch_last(struct replica_set *set, struct fetch_op *f, int32_t limit)
{
    f->limit = limit;
    f->op.run = last_run;
    bucket_submit(set, &f->op);
}
