/* Life of a log, appending and rolling. The rules are in log.h and README.md. */
#include "internal.h"
#include "suspect.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mutant.h"

/* ---- life ---- */

struct log *log_new(const char *dir, const struct log_options *options)
{
    struct log *log = mem_new(struct log);

    log->dir = mem_strdup(dir);
    log->limits = (struct segment_limits){
        .bytes_max = options->segment_bytes_max < SEGMENT_SIZE_MAX ? options->segment_bytes_max
                                                                   : SEGMENT_SIZE_MAX,
        .index_bytes_max = options->index_bytes_max,
        .index_interval = options->index_interval,
    };
    log->writer_expiry_ms = options->writer_expiry_ms;
    log->max_timestamp = TIMESTAMP_NONE;
    log->snapshot_offset = -1;
    log->snapshot_stale = -1;
    log->sync_snapshot_stale = -1;
    log->failed = ERR_OK;
    writers_init(&log->writers);
    return log;
}

void log_free(struct log *log)
{
    if (log == NULL) {
        return;
    }
    ASSERT(!log->syncing);
    for (size_t i = 0; i < log->segment_count; i++) {
        segment_free(log->segments[i]);
    }
    free(log->segments);
    file_list_fini(&log->unsynced);
    writers_fini(&log->writers);
    free(log->dir);
    free(log);
}

void log_freep(struct log **log) { log_free(*log); }

void log_add_segment(struct log *log, struct segment *s)
{
    ASSERT(log->segment_count == 0 || log_active(log)->base_offset < s->base_offset);
    if (log->segment_count == log->segment_cap) {
        log->segment_cap = log->segment_cap == 0 ? 4 : log->segment_cap * 2;
        log->segments = mem_realloc(log->segments, log->segment_cap * sizeof *log->segments);
    }
    log->segments[log->segment_count++] = s;
}

size_t log_find_segment(const struct log *log, int64_t offset)
{
    size_t low = 0;
    size_t high = log->segment_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (log->segments[middle]->end_offset <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    ASSERT(low < log->segment_count);
    return low;
}

void file_list_add(struct file_list *l, struct file *file)
{
    if (l->count == l->cap) {
        l->cap = l->cap == 0 ? 8 : l->cap * 2;
        l->items = mem_realloc(l->items, l->cap * sizeof(struct file *));
    }
    l->items[l->count++] = file;
}

void file_list_move(struct file_list *l, struct file_list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        file_list_add(l, from->items[i]);
    }
    from->count = 0;
}

void file_list_fini(struct file_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        (void)file_unref(l->items[i]);
    }
    free(l->items);
    *l = (struct file_list){0};
}

/* ---- facts ---- */

int64_t log_start_offset(const struct log *log) { return log->segments[0]->base_offset; }

int64_t log_durable_offset(const struct log *log) { return log->durable.offset; }

int64_t log_end_offset(const struct log *log) { return log_active(log)->end_offset; }

int64_t log_max_timestamp(const struct log *log) { return log->max_timestamp; }

uint64_t log_size_bytes(const struct log *log)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < log->segment_count; i++) {
        sum += log->segments[i]->size;
    }
    return sum;
}

size_t log_segment_count(const struct log *log) { return log->segment_count; }

enum errcode log_failed(const struct log *log) { return log->failed; }

int64_t log_recovery_point(const struct log *log) { return log->recovery_point; }

void log_expire_writers(struct log *log, int64_t now_ms)
{
    writers_expire(&log->writers, now_ms, log->writer_expiry_ms);
}

struct log_mark log_end_mark(const struct log *log)
{
    struct segment *active = log_active(log);

    return (struct log_mark){
        .segment = active, .offset = active->end_offset, .position = active->size};
}

/* ---- append ---- */

/* What one append consists of, found before anything is changed. */
struct intake {
    struct bytes batches; /* without a partial tail */
    struct batch_header first;
    uint32_t count;
    uint64_t records;
    int64_t offsets; /* how many it takes */
    bool any_writer;
    enum writer_verdict verdict; /* the first that is not WRITER_NEXT */
    struct batch_header judged;  /* by that verdict */
    struct writer_batch duplicate;
};

