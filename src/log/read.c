/* Finding the bytes of a fetch. A place where an earlier read ended, the end of the log and its
 * durable offset are remembered as marks; everything else is found by index and batch headers. */
#include "damage.h"
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
        if (position != place->at.position) {
            return error_set(e, ERR_CORRUPT_FILE,
                             "%s: no batch with offset %" PRId64 " at %" PRIu64, s->file->path,
                             place->at.offset, place->at.position);
        }
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

static bool in_damage(const struct segment *s, const struct place *place)
{
    const struct segment_damage *damage = damage_at(s, place->at.position);

    return damage != NULL && damage->from.position <= place->at.position;
}

/* Where reading begins and ends: known damage is not part of it. */
static enum errcode find_ends(struct log *log, struct segment *s, const struct log_read *read,
                              struct probe *probe, struct place ret[2], struct error *e)
{
    const struct segment_damage *damage;

    TRY(find_batch(log, s, read->offset, probe, &ret[0], e));
    TRY(find_limit(log, s, read->limit_offset, probe, &ret[1], e));
    while (in_damage(s, &ret[0])) {
        ret[0] = (struct place){.at = damage_at(s, ret[0].at.position)->to};
    }
    damage = damage_at(s, ret[0].at.position);
    if (damage != NULL && damage->from.position < ret[1].at.position) {
        ret[1] = (struct place){.at = damage->from};
    }
    return ERR_OK;
}

/* Whatever was found before damage was known may be wrong. */
static enum errcode find_range(struct log *log, struct segment *s, const struct log_read *read,
                               struct probe *probe, struct place ret[2], struct error *e)
{
    enum errcode code;
    size_t damages;

    do {
        damages = s->damage_count;
        code = find_ends(log, s, read, probe, ret, e);
        if (code == ERR_OK && ret[1].at.position > ret[0].at.position &&
            ret[1].at.position - ret[0].at.position > read->max_bytes) {
            code = cut(s, read, &ret[0], &ret[1], probe, e);
        }
    } while (s->damage_count != damages);
    return code;
}

/* The same, and what is there has been checked. */
static enum errcode find_checked(struct log *log, struct segment *s, const struct log_read *read,
                                 struct probe *probe, struct place ret[2], struct error *e)
{
    enum errcode code;

    TRY(find_range(log, s, read, probe, ret, e));
    if (ret[1].at.position <= ret[0].at.position) {
        return ERR_OK;
    }
    code = damage_check(s, &ret[0].at, &ret[1].at, probe, e);
    if (code != ERR_CORRUPT_RECORD) {
        return code;
    }
    TRY(damage_map(s, &ret[1].at, probe, e));
    TRY(find_range(log, s, read, probe, ret, e));
    if (ret[1].at.position <= ret[0].at.position) {
        return ERR_OK;
    }
    code = damage_check(s, &ret[0].at, &ret[1].at, probe, e);
    return code == ERR_CORRUPT_RECORD
               ? error_set(e, ERR_CORRUPT_FILE,
                           "%s: what is stored at offset %" PRId64 " cannot be told any more",
                           s->file->path, read->offset)
               : code;
}

static enum errcode read_segment(struct log *log, struct segment *s, const struct log_read *read,
                                 struct probe *probe, struct log_range *ret, struct error *e)
{
    struct place range[2] = {0};
    const struct segment_place *start = &range[0].at;
    const struct segment_place *limit = &range[1].at;

    TRY(log_open_segment(log, s, e));
    TRY(find_checked(log, s, read, probe, range, e));
    ret->base_offset = start->offset;
    ret->end_offset = start->offset;
    if (limit->position <= start->position) {
        return ERR_OK;
    }
    ret->file = file_ref(s->file);
    ret->position = start->position;
    ret->len = (size_t)(limit->position - start->position);
    ret->end_offset = limit->offset;
    add_mark(log, s, limit->offset, limit->position);
    return ERR_OK;
}

/* Reads from segment i on. One that has nothing left at the offset, for its end is damaged, is
 * followed by the next. */
static enum errcode read_from(struct log *log, size_t i, const struct log_read *read,
                              struct probe *probe, struct log_range *ret, struct error *e)
{
    struct log_read at = *read;

    for (;; i++) {
        const struct segment *s = log->segments[i];

        TRY(read_segment(log, log->segments[i], &at, probe, ret, e));
        if (ret->len > 0 || ret->end_offset < s->end_offset || i + 1 == log->segment_count ||
            log->segments[i + 1]->base_offset >= read->limit_offset) {
            break;
        }
        at.offset = log->segments[i + 1]->base_offset;
    }
    if (i + 1 < log->segment_count && ret->len > 0 &&
        ret->end_offset == log->segments[i]->end_offset) {
        ret->next_offset = log->segments[i + 1]->base_offset;
    }
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

    if (read->offset < log_start_offset(log) || read->offset > end) {
        return error_set(e, ERR_LOG_OFFSET_OUT_OF_RANGE,
                         "offset %" PRId64 " is outside of [%" PRId64 ", %" PRId64 "]",
                         read->offset, log_start_offset(log), end);
    }
    if (read->offset >= read->limit_offset || read->offset == end) {
        *ret = range;
        return ERR_OK;
    }
    code = read_from(log, log_find_segment(log, read->offset), read, &probe, &range, e);
    if (code == PROBE_COLD) {
        answer_cold(&probe, &range);
        code = ERR_OK;
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

enum errcode log_offset_at(struct log *log, int64_t timestamp_ms, struct log_range *cold,
                           int64_t *ret, struct error *e)
{
    OWNED(probe_fini) struct probe probe = {.nowait = cold != NULL};
    size_t i = find_by_time(log, timestamp_ms);
    enum errcode code;

    if (cold != NULL) {
        *cold = (struct log_range){0};
    }

    if (i == log->segment_count) {
        *ret = log_end_offset(log);
        return ERR_OK;
    }
    TRY(log_open_segment(log, log->segments[i], e));
    code = segment_offset_at(log->segments[i], timestamp_ms, &probe, ret, e);
    if (code == PROBE_COLD) {
        answer_cold(&probe, cold);
        code = ERR_OK;
    }
    return code;
}
