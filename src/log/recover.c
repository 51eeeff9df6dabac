/* Opening a log: which files there are, what of them is valid, and what must be found out again.
 * The rules and their reasons are in README.md. */
#include "recover.h"

#include "aside.h"
#include "suspect.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/mutant.h"

/* Files that wait to be synced; each keeps a descriptor. */
#define UNSYNCED_MAX 96

struct opening {
    const struct log_open_params *params;
    struct log *log;
    struct log_open_report *report;
    struct arena arena;
    int64_t *bases; /* of the data files, rising */
    size_t base_count;
    int64_t synced; /* the log was on the device up to here, and is no shorter */
    struct snapshot_list snapshots;
    struct file_list unsynced; /* recovered files, to be synced before the log is used */
    bool synced_files;         /* there were some */
    bool suspect;              /* they are written again, see suspect.h */
    bool changed;              /* anything else that the directory must remember */
};

static void opening_fini(struct opening *o)
{
    log_free(o->log);
    file_list_fini(&o->unsynced);
    arena_fini(&o->arena);
}

/* ---- files ---- */

static bool has_base(const struct opening *o, int64_t base_offset)
{
    for (size_t i = 0; i < o->base_count; i++) {
        if (o->bases[i] == base_offset) {
            return true;
        }
    }
    return false;
}

static enum errcode remove_entry(struct opening *o, const char *name, struct error *e)
{
    const char *path = arena_printf(&o->arena, "%s/%s", o->params->dir, name);

    o->changed = true;
    return path_remove(path, e);
}

static void collect(struct opening *o, const struct dir_list *list)
{
    o->bases = arena_array(&o->arena, list->count, sizeof *o->bases);
    o->snapshots.offsets = arena_array(&o->arena, list->count, sizeof *o->bases);
    for (size_t i = 0; i < list->count; i++) {
        struct log_name name = log_name_parse(list->entries[i].name);

        if (list->entries[i].is_dir) {
            continue;
        }
        if (name.kind == LOG_FILE_DATA) {
            o->bases[o->base_count++] = name.offset;
        } else if (name.kind == LOG_FILE_WRITER_SNAPSHOT) {
            o->snapshots.offsets[o->snapshots.count++] = name.offset;
        }
    }
}

/* Removes what an earlier run meant to remove, and indexes without data. */
static enum errcode tidy(struct opening *o, const struct dir_list *list, struct error *e)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->entries[i].name;
        struct log_name name = log_name_parse(text);
        bool is_index = name.kind == LOG_FILE_OFFSET_INDEX || name.kind == LOG_FILE_TIME_INDEX;

        if (list->entries[i].is_dir) {
            continue;
        }
        if (name.kind == LOG_FILE_DOOMED || (is_index && !has_base(o, name.offset))) {
            TRY(remove_entry(o, text, e));
        }
    }
    return ERR_OK;
}

static enum errcode look_around(struct opening *o, struct error *e)
{
    struct dir_list list = {0};

    if (strlen(o->params->dir) > LOG_DIR_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "directory name of %zu bytes",
                         strlen(o->params->dir));
    }
    TRY(dir_create(o->params->dir, e));
    o->suspect = suspect_is_marked(o->params->suspects, o->params->dir);
    TRY(dir_read(o->params->dir, &o->arena, &list, e));
    collect(o, &list);
    o->synced = o->params->recovery_point;
    if (o->params->clean && o->snapshots.count > 0 &&
        o->snapshots.offsets[o->snapshots.count - 1] > o->synced) {
        o->synced = o->snapshots.offsets[o->snapshots.count - 1]; /* a clean stop leaves one */
    }
    return tidy(o, &list, e);
}

/* ---- segments ---- */

/* The first reason is the one that is told. */
static void report_why(struct log_open_report *report, const struct error *why)
{
    if (report->why[0] == '\0') {
        (void)snprintf(report->why, sizeof report->why, "%.*s", (int)sizeof report->why - 1,
                       why->message);
    }
}

static void report_aside(struct opening *o, const struct aside *aside, const struct error *why)
{
    struct log_open_report *report = o->report;

    report->aside_bytes += aside->bytes;
    (void)snprintf(report->aside_path, sizeof report->aside_path, "%.*s",
                   (int)sizeof report->aside_path - 1, aside->path);
    report_why(report, why);
    o->changed = true;
}

