/* The embedded store: a tree in memory, a journal and snapshots in one directory.
 *
 *   <dir>/snapshot-<n>   the tree at the start of generation n          (store_snapshot.h)
 *   <dir>/journal-<n>    what was acknowledged since                    (store_journal.h)
 *   <dir>/reached        how far the journal is known to have come      (store_reached.h)
 *   <dir>/journal-<n>.at-<position>[.<k>].aside   bytes recovery took off a journal's end
 *
 * Order of things, so that what was acknowledged never vanishes without a word:
 * - A transaction is one record: written, synced, then applied and acknowledged.
 * - A new generation begins with an empty journal-<n+1>, then snapshot-<n+1> (atomically, which is
 *   the moment of the switch), then the files of generation n are removed.
 * - Opening takes the highest snapshot. Its journal must exist and fit it; a journal with records
 *   but without its snapshot, any damage to a snapshot or a journal header, and a damaged record in
 *   front of a valid one refuse to open: a human decides.
 * - A damaged end of the journal is the trace of a crash during a write: it is copied aside, synced,
 *   cut off and reported. Not so when `reached` tells of a transaction that is missing then: that one
 *   was acknowledged, and the store refuses to open. Between two writes of that file (store_note) a
 *   record that decays at the very end of the journal, before a kill, cannot be told from a crash.
 * - After a failed sync, or a failed write that could not be undone, nothing is trusted any more:
 *   the store answers reads but refuses changes until it is opened again.
 * Memory: the tree is limited by tree_bytes_max; files are read whole at opening.
 * Thread: coordinator (store_local_open before that thread is needed).
 */
#ifndef META_STORE_LOCAL_H
#define META_STORE_LOCAL_H

#include "store.h"

struct store_local_options {
    const char *dir;        /* created when missing; nobody else may use it (data directory lock) */
    uint64_t compact_bytes; /* journal size that starts a new generation; 0: 4 MiB */
    size_t tree_bytes_max;  /* 0: 512 MiB */
};

MUST_USE enum errcode store_local_open(const struct store_local_options *options,
                                       struct store **ret, struct error *e);

/* The number behind "<kind>-" in the name of a file, without leading zeros or anything after it; 0
 * when it is none. Pure. */
uint64_t store_local_generation(const char *name, const char *kind);

#endif
