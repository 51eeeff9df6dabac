#include "index.h"

#include <errno.h>
#include <stdlib.h>

#define OFFSET_ENTRY_SIZE 8u
#define TIME_ENTRY_SIZE   12u
#define BLOCK_SIZE        (INDEX_PENDING_MAX * TIME_ENTRY_SIZE)

static const struct index_entry no_entry = {.key = -1, .value = -1};

void index_init(struct index *x, enum index_kind kind, const char *dir, int64_t base_offset)
{
    *x = (struct index){.kind = kind, .dir = dir, .base_offset = base_offset, .last = no_entry};
}

void index_fini(struct index *x)
{
    free(x->pending);
    x->pending = NULL;
    x->pending_count = 0;
}

size_t index_entry_size(enum index_kind kind)
{
    return kind == INDEX_OFFSET ? OFFSET_ENTRY_SIZE : TIME_ENTRY_SIZE;
}

struct index_entry index_entry_get(enum index_kind kind, const uint8_t *p)
{
    if (kind == INDEX_OFFSET) {
        return (struct index_entry){.key = get_i32be(p), .value = get_i32be(p + 4)};
    }
    return (struct index_entry){.key = get_i64be(p), .value = get_i32be(p + 8)};
}

static struct index_entry get_entry(const struct index *x, const uint8_t *p)
{
    return index_entry_get(x->kind, p);
}

static void put_entry(const struct index *x, uint8_t *p, struct index_entry entry)
{
    if (x->kind == INDEX_OFFSET) {
        put_i32be(p, (int32_t)entry.key);
        put_i32be(p + 4, entry.value);
    } else {
        put_i64be(p, entry.key);
        put_i32be(p + 8, entry.value);
    }
}

/* A later entry is about later batches, so both fields rise. */
static bool follows(struct index_entry next, struct index_entry last)
{
    return next.key > last.key && next.value > last.value;
}

static enum errcode open_file(const struct index *x, enum file_mode mode, struct file **ret,
                              struct error *e)
{
    char path[LOG_PATH_MAX];

    log_path(path, x->dir, x->base_offset,
             x->kind == INDEX_OFFSET ? LOG_FILE_OFFSET_INDEX : LOG_FILE_TIME_INDEX);
    return file_open(path, mode, ret, e);
}

/* ---- writing ---- */

static enum errcode write_pending(struct index *x, struct file *file, struct error *e)
{
    size_t size = index_entry_size(x->kind);

    if (x->pending_count > 0) {
        TRY(file_write_at(file, (uint64_t)x->written * size,
                          bytes_of(x->pending, x->pending_count * size), e));
    }
    x->written += x->pending_count;
    x->pending_count = 0;
    return ERR_OK;
}

enum errcode index_reserve(struct index *x, struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;

    if (x->pending == NULL) {
        x->pending = mem_alloc(INDEX_PENDING_MAX * index_entry_size(x->kind));
    }
    if (x->pending_count < INDEX_PENDING_MAX) {
        return ERR_OK;
    }
    TRY(open_file(x, FILE_CREATE, &file, e));
    return write_pending(x, file, e);
}

void index_add(struct index *x, struct index_entry entry)
{
    ASSERT(x->pending != NULL && x->pending_count < INDEX_PENDING_MAX);
    if (entry.value < 0 || !follows(entry, x->last)) {
        return;
    }
    put_entry(x, x->pending + x->pending_count * index_entry_size(x->kind), entry);
    x->pending_count++;
    x->last = entry;
}

enum errcode index_write(struct index *x, struct file **ret_file, struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;

    TRY(open_file(x, FILE_CREATE, &file, e));
    TRY(write_pending(x, file, e));
    TRY(file_truncate(file, (uint64_t)x->written * index_entry_size(x->kind), e));
    if (ret_file != NULL) {
        *ret_file = TAKE(file);
    }
    return ERR_OK;
}

/* ---- reading ---- */

/* Reads count entries from number `first` of the file into block. */
static enum errcode read_entries(const struct index *x, struct file *file, uint32_t first,
                                 struct writer *block, struct error *e)
{
    size_t want = block->cap;