/* Damage that stays where it is. */
static void report_damage(struct opening *o, const struct segment *s,
                          const struct segment_scan *scan)
{
    if (scan->damage.code == ERR_OK) {
        return;
    }
    o->report->damaged_bytes += scan->damaged_bytes;
    o->report->missing_offsets += (uint64_t)scan->damaged_offsets;
    report_why(o->report, &scan->damage);
    diag_warn("log",
              "%s: %" PRIu64 " bytes are no batch any more, %" PRId64 " offsets are lost: %s",
              s->file->path, scan->damaged_bytes, scan->damaged_offsets, scan->damage.message);
}

/* What was there and is not: the log goes on behind it. */
static void report_hole(struct opening *o, int64_t from, int64_t to)
{
    o->report->missing_offsets += (uint64_t)(to - from);
    diag_warn("log", "%s: offsets %" PRId64 " to %" PRId64 " are lost, no file holds them",
              o->params->dir, from, to - 1);
}

/* Whether the indexes name only what the segment has. They carry no checksum. */
static bool indexes_fit(const struct segment *s)
{
    int64_t offsets = s->end_offset - s->base_offset;

    return s->offsets.last.key < offsets && s->offsets.last.value < (int64_t)s->size &&
           s->times.last.value < offsets &&
           (index_count(&s->times) == 0 || s->times.last.key <= s->max_timestamp);
}

static enum errcode scan_all(struct opening *o, struct segment *s, struct segment_scan *scan,
                             struct error *e)
{
    scan->check = true;
    scan->at = (struct segment_place){.position = 0, .offset = s->base_offset};
    scan->damage = (struct error){0};
    scan->damaged_bytes = 0;
    scan->damaged_offsets = 0;
    TRY(segment_scan(s, &o->log->limits, scan, e));
    o->report->scanned_bytes += scan->at.position;
    return ERR_OK;
}

static enum errcode measure(struct segment *s, struct error *e)
{
    uint64_t size = 0;

    TRY(segment_open(s, FILE_READ, e));
    TRY(file_size(s->file, &size, e));
    s->size = size < SEGMENT_SIZE_MAX ? size : SEGMENT_SIZE_MAX;
    return ERR_OK;
}

/* Adopts an index file as far as it can be believed: entries below `offset` were synced. *whole
 * becomes false when the file has more or less than that. */
static enum errcode load_index(struct index *x, int64_t offset, bool *whole, struct error *e)
{
    int64_t last;
    bool good = false;

    TRY(index_load_trusted(x, INT32_MAX, &good, e));
    last = x->base_offset + (x->kind == INDEX_OFFSET ? x->last.key : x->last.value);
    if (!good || last >= offset) {
        TRY(index_load(x, INT32_MAX, &good, e));
    }
    *whole = *whole && good;
    return ERR_OK;
}

struct scanned {
    bool changed;    /* the indexes are no longer what their files say */
    uint64_t synced; /* position: the bytes below were synced */
};

/* A segment that may have bytes which were not synced: everything from `offset` on is checked. */
static enum errcode scan_from(struct opening *o, struct segment *s, int64_t offset,
                              struct segment_scan *scan, struct scanned *ret, struct error *e)
{
    struct segment_place start = {0};
    bool whole = true;

    TRY(load_index(&s->offsets, offset, &whole, e));
    TRY(load_index(&s->times, offset, &whole, e));
    TRY(segment_checkpoint(s, offset, &start, e));
    scan->check = true;
    scan->at = start;
    TRY(segment_scan(s, &o->log->limits, scan, e));
    o->report->scanned_bytes += scan->at.position - start.position;
    if ((start.position > 0 &&
         (scan->damage.code != ERR_OK ||
          (scan->why.code != ERR_OK && scan->at.position == start.position))) ||
        !indexes_fit(s)) {
        /* an index entry that leads astray looks like damage: ask the batches from the start */
        TRY(scan_all(o, s, scan, e));
        start.position = 0;
    }
    ret->synced = start.position;
    ret->changed = !whole || s->offsets.pending_count > 0 || s->times.pending_count > 0;
    return ERR_OK;
}

/* The file keeps what the scan found valid; the rest goes aside. */
static enum errcode keep_valid(struct opening *o, struct segment *s,
                               const struct segment_scan *scan, struct error *e)
{
    struct aside aside;

    if (scan->why.code == ERR_OK) {
        return ERR_OK;
    }
    TRY(aside_tail(s, &aside, e));
    report_aside(o, &aside, &scan->why);
    return ERR_OK;
}

/* The segment's files as they are now are what the next start relies on. synced: its batches are on
 * the device up to there. */
static enum errcode save(struct opening *o, struct segment *s, uint64_t synced, struct error *e)
{
    size_t indexes = o->unsynced.count;

