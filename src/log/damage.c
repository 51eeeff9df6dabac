#include "damage.h"

#include "resume.h"

#include <inttypes.h>

#include "base/diag.h"
#include "base/mutant.h"

#define CHECK_STEP ((uint64_t)4 << 20) /* bytes checked for one read: a shard is waiting */

void damage_add(struct segment *s, const struct segment_place *from, const struct segment_place *to)
{
    ASSERT(from->position <= to->position && from->offset < to->offset);
    ASSERT(s->damage_count == 0 || s->damages[s->damage_count - 1].to.position <= from->position);
    if (s->damage_count == s->damage_cap) {
        s->damage_cap = s->damage_cap == 0 ? 4 : s->damage_cap * 2;
        s->damages = mem_realloc(s->damages, s->damage_cap * sizeof *s->damages);
    }
    s->damages[s->damage_count++] = (struct segment_damage){.from = *from, .to = *to};
}

void damage_scanned(struct segment *s, const struct segment_place *start, bool checked)
{
    s->checked = (struct segment_place){.position = 0, .offset = s->base_offset};
    s->trusted_from = s->size;
    if (checked && start->position == 0) {
        s->checked = (struct segment_place){.position = s->size, .offset = s->end_offset};
        s->trusted_from = 0;
    } else if (checked && s->damage_count == 0) {
        s->trusted_from = start->position;
    } else {
        s->damage_count = 0; /* to be found again in its order, behind what is checked */
    }
}

const struct segment_damage *damage_at(const struct segment *s, uint64_t position)
{
    for (size_t i = 0; i < s->damage_count; i++) {
        if (s->damages[i].to.position > position) {
            return &s->damages[i];
        }
    }
    return NULL;
}

/* ---- checking what is about to be read ---- */

/* The batch at w, which is to have this offset. ERR_CORRUPT_RECORD: it has not. */
static enum errcode peek_next(const struct segment *s, struct walk *w, int64_t offset,
                              struct batch_header *ret, struct error *e)
{
    bool found = false;

    TRY(walk_peek(w, ret, &found, e));
    if (!found || ret->base_offset != offset || batch_next_offset(ret) > s->end_offset) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "%s: batch with offset %" PRId64 " at %" PRIu64 ", expected %" PRId64,
                         s->file->path, found ? ret->base_offset : -1, w->position, offset);
    }
    return ERR_OK;
}

static enum errcode check_range(struct segment *s, struct segment_place *at, uint64_t stop,
                                struct walk *w, struct error *e)
{
    uint64_t start = at->position;
    struct batch_header header = {0};

    while (at->position < stop && (at->position == start || at->position - start < CHECK_STEP)) {
        TRY(peek_next(s, w, at->offset, &header, e));
        if (!MUTANT(TRUST_SYNCED)) {
            TRY(walk_check(w, &header, e));
        }
        walk_skip(w, &header);
        *at = (struct segment_place){.position = w->position, .offset = batch_next_offset(&header)};
    }
    if (at->position < s->size) {
        return peek_next(s, w, at->offset, &header, e); /* the next one confirms the offset */
    }
    return at->offset == s->end_offset
               ? ERR_OK
               : error_set(e, ERR_CORRUPT_RECORD,
                           "%s: ends with offset %" PRId64 ", expected %" PRId64, s->file->path,
                           at->offset, s->end_offset);
}

static enum errcode cold(const struct segment *s, uint64_t position, size_t len,
                         struct probe *probe)
{
    (void)file_unref(probe->file);
    probe->file = file_ref(s->file);
    probe->position = position;
    probe->len = len;
    return PROBE_COLD;
}

/* Says which bytes are to be read, so that they are warmed at once. */
static enum errcode check_warm(const struct segment *s, const struct segment_place *from,
                               uint64_t stop, struct probe *probe)
{
    uint64_t left = stop - from->position;
    size_t len = (size_t)(left < CHECK_STEP ? left : CHECK_STEP);

    if (probe == NULL || !probe->nowait || file_resident(s->file, from->position, len)) {
        return ERR_OK;
    }
    return cold(s, from->position, len, probe);
}