static void judge(struct log *log, const struct batch_header *header, struct intake *in)
{
    if (header->writer_id == BATCH_NO_WRITER_ID) {
        return;
    }
    in->any_writer = true;
    if (in->verdict == WRITER_NEXT) {
        in->verdict =
            writers_check(&log->writers, header->writer_id, header->batch_sequence, &in->duplicate);
        in->judged = *header;
    }
}

static enum errcode examine(struct log *log, struct bytes data, struct intake *in, struct error *e)
{
    struct batch_iterator it;
    struct batch batch;
    bool found = false;

    writers_begin(&log->writers);
    batch_iterator_init(&it, data);
    for (;;) {
        TRY(batch_next(&it, &batch, &found, e));
        if (!found) {
            break;
        }
        TRY(batch_check_crc(&batch.header, batch.data, e));
        judge(log, &batch.header, in);
        if (in->count == 0) {
            in->first = batch.header;
        }
        in->count++;
        in->records += (uint64_t)batch.header.record_count;
        in->offsets += (int64_t)batch.header.last_offset_delta + 1;
    }
    in->batches = bytes_of(data.data, it.position);
    if (in->offsets > (int64_t)INT32_MAX + 1 || in->offsets > INT64_MAX - 1 - log_end_offset(log)) {
        return error_set(e, ERR_CORRUPT_RECORD, "append of %" PRId64 " offsets at %" PRId64,
                         in->offsets, log_end_offset(log));
    }
    if (in->batches.len > SEGMENT_SIZE_MAX) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "append of %zu bytes", in->batches.len);
    }
    return ERR_OK;
}

/* Of a batch that was examined. */
static struct batch_header header_at(const struct intake *in, size_t at)
{
    struct batch_header header = {0};
    enum errcode code =
        batch_parse(bytes_slice(in->batches, at, in->batches.len - at), &header, NULL);

    ASSERT(code == ERR_OK && header.size <= in->batches.len - at);
    return header;
}

static void assign(const struct log *log, uint8_t *data, const struct intake *in, int64_t timestamp)
{
    int64_t offset = log_end_offset(log);
    size_t at = 0;

    if (in->count == 1) {
        batch_assign(data, offset, timestamp);
        return;
    }
    while (at < in->batches.len) {
        struct batch_header header = header_at(in, at);

        batch_assign(data + at, offset, timestamp);
        offset += (int64_t)header.last_offset_delta + 1;
        at += header.size;
    }
}

static void remember_writer(struct writers *writers, const struct batch_header *header,
                            int64_t base_offset, int64_t timestamp)
{
    struct writer_batch batch = {
        .last_offset = base_offset + header->last_offset_delta,
        .timestamp = timestamp,
        .sequence = header->batch_sequence,
        .offset_delta = header->last_offset_delta,
    };

    if (header->writer_id != BATCH_NO_WRITER_ID) {
        writers_add(writers, header->writer_id, &batch);
    }
}

static void remember_writers(struct log *log, const struct intake *in, int64_t base_offset,
                             int64_t timestamp)
{
    size_t at = 0;

    if (!in->any_writer) {
        return;
    }
    if (in->count == 1) {
        remember_writer(&log->writers, &in->first, base_offset, timestamp);
        return;
    }
    while (at < in->batches.len) {
        struct batch_header header = header_at(in, at);

        remember_writer(&log->writers, &header, header.base_offset, timestamp);
        at += header.size;
    }
}

enum errcode log_write_failed(struct log *log, enum errcode code, struct error *e)
{
    if (code != ERR_DISK_FULL) {
        log->failed = ERR_LOG_STORAGE;
        if (e != NULL) {
            e->code = ERR_LOG_STORAGE;
        }
        return ERR_LOG_STORAGE;
    }
    return code;
}

/* Writes the append, or leaves files and memory as they were. */
static enum errcode write_batches(struct log *log, const struct segment_append *append,
                                  struct error *e)
{
    enum errcode code;

