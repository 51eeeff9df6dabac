#include "verify_dir.h"

#include "options.h"
#include "verify_payload.h"
#include "verify_snapshots.h"
#include "verify_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "format/schema.h"
#include "io/clock.h"
#include "io/pool.h"
#include "log/log.h"

#define LOCK_FILE    ".lock"
#define CLEAN_MARKER ".fluss_cleanshutdown"
#define STATE_MEMORY ((size_t)32 << 20) /* of blocks of table files, for all states */

/* One bucket: its own report, so that threads share nothing. */
struct bucket_check {
    struct pool_job job;
    struct bucket_check *next;
    struct directory *directory;
    const char *dir;
    struct checkpoint_entry id; /* offset: of the recovery point */
    int64_t high_watermark;     /* -1: unknown */
    struct verify_payload payload;
    struct verify_state *state; /* of a primary-key table; NULL: there is none */
    struct verify_report report;
    struct log_verified verified;
    enum errcode code;
    struct error error;
};

struct directory {
    const struct verify_dir_options *options;
    struct verify_report *report;
    struct arena arena;
    struct file *lock;
    bool clean;
    struct checkpoint recovery;
    struct checkpoint watermarks;
    struct log_options log;
    struct meta_view *view; /* NULL: damaged */
    struct kv_env_lazy env;
    int64_t now_ms;
    struct bucket_check *first;
    struct bucket_check **last;
};

static void directory_fini(struct directory *d)
{
    d->lock = file_unref(d->lock);
    meta_view_unref(d->view);
    for (struct bucket_check *b = d->first; b != NULL; b = b->next) {
        verify_payload_fini(&b->payload);
        verify_report_fini(&b->report);
    }
    kv_env_lazy_fini(&d->env);
    arena_fini(&d->arena);
}

static void note(struct verify_report *r, enum verify_kind kind, const char *path, const char *what)
{
    struct verify_finding finding = {.kind = kind, .path = path, .position = -1, .what = what};

    verify_report_add(r, &finding);
}

/* ---- the directory itself ---- */

static enum errcode open_directory(struct directory *d, struct error *e)
{
    const char *dir = d->options->dir;

    if (!path_exists(dir)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s does not exist", dir);
    }
    if (!path_exists(arena_printf(&d->arena, "%s/meta", dir))) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "%s is not the data directory of a server: it has no catalog", dir);
    }
    if (file_lock(arena_printf(&d->arena, "%s/%s", dir, LOCK_FILE), &d->lock, e) != ERR_OK) {
        return e->code == ERR_INVALID_ARGUMENT
                   ? error_set(e, e->code,
                               "a server uses %s: stop it, or check it as it runs by --server", dir)
                   : e->code;
    }
    d->clean = path_exists(arena_printf(&d->arena, "%s/%s", dir, CLEAN_MARKER));
    return ERR_OK;
}

static enum errcode read_checkpoint(struct directory *d, const char *name, struct checkpoint *ret,
                                    struct error *e)
{
    const char *path = arena_printf(&d->arena, "%s/%s", d->options->dir, name);
    enum errcode code = checkpoint_read(path, &d->arena, ret, e);

    if (code == ERR_CORRUPT_FILE) {
        note(d->report, VERIFY_CHECKPOINTS, path, e->message);
        *ret = (struct checkpoint){0};
        return ERR_OK;
    }
    return code;
}

static void catalog_found(void *context, const struct meta_finding *found)
{
    struct directory *d = context;
    struct verify_finding finding = {
        .kind = found->aside  ? VERIFY_NOTICE
                : found->tail ? VERIFY_TAIL
                              : VERIFY_CATALOG,
        .path = found->path,
        .position = (int64_t)found->position,
        .what = found->what.message,
    };

    verify_report_add(d->report, &finding);
}

static enum errcode check_catalog(struct directory *d, struct error *e)
{
    struct meta_verify_params params = {
        .data_dir = d->options->dir, .context = d, .found = catalog_found};
    struct meta_verified verified;

    TRY(meta_verify(&params, &verified, e));
    d->view = verified.view;
    d->report->bytes += verified.bytes;
    d->report->tables = d->view == NULL ? 0 : d->view->table_count;
    return ERR_OK;
}

/* ---- buckets: <database>/<table>-<id>/[<partition>-p<id>/]log-<bucket> ---- */

/* The number behind the last `mark` of a name, all digits; -1: there is none. */
static int64_t number_behind(const char *name, const char *mark)
{
    const char *found = NULL;
    int64_t number = -1;

    for (const char *at = strstr(name, mark); at != NULL; at = strstr(at + 1, mark)) {
        found = at;
    }
    if (found == NULL || found[strlen(mark)] < '0' || found[strlen(mark)] > '9' ||
        units_parse_i64(found + strlen(mark), &number, NULL) != ERR_OK) {
        return -1;
    }
    return number;
}