    TRY(probe_read(NULL, file, (uint64_t)first * index_entry_size(x->kind), block, e));
    if (block->len != want) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: ends before entry %u", file->path, first);
    }
    return ERR_OK;
}

static enum errcode read_entry(const struct index *x, struct file *file, uint32_t number,
                               struct index_entry *ret, struct error *e)
{
    uint8_t raw[TIME_ENTRY_SIZE];
    struct writer block = writer_of(raw, index_entry_size(x->kind));

    TRY(read_entries(x, file, number, &block, e));
    *ret = get_entry(x, raw);
    return ERR_OK;
}

enum errcode index_at(struct index *x, uint32_t number, struct index_entry *ret, struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;

    ASSERT(number < index_count(x));
    if (number >= x->written) {
        *ret = get_entry(x, x->pending + (number - x->written) * index_entry_size(x->kind));
        return ERR_OK;
    }
    TRY(open_file(x, FILE_READ, &file, e));
    return read_entry(x, file, number, ret, e);
}

enum errcode index_truncate(struct index *x, uint32_t count, struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;

    ASSERT(count <= index_count(x));
    if (count >= x->written) {
        x->pending_count = count - x->written;
    } else {
        x->pending_count = 0;
        x->written = count;
    }
    x->last = no_entry;
    if (x->pending_count > 0) {
        size_t size = index_entry_size(x->kind);

        x->last = get_entry(x, x->pending + (x->pending_count - 1) * size);
    } else if (x->written > 0) {
        TRY(open_file(x, FILE_READ, &file, e));
        TRY(read_entry(x, file, x->written - 1, &x->last, e));
    }
    return ERR_OK;
}

static bool at_most(struct index_entry entry, enum index_field field, int64_t target)
{
    return (field == INDEX_KEY ? entry.key : entry.value) <= target;
}

