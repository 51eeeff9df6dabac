/* What the files of this module share: the log and its helpers. Not for other modules. */
#ifndef LOG_INTERNAL_H
#define LOG_INTERNAL_H

#include "log.h"
#include "segment.h"
#include "snapshot.h"

#define LOG_RECOVERY_STEP        ((uint64_t)16 << 20) /* bytes between two recovery points */
#define LOG_RECOVERY_STEP_WRITER ((uint64_t)4096)     /* more per writer in the snapshot */
#define LOG_OPEN_SEGMENTS_MAX    4u                   /* files of segments that are only read */
#define LOG_MARKS_MAX            16u

/* A place where a batch starts (or the end of a segment), so that finding it needs no search. */
struct log_mark {
    struct segment *segment; /* NULL: unused */
    int64_t offset;
    uint64_t position;
};

/* References to files with bytes that are not on the device. */
struct file_list {
    struct file **items;
    size_t count;
    size_t cap;
};

struct log {
    char *dir;
    struct suspects *suspects; /* may be NULL */
    struct segment_limits limits;
    int64_t writer_expiry_ms;
    struct segment **segments; /* in offset order; the last one is appended to */
    size_t segment_count;
    size_t segment_cap;

    struct writers writers;
    int64_t max_timestamp;
    int64_t snapshot_offset; /* of the newest writer snapshot; -1: none */
    int64_t snapshot_stale;  /* an older one, to be removed when the newest is durable; -1: none */
    int64_t sync_snapshot_stale; /* the one that goes with the sync under way */
    struct log_mark durable;     /* what log_durable_offset says */
    int64_t recovery_point;
    uint64_t since_recovery_point; /* bytes appended since it was last chosen */
    enum errcode failed;

    struct file_list unsynced; /* files that are no longer written to */
    bool dir_unsynced;
    bool recovery_point_wanted;
    bool syncing;             /* between log_sync_begin and log_sync_end */
    struct log_mark sync_end; /* what that sync makes durable */

    struct log_mark marks[LOG_MARKS_MAX]; /* where recent reads ended */
    size_t mark_next;
    struct segment *opened[LOG_OPEN_SEGMENTS_MAX];
    size_t opened_next;
};

static inline struct segment *log_active(const struct log *log)
{
    ASSERT(log->segment_count > 0);
    return log->segments[log->segment_count - 1];
}

/* In memory only; nothing opened yet. */
struct log *log_new(const char *dir, const struct log_options *options);
void log_freep(struct log **log);                         /* for OWNED */
void log_add_segment(struct log *log, struct segment *s); /* takes it over */
/* Number of the segment that contains offset or, in a hole, of the next one. offset < end. */
size_t log_find_segment(const struct log *log, int64_t offset);
/* The end of the log as a mark. */
struct log_mark log_end_mark(const struct log *log);

/* Ends the active segment and starts the next one at the end offset. After an error the log is as
 * before. */
MUST_USE enum errcode log_roll(struct log *log, struct error *e);
/* An error of a write: all but a full disk makes the log refuse further ones. Returns the code. */
MUST_USE enum errcode log_write_failed(struct log *log, enum errcode code, struct error *e);
/* A snapshot at this offset was written: the one before is no longer needed once it is durable. */
void log_note_snapshot(struct log *log, int64_t offset);
/* Removes a snapshot that belongs to no start of a segment. -1: none. */
void log_remove_snapshot(const struct log *log, int64_t offset);

void file_list_add(struct file_list *l, struct file *file);       /* takes the reference over */
void file_list_move(struct file_list *l, struct file_list *from); /* empties from */
void file_list_fini(struct file_list *l);
/* Writes the pending entries of both indexes and adds the files to l. */
MUST_USE enum errcode log_write_indexes(struct segment *s, struct file_list *l, struct error *e);

/* Makes sure that a segment which is only read is open, closing another one for it. */
MUST_USE enum errcode log_open_segment(struct log *log, struct segment *s, struct error *e);
/* Forgets marks and open files of a segment that leaves the log. */
void log_forget_segment(struct log *log, const struct segment *s);

#endif
