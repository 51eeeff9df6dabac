/* Primary-key tables: what becomes of rows that arrive, and the state of each bucket.
 *
 *   prepare.h   a KV batch and the old rows -> changes of state and the changelog batch (pure)
 *   replay.h    a changelog batch -> changes of state (pure)
 *   table.h     what of a table's definition the write path needs
 *   insert.h    rows that a lookup inserts when it finds none
 *   bucket.h    the state of a bucket on its shard: pending changes, row cache, store
 *   store.h     the state on disk, or in memory for tests
 *   env.h       what all stores of the process share, and how much memory they take
 *   inspect.h   the state of a bucket that nobody has open
 *   snapshot.h  copies of a store in remote storage, read by clients and by restores
 *
 * Rules of ordering and recovery are in README.md.
 */
#ifndef KV_KV_H
#define KV_KV_H

#include "bucket.h"
#include "env.h"
#include "insert.h"
#include "inspect.h"
#include "prepare.h"
#include "replay.h"
#include "snapshot.h"
#include "store.h"
#include "table.h"

#endif