static const struct meta_table *table_of(const struct directory *d, int64_t table_id,
                                         int64_t partition_id)
{
    const struct meta_table *table =
        d->view == NULL ? NULL : meta_view_table_by_id(d->view, table_id);

    if (table != NULL && partition_id >= 0 &&
        (!meta_table_partitioned(table) ||
         meta_table_partition_by_id(table, partition_id) == NULL)) {
        return NULL;
    }
    return table;
}

static void add_bucket(struct directory *d, const char *dir, const struct checkpoint_entry *id)
{
    const struct checkpoint_entry *recovery =
        checkpoint_find(&d->recovery, id->table_id, id->partition_id, id->bucket);
    const struct checkpoint_entry *watermark =
        checkpoint_find(&d->watermarks, id->table_id, id->partition_id, id->bucket);
    const struct meta_table *table = table_of(d, id->table_id, id->partition_id);
    struct bucket_check *b = arena_new(&d->arena, struct bucket_check);

    b->directory = d;
    b->dir = dir;
    b->id = *id;
    b->id.offset = recovery == NULL ? 0 : recovery->offset;
    b->high_watermark = watermark == NULL ? -1 : watermark->offset;
    verify_payload_init(&b->payload, table);
    if (d->view != NULL && table == NULL) {
        note(&b->report, VERIFY_NOTICE, dir,
             "the catalog knows no such table or partition; a drop leaves that for a while");
    }
    *d->last = b;
    d->last = &b->next;
}

