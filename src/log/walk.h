/* Walking the batches of a segment file through a window of memory.
 *
 * What is not a batch (impossible header, running over the end, wrong checksum) is
 * ERR_CORRUPT_RECORD and leaves the walk where it is; every other code means that reading failed and
 * says nothing about the bytes. Thread: the owner of the walk.
 */
#ifndef LOG_WALK_H
#define LOG_WALK_H

#include "probe.h"

#include "format/batch.h"

#define WALK_WINDOW_SMALL ((size_t)4096)      /* to look at a few headers */
#define WALK_WINDOW_LARGE ((size_t)64 * 1024) /* to read many headers */
#define WALK_WINDOW_SCAN  ((size_t)1 << 20)   /* to read everything */

struct walk {
    struct file *file; /* borrowed */
    uint64_t position; /* of the next batch */
    uint64_t end;      /* what lies behind is not looked at */
    struct writer window;
    uint64_t window_position;
    struct probe *probe; /* NULL: may wait */
};

/* window: memory of the caller, at least BATCH_HEADER_SIZE_MAX bytes. */
void walk_init(struct walk *w, struct file *file, uint64_t position, uint64_t end,
               struct writer window);
/* The header of the batch at w->position. *ret_found false: the walk is at its end. */
MUST_USE enum errcode walk_peek(struct walk *w, struct batch_header *ret, bool *ret_found,
                                struct error *e);
/* Reads the batch just peeked at and checks its checksum. */
MUST_USE enum errcode walk_check(struct walk *w, const struct batch_header *header,
                                 struct error *e);
/* The bytes of the batch just checked, when it fits into the window; borrowed until the next call. */
struct bytes walk_batch(const struct walk *w, const struct batch_header *header);
static inline void walk_skip(struct walk *w, const struct batch_header *header)
{
    w->position += header->size;
}

#endif
