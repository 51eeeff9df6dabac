/* Inside sql/: the bytes of one COPY on disk, where a library wants a file. It has no name, and is gone
 * with the COPY or the process. All of them together are limited (sql_options.spool_bytes).
 * Thread: one at a time. */
#ifndef SQL_SPOOL_H
#define SQL_SPOOL_H

#include "session.h"

#include "io/file.h"

struct spool {
    struct sql_engine *engine;
    struct file *file; /* its path is for the library */
    uint64_t size;     /* as it counts */
};

/* Zeroed before. ERR_DISK_FULL: there are too many bytes, or no room. */
MUST_USE enum errcode spool_open(struct sql_engine *engine, struct spool *ret, struct error *e);
void spool_close(struct spool *s); /* accepts a zeroed one */
/* Appends. */
MUST_USE enum errcode spool_add(struct spool *s, struct bytes bytes, struct error *e);
/* Somebody else has written to the file. */
MUST_USE enum errcode spool_grown(struct spool *s, struct error *e);

#endif
