/* A log whose sync has failed. The kernel then calls the pages clean although the device does not have
 * them: whoever opens the log next reads them from the page cache, and no sync brings them down. Only
 * writing them once more does. So a failed sync leaves a mark, an empty file in the log's directory,
 * and opening a log with that mark writes again all that it would otherwise only sync.
 *
 * The mark need not be durable: a crash of the machine that takes it takes the page cache, too.
 * Thread: pool (blocks). */
#ifndef LOG_SUSPECT_H
#define LOG_SUSPECT_H

#include "io/file.h"

/* A sync in that directory has failed. */
void suspect_mark(const char *dir);
bool suspect_is_marked(const char *dir);
/* The bytes of the file, over themselves. */
MUST_USE enum errcode suspect_rewrite(const struct file *f, struct error *e);
/* All has been written again, and synced. */
MUST_USE enum errcode suspect_clear(const char *dir, struct error *e);

#endif