    TRY(log_write_indexes(s, &o->unsynced, e));
    for (size_t i = indexes; o->suspect && i < o->unsynced.count; i++) {
        TRY(suspect_rewrite(o->unsynced.items[i], 0, e));
    }
    if (o->suspect) {
        TRY(suspect_rewrite(s->file, synced, e));
    }
    file_list_add(&o->unsynced, file_ref(s->file));
    return ERR_OK;
}

static void adopt(struct opening *o, struct segment *s)
{
    s->synced_size = s->size;
    s->file = file_unref(s->file);
    if (s->max_timestamp > o->log->max_timestamp) {
        o->log->max_timestamp = s->max_timestamp;
    }
    log_add_segment(o->log, s);
}

/* A segment below the recovery point: its end must fit the next one's start. Damage in it was not
 * done by a crash and says nothing about what follows, so all of it stays, and readers skip it. */
static enum errcode open_synced(struct opening *o, int64_t base_offset, int64_t next_offset,
                                struct error *e)
{
    OWNED(segment_freep) struct segment *s = segment_new(o->log->dir, base_offset);
    struct segment_scan scan = {.offset_end = next_offset, .kept_below = INT64_MAX};
    bool whole[2] = {false, false};

    TRY(index_load_trusted(&s->offsets, INT32_MAX, &whole[0], e));
    TRY(index_load_trusted(&s->times, INT32_MAX, &whole[1], e));
    TRY(measure(s, e));
    TRY(segment_checkpoint(s, next_offset, &scan.at, e));
    TRY(segment_scan(s, &o->log->limits, &scan, e));
    if (!whole[0] || !whole[1] || scan.why.code != ERR_OK || scan.damage.code != ERR_OK ||
        s->end_offset != next_offset || !indexes_fit(s)) {
        TRY(scan_all(o, s, &scan, e));
        TRY(keep_valid(o, s, &scan, e));
        TRY(save(o, s, 0, e));
        report_damage(o, s, &scan);
    }
    if (s->end_offset < next_offset) {
        report_hole(o, s->end_offset, next_offset);
    }
    index_fini(&s->offsets);
    index_fini(&s->times);
    if (s->size == 0) {
        o->changed = true;
        return aside_remove_empty(o->log->dir, base_offset, e);
    }
    adopt(o, TAKE(s));
    return ERR_OK;
}

/* A segment that a crash may have left in any state. *ret_ok: what follows it may belong to it. */
static enum errcode open_unsynced(struct opening *o, int64_t base_offset, int64_t next_offset,
                                  bool *ret_ok, struct error *e)
{
    OWNED(segment_freep) struct segment *s = segment_new(o->log->dir, base_offset);
    int64_t synced = o->params->clean ? INT64_MAX : o->params->recovery_point;
    struct segment_scan scan = {
        .offset_end = next_offset, .kept_below = synced, .end_known = o->synced};
    struct scanned scanned = {0};

    TRY(measure(s, e));
    TRY(scan_from(o, s, synced, &scan, &scanned, e));
    if (MUTANT(TRUNCATE_TOO_MUCH) && scan.why.code == ERR_OK && s->end_offset > base_offset) {
        scan.offset_end = s->end_offset - 1;
        TRY(scan_all(o, s, &scan, e));
    }
    TRY(keep_valid(o, s, &scan, e));
    if (s->end_offset > synced || scan.why.code != ERR_OK || scanned.changed) {
        TRY(save(o, s, scanned.synced, e));
    }
    report_damage(o, s, &scan);
    *ret_ok = scan.why.code == ERR_OK && s->end_offset == next_offset;
    adopt(o, TAKE(s));
    return ERR_OK;
}

/* Segments behind damage that a crash did: nothing in them was acknowledged. */
static enum errcode set_aside_from(struct opening *o, size_t first, struct error *e)
{
    for (size_t i = first; i < o->base_count; i++) {
        struct aside aside;

        TRY(aside_segment(o->log->dir, o->bases[i], &aside, e));
        if (aside.bytes == 0) {
            TRY(path_remove(aside.path, e));
            o->changed = true;
        } else {
            struct error why;

            (void)error_set(&why, ERR_CORRUPT_FILE,
                            "segment %" PRId64 " does not follow the log's end at %" PRId64,
                            o->bases[i], log_end_offset(o->log));
            report_aside(o, &aside, &why);
        }
    }
    return ERR_OK;
}

/* Everything found is on the device before it is served or built upon. */
static enum errcode sync_files(struct opening *o, struct error *e)
{
    struct suspect_sync suspect;
    enum errcode code = ERR_OK;

