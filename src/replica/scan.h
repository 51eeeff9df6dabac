/* Reading a range of a log for a fetch that wants less than the stored bytes: some columns, or
 * only the batches that may hold matching rows.
 *
 * The scan walks the batches of the range, reads of each only its head and the buffers it needs,
 * and collects whole projected batches until max_bytes. Small parts are gathered in chunks, large
 * ones stay ranges of the file that are sent without being read.
 * Runs on a shard with may_block = false (only the page cache is read; *ret_blocked tells that the
 * device would be needed and nothing was collected), or in a pool with may_block = true.
 * Source of the rules: FileLogProjection and LogSegment.readWithFilter of Apache Fluss.
 */
#ifndef REPLICA_SCAN_H
#define REPLICA_SCAN_H

#include "replica.h"

struct scan_request {
    struct file *file; /* borrowed */
    uint64_t position;
    size_t len;
    size_t max_bytes; /* of the result */
    bool min_one;
    const struct fetch_projection *projection; /* NULL: all columns */
    const struct filter *filter;               /* NULL: all batches */
    const struct meta_table *table;            /* its schemas */
    bool may_block;
};

/* ERR_INVALID_COLUMN_PROJECTION, ERR_CORRUPT_RECORD, storage errors. After an error, or when
 * blocked, the pieces have been released. */
MUST_USE enum errcode scan_run(const struct scan_request *request, struct scan_result *ret,
                               bool *ret_blocked, struct error *e);

#endif
