/* Logs whose sync has failed, or was under way when the process ended: suspects.
 *
 * After a failed sync the kernel calls the pages clean although the device does not have them: whoever
 * opens the log next reads them from the page cache, and no sync brings them down. Only writing them
 * once more does, which is what opening a suspect does with all that it would otherwise only sync.
 *
 *   <log directory>/sync_failed       empty file: a sync of this log has failed
 *   <data directory>/.syncs_under_way 512 words of 8 bytes, little-endian: each is 0 or names a log (a hash
 *                                     of its directory below the data directory) of which a sync began
 *
 * The words are for a process that is killed when a sync has failed and before it could make the mark,
 * and for a disk that is too full for the mark. A word stays until another sync takes its place, so
 * that a sync costs one write of 8 bytes or none; at most as many logs are suspected in vain as syncs
 * ran at once. Nothing here is ever synced: a crash of the machine that takes it takes the page cache,
 * too, and whatever it leaves only makes a suspect of a log that is none.
 *
 * Thread: pool (blocks); a struct suspects is shared by all. */
#ifndef LOG_SUSPECT_H
#define LOG_SUSPECT_H

#include "io/file.h"

struct suspects;

/* Of a data directory, with what the last process left. It cannot fail: without the file each sync
 * makes its log's mark beforehand; when the file cannot be read, all logs are suspects. */
struct suspects *suspects_new(const char *data_dir);
/* clean: all logs were closed without an error, there are no suspects any more. NULL is accepted. */
void suspects_free(struct suspects *s, bool clean);

struct suspect_sync {
    struct suspects *all;
    const char *dir; /* borrowed */
    int slot;        /* -1: none */
    bool marked;     /* the mark was made beforehand */
};

/* Before a sync of the log in that directory. After an error it must not run. all: NULL when there is
 * no server, then nothing is noted yet. */
MUST_USE enum errcode suspect_begin(struct suspects *all, const char *dir, struct suspect_sync *ret,
                                    struct error *e);
/* After it: its outcome. */
void suspect_end(struct suspect_sync *s, enum errcode code);

bool suspect_is_marked(const struct suspects *all, const char *dir);
/* The bytes of the file from there on, over themselves. */
MUST_USE enum errcode suspect_rewrite(const struct file *f, uint64_t from, struct error *e);
/* All has been written again, and synced. */
MUST_USE enum errcode suspect_clear(struct suspects *all, const char *dir, struct error *e);

#endif
