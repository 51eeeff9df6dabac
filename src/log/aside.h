/* Moving what is not part of a log out of the way, without deleting it. Thread: pool (blocks). */
#ifndef LOG_ASIDE_H
#define LOG_ASIDE_H

#include "segment.h"

/* Where something went. */
struct aside {
    char path[LOG_PATH_MAX + 64];
    uint64_t bytes;
};

/* Everything behind s->size: copied to <base>.log.<position>.aside, which is on the device before
 * the file is cut. s->file is opened for writing. */
MUST_USE enum errcode aside_tail(struct segment *s, struct aside *ret, struct error *e);
/* The whole segment <base>: renamed to <base>.log.aside, its indexes removed. */
MUST_USE enum errcode aside_segment(const char *dir, int64_t base_offset, struct aside *ret,
                                    struct error *e);
/* Removes the files of a segment without data. */
MUST_USE enum errcode aside_remove_empty(const char *dir, int64_t base_offset, struct error *e);

#endif
