/* Finding the bytes of a fetch. A place where an earlier read ended, the end of the log and its
 * durable offset are remembered as marks; everything else is found by index and batch headers. */
#include "internal.h"

#include <inttypes.h>

static const struct log_mark *find_mark(const struct log *log, const struct segment *s,
                                        int64_t offset)
{
    if (log->durable.segment == s && log->durable.offset == offset) {
        return &log->durable;
    }
    for (size_t i = 0; i < LOG_MARKS_MAX; i++) {
        if (log->marks[i].segment == s && log->marks[i].offset == offset) {
            return &log->marks[i];
        }
    }
    return NULL;
}

static void add_mark(struct log *log, struct segment *s, int64_t offset, uint64_t position)
{
    if (find_mark(log, s, offset) == NULL) {
        log->marks[log->mark_next++ % LOG_MARKS_MAX] =
            (struct log_mark){.segment = s, .offset = offset, .position = position};
    }
}

struct place {
    struct segment_place at;
    size_t size; /* of the batch there; 0: not looked at */
};

/* The batch that contains offset. */
static enum errcode find_batch(struct log *log, struct segment *s, int64_t offset,
                               struct probe *probe, struct place *ret, struct error *e)
{
    const struct log_mark *mark = find_mark(log, s, offset);
    struct batch_header header = {0};

    if (offset <= s->base_offset) {
        *ret = (struct place){.at = {.position = 0, .offset = s->base_offset}};
        return ERR_OK;
    }
    if (mark != NULL) {
        *ret = (struct place){.at = {.position = mark->position, .offset = offset}};
        return ERR_OK;
    }
    TRY(segment_locate(s, offset, probe, &ret->at.position, &header, e));
    ret->at.offset = header.base_offset;
    ret->size = header.size;
    return ERR_OK;
}

/* Where the bytes below limit_offset end. */
static enum errcode find_limit(struct log *log, struct segment *s, int64_t limit_offset,
                               struct probe *probe, struct place *ret, struct error *e)
{
    if (limit_offset >= s->end_offset) {
        *ret = (struct place){.at = {.position = s->size, .offset = s->end_offset}};
        return ERR_OK;
    }
    return find_batch(log, s, limit_offset, probe, ret, e);
}

/* Size of the first batch, when it has not been looked at yet. */
static enum errcode find_size(struct segment *s, struct place *place, struct probe *probe,
                              struct error *e)
{
    struct batch_header header = {0};
    uint64_t position = 0;

    if (place->size == 0) {
        TRY(segment_locate(s, place->at.offset, probe, &position, &header, e));
        place->size = header.size;
    }
    return ERR_OK;
}

/* Moves the end of [start, limit) to the last batch that fits into max_bytes. */
static enum errcode cut(struct segment *s, const struct log_read *read, struct place *start,
                        struct place *limit, struct probe *probe, struct error *e)
{
    uint64_t end;

    TRY(segment_boundary(s, start->at.position, start->at.position + read->max_bytes, probe,
                         &limit->at, e));
    if (limit->at.position > start->at.position || !read->min_one) {
        return ERR_OK;
    }
    TRY(find_size(s, start, probe, e));
    end = start->at.position + start->size;
    return segment_boundary(s, end, end, probe, &limit->at, e);
}

static enum errcode read_segment(struct log *log, struct segment *s, const struct log_read *read,
                                 struct probe *probe, struct log_range *ret, struct error *e)
{
    struct place start = {0};
    struct place limit = {0};

    TRY(log_open_segment(log, s, e));
    TRY(find_batch(log, s, read->offset, probe, &start, e));
    TRY(find_limit(log, s, read->limit_offset, probe, &limit, e));
    if (limit.at.position > start.at.position &&
        limit.at.position - start.at.position > read->max_bytes) {
        TRY(cut(s, read, &start, &limit, probe, e));
    }
    ret->base_offset = start.at.offset;
    ret->end_offset = start.at.offset;
    if (limit.at.position <= start.at.position) {
        return ERR_OK;
    }
    ret->file = file_ref(s->file);
    ret->position = start.at.position;
    ret->len = (size_t)(limit.at.position - start.at.position);
    ret->end_offset = limit.at.offset;
    add_mark(log, s, limit.at.offset, limit.at.position);
    return ERR_OK;
}

static void answer_cold(struct probe *probe, struct log_range *ret)
{
    ASSERT(probe->nowait && probe->file != NULL);
    ret->file = TAKE(probe->file);
    ret->position = probe->position;
    ret->len = probe->len;
    ret->cold = true;
}

static void probe_fini(struct probe *probe) { probe->file = file_unref(probe->file); }

enum errcode log_read(struct log *log, const struct log_read *read, struct log_range *ret,
                      struct error *e)
{
    struct log_range range = {
        .base_offset = read->offset, .end_offset = read->offset, .next_offset = -1};
    OWNED(probe_fini) struct probe probe = {.nowait = read->nowait};
    int64_t end = log_end_offset(log);
    enum errcode code;
    size_t i;

    if (read->offset < log_start_offset(log) || read->offset > end) {
        return error_set(e, ERR_LOG_OFFSET_OUT_OF_RANGE,
                         "offset %" PRId64 " is outside of [%" PRId64 ", %" PRId64 "]",
                         read->offset, log_start_offset(log), end);
    }
    if (read->offset >= read->limit_offset || read->offset == end) {
        *ret = range;
        return ERR_OK;
    }
    i = log_find_segment(log, read->offset);
    code = read_segment(log, log->segments[i], read, &probe, &range, e);
    if (code == PROBE_COLD) {
        answer_cold(&probe, &range);
        code = ERR_OK;
    } else if (code == ERR_OK && i + 1 < log->segment_count && range.len > 0 &&
               range.end_offset == log->segments[i]->end_offset) {
        range.next_offset = log->segments[i + 1]->base_offset;
    }
    if (code == ERR_OK) {
        *ret = range;
    }
    return code;
}

/* Number of the first segment whose newest batch is not older than the timestamp; the number of
 * segments when there is none. */
static size_t find_by_time(const struct log *log, int64_t timestamp_ms)
{
    size_t i = 0;

    while (i < log->segment_count && log->segments[i]->max_timestamp < timestamp_ms) {
        i++;
    }
    return i;
}

enum errcode log_offset_at(struct log *log, int64_t timestamp_ms, int64_t *ret, struct error *e)
{
    size_t i = find_by_time(log, timestamp_ms);

    if (i == log->segment_count) {
        *ret = log_end_offset(log);
        return ERR_OK;
    }
    TRY(log_open_segment(log, log->segments[i], e));
    return segment_offset_at(log->segments[i], timestamp_ms, ret, e);
}