    TRY(suspect_begin(o->params->suspects, o->params->dir, &suspect, e));
    for (size_t i = 0; code == ERR_OK && i < o->unsynced.count; i++) {
        code = file_sync(o->unsynced.items[i], e);
    }
    suspect_end(&suspect, code);
    if (code != ERR_OK) {
        return code;
    }
    o->synced_files = o->synced_files || o->unsynced.count > 0;
    file_list_fini(&o->unsynced);
    return ERR_OK;
}

static enum errcode open_segments(struct opening *o, struct error *e)
{
    bool ok = true;
    size_t i = 0;

    while (ok && i < o->base_count) {
        bool last = i + 1 == o->base_count;
        int64_t next = last ? INT64_MAX : o->bases[i + 1];

        if (!last && (o->params->clean || next <= o->params->recovery_point)) {
            TRY(open_synced(o, o->bases[i], next, e));
        } else {
            TRY(open_unsynced(o, o->bases[i], next, &ok, e));
        }
        if (o->unsynced.count >= UNSYNCED_MAX) {
            TRY(sync_files(o, e));
        }
        i++;
    }
    return set_aside_from(o, i, e);
}

/* The end of the log is gone, although it was on the device and readers have seen its offsets. They
 * must not get other records: the log goes on behind them. */
static enum errcode open_behind(struct opening *o, struct error *e)
{
    struct log *log = o->log;
    struct segment *s = NULL;

    report_hole(o, log_end_offset(log), o->synced);
    if (log_active(log)->size == 0) {
        TRY(aside_remove_empty(log->dir, log_active(log)->base_offset, e));
        segment_free(log->segments[--log->segment_count]);
    } else {
        index_fini(&log_active(log)->offsets);
        index_fini(&log_active(log)->times);
    }
    TRY(segment_create(log->dir, o->synced, &s, e));
    log_add_segment(log, s);
    o->changed = true;
    return ERR_OK;
}

/* The last segment is written to; an empty log begins at offset 0. */
static enum errcode open_active(struct opening *o, struct error *e)
{
    struct segment *s = NULL;

    if (o->log->segment_count == 0) {
        TRY(segment_create(o->log->dir, 0, &s, e));
        log_add_segment(o->log, s);
        o->changed = true;
        return ERR_OK;
    }
    if (log_end_offset(o->log) < o->synced) {
        TRY(open_behind(o, e));
    }
    return segment_open(log_active(o->log), FILE_WRITE, e);
}

/* So that the next start need not read as much. A full disk is no reason not to be read from. */
static enum errcode save_writers(struct log *log, struct error *e)
{
    int64_t before = log->snapshot_offset;
    enum errcode code = snapshot_replace(log->dir, log_end_offset(log), &log->writers, e);

    if (code == ERR_OK) {
        log->snapshot_offset = log_end_offset(log);
        log_remove_snapshot(log, before);
    }
    return code == ERR_DISK_FULL ? ERR_OK : code;
}

/* After a crash the names that are found may be those of the page cache alone: who made, renamed or
 * removed them did not come to the sync of the directory. What is built upon them must not lose them. */
static enum errcode sync_names(const struct opening *o, struct error *e)
{
    bool due = o->changed || o->synced_files || !o->params->clean;

    return due && !MUTANT(FORGET_DIR_SYNC) ? dir_sync(o->log->dir, e) : ERR_OK;
}

static enum errcode settle(struct opening *o, uint64_t replayed, struct error *e)
{
    struct log *log = o->log;

    TRY(sync_files(o, e));
    if (o->suspect) {
        TRY(suspect_clear(o->params->suspects, log->dir, e));
    }
    if (replayed > 0) {
        TRY(save_writers(log, e));
    }
    TRY(sync_names(o, e));
    log->durable = log_end_mark(log);
    log->recovery_point = log->durable.offset;
    return ERR_OK;
}

enum errcode log_open(const struct log_open_params *params, struct log **ret,
                      struct log_open_report *ret_report, struct error *e)
{
    struct log_open_report report = {0};
    OWNED(opening_fini) struct opening o = {.params = params, .report = &report};
    uint64_t replayed = 0;

    TRY(look_around(&o, e));
    o.log = log_new(params->dir, params->options);
    o.log->suspects = params->suspects;
    TRY(open_segments(&o, e));
    TRY(open_active(&o, e));
    TRY(restore_writers(o.log, &o.snapshots, &replayed, e));
    log_expire_writers(o.log, params->now_ms);
    TRY(settle(&o, replayed, e));
    *ret = TAKE(o.log);
    *ret_report = report;
    return ERR_OK;
}
