#include "resume.h"

#define ANCHORS_MAX                                                                                \
    64u /* index entries that are tried before the end of the segment is the anchor */
#define SEARCH_SIZE ((size_t)64 * 1024)
#define PEEK_SIZE   ((size_t)13) /* base offset, length, magic */

static enum errcode find_anchor(const struct resume *r, struct segment_place *ret, struct error *e);
static enum errcode search(const struct resume *r, const struct segment_place *anchor,
                           struct segment_place *ret, struct error *e);
static enum errcode search_torn(const struct resume *r, struct segment_place *ret, struct error *e);

/* Damage is an answer here, not an error. */
static enum errcode unless_corrupt(enum errcode code, bool *ret_good)
{
    *ret_good = code == ERR_OK;
    return code == ERR_CORRUPT_RECORD ? ERR_OK : code;
}

static enum errcode check(struct walk *w, struct batch_header *ret, bool *ret_found,
                          struct error *e)
{
    TRY(walk_peek(w, ret, ret_found, e));
    return *ret_found ? walk_check(w, ret, e) : ERR_OK;
}

/* Whether a whole batch is at the position; *ret its header. */
static enum errcode batch_at(const struct resume *r, uint64_t position, struct batch_header *ret,
                             bool *ret_good, struct error *e)
{
    uint8_t window[WALK_WINDOW_SMALL];
    bool found = false;
    struct walk w;

    *ret_good = false;
    if (position >= r->end.position) {
        return ERR_OK;
    }
    walk_init(&w, r->file, position, r->end.position, writer_of(window, sizeof window));
    TRY(unless_corrupt(check(&w, ret, &found, e), ret_good));
    *ret_good = *ret_good && found;
    return ERR_OK;
}

/* Follows the header of the damaged batch, if it still is one. */
static enum errcode follow_header(const struct resume *r, struct segment_place *ret, bool *ret_good,
                                  struct error *e)
{
    uint8_t window[WALK_WINDOW_SMALL];
    struct batch_header header = {0};
    struct batch_header next = {0};
    bool found = false;
    struct walk w;

    walk_init(&w, r->file, r->damage.position, r->end.position, writer_of(window, sizeof window));
    TRY(unless_corrupt(walk_peek(&w, &header, &found, e), ret_good));
    if (!*ret_good || !found || header.base_offset != r->damage.offset) {
        *ret_good = false;
        return ERR_OK;
    }
    walk_skip(&w, &header);
    *ret = (struct segment_place){.position = w.position, .offset = batch_next_offset(&header)};
    if (w.position == r->end.position) {
        *ret_good = r->end.offset < 0 || r->end.offset == ret->offset;
        ret->offset = r->end.offset; /* nothing but the damaged header says so otherwise */
        return ERR_OK;
    }
    TRY(batch_at(r, w.position, &next, ret_good, e));
    *ret_good = *ret_good && next.base_offset == ret->offset;
    return ERR_OK;
}

enum errcode resume_find(const struct resume *r, struct segment_place *ret, struct error *e)
{
    struct segment_place anchor = {0};
    bool good = false;

    ASSERT(r->damage.position <= r->end.position);
    TRY(follow_header(r, ret, &good, e));
    if (good) {
        return ERR_OK;
    }
    TRY(find_anchor(r, &anchor, e));
    TRY(search(r, &anchor, ret, e));
    return ret->offset < 0 && r->synced > r->damage.offset ? search_torn(r, ret, e) : ERR_OK;
}

/* ---- anchors ---- */

/* No checksum covers an offset: the index entry says the same, or the batch behind does. */
static enum errcode is_confirmed(const struct resume *r, const struct index_entry *entry,
                                 const struct batch_header *header, bool *ret, struct error *e)
{
    int64_t next_offset = batch_next_offset(header);
    uint64_t next_position = (uint64_t)entry->value + header->size;
    struct batch_header next = {0};

    *ret = next_offset - 1 - r->offsets->base_offset == entry->key;
    if (*ret || next_position == r->end.position) {
        *ret = *ret || next_offset == r->end.offset;
        return ERR_OK;
    }
    TRY(batch_at(r, next_position, &next, ret, e));
    *ret = *ret && next.base_offset == next_offset;
    return ERR_OK;
}

