#include "segment.h"

#include "damage.h"
#include "resume.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mutant.h"

struct segment *segment_new(const char *dir, int64_t base_offset)
{
    struct segment *s = mem_new(struct segment);

    ASSERT(base_offset >= 0);
    s->dir = dir;
    s->base_offset = base_offset;
    s->end_offset = base_offset;
    s->max_timestamp = TIMESTAMP_NONE;
    s->max_timestamp_offset = base_offset;
    s->checked.offset = base_offset;
    index_init(&s->offsets, INDEX_OFFSET, dir, base_offset);
    index_init(&s->times, INDEX_TIME, dir, base_offset);
    return s;
}

void segment_free(struct segment *s)
{
    if (s != NULL) {
        index_fini(&s->offsets);
        index_fini(&s->times);
        free(s->damages);
        (void)file_unref(s->file);
        free(s);
    }
}

void segment_freep(struct segment **s) { segment_free(*s); }

enum errcode segment_create(const char *dir, int64_t base_offset, struct segment **ret,
                            struct error *e)
{
    OWNED(segment_freep) struct segment *s = segment_new(dir, base_offset);
    uint64_t size = 0;

    TRY(segment_open(s, FILE_CREATE, e));
    TRY(file_size(s->file, &size, e));
    if (size != 0) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: new segment has %" PRIu64 " bytes already",
                         s->file->path, size);
    }
    *ret = TAKE(s);
    return ERR_OK;
}

enum errcode segment_open(struct segment *s, enum file_mode mode, struct error *e)
{
    char path[LOG_PATH_MAX];

    if (s->file != NULL) {
        return ERR_OK;
    }
    log_path(path, s->dir, s->base_offset, LOG_FILE_DATA);
    return file_open(path, mode, &s->file, e);
}

/* ---- append ---- */

static bool index_is_full(const struct segment *s, const struct segment_limits *limits)
{
    uint32_t offsets_max = limits->index_bytes_max / (uint32_t)index_entry_size(INDEX_OFFSET);
    uint32_t times_max = limits->index_bytes_max / (uint32_t)index_entry_size(INDEX_TIME);

    /* the reference keeps the last slot of a time index free */
    return index_count(&s->offsets) >= offsets_max || index_count(&s->times) + 1 >= times_max;
}

bool segment_is_full(const struct segment *s, const struct segment_limits *limits, size_t len,
                     int64_t end_offset)
{
    if (s->size == 0) {
        return false;
    }
    return len > limits->bytes_max || s->size > limits->bytes_max - len ||
           index_is_full(s, limits) || end_offset - 1 - s->base_offset > INT32_MAX;
}

static void note_timestamp(struct segment *s, int64_t timestamp, int64_t offset)
{
    if (timestamp > s->max_timestamp) {
        s->max_timestamp = timestamp;
        s->max_timestamp_offset = offset;
    }
}

/* Both indexes have room for it. The time index gets an entry only when the timestamp grew. */
static void add_index_entries(struct segment *s, int64_t last_offset, uint64_t position)
{
    index_add(&s->offsets, (struct index_entry){.key = last_offset - s->base_offset,
                                                .value = (int32_t)position});
    index_add(&s->times,
              (struct index_entry){.key = s->max_timestamp,
                                   .value = (int32_t)(s->max_timestamp_offset - s->base_offset)});
}

enum errcode segment_append(struct segment *s, const struct segment_append *append,
                            const struct segment_limits *limits, struct error *e)
{
    bool index_due = s->since_index > limits->index_interval;

    ASSERT(append->base_offset == s->end_offset && append->end_offset > append->base_offset);
    ASSERT(append->end_offset - 1 - s->base_offset <= INT32_MAX);
    ASSERT(append->batches.len <= SEGMENT_SIZE_MAX - s->size);
    if (index_due) {
        TRY(index_reserve(&s->offsets, e));
        TRY(index_reserve(&s->times, e));
    }
    TRY(file_write_at(s->file, s->size, append->batches, e));
    note_timestamp(s, append->timestamp, append->base_offset);
    if (index_due) {
        add_index_entries(s, append->end_offset - 1, s->size);
        s->since_index = 0;
    }
    s->since_index += append->batches.len;
    s->size += append->batches.len;
    s->end_offset = append->end_offset;
    return ERR_OK;
}