/* The buckets of a table, or of one of its partitions. */
static enum errcode list_buckets(struct directory *d, const char *dir, int64_t table_id,
                                 int64_t partition_id, struct error *e)
{
    struct dir_list list = {0};

    TRY(dir_read(dir, &d->arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        const struct dir_entry *entry = &list.entries[i];
        int64_t bucket = number_behind(entry->name, "log-");

        if (entry->is_dir && strncmp(entry->name, "log-", 4) == 0 && bucket >= 0 &&
            bucket <= INT32_MAX) {
            struct checkpoint_entry id = {
                .table_id = table_id, .partition_id = partition_id, .bucket = (int32_t)bucket};

            add_bucket(d, arena_printf(&d->arena, "%s/%s", dir, entry->name), &id);
        }
    }
    return ERR_OK;
}

static enum errcode list_partitions(struct directory *d, const char *dir, int64_t table_id,
                                    struct error *e)
{
    struct dir_list list = {0};

    TRY(dir_read(dir, &d->arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        int64_t partition = number_behind(list.entries[i].name, "-p");

        if (list.entries[i].is_dir && partition >= 0) {
            TRY(list_buckets(d, arena_printf(&d->arena, "%s/%s", dir, list.entries[i].name),
                             table_id, partition, e));
        }
    }
    return ERR_OK;
}

static enum errcode list_tables(struct directory *d, const char *database, struct error *e)
{
    struct dir_list list = {0};

    TRY(dir_read(database, &d->arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        const char *dir = arena_printf(&d->arena, "%s/%s", database, list.entries[i].name);
        int64_t table_id = number_behind(list.entries[i].name, "-");

        if (list.entries[i].is_dir && table_id >= 0) {
            TRY(list_buckets(d, dir, table_id, META_NO_PARTITION, e));
            TRY(list_partitions(d, dir, table_id, e));
        }
    }
    return ERR_OK;
}

static enum errcode list_databases(struct directory *d, struct error *e)
{
    struct dir_list list = {0};

    TRY(dir_read(d->options->dir, &d->arena, &list, e));
    for (size_t i = 0; i < list.count; i++) {
        const char *name = list.entries[i].name;

        if (list.entries[i].is_dir && name[0] != '.' && strcmp(name, "meta") != 0) {
            TRY(list_tables(d, arena_printf(&d->arena, "%s/%s", d->options->dir, name), e));
        }
    }
    return ERR_OK;
}

/* ---- one bucket, in the pool ---- */

static enum verify_kind kind_of(enum log_finding_kind kind)
{
    switch (kind) {
    case LOG_FINDING_TAIL:
        return VERIFY_TAIL;
    case LOG_FINDING_INDEX:
        return VERIFY_INDEX;
    case LOG_FINDING_WRITERS:
        return VERIFY_WRITERS;
    case LOG_FINDING_ASIDE:
        return VERIFY_NOTICE;
    case LOG_FINDING_RECORDS:
    case LOG_FINDING_COUNT:
        break;
    }
    return VERIFY_RECORDS;
}

static void bucket_found(void *context, const struct log_finding *found)
{
    struct bucket_check *b = context;
    struct verify_finding finding = {.kind = kind_of(found->kind),
                                     .path = found->path,
                                     .position = (int64_t)found->position,
                                     .repaired = found->repaired,
                                     .what = found->what.message};

    verify_report_add(&b->report, &finding);
}

static enum errcode bucket_payload(void *context, const struct batch_header *header,
                                   struct bytes data, struct error *e)
{
    struct bucket_check *b = context;

    TRY(verify_payload_check(&b->payload, header, data, e));
    return b->state == NULL ? ERR_OK : verify_state_batch(b->state, header, data, e);
}

static void check_watermark(struct bucket_check *b)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    if (b->high_watermark > b->verified.end_offset) {
        note(&b->report, VERIFY_CHECKPOINTS, b->dir,
             arena_printf(&arena,
                          "the high watermark of the last run is %lld, the log ends at offset %lld",
                          (long long)b->high_watermark, (long long)b->verified.end_offset));
    }
}

/* <table>/log-<bucket> has its state in <table>/kv-<bucket>/db. */
static enum errcode open_state(struct bucket_check *b, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct meta_table *table = b->payload.table;
    size_t parent = (size_t)(strrchr(b->dir, '/') - b->dir);

    if (table == NULL || !schema_has_primary_key(meta_table_latest(table)->schema)) {
        return ERR_OK;
    }
    return verify_state_open(
        kv_env_lazy_get(&b->directory->env), table,
        arena_printf(&arena, "%.*s/kv-%d/db", (int)parent, b->dir, b->id.bucket), &b->report,
        &b->state, e);
}

static enum errcode close_state(struct bucket_check *b, struct error *e)
{
    const struct log_verified *log = &b->verified;
    struct verify_state_log compared = {.start_offset = log->start_offset,
                                        .end_offset = log->end_offset,
                                        .whole = log->lost_offsets == 0};

    return b->state == NULL ? ERR_OK : verify_state_end(b->state, &compared, &b->report, e);
}

/* <data>/<db>/<table>/log-<bucket> has its snapshots in <data>/remote/kv/<db>/<table>/<bucket>, unless
 * remote storage is elsewhere. */
static enum errcode check_snapshots(struct bucket_check *b, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *data = b->directory->options->dir;
    const char *place = b->dir + strlen(data);
    size_t parent = (size_t)(strrchr(place, '/') - place);

    return verify_snapshots(
        arena_printf(&arena, "%s/remote/kv%.*s/%d", data, (int)parent, place, b->id.bucket),
        &b->report, e);
}

static enum errcode check_bucket(struct bucket_check *b, struct error *e)
{
    struct directory *d = b->directory;
    struct log_verify_params params = {
        .dir = b->dir,
        .options = &d->log,
        .clean = d->clean,
        .repair = d->options->repair,
        .recovery_point = b->id.offset,
        .now_ms = d->now_ms,
        .context = b,
        .found = bucket_found,
        .payload = b->payload.table == NULL ? NULL : bucket_payload,
    };

    TRY(open_state(b, e));
    TRY(log_verify(&params, &b->verified, e));
    check_watermark(b);
    TRY(check_snapshots(b, e));
    return close_state(b, e);
}

static void bucket_work(struct pool_job *job)
{
    struct bucket_check *b = container_of(job, struct bucket_check, job);

    b->code = check_bucket(b, &b->error);
    verify_state_free(TAKE(b->state));
}

static void count(const struct bucket_check *b, struct verify_report *r)
{
    verify_report_merge(r, &b->report);
    r->buckets++;
    r->segments += b->verified.segments;
    r->batches += b->verified.batches;
    r->records += b->verified.records;
    r->bytes += b->verified.bytes;
    r->lost_offsets += (uint64_t)b->verified.lost_offsets;
}

static enum errcode check_buckets(struct directory *d, struct error *e)
{
    struct pool *pool = pool_new("verify", d->options->threads);

    for (struct bucket_check *b = d->first; b != NULL; b = b->next) {
        b->job.work = bucket_work;
        pool_submit(pool, &b->job);
    }
    pool_free(pool); /* runs all of them */
    for (struct bucket_check *b = d->first; b != NULL; b = b->next) {
        if (b->code != ERR_OK) {
            return error_set(e, b->code, "%s", b->error.message);
        }
        count(b, d->report);
    }
    return ERR_OK;
}

enum errcode verify_dir(const struct verify_dir_options *options, struct verify_report *report,
                        struct error *e)
{
    OWNED(directory_fini)
    struct directory d = {.options = options, .report = report, .now_ms = clock_wall_ms()};
    struct options *defaults = options_new(&d.arena);

    d.last = &d.first;
    d.log = (struct log_options){
        .segment_bytes_max = (uint64_t)options_bytes(defaults, "log.segment.file-size"),
        .index_bytes_max = (uint32_t)options_bytes(defaults, "log.index.file-size"),
        .index_interval = (uint32_t)options_bytes(defaults, "log.index.interval-size"),
    };
    d.env.options = (struct kv_env_options){
        .memory_bytes = STATE_MEMORY, .shard_count = 1, .background_threads = 1};
    TRY(open_directory(&d, e));
    TRY(read_checkpoint(&d, "recovery-point-offset-checkpoint", &d.recovery, e));
    TRY(read_checkpoint(&d, "high-watermark-checkpoint", &d.watermarks, e));
    TRY(check_catalog(&d, e));
    TRY(list_databases(&d, e));
    return check_buckets(&d, e);
}
