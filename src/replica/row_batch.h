/* Inside replica/: rows of a cursor as one value batch (format/value_batch.h), made of pieces so that
 * every value is copied once, however many there are. Thread: any. */
#ifndef REPLICA_ROW_BATCH_H
#define REPLICA_ROW_BATCH_H

#include "base/chunk.h"
#include "kv/kv.h"

struct row_batch {
    size_t rows_max;
    size_t size_max;
    size_t count;
    size_t size;                   /* of the whole batch, in bytes */
    const struct kv_items *before; /* rows that the cursor has shown already; NULL: none */
    /* internal */
    struct pieces *pieces;
    uint8_t *header;
    struct writer block; /* rows not yet handed to the pieces */
};

/* Appends a batch to the pieces, whose arena holds it: the next rows of the cursor until there are
 * rows_max of them or the batch has at least size_max bytes; at least one row; at most INT32_MAX bytes,
 * the last row included. *ret_more: the cursor has further rows. Errors of kv_cursor_visit. */
MUST_USE enum errcode row_batch_read(struct row_batch *b, struct pieces *pieces,
                                     struct kv_cursor *cursor, bool *ret_more, struct error *e);

#endif