enum errcode segment_cut_back(struct segment *s, struct error *e)
{
    return file_truncate(s->file, s->size, e);
}

/* ---- lookups ---- */

/* Damage met by a reader is an error of the file, not of a record somebody sent. */
static enum errcode as_file_error(enum errcode code, struct error *e)
{
    if (code == ERR_CORRUPT_RECORD) {
        if (e != NULL) {
            e->code = ERR_CORRUPT_FILE;
        }
        return ERR_CORRUPT_FILE;
    }
    return code;
}

/* The next header, which must be one of this segment. */
static enum errcode peek_member(const struct segment *s, struct walk *w, struct batch_header *ret,
                                bool *ret_found, struct error *e)
{
    *ret_found = false;
    TRY(walk_peek(w, ret, ret_found, e));
    if (*ret_found &&
        (!segment_contains(s, ret->base_offset) || batch_next_offset(ret) > s->end_offset)) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "%s: batch with offset %" PRId64 " at %" PRIu64 " does not belong there",
                         s->file->path, ret->base_offset, w->position);
    }
    return ERR_OK;
}

/* Over known damage to where batches go on; *expected then is the offset there. */
static bool hop(const struct segment *s, struct walk *w, int64_t *expected)
{
    const struct segment_damage *damage = damage_at(s, w->position);
    bool hopped = false;

    while (damage != NULL && damage->from.position <= w->position) {
        w->position = damage->to.position;
        *expected = damage->to.offset;
        hopped = true;
        damage = damage_at(s, w->position);
    }
    return hopped;
}

/* The next batch, which has that offset (-1: any). */
static enum errcode peek_expected(const struct segment *s, struct walk *w, int64_t *expected,
                                  struct batch_header *ret, bool *ret_found, struct error *e)
{
    TRY(peek_member(s, w, ret, ret_found, e));
    if (*ret_found && *expected >= 0 && ret->base_offset != *expected) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "%s: batch with offset %" PRId64 " at %" PRIu64 ", expected %" PRId64,
                         s->file->path, ret->base_offset, w->position, *expected);
    }
    *expected = *ret_found ? batch_next_offset(ret) : s->end_offset;
    return ERR_OK;
}

/* Behind damage that contained the offset: what is there instead. */
static enum errcode locate_behind(const struct segment *s, struct walk *w, int64_t expected,
                                  struct batch_header *ret, struct error *e)
{
    bool found = false;

    TRY(peek_expected(s, w, &expected, ret, &found, e));
    if (!found) {
        *ret = (struct batch_header){.base_offset = s->end_offset};
    }
    return ERR_OK;
}

static enum errcode locate_from(const struct segment *s, int64_t offset, struct walk *w,
                                struct batch_header *ret, struct error *e)
{
    int64_t expected = w->position == 0 ? s->base_offset : -1;
    bool found = true;

    for (;;) {
        if (hop(s, w, &expected) && expected > offset) {
            return locate_behind(s, w, expected, ret, e);
        }
        TRY(peek_expected(s, w, &expected, ret, &found, e));
        if (!found || ret->base_offset > offset) {
            return error_set(e, ERR_CORRUPT_RECORD,
                             "%s: no batch with offset %" PRId64 " at %" PRIu64, s->file->path,
                             offset, w->position);
        }
        if (expected > offset) {
            return ERR_OK;
        }
        walk_skip(w, ret);
    }
}