static enum errcode try_anchor(const struct resume *r, const struct index_entry *entry,
                               struct segment_place *ret, bool *ret_good, struct error *e)
{
    struct batch_header header = {0};

    *ret_good = false;
    if (entry->value < 0 || (uint64_t)entry->value <= r->damage.position) {
        return ERR_OK;
    }
    TRY(batch_at(r, (uint64_t)entry->value, &header, ret_good, e));
    if (!*ret_good || header.base_offset <= r->damage.offset) {
        *ret_good = false;
        return ERR_OK;
    }
    *ret = (struct segment_place){.position = (uint64_t)entry->value, .offset = header.base_offset};
    return is_confirmed(r, entry, &header, ret_good, e);
}

static enum errcode find_anchor(const struct resume *r, struct segment_place *ret, struct error *e)
{
    struct index *x = r->offsets;
    struct index_found before = {0};
    uint32_t first;

    TRY(index_floor(x, INDEX_VALUE, (int64_t)r->damage.position, NULL, &before, e));
    first = before.count;
    for (uint32_t i = first; i < index_count(x) && i - first < ANCHORS_MAX; i++) {
        struct index_entry entry = {0};
        bool good = false;

        TRY(index_at(x, i, &entry, e));
        TRY(try_anchor(r, &entry, ret, &good, e));
        if (good) {
            return ERR_OK;
        }
    }
    *ret = r->end;
    return ERR_OK;
}

/* ---- searching ---- */

/* A first look at bytes that may start a batch between damage and anchor. */
static bool plausible(const struct resume *r, const struct segment_place *anchor,
                      const uint8_t *bytes, uint64_t position)
{
    int64_t offset = get_i64le(bytes);
    int64_t size = (int64_t)get_i32le(bytes + 8) + (int64_t)BATCH_SIZE_PREFIX;
    uint64_t left = anchor->position - position;

    return bytes[PEEK_SIZE - 1] <= BATCH_MAGIC_MAX && offset > r->damage.offset &&
           (anchor->offset < 0 ? offset - r->damage.offset <= INT32_MAX
                               : offset < anchor->offset) &&
           size >= (int64_t)BATCH_HEADER_SIZE_MIN && (uint64_t)size <= left;
}

/* Whether headers lead from the position to the anchor. */
static enum errcode leads(const struct resume *r, const struct segment_place *anchor,
                          uint64_t position, bool *ret, struct error *e)
{
    uint8_t window[WALK_WINDOW_SMALL];
    struct batch_header header = {0};
    int64_t next = -1;
    bool found = true;
    struct walk w;

    *ret = false;
    walk_init(&w, r->file, position, anchor->position, writer_of(window, sizeof window));
    for (;;) {
        bool good = false;

        TRY(unless_corrupt(walk_peek(&w, &header, &found, e), &good));
        if (!good || (found && next >= 0 && header.base_offset != next)) {
            return ERR_OK;
        }
        if (!found) {
            *ret = anchor->offset < 0 || next == anchor->offset;
            return ERR_OK;
        }
        next = batch_next_offset(&header);
        walk_skip(&w, &header);
    }
}

static enum errcode is_start(const struct resume *r, const struct segment_place *anchor,
                             uint64_t position, struct batch_header *ret, bool *ret_good,
                             struct error *e)
{
    TRY(leads(r, anchor, position, ret_good, e));
    return *ret_good ? batch_at(r, position, ret, ret_good, e) : ERR_OK;
}

/* Places that may start a batch. */
struct candidates {
    const struct resume *r;
    const struct segment_place *anchor;
    uint8_t *bytes; /* SEARCH_SIZE */
    uint64_t at;    /* of the bytes in the file */
    size_t got;
    size_t i; /* the next to be looked at */
};