static enum errcode check_unknown(struct segment *s, const struct segment_place *from,
                                  struct segment_place *limit, struct probe *probe, struct error *e)
{
    uint64_t stop = limit->position < s->trusted_from ? limit->position : s->trusted_from;
    size_t window_size =
        stop - from->position < WALK_WINDOW_LARGE ? WALK_WINDOW_LARGE : WALK_WINDOW_SCAN;
    OWNED(mem_freep) uint8_t *window = NULL;
    struct segment_place at = *from;
    struct walk w;

    TRY(check_warm(s, from, stop, probe));
    window = mem_alloc(window_size);
    walk_init(&w, s->file, from->position, s->size, writer_of(window, window_size));
    TRY(check_range(s, &at, stop, &w, e));
    if (at.position > stop || (at.position == limit->position && at.offset != limit->offset)) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "%s: offset %" PRId64 " at %" PRIu64 ", expected %" PRId64, s->file->path,
                         at.offset, at.position, limit->offset);
    }
    if (from->position == s->checked.position) {
        s->checked = at;
    }
    if (at.position < stop) {
        *limit = at;
    }
    return ERR_OK;
}

enum errcode damage_check(struct segment *s, const struct segment_place *from,
                          struct segment_place *limit, struct probe *probe, struct error *e)
{
    ASSERT(from->position < limit->position && limit->position <= s->size);
    if (from->position >= s->trusted_from || limit->position <= s->checked.position) {
        return ERR_OK;
    }
    if (from->position < s->checked.position) {
        *limit = s->checked; /* the rest when it is asked for */
        return ERR_OK;
    }
    return check_unknown(s, from, limit, probe, e);
}

/* ---- finding out what is damaged ---- */

/* The batch at the end of what is known, with its checksum. */
static enum errcode map_batch(struct segment *s, struct walk *w, struct batch_header *ret,
                              struct error *e)
{
    TRY(peek_next(s, w, s->checked.offset, ret, e));
    return walk_check(w, ret, e);
}

/* Here damage ends as an error: readers go on behind it, so it is said here. */
static void report(const struct segment *s, const struct segment_place *to,
                   const struct error *what)
{
    diag_warn("log",
              "%s: %" PRIu64 " bytes at %" PRIu64 " are no batch any more, offsets %" PRId64
              " to %" PRId64 " are lost: %s",
              s->file->path, to->position - s->checked.position, s->checked.position,
              s->checked.offset, to->offset - 1, what->message);
}

static enum errcode map_damage(struct segment *s, const struct error *what, struct error *e)
{
    struct resume resume = {
        .file = s->file,
        .offsets = &s->offsets,
        .damage = s->checked,
        .end = {.position = s->size, .offset = s->end_offset},
    };
    struct segment_place next = {0};

    TRY(resume_find(&resume, &next, e));
    if (next.offset <= s->checked.offset) {
        next = resume.end; /* an offset was there twice: nothing behind can be believed */
    }
    if (next.offset > s->checked.offset) {
        report(s, &next, what);
        damage_add(s, &s->checked, &next);
    }
    s->checked = next;
    return ERR_OK;
}

static bool mapped(const struct segment *s, const struct segment_place *to)
{
    return s->checked.position >= s->size ||
           (s->checked.position > to->position && s->checked.offset > to->offset);
}

enum errcode damage_map(struct segment *s, const struct segment_place *to, struct probe *probe,
                        struct error *e)
{
    OWNED(mem_freep) uint8_t *window = NULL;
    struct walk w;

    if (probe != NULL && probe->nowait && !mapped(s, to)) {
        return cold(s, s->checked.position, (size_t)(s->size - s->checked.position), probe);
    }
    window = mem_alloc(WALK_WINDOW_SCAN);
    walk_init(&w, s->file, s->checked.position, s->size, writer_of(window, WALK_WINDOW_SCAN));
    while (!mapped(s, to)) {
        struct batch_header header = {0};
        struct error what = {0};
        enum errcode code = map_batch(s, &w, &header, &what);

        if (code == ERR_OK) {
            walk_skip(&w, &header);
            s->checked = (struct segment_place){.position = w.position,
                                                .offset = batch_next_offset(&header)};
        } else if (code == ERR_CORRUPT_RECORD) {
            TRY(map_damage(s, &what, e));
            w.position = s->checked.position;
        } else {
            return error_set(e, code, "%s", what.message);
        }
    }
    return ERR_OK;
}