/* The index is a hint; when it leads nowhere the batches themselves are the truth. */
static enum errcode locate_hinted(struct segment *s, int64_t offset, struct walk *w,
                                  struct batch_header *ret, struct error *e)
{
    struct index_found near = {0};

    TRY(index_floor(&s->offsets, INDEX_KEY, offset - s->base_offset, w->probe, &near, e));
    w->position = (uint64_t)near.entry.value > s->size ? 0 : (uint64_t)near.entry.value;
    return locate_from(s, offset, w, ret, e);
}

enum errcode segment_locate(struct segment *s, int64_t offset, struct probe *probe,
                            uint64_t *ret_position, struct batch_header *ret, struct error *e)
{
    struct segment_place wanted = {.offset = offset};
    uint8_t window[WALK_WINDOW_SMALL];
    struct walk w;
    enum errcode code;

    ASSERT(segment_contains(s, offset));
    TRY(segment_open(s, FILE_READ, e));
    walk_init(&w, s->file, 0, s->size, writer_of(window, sizeof window));
    w.probe = probe;
    code = locate_hinted(s, offset, &w, ret, e);
    if (code == ERR_CORRUPT_RECORD) {
        TRY(damage_map(s, &wanted, probe, e));
        code = locate_hinted(s, offset, &w, ret, e);
    }
    if (code == ERR_CORRUPT_RECORD) {
        w.position = 0;
        code = locate_from(s, offset, &w, ret, e);
    }
    if (code == ERR_OK) {
        *ret_position = w.position;
    }
    return as_file_error(code, e);
}

static enum errcode boundary_from(const struct segment *s, struct walk *w, uint64_t limit,
                                  struct segment_place *ret, struct error *e)
{
    const struct segment_damage *damage = damage_at(s, w->position);
    struct batch_header header;
    int64_t expected = -1;
    bool found = true;

    for (;;) {
        if (damage != NULL && damage->from.position <= w->position) {
            *ret = damage->from;
            return ERR_OK;
        }
        TRY(peek_expected(s, w, &expected, &header, &found, e));
        if (!found || w->position + header.size > limit) {
            ret->position = w->position;
            ret->offset = found ? header.base_offset : s->end_offset;
            return ERR_OK;
        }
        walk_skip(w, &header);
    }
}

static enum errcode boundary_hinted(struct segment *s, uint64_t from, uint64_t limit,
                                    struct walk *w, struct segment_place *ret, struct error *e)
{
    const struct segment_damage *damage = damage_at(s, from);
    struct index_found near = {0};

    if (damage != NULL && damage->from.position <= limit) {
        limit = damage->from.position;
    }
    TRY(index_floor(&s->offsets, INDEX_VALUE, (int64_t)limit, w->probe, &near, e));
    w->position = from;
    if (near.entry.value > 0 && (uint64_t)near.entry.value > from) {
        w->position = (uint64_t)near.entry.value;
    }
    return boundary_from(s, w, limit, ret, e);
}

enum errcode segment_boundary(struct segment *s, uint64_t from, uint64_t limit, struct probe *probe,
                              struct segment_place *ret, struct error *e)
{
    struct segment_place wanted = {.position = limit};
    uint8_t window[WALK_WINDOW_SMALL];
    struct walk w;
    enum errcode code;

    ASSERT(from <= limit && limit <= s->size);
    TRY(segment_open(s, FILE_READ, e));
    walk_init(&w, s->file, from, s->size, writer_of(window, sizeof window));
    w.probe = probe;
    code = boundary_hinted(s, from, limit, &w, ret, e);
    if (code == ERR_CORRUPT_RECORD) {
        TRY(damage_map(s, &wanted, probe, e));
        code = boundary_hinted(s, from, limit, &w, ret, e);
    }
    if (code == ERR_CORRUPT_RECORD) {
        w.position = from;
        code = boundary_from(s, &w, limit, ret, e);
    }
    return as_file_error(code, e);
}

