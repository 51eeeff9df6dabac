/* What of a segment has been checked since the log was opened, and the damage that was found.
 *
 * Opening a log that was synced reads almost nothing of it. So what a reader is given is checked
 * here first, once: header, checksum, and offsets that follow one another up to a place that is
 * known, since neither checksum nor header says that the offset is right. What was appended or
 * recovered by this process needs no check.
 *
 *   0          checked.position         trusted_from              size
 *   |-- known --|-- to be checked, if --|-- appended, recovered --|
 *                   somebody reads it
 *
 * Damage stays in the file; readers get what is before and behind it. Thread: the owner.
 */
#ifndef LOG_DAMAGE_H
#define LOG_DAMAGE_H

#include "segment.h"

/* Behind all that are known. */
void damage_add(struct segment *s, const struct segment_place *from,
                const struct segment_place *to);
/* A scan has walked from start to the end; checked: with checksums. Known damage is that of this
 * scan. */
void damage_scanned(struct segment *s, const struct segment_place *start, bool checked);

/* The known damage that contains or follows the position; NULL: there is none. */
const struct segment_damage *damage_at(const struct segment *s, uint64_t position);

/* Checks [from, limit), where `from` is where a batch with that offset starts and `limit` where the
 * last one ends, as far as it has not been checked. Of a long range only the first part: *limit
 * becomes the end of that. ERR_CORRUPT_RECORD: something is wrong in there, or with the two places.
 * PROBE_COLD as probe_read. */
MUST_USE enum errcode damage_check(struct segment *s, const struct segment_place *from,
                                   struct segment_place *limit, struct probe *probe,
                                   struct error *e);
/* For when damage_check or a search has failed: checks everything from what is known to the batch
 * behind to->offset and to to->position, and remembers and reports what is damaged. Reads a lot: with
 * a probe that must not wait it only says what (PROBE_COLD). */
MUST_USE enum errcode damage_map(struct segment *s, const struct segment_place *to,
                                 struct probe *probe, struct error *e);

#endif
