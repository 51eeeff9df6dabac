/* Time zones: the offset from UTC at an instant, for the clock of automatic partitions.
 *
 * A zone is a fixed offset ("UTC", "Z", "+08:00", "GMT+8") or a file of the zone database, whose
 * bytes the caller reads (format/ does no I/O): TZif, RFC 8536, all integers big-endian.
 *   header, 44 bytes: "TZif", version u8 (0 or '2'..), 15 bytes, then six u32 counts:
 *                     isut, isstd, leap, time, type, char
 *   data block:       time x i64 (i32 in version 1), time x u8 type index,
 *                     type x {i32 offset, u8 is_dst, u8 name index}, char bytes,
 *                     leap x 12 (8) bytes, isstd bytes, isut bytes
 *   A file of version 2 and later has a version 1 header and block first, which is skipped, and
 *   ends with "\n" POSIX-TZ-rule "\n", which governs all instants after the last transition.
 * Thread: any.
 */
#ifndef FORMAT_TZ_H
#define FORMAT_TZ_H

#include "base/arena.h"
#include "base/error.h"

#define TZ_FILE_SIZE_MAX (256 * 1024) /* of a zone file the caller should read */

struct tz;

const struct tz *tz_utc(void);
/* A name that is a fixed offset; NULL when it is not one. */
const struct tz *tz_fixed(const char *name, struct arena *arena);
/* Whether name may be looked up as a file in the zone database: "Area/City", with no way out of
 * the folder. */
bool tz_name_is_file(const char *name);
/* From the bytes of a zone file; damaged ones are ERR_INVALID_ARGUMENT. */
MUST_USE enum errcode tz_parse(struct bytes file, struct arena *arena, const struct tz **ret,
                               struct error *e);

/* Seconds to add to UTC to get the local time at this instant. */
int32_t tz_offset_at(const struct tz *tz, int64_t unix_seconds);

#endif
