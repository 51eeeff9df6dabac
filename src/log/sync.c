/* Making appends durable. A sync covers the active segment, the files that were finished since the
 * last one, and the directory when it changed; the recovery point moves when the indexes and a
 * writer snapshot are among those files. */
#include "internal.h"
#include "suspect.h"

#include <stdlib.h>

#include "base/mutant.h"

void log_want_recovery_point(struct log *log)
{
    log->recovery_point_wanted = log->recovery_point < log_end_offset(log);
}

static bool recovery_point_due(const struct log *log)
{
    uint64_t step = LOG_RECOVERY_STEP + writers_count(&log->writers) * LOG_RECOVERY_STEP_WRITER;

    return log->recovery_point_wanted || log->since_recovery_point >= step;
}

/* Puts what recovery would otherwise have to find out into files, so that the sync covers it. */
static enum errcode save_state(struct log *log, struct error *e)
{
    OWNED(file_list_fini) struct file_list files = {0};
    int64_t end = log_end_offset(log);
    struct file *snapshot = NULL;

    TRY(log_write_indexes(log_active(log), &files, e));
    if (log->snapshot_offset != end) {
        TRY(snapshot_write(log->dir, end, &log->writers, &snapshot, e));
        file_list_add(&files, snapshot);
    }
    file_list_move(&log->unsynced, &files);
    log->dir_unsynced = true;
    return ERR_OK;
}

/* Whether the sync that starts may move the recovery point. A full disk only delays that. */
static bool begin_recovery_point(struct log *log)
{
    if (!recovery_point_due(log) || save_state(log, NULL) != ERR_OK) {
        return false;
    }
    log->recovery_point_wanted = false;
    log->since_recovery_point = 0;
    log_note_snapshot(log, log_end_offset(log));
    return true;
}

bool log_sync_begin(struct log *log, struct log_sync *sync)
{
    struct segment *active = log_active(log);

    ASSERT(!log->syncing);
    *sync = (struct log_sync){.suspects = log->suspects, .log_dir = log->dir, .code = ERR_OK};
    if (log->failed != ERR_OK) {
        return false;
    }
    sync->recovery_point = begin_recovery_point(log);
    if (!segment_is_unsynced(active) && log->unsynced.count == 0 && !log->dir_unsynced) {
        return false;
    }
    if (segment_is_unsynced(active)) {
        sync->active = file_ref(active->file);
        active->cut_back = false; /* if this sync fails, so has the log */
    }
    sync->others = log->unsynced.items;
    sync->other_count = log->unsynced.count;
    log->unsynced = (struct file_list){0};
    if (log->dir_unsynced) {
        sync->dir = mem_strdup(log->dir);
        log->dir_unsynced = false;
    }
    log->sync_end = log_end_mark(log);
    sync->end_offset = log->sync_end.offset;
    log->sync_snapshot_stale = log->snapshot_stale;
    log->snapshot_stale = -1;
    log->syncing = true;
    return true;
}

static enum errcode run(struct log_sync *sync)
{
    for (size_t i = 0; i < sync->other_count; i++) {
        TRY(file_sync(sync->others[i], &sync->error));
    }
    if (sync->active != NULL) {
        TRY(file_sync(sync->active, &sync->error));
    }
    return sync->dir == NULL || MUTANT(FORGET_DIR_SYNC) ? ERR_OK
                                                        : dir_sync(sync->dir, &sync->error);
}

void log_sync_run(struct log_sync *sync)
{
    struct suspect_sync suspect;

    sync->code = suspect_begin(sync->suspects, sync->log_dir, &suspect, &sync->error);
    if (sync->code == ERR_OK) {
        sync->code = run(sync);
        suspect_end(&suspect, sync->code);
    }
}

static void release(struct log_sync *sync)
{
    struct file_list others = {.items = sync->others, .count = sync->other_count};

    file_list_fini(&others);
    sync->active = file_unref(sync->active);
    free(sync->dir);
    sync->others = NULL;
    sync->other_count = 0;
    sync->dir = NULL;
}

static void apply(struct log *log, const struct log_sync *sync)
{
    struct segment *segment = log->sync_end.segment;

    if (segment != NULL && segment->synced_size < log->sync_end.position) {
        segment->synced_size = log->sync_end.position;
    }
    if (log->durable.offset <= log->sync_end.offset) {
        log->durable = log->sync_end;
    }
    if (sync->recovery_point) {
        log->recovery_point = sync->end_offset;
    }
    log_remove_snapshot(log, log->sync_snapshot_stale);
}

void log_sync_end(struct log *log, struct log_sync *sync)
{
    ASSERT(log->syncing && log->sync_end.offset == sync->end_offset);
    log->syncing = false;
    if (sync->code == ERR_OK) {
        apply(log, sync);
    } else {
        log->failed = ERR_LOG_STORAGE;
    }
    release(sync);
}

void log_assume_durable(struct log *log)
{
    if (log->failed == ERR_OK) {
        log->durable = log_end_mark(log);
    }
}
