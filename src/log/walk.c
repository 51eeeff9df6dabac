#include "walk.h"

#include <inttypes.h>

#include "base/crc32c.h"

/* Where the checksummed part starts, see format/batch.h. */
#define CHECKED_FROM(magic) ((magic) >= 2 ? 29u : 25u)

void walk_init(struct walk *w, struct file *file, uint64_t position, uint64_t end,
               struct writer window)
{
    ASSERT(window.cap >= BATCH_HEADER_SIZE_MAX && window.len == 0);
    ASSERT(position <= end);
    *w = (struct walk){.file = file, .position = position, .end = end, .window = window};
}

/* Whether the window holds [position, position + len). */
static bool in_window(const struct walk *w, uint64_t position, size_t len)
{
    return position >= w->window_position && position - w->window_position <= w->window.len &&
           len <= w->window.len - (size_t)(position - w->window_position);
}

/* Makes the window hold [position, position + len), reading as far ahead as it reaches. */
static enum errcode fill(struct walk *w, uint64_t position, size_t len, struct error *e)
{
    uint64_t left = w->end - position;
    size_t want = left < w->window.cap ? (size_t)left : w->window.cap;
    struct writer to = writer_of(w->window.data, want);

    if (in_window(w, position, len)) {
        return ERR_OK;
    }
    w->window.len = 0;
    w->window_position = position;
    TRY(probe_read(w->probe, w->file, position, &to, e));
    w->window.len = to.len;
    if (to.len < len) {
        return error_set(e, ERR_CORRUPT_RECORD, "%s: ends at %" PRIu64 ", before %" PRIu64,
                         w->file->path, position + to.len, w->end);
    }
    return ERR_OK;
}

static struct bytes window_slice(const struct walk *w, uint64_t position, size_t len)
{
    return bytes_slice(bytes_of(w->window.data, w->window.len),
                       (size_t)(position - w->window_position), len);
}

enum errcode walk_peek(struct walk *w, struct batch_header *ret, bool *ret_found, struct error *e)
{
    uint64_t left = w->end - w->position;
    size_t len = left < BATCH_HEADER_SIZE_MAX ? (size_t)left : BATCH_HEADER_SIZE_MAX;
    struct batch_header header;

    if (left == 0) {
        *ret_found = false;
        return ERR_OK;
    }
    TRY(fill(w, w->position, len, e));
    TRY(batch_parse(window_slice(w, w->position, len), &header, e));
    if (header.size > left) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "%s: batch of %zu bytes at %" PRIu64 ", only %" PRIu64 " are left",
                         w->file->path, header.size, w->position, left);
    }
    *ret = header;
    *ret_found = true;
    return ERR_OK;
}

/* A batch larger than the window, piece by piece. */
static enum errcode check_long(struct walk *w, const struct batch_header *header, struct error *e)
{
    uint64_t at = w->position + CHECKED_FROM(header->magic);
    uint64_t end = w->position + header->size;
    uint32_t crc = crc32c(BYTES_EMPTY);

    while (at < end) {
        uint64_t left = end - at;
        size_t len = left < w->window.cap ? (size_t)left : w->window.cap;

        TRY(fill(w, at, len, e));
        crc = crc32c_extend(crc, window_slice(w, at, len));
        at += len;
    }
    if (crc != header->crc) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "%s: batch at %" PRIu64 " has checksum %08" PRIx32
                         ", its header says %08" PRIx32,
                         w->file->path, w->position, crc, header->crc);
    }
    return ERR_OK;
}

enum errcode walk_check(struct walk *w, const struct batch_header *header, struct error *e)
{
    if (header->size > w->window.cap) {
        return check_long(w, header, e);
    }
    TRY(fill(w, w->position, header->size, e));
    return batch_check_crc(header, window_slice(w, w->position, header->size), e);
}

struct bytes walk_batch(const struct walk *w, const struct batch_header *header)
{
    ASSERT(in_window(w, w->position, header->size));
    return window_slice(w, w->position, header->size);
}
