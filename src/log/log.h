/* One tablet log: the append-only record log of a bucket, in Fluss's file layout.
 *
 *   <dir>/<20-digit base offset>.log        record batches, concatenated (format/batch.h)
 *   <dir>/<20-digit base offset>.index      offset index   (index.h)
 *   <dir>/<20-digit base offset>.timeindex  time index
 *   <dir>/<20-digit end offset>.writer_snapshot   JSON, idempotent writers (writers.h)
 *
 * Offsets: start <= durable <= end. `end` moves with the append (page cache), `durable` with a
 * completed sync; what readers may see in between is the replica's decision (high watermark).
 *
 * Life: log_open and log_close block and run in a pool while nobody else holds the log; everything
 * else runs on the shard that owns the bucket and never waits for the device, except log_sync_run
 * and log_trash_run, which run in a pool on a private copy of what they need.
 *
 * Failures: a write that failed is undone (the file is cut back); after ERR_DISK_FULL the log goes
 * on, after anything else, or when a sync failed, the log refuses writes with ERR_LOG_STORAGE until
 * it is opened again: pages that failed to sync are never trusted. Recovery never deletes data: the
 * valid prefix stays, the rest is moved aside (*.aside) and reported. README.md has the rules of
 * ordering and recovery.
 * Source of formats: LogTablet, LocalLog, LogSegment, LogLoader, WriterStateManager of Apache Fluss.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "checkpoint.h"
#include "suspect.h"
#include "verify.h"

#include "base/error.h"
#include "format/batch.h"
#include "io/file.h"

struct log;

struct log_options {
    uint64_t segment_bytes_max; /* log.segment.file-size */
    uint32_t index_bytes_max;   /* log.index.file-size, per index */
    uint32_t index_interval;    /* log.index.interval-size: bytes between two index entries */
    int64_t writer_expiry_ms;   /* server.writer-id.expiration-time */
};

struct log_open_params {
    const char *dir;
    const struct log_options *options; /* copied */
    bool clean;             /* the last stop was clean: only the end of the last file is checked */
    int64_t recovery_point; /* of the last run (log_recovery_point); 0 when unknown */
    int64_t now_ms;
    struct suspects *suspects; /* of the data directory; outlives the log. NULL: no server runs */
};

struct log_open_report {
    uint64_t scanned_bytes;   /* whose checksums were verified */
    uint64_t aside_bytes;     /* moved out of the log because they were no valid batches */
    uint64_t damaged_bytes;   /* below the recovery point, left in their files: readers skip them */
    uint64_t missing_offsets; /* that were there: in that damage, and in holes between segments */
    char aside_path[512];     /* where the (last) set-aside bytes are; empty when none */
    char why[256];            /* what was wrong with the first of them; empty when none */
};

/* Opens or creates the log of a directory (created when missing, its parents too). Blocks. */
MUST_USE enum errcode log_open(const struct log_open_params *params, struct log **ret,
                               struct log_open_report *ret_report, struct error *e);
/* Syncs everything, writes indexes and a writer snapshot. Blocks. The log stays usable for reads
 * until log_free. After an error the stop of this log is not a clean one. */
MUST_USE enum errcode log_close(struct log *log, struct error *e);
/* Drops the memory and descriptors; does not write. */
void log_free(struct log *log);

int64_t log_start_offset(const struct log *log);
int64_t log_durable_offset(const struct log *log);
int64_t log_end_offset(const struct log *log);
int64_t log_max_timestamp(const struct log *log); /* -1 when empty */
uint64_t log_size_bytes(const struct log *log);   /* all segments */
size_t log_segment_count(const struct log *log);
/* ERR_OK, or why writes are refused. */
enum errcode log_failed(const struct log *log);

/* ---- append ---- */

struct log_appended {
    int64_t base_offset; /* of the first batch; of the remembered batch for a duplicate; -1: none */
    int64_t end_offset;  /* one past the last offset of this append */
    bool duplicate;      /* an idempotent writer sent this before; nothing was appended */
    uint32_t batches;
    uint64_t records;
};

/* Appends the complete batches in data[0, len) as leader: checks length, magic and checksum of
 * each, drops a partial tail, assigns offsets and the commit timestamp in place, checks writer
 * sequences, rolls the segment when needed and writes to the page cache by one call. A rejected
 * append changes nothing. Errors: ERR_CORRUPT_RECORD, ERR_OUT_OF_ORDER_SEQUENCE, ERR_DISK_FULL,
 * ERR_LOG_STORAGE. */