    if (segment_is_full(log_active(log), &log->limits, append->batches.len, append->end_offset)) {
        code = log_roll(log, e);
        if (code != ERR_OK) {
            return log_write_failed(log, code, e);
        }
    }
    if (append->batches.len > SEGMENT_SIZE_MAX - log_active(log)->size) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "append of %zu bytes", append->batches.len);
    }
    code = segment_append(log_active(log), append, &log->limits, e);
    if (code == ERR_OK) {
        return ERR_OK;
    }
    if (segment_cut_back(log_active(log), NULL) != ERR_OK) {
        /* what is behind the end of the log is now unknown */
        code = ERR_LOG_STORAGE;
    }
    log_active(log)->cut_back = true; /* what follows must not be durable before that is */
    return log_write_failed(log, code, e);
}

static void answer_duplicate(const struct intake *in, struct log_appended *ret)
{
    *ret = (struct log_appended){
        .base_offset = in->duplicate.last_offset - in->duplicate.offset_delta,
        .end_offset = in->duplicate.last_offset + 1,
        .duplicate = true,
    };
}

enum errcode log_append(struct log *log, uint8_t *data, size_t len, int64_t now_ms,
                        struct log_appended *ret, struct error *e)
{
    int64_t timestamp = now_ms > log->max_timestamp ? now_ms : log->max_timestamp;
    struct intake in = {.verdict = WRITER_NEXT};
    struct segment_append append = {.base_offset = log_end_offset(log), .timestamp = timestamp};

    if (log->failed != ERR_OK) {
        return error_set(e, ERR_LOG_STORAGE, "%s refuses writes after a storage failure", log->dir);
    }
    TRY(examine(log, bytes_of(data, len), &in, e));
    if (in.count == 0) {
        *ret = (struct log_appended){.base_offset = -1, .end_offset = append.base_offset};
        return ERR_OK;
    }
    if (in.verdict == WRITER_DUPLICATE && !MUTANT(ACCEPT_DUPLICATES)) {
        answer_duplicate(&in, ret);
        return ERR_OK;
    }
    if (in.verdict == WRITER_OUT_OF_ORDER) {
        return error_set(e, ERR_OUT_OF_ORDER_SEQUENCE,
                         "writer %" PRId64 " sent sequence %" PRId32 " after %" PRId32,
                         in.judged.writer_id, in.judged.batch_sequence,
                         writers_last_sequence(&log->writers, in.judged.writer_id));
    }
    if (MUTANT(DROP_BATCH) && append.base_offset % 61 == 60) {
        *ret = (struct log_appended){
            .base_offset = append.base_offset, .end_offset = append.base_offset, .duplicate = true};
        return ERR_OK;
    }
    append.batches = in.batches;
    append.end_offset = append.base_offset + in.offsets;
    assign(log, data, &in, timestamp);
    TRY(write_batches(log, &append, e));
    remember_writers(log, &in, append.base_offset, timestamp);
    log->max_timestamp = timestamp;
    log->since_recovery_point += in.batches.len;
    *ret = (struct log_appended){
        .base_offset = append.base_offset,
        .end_offset = append.end_offset,
        .batches = in.count,
        .records = in.records,
    };
    return ERR_OK;
}

/* ---- roll ---- */

enum errcode log_write_indexes(struct segment *s, struct file_list *l, struct error *e)
{
    OWNED(file_unrefp) struct file *offsets = NULL;
    struct file *times = NULL;

    TRY(index_write(&s->offsets, &offsets, e));
    TRY(index_write(&s->times, &times, e));
    file_list_add(l, TAKE(offsets));
    file_list_add(l, times);
    return ERR_OK;
}

void log_remove_snapshot(const struct log *log, int64_t offset)
{
    char path[LOG_PATH_MAX];

    if (offset < 0) {
        return;
    }
    for (size_t i = log->segment_count; i-- > 0;) {
        if (log->segments[i]->base_offset == offset) {
            return;
        }
    }
    log_path(path, log->dir, offset, LOG_FILE_WRITER_SNAPSHOT);
    IGNORE(path_remove(path, NULL)); /* left behind, it is removed at the next start */
}

void log_note_snapshot(struct log *log, int64_t offset)
{
    int64_t before = log->snapshot_offset;

    log->snapshot_offset = offset;
    if (before == offset) {
        return;
    }
    if (log->snapshot_stale < 0) {
        log->snapshot_stale = before;
    } else {
        log_remove_snapshot(log, before); /* not durable yet, the stale one still serves */
    }
}

