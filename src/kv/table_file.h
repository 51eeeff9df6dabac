/* Inside kv/: a table file of RocksDB that is made outside of a database, for one that takes it over
 * as it is. */
#ifndef KV_TABLE_FILE_H
#define KV_TABLE_FILE_H

#include "engine.h"

/* Writes the changes, which are sorted and one per key, and under kv_state_key the state's value. The
 * file is new or replaced, and gone after an error. Not synced. ERR_KV_STORAGE, ERR_DISK_FULL. */
MUST_USE enum errcode table_file_write(struct kv_env *env, const char *path,
                                       const struct kv_change *changes, size_t count,
                                       struct bytes state, struct error *e);

#endif
