#include "verify.h"

#include "verify_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_SIZE  ((size_t)1 << 20)
#define AHEAD_MS_MAX (INT64_C(24) * 3600 * 1000) /* how far clocks may have been turned back */

/* The log as its directory shows it. */
struct listing {
    struct arena arena;
    int64_t *bases; /* rising */
    size_t base_count;
    int64_t *snapshots;
    size_t snapshot_count;
};

/* The segment being walked. */
struct walking {
    struct verify *v;
    struct verify_writers *writers;
    struct segment *s;
    int64_t offset_end; /* where the next segment begins; INT64_MAX: this is the last one */
    int64_t expected;   /* offset of the next batch; -1: whatever it says */
    int64_t timestamp;  /* of the batch before */
    uint8_t *window;    /* heap */
    size_t window_size;
    struct walk w;
    struct verify_index offsets;
    struct verify_index times;
};

void verify_found(struct verify *v, const struct log_finding *finding)
{
    v->ret->findings[finding->kind]++;
    v->ret->repaired += finding->repaired ? 1 : 0;
    v->params->found(v->params->context, finding);
}

/* ---- what there is ---- */

static void listing_fini(struct listing *l) { arena_fini(&l->arena); }

static void report_aside(struct verify *v, const char *name)
{
    char path[LOG_PATH_MAX + 256];
    struct log_finding finding = {.kind = LOG_FINDING_ASIDE, .path = path};

    (void)snprintf(path, sizeof path, "%s/%s", v->params->dir, name);
    (void)error_set(&finding.what, ERR_CORRUPT_FILE,
                    "an earlier start found that these bytes are no batches and kept them here");
    verify_found(v, &finding);
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t suffix_len = strlen(suffix);

    return len >= suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

static enum errcode look_around(struct verify *v, struct listing *l, struct error *e)
{
    struct dir_list list = {0};

    if (strlen(v->params->dir) > LOG_DIR_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "directory name of %zu bytes",
                         strlen(v->params->dir));
    }
    TRY(dir_read(v->params->dir, &l->arena, &list, e));
    l->bases = arena_array(&l->arena, list.count, sizeof *l->bases);
    l->snapshots = arena_array(&l->arena, list.count, sizeof *l->snapshots);
    for (size_t i = 0; i < list.count; i++) {
        struct log_name name = log_name_parse(list.entries[i].name);

        if (list.entries[i].is_dir) {
            continue;
        }
        if (name.kind == LOG_FILE_DATA) {
            l->bases[l->base_count++] = name.offset;
        } else if (name.kind == LOG_FILE_WRITER_SNAPSHOT) {
            l->snapshots[l->snapshot_count++] = name.offset;
        } else if (ends_with(list.entries[i].name, ".aside")) {
            report_aside(v, list.entries[i].name);
        }
    }
    return ERR_OK;
}

/* ---- damage ---- */

static void report_batch(struct walking *g, enum log_finding_kind kind, const struct error *what)
{
    struct log_finding finding = {
        .kind = kind, .path = g->s->file->path, .position = g->w.position, .what = *what};

    verify_found(g->v, &finding);
}

static void begin_walk(struct walking *g, uint64_t position)
{
    walk_init(&g->w, g->s->file, position, g->s->size, writer_of(g->window, g->window_size));
}

/* What the bytes behind the recovery point are after a crash, nobody was told about. */
static enum log_finding_kind kind_at(const struct walking *g, int64_t offset)
{
    const struct log_verify_params *params = g->v->params;

    return !params->clean && offset >= params->recovery_point ? LOG_FINDING_TAIL
                                                              : LOG_FINDING_RECORDS;
}

