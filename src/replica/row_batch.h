/* Inside replica/: rows of a cursor as one value batch (format/value_batch.h), made of pieces so that
 * nothing is copied twice however many rows there are. Thread: any. */
#ifndef REPLICA_ROW_BATCH_H
#define REPLICA_ROW_BATCH_H

#include "base/chunk.h"
#include "kv/kv.h"

struct row_batch {
    struct pieces *pieces; /* the caller's; its arena holds the bytes */
    uint8_t *header;
    size_t count;
    size_t size; /* of the whole batch */
};

/* Begins a batch at the end of the pieces. Altogether it must not exceed INT32_MAX bytes. */
void row_batch_begin(struct row_batch *b, struct pieces *pieces);
void row_batch_add(struct row_batch *b, struct bytes value);
/* Adds rows of the cursor until the batch has `rows` of them or at least `size` bytes. *ret_end: the
 * cursor has no further one; false may be wrong. Errors of kv_cursor_next. */
MUST_USE enum errcode row_batch_fill(struct row_batch *b, struct kv_cursor *cursor, size_t rows,
                                     size_t size, bool *ret_end, struct error *e);
void row_batch_end(struct row_batch *b);

#endif
