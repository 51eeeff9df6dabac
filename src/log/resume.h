/* Where the batches of a segment go on behind damage.
 *
 * The header of the damaged batch may still lead to the next one; a batch with the right offset and
 * the right checksum there says so. Otherwise the search is for bytes from which headers lead, with
 * offsets that follow one another, exactly to an anchor: a place named by the offset index where a
 * whole batch is, or the end of the segment. One batch that looks right is not enough, since records
 * may contain anything, the bytes of a batch included; so of several damaged headers between two
 * anchors only what follows the last one is found again.
 *
 * A crash may have torn the last batch; then no header leads to the end. But the offset up to which the
 * segment was synced before is known: whole batches whose offsets follow one another, and one of which
 * ends with it, are its batches. Of several such rows the one that reaches farthest is taken: what a
 * record may contain ends within it.
 * Thread: the owner of the segment; reads the file from damage to anchor.
 */
#ifndef LOG_RESUME_H
#define LOG_RESUME_H

#include "segment.h"

struct resume {
    struct file *file;           /* borrowed */
    struct index *offsets;       /* of the segment; it may be wrong */
    struct segment_place damage; /* where no batch is, and the offset that it should have */
    struct segment_place end;    /* of the segment; offset -1: not known */
    int64_t synced;              /* where a batch ended before a crash; 0: not known */
};

/* *ret: the place behind the damage, at most r->end. Its offset is -1 when that is the end and what
 * was there cannot be known. An error is one of reading. */
MUST_USE enum errcode resume_find(const struct resume *r, struct segment_place *ret,
                                  struct error *e);

#endif