static void describe_loss(struct error *what, const struct segment_place *from,
                          const struct segment_place *to)
{
    char text[sizeof what->message];

    (void)snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, what->message);
    if (to->offset < 0) {
        (void)error_set(what, ERR_CORRUPT_RECORD,
                        "%s; no batch in %" PRIu64 " bytes, from offset %" PRId64 " on", text,
                        to->position - from->position, from->offset);
    } else {
        (void)error_set(what, ERR_CORRUPT_RECORD,
                        "%s; no batch in %" PRIu64 " bytes, offsets %" PRId64 " to %" PRId64, text,
                        to->position - from->position, from->offset, to->offset - 1);
    }
}

/* Reports what is no batch at the walk's position and goes on behind it. */
static enum errcode skip_damage(struct walking *g, struct error *what, struct error *e)
{
    struct resume resume = {
        .file = g->s->file,
        .offsets = &g->s->offsets,
        .damage = {.position = g->w.position, .offset = g->expected},
        .end = {.position = g->s->size, .offset = g->offset_end == INT64_MAX ? -1 : g->offset_end},
    };
    struct segment_place next = {0};

    TRY(resume_find(&resume, &next, e));
    describe_loss(what, &resume.damage, &next);
    report_batch(g, kind_at(g, g->expected), what);
    verify_index_skip(&g->offsets, &next);
    verify_index_skip(&g->times, &next);
    verify_writers_skip(g->writers, g->expected, next.offset);
    if (next.offset >= 0) {
        g->v->ret->lost_offsets += next.offset - g->expected;
        g->expected = next.offset;
    }
    begin_walk(g, next.position);
    return ERR_OK;
}

/* ---- batches ---- */

static enum errcode check_place(const struct walking *g, const struct batch_header *h,
                                struct error *e)
{
    int64_t next = batch_next_offset(h);

    if (h->base_offset != g->expected) {
        return error_set(e, ERR_CORRUPT_RECORD, "batch with offset %" PRId64 ", expected %" PRId64,
                         h->base_offset, g->expected);
    }
    if (next > g->offset_end || next == INT64_MAX || next - 1 - g->s->base_offset > INT32_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "batch with offsets up to %" PRId64 ", expected an end by %" PRId64,
                         next - 1, g->offset_end);
    }
    return ERR_OK;
}

/* A batch that does not fit the window gets a larger one, which the next ones keep. */
static void widen(struct walking *g, size_t size)
{
    if (size > g->window_size) {
        mem_freep(&g->window);
        g->window_size = size;
        g->window = mem_alloc(size);
        begin_walk(g, g->w.position);
    }
}

/* ERR_CORRUPT_RECORD: the bytes at the walk's position are not the batch that belongs there. */
static enum errcode read_batch(struct walking *g, struct batch_header *ret, bool *ret_found,
                               struct error *e)
{
    TRY(walk_peek(&g->w, ret, ret_found, e));
    if (!*ret_found) {
        return ERR_OK;
    }
    TRY(check_place(g, ret, e));
    widen(g, ret->size);
    return walk_check(&g->w, ret, e);
}

/* The timestamp stands outside of the checksum. */
static void check_timestamp(struct walking *g, const struct batch_header *h)
{
    const struct log_verify_params *params = g->v->params;
    struct error what;

    if (h->commit_timestamp > params->now_ms &&
        h->commit_timestamp - params->now_ms > AHEAD_MS_MAX) {
        (void)error_set(&what, ERR_CORRUPT_RECORD,
                        "batch committed at %" PRId64 ", which is still to come",
                        h->commit_timestamp);
        report_batch(g, LOG_FINDING_RECORDS, &what);
        return;
    }
    if (h->commit_timestamp < g->timestamp) {
        (void)error_set(&what, ERR_CORRUPT_RECORD,
                        "batch committed at %" PRId64 ", the one before at %" PRId64,
                        h->commit_timestamp, g->timestamp);
        report_batch(g, LOG_FINDING_RECORDS, &what);
    }
    g->timestamp = h->commit_timestamp;
}

static enum errcode check_payload(struct walking *g, const struct batch_header *h, struct error *e)
{
    const struct log_verify_params *params = g->v->params;
    struct error what;
    enum errcode code;

