/* Retention: whole segments leave the log from its start. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

#define DELETED_SUFFIX ".deleted"

static void trash_add(struct log_trash *trash, const char *path)
{
    trash->paths = mem_realloc(trash->paths, (trash->count + 1) * sizeof *trash->paths);
    trash->paths[trash->count++] = mem_strdup(path);
}

/* Renames one file out of the log. */
static enum errcode doom(const struct segment *s, enum log_file_kind kind, struct log_trash *trash,
                         struct error *e)
{
    char from[LOG_PATH_MAX];
    char to[LOG_PATH_MAX + sizeof DELETED_SUFFIX];

    log_path(from, s->dir, s->base_offset, kind);
    (void)snprintf(to, sizeof to, "%s" DELETED_SUFFIX, from);
    TRY(path_rename(from, to, e));
    trash_add(trash, to);
    return ERR_OK;
}

/* The first segment of the log. With its data file it is gone; the other files are removed at the
 * next start at the latest. */
static enum errcode drop_first(struct log *log, struct log_trash *trash, struct error *e)
{
    struct segment *s = log->segments[0];

    ASSERT(log->segment_count > 1);
    TRY(doom(s, LOG_FILE_DATA, trash, e));
    (void)doom(s, LOG_FILE_OFFSET_INDEX, trash, NULL);
    (void)doom(s, LOG_FILE_TIME_INDEX, trash, NULL);
    (void)doom(s, LOG_FILE_WRITER_SNAPSHOT, trash, NULL);
    log_forget_segment(log, s);
    log->segment_count--;
    memmove(log->segments, log->segments + 1, log->segment_count * sizeof *log->segments);
    segment_free(s);
    log->dir_unsynced = true;
    return ERR_OK;
}

/* Ends an expired active segment, so that it can leave like the others. */
static enum errcode roll_expired(struct log *log, int64_t oldest_ms, int64_t limit_offset,
                                 struct error *e)
{
    struct segment *active = log_active(log);
    enum errcode code;

    if (active->size == 0 || active->end_offset > limit_offset ||
        active->max_timestamp >= oldest_ms || log->failed != ERR_OK) {
        return ERR_OK;
    }
    code = log_roll(log, e);
    return code == ERR_OK ? ERR_OK : log_write_failed(log, code, e);
}

enum errcode log_expire(struct log *log, const struct log_expiry *expiry, struct log_trash *ret,
                        struct error *e)
{
    struct log_trash trash = {0};
    enum errcode code = ERR_OK;
    int64_t oldest_ms;

    *ret = trash;
    if (expiry->ttl_ms <= 0 || __builtin_sub_overflow(expiry->now_ms, expiry->ttl_ms, &oldest_ms)) {
        return ERR_OK;
    }
    if (expiry->roll_active) {
        TRY(roll_expired(log, oldest_ms, expiry->limit_offset, e));
    }
    while (code == ERR_OK && log->segment_count > 1 &&
           log->segments[0]->end_offset <= expiry->limit_offset &&
           log->segments[0]->max_timestamp < oldest_ms) {
        code = drop_first(log, &trash, e);
    }
    *ret = trash; /* also when the rest failed */
    return code;
}

void log_trash_run(struct log_trash *trash)
{
    for (size_t i = 0; i < trash->count; i++) {
        IGNORE(path_remove(trash->paths[i], NULL)); /* else at the next start */
        free(trash->paths[i]);
    }
    free(trash->paths);
    *trash = (struct log_trash){0};
}
