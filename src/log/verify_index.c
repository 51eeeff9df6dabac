/* The index files of a segment against its batches, see verify_parts.h. */
#include "verify_parts.h"

#include <inttypes.h>
#include <stdio.h>

#define INDEX_FILE_MAX ((size_t)256 << 20)

static const char *name_of(const struct verify_index *x)
{
    return x->kind == INDEX_OFFSET ? "offset index" : "time index";
}

/* One finding is enough: the whole file is rebuilt. */
static void report(struct verify *v, struct verify_index *x, uint64_t number, const char *what)
{
    struct log_finding finding = {.kind = LOG_FINDING_INDEX,
                                  .path = x->path,
                                  .position = number * index_entry_size(x->kind),
                                  .repaired = v->params->repair};

    (void)error_set(&finding.what, ERR_CORRUPT_FILE, "entry %" PRIu64 " of the %s %s", number,
                    name_of(x), what);
    x->wrong = true;
    verify_found(v, &finding);
}

static struct index_entry entry_at(const struct verify_index *x, uint64_t number)
{
    return index_entry_get(x->kind, x->raw.data + number * index_entry_size(x->kind));
}

static void advance(struct verify_index *x)
{
    x->at++;
    x->next = x->at < x->count ? entry_at(x, x->at) : (struct index_entry){0};
}

enum errcode verify_index_load(struct verify_index *x, const struct segment *s,
                               enum index_kind kind, struct arena *arena, struct error *e)
{
    bool exists = false;

    *x = (struct verify_index){.kind = kind, .base_offset = s->base_offset, .open_key = -1};
    log_path(x->path, s->dir, s->base_offset,
             kind == INDEX_OFFSET ? LOG_FILE_OFFSET_INDEX : LOG_FILE_TIME_INDEX);
    TRY(file_read_whole(x->path, INDEX_FILE_MAX, arena, &x->raw, &exists, e));
    x->missing = !exists;
    x->count = x->raw.len / index_entry_size(kind);
    if (x->count > 0) {
        x->next = entry_at(x, 0);
    }
    return ERR_OK;
}

/* Both fields rise from entry to entry; the search halves on that. */
static bool in_order(const struct verify_index *x)
{
    struct index_entry before;

    if (x->next.key < 0 || x->next.value < 0) {
        return false;
    }
    if (x->at == 0) {
        return true;
    }
    before = entry_at(x, x->at - 1);
    return x->next.key > before.key && x->next.value > before.value;
}

/* An entry names where an append starts and its last offset, which one of the next batches has. */
static void offset_batch(struct verify *v, struct verify_index *x, const struct verify_batch *b)
{
    int64_t last = batch_next_offset(&b->header) - 1 - x->base_offset;

    if (x->at < x->count && (uint64_t)x->next.value < b->position) {
        report(v, x, x->at, "names a position where no batch starts");
        return;
    }
    if (x->at < x->count && (uint64_t)x->next.value == b->position) {
        if (x->open_key >= 0) {
            report(v, x, x->open_at, "names an offset that no batch behind its position ends with");
            return;
        }
        x->open_key = x->next.key;
        x->open_at = x->at;
        advance(x);
    }
    if (x->open_key >= 0 && last > x->open_key) {
        report(v, x, x->open_at, "names an offset that no batch behind its position ends with");
    } else if (last == x->open_key) {
        x->open_key = -1;
    }
}

/* An entry names the first batch with its timestamp. */
static void time_batch(struct verify *v, struct verify_index *x, const struct verify_batch *b)
{
    int64_t offset = b->header.base_offset - x->base_offset;

    if (x->at >= x->count || x->next.value > offset) {
        return;
    }
    if (x->next.value < offset) {
        report(v, x, x->at, "names an offset with which no batch starts");
    } else if (x->next.key != b->header.commit_timestamp) {
        report(v, x, x->at, "has not the timestamp of the batch it names");
    } else {
        advance(x);
    }
}

void verify_index_batch(struct verify *v, struct verify_index *x, const struct verify_batch *b)
{
    if (x->wrong || (x->at >= x->count && x->open_key < 0)) {
        return;
    }
    if (x->at < x->count && !in_order(x)) {
        report(v, x, x->at, "does not rise above the one before");
    } else if (x->kind == INDEX_OFFSET) {
        offset_batch(v, x, b);
    } else {
        time_batch(v, x, b);
    }
}

void verify_index_skip(struct verify_index *x, const struct segment_place *to)
{
    int64_t limit = x->kind == INDEX_OFFSET ? (int64_t)to->position : to->offset - x->base_offset;

    if (to->offset < 0) {
        x->at = x->count; /* the damage reaches to the end */
    }
    while (!x->wrong && x->at < x->count && x->next.value < limit) {
        advance(x);
    }
    x->open_key = -1;
}

void verify_index_end(struct verify *v, struct verify_index *x, const struct segment_place *end)
{
    (void)end;
    if (x->wrong) {
        return;
    }
    if (x->open_key >= 0) {
        report(v, x, x->open_at, "names an offset that no batch behind its position ends with");
    } else if (x->at < x->count) {
        report(v, x, x->at, "names something behind the last batch");
    } else if (x->raw.len % index_entry_size(x->kind) != 0) {
        report(v, x, x->count, "is cut short");
    }
}