    if (params->payload == NULL) {
        return ERR_OK;
    }
    code = params->payload(params->context, h, walk_batch(&g->w, h), &what);
    if (code == ERR_CORRUPT_RECORD) {
        report_batch(g, LOG_FINDING_RECORDS, &what);
        return ERR_OK;
    }
    if (code != ERR_OK) {
        *e = what;
    }
    return code;
}

static enum errcode whole_batch(struct walking *g, const struct batch_header *h, struct error *e)
{
    struct verify_batch batch = {.position = g->w.position, .header = *h};

    check_timestamp(g, h);
    TRY(check_payload(g, h, e));
    verify_index_batch(g->v, &g->offsets, &batch);
    verify_index_batch(g->v, &g->times, &batch);
    verify_writers_batch(g->v, g->writers, &batch);
    g->v->ret->batches++;
    g->v->ret->records += (uint64_t)h->record_count;
    g->expected = batch_next_offset(h);
    walk_skip(&g->w, h);
    return ERR_OK;
}

static enum errcode walk_segment(struct walking *g, struct error *e)
{
    for (;;) {
        struct batch_header header = {0};
        struct error what = {0};
        bool found = false;
        enum errcode code = read_batch(g, &header, &found, &what);

        if (code == ERR_CORRUPT_RECORD) {
            TRY(skip_damage(g, &what, e));
        } else if (code != ERR_OK) {
            *e = what;
            return code;
        } else if (!found) {
            return ERR_OK;
        } else {
            TRY(whole_batch(g, &header, e));
        }
    }
}

/* ---- segments ---- */

/* Indexes of segments that were ended, and all of them after a clean stop, are in files. */
static void check_missing(struct walking *g, struct verify_index *x)
{
    struct log_finding finding = {
        .kind = LOG_FINDING_INDEX, .path = x->path, .repaired = g->v->params->repair};

    if (x->missing && g->s->size > 0 && (g->v->params->clean || g->offset_end != INT64_MAX)) {
        x->wrong = true;
        (void)error_set(&finding.what, ERR_CORRUPT_FILE, "the file is missing");
        verify_found(g->v, &finding);
    }
}

static enum errcode rebuild(struct walking *g, struct error *e)
{
    const struct log_options *options = g->v->params->options;
    OWNED(segment_freep) struct segment *s = segment_new(g->s->dir, g->s->base_offset);
    OWNED(file_list_fini) struct file_list files = {0};
    struct segment_limits limits = {.bytes_max = options->segment_bytes_max,
                                    .index_bytes_max = options->index_bytes_max,
                                    .index_interval = options->index_interval};
    struct segment_scan scan = {.check = true,
                                .at = {.position = 0, .offset = s->base_offset},
                                .offset_end = g->offset_end,
                                .kept_below = INT64_MAX};

    TRY(segment_scan(s, &limits, &scan, e));
    TRY(log_write_indexes(s, &files, e));
    for (size_t i = 0; i < files.count; i++) {
        TRY(file_sync(files.items[i], e));
    }
    return dir_sync(g->s->dir, e);
}

static void check_end(struct walking *g)
{
    struct segment_place end = {.position = g->w.position, .offset = g->expected};
    struct error what;

    verify_index_end(g->v, &g->offsets, &end);
    verify_index_end(g->v, &g->times, &end);
    check_missing(g, &g->offsets);
    check_missing(g, &g->times);
    if (g->offset_end != INT64_MAX && g->expected != g->offset_end) {
        (void)error_set(&what, ERR_CORRUPT_FILE,
                        "the segment ends before offset %" PRId64 ", the next one begins at "
                        "%" PRId64,
                        g->expected, g->offset_end);
        report_batch(g, kind_at(g, g->expected), &what);
        g->v->ret->lost_offsets += g->offset_end - g->expected;
    }
}

static enum errcode measure(struct walking *g, struct error *e)
{
    uint64_t size = 0;
    struct error what;

