/* Rows for keys that a lookup has not found: LOOKUP with insert_if_not_exists. The rows go through
 * prepare.h as an ordinary partial write whose target columns are the primary key. Thread: owner. */
#ifndef KV_INSERT_H
#define KV_INSERT_H

#include "table.h"

#include "format/key.h"
#include "format/kv_batch.h"

struct kv_insert {
    const struct kv_table *table;
    struct key_format key;
    /* One value per column of the latest schema: those of the partition columns, which no key has;
     * the others null. NULL: the table is not partitioned. */
    const struct row_value *partition;
};

/* Begins a batch of the latest schema in w and adds a record for each key. ERR_CORRUPT_RECORD: a key
 * that is none; ERR_INVALID_TARGET_COLUMN: a NOT NULL column that is not in the key. */
MUST_USE enum errcode kv_insert_records(const struct kv_insert *insert, const struct bytes *keys,
                                        size_t count, struct kv_batch_writer *w, struct error *e);

#endif