/* Best effort: without it a restart reads more of the log. */
static void roll_snapshot(struct log *log, int64_t offset)
{
    struct file *file = NULL;

    if (log->snapshot_offset != offset &&
        snapshot_write(log->dir, offset, &log->writers, &file, NULL) == ERR_OK) {
        file_list_add(&log->unsynced, file);
        log_note_snapshot(log, offset);
    }
}

enum errcode log_roll(struct log *log, struct error *e)
{
    OWNED(file_list_fini) struct file_list indexes = {0};
    struct segment *before = log_active(log);
    struct segment *next = NULL;

    ASSERT(before->end_offset > before->base_offset);
    TRY(log_write_indexes(before, &indexes, e));
    TRY(segment_create(log->dir, before->end_offset, &next, e));
    file_list_move(&log->unsynced, &indexes);
    log->dir_unsynced = true;
    if (segment_is_unsynced(before)) {
        file_list_add(&log->unsynced, file_ref(before->file));
    }
    index_fini(&before->offsets); /* all of it is in the file */
    index_fini(&before->times);
    before->file = file_unref(before->file);
    log_add_segment(log, next);
    roll_snapshot(log, next->base_offset);
    return ERR_OK;
}

enum errcode log_open_segment(struct log *log, struct segment *s, struct error *e)
{
    struct segment **slot = &log->opened[log->opened_next % LOG_OPEN_SEGMENTS_MAX];

    if (s->file != NULL) {
        return ERR_OK;
    }
    ASSERT(s != log_active(log));
    TRY(segment_open(s, FILE_READ, e));
    if (*slot != NULL) {
        (*slot)->file = file_unref((*slot)->file);
    }
    *slot = s;
    log->opened_next++;
    return ERR_OK;
}

void log_forget_segment(struct log *log, const struct segment *s)
{
    for (size_t i = 0; i < LOG_OPEN_SEGMENTS_MAX; i++) {
        if (log->opened[i] == s) {
            log->opened[i] = NULL;
        }
    }
    for (size_t i = 0; i < LOG_MARKS_MAX; i++) {
        if (log->marks[i].segment == s) {
            log->marks[i].segment = NULL;
        }
    }
    if (log->durable.segment == s) {
        log->durable.segment = NULL; /* its position is no longer needed: that segment is gone */
    }
    if (log->sync_end.segment == s) {
        log->sync_end.segment = NULL;
    }
}

/* ---- close ---- */

/* All files first, then one sync of the directory for all the names. */
static enum errcode close_sync(struct log *log, struct error *e)
{
    struct segment *active = log_active(log);
    struct file *snapshot = NULL;

    if (segment_is_unsynced(active)) {
        file_list_add(&log->unsynced, file_ref(active->file));
    }
    TRY(log_write_indexes(active, &log->unsynced, e));
    if (log->snapshot_offset != active->end_offset) {
        TRY(snapshot_write(log->dir, active->end_offset, &log->writers, &snapshot, e));
        file_list_add(&log->unsynced, snapshot);
    }
    for (size_t i = 0; i < log->unsynced.count; i++) {
        TRY(file_sync(log->unsynced.items[i], e));
    }
    file_list_fini(&log->unsynced);
    TRY(dir_sync(log->dir, e));
    log_note_snapshot(log, active->end_offset);
    log_remove_snapshot(log, log->snapshot_stale);
    log->snapshot_stale = -1;
    return ERR_OK;
}

enum errcode log_close(struct log *log, struct error *e)
{
    struct suspect_sync suspect;
    enum errcode code;

    ASSERT(!log->syncing);
    if (log->failed != ERR_OK) {
        return error_set(e, ERR_LOG_STORAGE, "%s: closed after a storage failure", log->dir);
    }
    if (log->recovery_point == log_end_offset(log) && log->unsynced.count == 0 &&
        !log->dir_unsynced) {
        return ERR_OK; /* idle since everything was last written */
    }
    TRY(suspect_begin(log->suspects, log->dir, &suspect, e));
    code = close_sync(log, e);
    suspect_end(&suspect, code);
    if (code != ERR_OK) {
        log->failed = ERR_LOG_STORAGE;
        return code;
    }
    log_active(log)->synced_size = log_active(log)->size;
    log->dir_unsynced = false;
    log->durable = log_end_mark(log);
    log->recovery_point = log->durable.offset;
    return ERR_OK;
}
