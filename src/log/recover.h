/* Steps of opening a log that have a file of their own. Thread: pool (blocks). */
#ifndef LOG_RECOVER_H
#define LOG_RECOVER_H

#include "internal.h"

/* Offsets of writer snapshots found in the directory, rising. */
struct snapshot_list {
    int64_t *offsets; /* arena */
    size_t count;
};

/* Brings log->writers up to the end of the log: the newest snapshot that can be read, and the
 * batches behind it. Snapshots beyond the end, damaged ones, and those that neither belong to the
 * start of a segment nor are the newest are removed. *ret_replayed: batches read. */
MUST_USE enum errcode restore_writers(struct log *log, const struct snapshot_list *snapshots,
                                      uint64_t *ret_replayed, struct error *e);

#endif
