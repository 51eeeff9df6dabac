/* Inside replica/: the write that a lookup makes for keys without a row. Thread: shard. */
#ifndef REPLICA_INSERT_ROWS_H
#define REPLICA_INSERT_ROWS_H

#include "kv_ops.h"
#include "kv_tablet.h"

/* Fills in batch and target columns of a put of rows for the keys: the primary key, and null in all
 * other columns. In the arena. ERR_CORRUPT_RECORD: a key that is none; ERR_INVALID_TARGET_COLUMN: the
 * table has a column that cannot be null; ERR_PARTITION_SPEC_INVALID: the name of the partition does
 * not give its columns. */
MUST_USE enum errcode insert_rows(const struct bucket *b, const struct bytes *keys, size_t count,
                                  struct arena *arena, struct put_op *ret, struct error *e);

#endif