/* How many of the count entries at `entries` have a field <= target. */
static uint32_t count_at_most(const struct index *x, const uint8_t *entries, uint32_t count,
                              enum index_field field, int64_t target)
{
    uint32_t low = 0;
    uint32_t high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (at_most(get_entry(x, entries + middle * index_entry_size(x->kind)), field, target)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The block of the file in which the search ends: halves [0, written) by reading single entries
 * until what is left fits into memory. */
static enum errcode narrow(struct index *x, struct file *file, enum index_field field,
                           int64_t target, uint32_t range[2], struct error *e)
{
    struct index_entry entry;

    range[0] = 0;
    range[1] = x->written;
    while (range[1] - range[0] > INDEX_PENDING_MAX) {
        uint32_t middle = range[0] + (range[1] - range[0]) / 2;

        TRY(read_entry(x, file, middle, &entry, e));
        /* the block always begins with an entry that is low enough, if any is */
        range[at_most(entry, field, target) ? 0 : 1] = middle;
    }
    return ERR_OK;
}

static enum errcode check_warm(const struct index *x, struct file *file, struct probe *probe)
{
    size_t len = (size_t)x->written * index_entry_size(x->kind);

    if (probe == NULL || !probe->nowait || file_resident(file, 0, len)) {
        return ERR_OK;
    }
    (void)file_unref(probe->file);
    probe->file = file_ref(file);
    probe->position = 0;
    probe->len = len;
    return PROBE_COLD;
}

/* The floor among count entries in memory. */
static struct index_found floor_in(const struct index *x, const uint8_t *entries, uint32_t count,
                                   enum index_field field, int64_t target)
{
    struct index_found found = {.count = count_at_most(x, entries, count, field, target)};

    if (found.count > 0) {
        found.entry = get_entry(x, entries + (found.count - 1) * index_entry_size(x->kind));
    }
    return found;
}

static enum errcode floor_in_file(struct index *x, enum index_field field, int64_t target,
                                  struct probe *probe, struct index_found *ret, struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;
    uint8_t raw[BLOCK_SIZE];
    struct writer block;
    uint32_t range[2];

    TRY(open_file(x, FILE_READ, &file, e));
    TRY(check_warm(x, file, probe));
    TRY(narrow(x, file, field, target, range, e));
    block = writer_of(raw, (range[1] - range[0]) * index_entry_size(x->kind));
    TRY(read_entries(x, file, range[0], &block, e));
    *ret = floor_in(x, raw, range[1] - range[0], field, target);
    ret->count += ret->count > 0 ? range[0] : 0;
    return ERR_OK;
}

enum errcode index_floor(struct index *x, enum index_field field, int64_t target,
                         struct probe *probe, struct index_found *ret, struct error *e)
{
    struct index_found found = {0};

    if (x->pending_count > 0) {
        found = floor_in(x, x->pending, x->pending_count, field, target);
        found.count += found.count > 0 ? x->written : 0;
    }
    if (found.count == 0 && x->written > 0) {
        TRY(floor_in_file(x, field, target, probe, &found, e));
    }
    *ret = found;
    return ERR_OK;
}

/* ---- loading ---- */

/* Opens the file and gives the number of whole entries; *ret NULL when there is no file. */
static enum errcode open_existing(const struct index *x, struct file **ret, uint64_t *ret_size,
                                  struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;
    struct error why = {0};

    if (open_file(x, FILE_READ, &file, &why) != ERR_OK) {
        if (why.os_errno == ENOENT) {
            *ret = NULL;
            return ERR_OK;
        }
        *e = why;
        return why.code;
    }
    TRY(file_size(file, ret_size, e));
    *ret = TAKE(file);
    return ERR_OK;
}

/* No offset entry names the start of the file: one is due only after other bytes. */
static bool plausible(const struct index *x, struct index_entry entry, int64_t value_max)
{
    return entry.key >= 0 && entry.value >= (x->kind == INDEX_OFFSET ? 1 : 0) &&
           entry.value <= value_max;
}

/* Adopts entries of a block as long as they are consistent; false when one was not. */
static bool adopt(struct index *x, const uint8_t *entries, size_t count, int64_t value_max)
{
    size_t size = index_entry_size(x->kind);

    for (size_t i = 0; i < count; i++) {
        struct index_entry entry = get_entry(x, entries + i * size);

        if (!plausible(x, entry, value_max) || !follows(entry, x->last)) {
            return false;
        }
        x->last = entry;
        x->written++;
    }
    return true;
}

enum errcode index_load(struct index *x, int64_t value_max, bool *ret_whole, struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;
    size_t entry_size = index_entry_size(x->kind);
    uint8_t raw[BLOCK_SIZE];
    uint64_t size = 0;
    bool good = true;

    x->written = 0;
    x->pending_count = 0;
    x->last = no_entry;
    *ret_whole = false;
    TRY(open_existing(x, &file, &size, e));
    if (file == NULL) {
        return ERR_OK;
    }
    for (uint64_t at = 0; good && at < size;) {
        struct writer block = writer_of(raw, INDEX_PENDING_MAX * entry_size);

        TRY(probe_read(NULL, file, at, &block, e));
        good = block.len > 0 && adopt(x, raw, block.len / entry_size, value_max);
        at += block.len;
    }
    *ret_whole = good && (uint64_t)x->written * entry_size == size;
    return ERR_OK;
}

enum errcode index_load_trusted(struct index *x, int64_t value_max, bool *ret_whole,
                                struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;
    size_t entry_size = index_entry_size(x->kind);
    struct index_entry last = no_entry;
    uint64_t size = 0;

    *ret_whole = false;
    TRY(open_existing(x, &file, &size, e));
    if (file == NULL || size % entry_size != 0 || size / entry_size > INT32_MAX) {
        return ERR_OK;
    }
    if (size > 0) {
        TRY(read_entry(x, file, (uint32_t)(size / entry_size) - 1, &last, e));
        if (!plausible(x, last, value_max)) {
            return ERR_OK;
        }
    }
    x->written = (uint32_t)(size / entry_size);
    x->last = last;
    *ret_whole = true;
    return ERR_OK;
}