/* No checksum covers the offset of a batch: its index entry says the same, or the batch behind does.
 * (An entry of several batches names the end of the last one.) The walk is at the batch. */
static enum errcode is_confirmed(const struct segment *s, struct walk *w,
                                 const struct index_entry *entry, const struct batch_header *header,
                                 bool *ret, struct error *e)
{
    struct batch_header next = {0};
    bool found = false;
    enum errcode code;

    *ret = batch_next_offset(header) - 1 - s->base_offset == entry->key;
    if (*ret) {
        return ERR_OK;
    }
    walk_skip(w, header);
    code = walk_peek(w, &next, &found, e);
    *ret = code == ERR_OK && found && next.base_offset == batch_next_offset(header);
    return code == ERR_CORRUPT_RECORD ? ERR_OK : code;
}

enum errcode segment_checkpoint(struct segment *s, int64_t offset, struct segment_place *ret,
                                struct error *e)
{
    uint8_t window[BATCH_HEADER_SIZE_MAX];
    struct index_found near = {0};
    struct batch_header header = {0};
    bool found = false;
    bool confirmed = false;
    struct walk w;
    enum errcode code;

    *ret = (struct segment_place){.position = 0, .offset = s->base_offset};
    TRY(segment_open(s, FILE_READ, e));
    if (offset <= s->base_offset) {
        return ERR_OK;
    }
    TRY(index_floor(&s->offsets, INDEX_KEY, offset - 1 - s->base_offset, NULL, &near, e));
    if (near.count == 0 || (uint64_t)near.entry.value > s->size) {
        return ERR_OK;
    }
    walk_init(&w, s->file, (uint64_t)near.entry.value, s->size, writer_of(window, sizeof window));
    code = walk_peek(&w, &header, &found, e);
    if (code == ERR_CORRUPT_RECORD) {
        return ERR_OK;
    }
    if (code == ERR_OK && found && header.base_offset > s->base_offset &&
        header.base_offset - s->base_offset <= near.entry.key) {
        struct segment_place place = {.position = w.position, .offset = header.base_offset};

        TRY(is_confirmed(s, &w, &near.entry, &header, &confirmed, e));
        *ret = confirmed ? place : *ret;
    }
    return code;
}

static enum errcode offset_at_from(const struct segment *s, struct walk *w, int64_t timestamp,
                                   int64_t *ret, struct error *e)
{
    struct batch_header header;
    int64_t expected = -1;
    bool found = true;

    for (;;) {
        (void)hop(s, w, &expected);
        TRY(peek_expected(s, w, &expected, &header, &found, e));
        if (!found) {
            *ret = s->end_offset;
            return ERR_OK;
        }
        if (header.commit_timestamp >= timestamp) {
            *ret = header.base_offset;
            return ERR_OK;
        }
        walk_skip(w, &header);
    }
}

/* Where the time index says that the timestamp may be found; 0 when it is wrong. */
static enum errcode time_hint(struct segment *s, int64_t timestamp, struct probe *probe,
                              uint64_t *ret, struct error *e)
{
    struct index_found near = {0};
    struct batch_header header;

    *ret = 0;
    TRY(index_floor(&s->times, INDEX_KEY, timestamp, probe, &near, e));
    if (segment_contains(s, s->base_offset + near.entry.value)) {
        TRY(segment_locate(s, s->base_offset + near.entry.value, probe, ret, &header, e));
        if (header.size == 0 || header.commit_timestamp != near.entry.key) {
            *ret = 0; /* not what that entry says: ask the batches */
        }
    }
    return ERR_OK;
}