    TRY(segment_open(g->s, FILE_READ, e));
    TRY(file_size(g->s->file, &size, e));
    g->s->size = size < SEGMENT_SIZE_MAX ? size : SEGMENT_SIZE_MAX;
    g->v->ret->segments++;
    g->v->ret->bytes += g->s->size;
    begin_walk(g, 0);
    if (size > SEGMENT_SIZE_MAX) {
        (void)error_set(&what, ERR_CORRUPT_FILE, "%" PRIu64 " bytes, expected at most %" PRIu64,
                        size, SEGMENT_SIZE_MAX);
        report_batch(g, LOG_FINDING_RECORDS, &what);
    }
    return ERR_OK;
}

static enum errcode verify_segment(struct walking *g, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    bool whole = false;

    TRY(measure(g, e));
    TRY(index_load(&g->s->offsets, INT32_MAX, &whole, e));
    TRY(verify_index_load(&g->offsets, g->s, INDEX_OFFSET, &arena, e));
    TRY(verify_index_load(&g->times, g->s, INDEX_TIME, &arena, e));
    TRY(walk_segment(g, e));
    check_end(g);
    return (g->offsets.wrong || g->times.wrong) && g->v->params->repair ? rebuild(g, e) : ERR_OK;
}

/* ---- the log ---- */

/* A stop, and each recovery point, leaves a snapshot at the end of the log: what is missing before
 * it was there. */
static void check_log_end(struct verify *v, const struct verify_writers *writers,
                          const char *last_path)
{
    int64_t reached = v->params->recovery_point;
    struct log_finding finding = {.kind = LOG_FINDING_RECORDS, .path = last_path};

    if (v->params->clean && writers->newest > reached) {
        reached = writers->newest;
    }
    if (v->ret->end_offset < reached) {
        (void)error_set(&finding.what, ERR_CORRUPT_FILE,
                        "the log ends at offset %" PRId64 ", expected %" PRId64 " or more",
                        v->ret->end_offset, reached);
        v->ret->lost_offsets += reached - v->ret->end_offset;
        v->ret->end_offset = reached;
        verify_found(v, &finding);
    }
}

static enum errcode verify_segments(struct verify *v, const struct listing *l,
                                    struct verify_writers *writers, struct error *e)
{
    OWNED(mem_freep) uint8_t *window = mem_alloc(WINDOW_SIZE);
    struct walking g = {.v = v, .writers = writers, .timestamp = TIMESTAMP_NONE};

    g.window = TAKE(window);
    g.window_size = WINDOW_SIZE;
    for (size_t i = 0; i < l->base_count; i++) {
        OWNED(segment_freep) struct segment *s = segment_new(v->params->dir, l->bases[i]);
        enum errcode code;

        g.s = s;
        g.offset_end = i + 1 < l->base_count ? l->bases[i + 1] : INT64_MAX;
        g.expected = l->bases[i];
        code = verify_segment(&g, e);
        if (code != ERR_OK) {
            mem_freep(&g.window);
            return code;
        }
        v->ret->end_offset = g.expected;
    }
    mem_freep(&g.window);
    return ERR_OK;
}

enum errcode log_verify(const struct log_verify_params *params, struct log_verified *ret,
                        struct error *e)
{
    struct log_verified verified = {0};
    struct verify v = {.params = params, .ret = &verified};
    OWNED(listing_fini) struct listing l = {.base_count = 0};
    OWNED(verify_writers_fini) struct verify_writers writers = {.newest = -1};

    TRY(look_around(&v, &l, e));
    verified.start_offset = l.base_count > 0 ? l.bases[0] : 0;
    verified.end_offset = verified.start_offset;
    TRY(verify_writers_load(&v, &writers, l.snapshots, l.snapshot_count, e));
    TRY(verify_segments(&v, &l, &writers, e));
    verify_writers_end(&v, &writers, &verified);
    check_log_end(&v, &writers, params->dir);
    *ret = verified;
    return ERR_OK;
}