static void candidates_go_on(struct candidates *c, uint64_t position)
{
    c->at = position;
    c->got = 0;
    c->i = 0;
}

static enum errcode candidates_next(struct candidates *c, uint64_t *ret, bool *ret_found,
                                    struct error *e)
{
    uint64_t end = c->anchor->position;

    for (;;) {
        while (c->i + PEEK_SIZE <= c->got && c->at + c->i + BATCH_HEADER_SIZE_MIN <= end) {
            size_t i = c->i++;

            if (plausible(c->r, c->anchor, c->bytes + i, c->at + i)) {
                *ret = c->at + i;
                *ret_found = true;
                return ERR_OK;
            }
        }
        candidates_go_on(c, c->at + c->i);
        *ret_found = false;
        if (c->at + BATCH_HEADER_SIZE_MIN > end) {
            return ERR_OK;
        }
        TRY(file_read_some(c->r->file, c->at, c->bytes, SEARCH_SIZE, &c->got, e));
        if (c->got < PEEK_SIZE) {
            return ERR_OK; /* the file has become shorter */
        }
    }
}

static enum errcode search(const struct resume *r, const struct segment_place *anchor,
                           struct segment_place *ret, struct error *e)
{
    OWNED(mem_freep) uint8_t *bytes = mem_alloc(SEARCH_SIZE);
    struct candidates c = {.r = r, .anchor = anchor, .bytes = bytes};
    uint64_t position = 0;
    bool found = true;

    *ret = *anchor;
    candidates_go_on(&c, r->damage.position + 1);
    for (;;) {
        struct batch_header header = {0};
        bool good = false;

        TRY(candidates_next(&c, &position, &found, e));
        if (!found) {
            return ERR_OK;
        }
        TRY(is_start(r, anchor, position, &header, &good, e));
        if (good) {
            *ret = (struct segment_place){.position = position, .offset = header.base_offset};
            return ERR_OK;
        }
    }
}

/* ---- with a torn end ---- */

/* Whole batches whose offsets follow one another. */
struct chain {
    struct segment_place start;
    uint64_t end; /* start.position: there is none */
    bool known;   /* the synced offset lies between two of them, or at an end */
};

static enum errcode chain_from(const struct resume *r, uint64_t position, struct chain *ret,
                               struct error *e)
{
    uint8_t window[WALK_WINDOW_SMALL];
    struct batch_header header = {0};
    int64_t next = -1;
    struct walk w;

    *ret = (struct chain){.start.position = position, .end = position};
    walk_init(&w, r->file, position, r->end.position, writer_of(window, sizeof window));
    for (;;) {
        bool found = false;
        bool good = false;

        TRY(unless_corrupt(check(&w, &header, &found, e), &good));
        if (!good || !found || (next >= 0 && header.base_offset != next)) {
            return ERR_OK;
        }
        if (next < 0) {
            ret->start.offset = header.base_offset;
            ret->known = header.base_offset == r->synced;
        }
        next = batch_next_offset(&header);
        ret->known = ret->known || next == r->synced;
        walk_skip(&w, &header);
        ret->end = w.position;
    }
}

static enum errcode search_torn(const struct resume *r, struct segment_place *ret, struct error *e)
{
    OWNED(mem_freep) uint8_t *bytes = mem_alloc(SEARCH_SIZE);
    struct candidates c = {.r = r, .anchor = &r->end, .bytes = bytes};
    struct chain best = {0};
    uint64_t position = 0;
    bool found = true;

    candidates_go_on(&c, r->damage.position + 1);
    for (;;) {
        struct chain chain;

        TRY(candidates_next(&c, &position, &found, e));
        if (!found) {
            break;
        }
        TRY(chain_from(r, position, &chain, e));
        if (chain.end > position) {
            candidates_go_on(&c, chain.end);
        }
        if (chain.known && chain.end > best.end) {
            best = chain;
        }
    }
    if (best.end > 0) {
        *ret = best.start;
    }
    return ERR_OK;
}