enum errcode segment_offset_at(struct segment *s, int64_t timestamp, struct probe *probe,
                               int64_t *ret, struct error *e)
{
    struct segment_place end = {.position = s->size, .offset = s->end_offset};
    uint8_t window[WALK_WINDOW_SMALL];
    uint64_t position = 0;
    enum errcode code;
    struct walk w;

    TRY(segment_open(s, FILE_READ, e));
    TRY(time_hint(s, timestamp, probe, &position, e));
    walk_init(&w, s->file, position, s->size, writer_of(window, sizeof window));
    w.probe = probe;
    code = offset_at_from(s, &w, timestamp, ret, e);
    if (code == ERR_CORRUPT_RECORD) {
        TRY(damage_map(s, &end, probe, e));
        w.position = position;
        code = offset_at_from(s, &w, timestamp, ret, e);
    }
    return as_file_error(code, e);
}

/* ---- recovery ---- */

/* Keeps the entries up to a value. One that breaks the order of the file may hide among them: then
 * none of them is worth keeping. */
static enum errcode keep_entries(struct index *x, int64_t value_max, struct error *e)
{
    struct index_found kept = {0};

    TRY(index_floor(x, INDEX_VALUE, value_max, NULL, &kept, e));
    TRY(index_truncate(x, kept.count, e));
    if (kept.count > 0 && (x->last.key < 0 || x->last.value < 0 || x->last.value > value_max)) {
        return index_truncate(x, 0, e);
    }
    return ERR_OK;
}

/* Forgets what the scan is going to find out again. The largest timestamp is that of the batches it
 * walks: they are the last ones, and timestamps do not fall. */
static enum errcode scan_begin(struct segment *s, const struct segment_scan *scan, struct error *e)
{
    int64_t offset = scan->at.offset - s->base_offset;

    TRY(keep_entries(&s->offsets, (int64_t)scan->at.position, e));
    TRY(keep_entries(&s->times, scan->at.position == 0 ? -1 : offset, e));
    s->max_timestamp = TIMESTAMP_NONE;
    s->max_timestamp_offset = s->base_offset;
    s->since_index = 0;
    s->damage_count = 0;
    return ERR_OK;
}

static enum errcode scan_index(struct segment *s, const struct segment_limits *limits,
                               const struct batch_header *header, uint64_t position,
                               struct error *e)
{
    if (s->since_index <= limits->index_interval || index_is_full(s, limits)) {
        return ERR_OK;
    }
    TRY(index_reserve(&s->offsets, e));
    TRY(index_reserve(&s->times, e));
    add_index_entries(s, batch_next_offset(header) - 1, position);
    s->since_index = 0;
    return ERR_OK;
}

/* ERR_CORRUPT_RECORD: the batch at the walk's position does not continue the segment. */
static enum errcode scan_batch(struct segment *s, const struct segment_scan *scan, struct walk *w,
                               struct batch_header *ret, bool *ret_found, struct error *e)
{
    *ret_found = false;
    TRY(walk_peek(w, ret, ret_found, e));
    if (!*ret_found) {
        return ERR_OK;
    }
    if (ret->base_offset != scan->at.offset || batch_next_offset(ret) > scan->offset_end ||
        batch_next_offset(ret) == INT64_MAX ||
        batch_next_offset(ret) - 1 - s->base_offset > INT32_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "%s: batch at %" PRIu64 " has offset %" PRId64 ", expected %" PRId64
                         " and an end by %" PRId64,
                         s->file->path, w->position, ret->base_offset, scan->at.offset,
                         scan->offset_end);
    }
    if (scan->check && !MUTANT(SKIP_CRC)) {
        TRY(walk_check(w, ret, e));
    }
    return ERR_OK;
}

/* Goes on behind damage that is to stay; *ret_more false: nobody knows what was there. The entries of
 * the index file are still those from before the scan. */