MUST_USE enum errcode log_append(struct log *log, uint8_t *data, size_t len, int64_t now_ms,
                                 struct log_appended *ret, struct error *e);

/* ---- sync ---- */

/* What must reach the device so that everything appended so far is durable: taken on the shard,
 * run in a pool, brought back to the shard. One may be under way per log. */
struct log_sync {
    struct file *active;  /* a reference; NULL: nothing of it to sync */
    struct file **others; /* references: ended segments, indexes, writer snapshots; heap */
    size_t other_count;
    char *dir;           /* to sync as well, or NULL; heap */
    const char *log_dir; /* the log's */
    struct suspects *suspects;
    int64_t end_offset;  /* what becomes durable */
    bool recovery_point; /* and the recovery point, too */
    enum errcode code;   /* outcome of log_sync_run */
    struct error error;
};

/* false: nothing to do, the log is durable up to its end; or it has failed (log_failed) and nothing
 * more of it becomes durable. */
MUST_USE bool log_sync_begin(struct log *log, struct log_sync *sync);
void log_sync_run(struct log_sync *sync); /* pool: blocks */
/* Shard: applies the outcome, releases what sync holds. */
void log_sync_end(struct log *log, struct log_sync *sync);
/* For durability `os`: what is in the page cache counts as durable. Files of ended segments stay
 * open until a sync, so one should run now and then: see log_want_recovery_point. */
void log_assume_durable(struct log *log);

/* Everything below was synced together with its index entries and a writer snapshot: what
 * log_open_params asks for. Moves with a sync, by itself about every 16 MiB. */
int64_t log_recovery_point(const struct log *log);
/* The next sync moves the recovery point to the end. For the timer that writes the checkpoint: an
 * idle log then has nothing to recover. Costs nothing when it is there already. */
void log_want_recovery_point(struct log *log);

/* ---- read ---- */

struct log_range {
    struct file *file; /* a reference for the caller; NULL when len is 0 */
    uint64_t position;
    size_t len;          /* whole batches */
    int64_t base_offset; /* of the first batch in the range */
    int64_t end_offset;  /* one past the last offset in the range: where to read on */
    int64_t
        next_offset; /* first offset of the next segment when the range ends a segment, else -1 */
    bool cold;       /* see log_read.nowait; only file, position and len are set */
};

/* The stored bytes from the batch that contains `offset` up to `limit_offset` (exclusive, a batch
 * boundary: high watermark or end) and max_bytes, within one segment. min_one: at least the first
 * batch, even when larger than max_bytes. ERR_LOG_OFFSET_OUT_OF_RANGE outside [start, end];
 * ERR_CORRUPT_FILE when the file does not hold what it should. In a hole of the log (README.md) the
 * range starts at the next batch there is.
 *
 * Reading on where an earlier read ended needs no look at the file; otherwise index entries and
 * batch headers are read. With nowait that never waits for the device: when those bytes are not in
 * the page cache, *ret says cold and which range to warm (file_warm, in a pool) before asking again.
 */
struct log_read {
    int64_t offset;
    int64_t limit_offset;
    size_t max_bytes;
    bool min_one;
    bool nowait;
};
MUST_USE enum errcode log_read(struct log *log, const struct log_read *read, struct log_range *ret,
                               struct error *e);

/* First offset whose batch was committed at or after the timestamp; the end offset when there is
 * none. cold NULL: waits for the device; else as with nowait of log_read, and cold->file says whether
 * something is missing. */
MUST_USE enum errcode log_offset_at(struct log *log, int64_t timestamp_ms, struct log_range *cold,
                                    int64_t *ret, struct error *e);

/* ---- retention and upkeep ---- */

/* Files that left the log (renamed to *.deleted), to be removed in a pool. */
struct log_trash {
    char **paths; /* heap */
    size_t count;
};

struct log_expiry {
    int64_t now_ms;
    int64_t ttl_ms;       /* <= 0 keeps everything */
    int64_t limit_offset; /* what reaches beyond it stays, however old: the high watermark */
    bool roll_active;     /* an expired active segment is ended first, so that it can go, too */
};

/* Drops whole segments from the start whose newest batch is older than now - ttl; never the active
 * one. *ret is to be run also after an error. */
MUST_USE enum errcode log_expire(struct log *log, const struct log_expiry *expiry,
                                 struct log_trash *ret, struct error *e);
void log_trash_run(struct log_trash *trash); /* pool: removes and frees */
/* Forgets writers idle for longer than the expiry. */
void log_expire_writers(struct log *log, int64_t now_ms);

#endif