static enum errcode scan_over(struct segment *s, struct segment_scan *scan, struct walk *w,
                              bool *ret_more)
{
    OWNED(index_fini) struct index offsets;
    struct resume resume = {
        .file = s->file,
        .offsets = &offsets,
        .damage = {.position = w->position, .offset = scan->at.offset},
        .end = {.position = w->end,
                .offset = scan->offset_end == INT64_MAX ? -1 : scan->offset_end},
        .synced = scan->end_known,
    };
    struct segment_place next = {0};
    bool whole;

    index_init(&offsets, INDEX_OFFSET, s->dir, s->base_offset);
    TRY(index_load(&offsets, INT32_MAX, &whole, &scan->why));
    TRY(resume_find(&resume, &next, &scan->why));
    next.offset = next.offset < 0 ? scan->end_known : next.offset;
    *ret_more = next.offset > scan->at.offset;
    if (*ret_more) {
        damage_add(s, &resume.damage, &next);
        scan->damage = scan->damage.code == ERR_OK ? scan->why : scan->damage;
        scan->why = (struct error){0};
        scan->damaged_bytes += next.position - w->position;
        scan->damaged_offsets += next.offset - scan->at.offset;
        scan->at.offset = next.offset;
        w->position = next.position;
    }
    return ERR_OK;
}

/* One batch of the scan; *ret_more false: the valid batches end here. */
static enum errcode scan_step(struct segment *s, const struct segment_limits *limits,
                              struct segment_scan *scan, struct walk *w, bool *ret_more)
{
    struct batch_header header = {0};
    struct error *why = &scan->why;
    enum errcode code = scan_batch(s, scan, w, &header, ret_more, why);

    if (code == ERR_CORRUPT_RECORD && scan->at.offset < scan->kept_below) {
        return scan_over(s, scan, w, ret_more);
    }
    if (code == ERR_CORRUPT_RECORD) {
        *ret_more = false;
        return ERR_OK;
    }
    if (code != ERR_OK || !*ret_more) {
        return code;
    }
    note_timestamp(s, header.commit_timestamp, header.base_offset);
    TRY(scan_index(s, limits, &header, w->position, why));
    s->since_index += header.size;
    scan->at.offset = batch_next_offset(&header);
    walk_skip(w, &header);
    return ERR_OK;
}

/* No more memory than there is to read. */
static size_t scan_window(const struct segment_scan *scan, uint64_t file_end)
{
    size_t most = scan->check ? WALK_WINDOW_SCAN : WALK_WINDOW_LARGE;
    uint64_t left = file_end - scan->at.position;

    if (left < WALK_WINDOW_SMALL) {
        return WALK_WINDOW_SMALL;
    }
    return left < most ? (size_t)left : most;
}

enum errcode segment_scan(struct segment *s, const struct segment_limits *limits,
                          struct segment_scan *scan, struct error *e)
{
    OWNED(mem_freep) uint8_t *window = NULL;
    struct segment_place start = scan->at;
    size_t window_size;
    uint64_t file_end = 0;
    struct walk w;
    bool more = true;

    TRY(segment_open(s, FILE_READ, e));
    TRY(file_size(s->file, &file_end, e));
    ASSERT(scan->at.position <= file_end);
    TRY(scan_begin(s, scan, e));
    window_size = scan_window(scan, file_end);
    window = mem_alloc(window_size);
    walk_init(&w, s->file, scan->at.position,
              file_end < SEGMENT_SIZE_MAX ? file_end : SEGMENT_SIZE_MAX,
              writer_of(window, window_size));
    scan->why = (struct error){0};
    while (more) {
        enum errcode code = scan_step(s, limits, scan, &w, &more);

        if (code != ERR_OK) {
            *e = scan->why;
            return code;
        }
    }
    if (scan->why.code == ERR_OK && file_end > w.end) {
        (void)error_set(&scan->why, ERR_CORRUPT_RECORD, "%s: %" PRIu64 " bytes, at most %" PRIu64,
                        s->file->path, file_end, w.end);
    }
    scan->at.position = w.position;
    s->size = w.position;
    s->end_offset = scan->at.offset;
    damage_scanned(s, &start, scan->check);
    return ERR_OK;
}
