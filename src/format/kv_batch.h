/* KV record batches: what a client sends to a bucket of a primary-key table. Little-endian.
 *
 *    0  i32  length, bytes after this field
 *    4  i8   magic 0
 *    5  u32  CRC-32C of [9, end)
 *    9  i16  schema id of the rows
 *   11  i8   attributes, 0
 *   12  i64  writer id, -1: not idempotent
 *   20  i32  batch sequence, -1: none
 *   24  i32  record count
 *   28       records: i32 bytes after this field, varint key length, key, row
 *
 * The row takes what the record has left, in the kv format of the table and with all columns of
 * the schema id; no bytes at all are a delete. Valid: length covers the header, the checksum is
 * right, there are exactly as many records as announced. Nothing is written to disk in this form.
 * Source: DefaultKvRecordBatch, DefaultKvRecord of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_KV_BATCH_H
#define FORMAT_KV_BATCH_H

#include "base/buffer.h"
#include "base/error.h"

#define KV_BATCH_HEADER_SIZE ((size_t)28)

struct kv_batch {
    int64_t writer_id;
    int32_t batch_sequence;
    int32_t record_count; /* no more than the bytes can hold */
    int16_t schema_id;
    struct bytes records;
};

struct kv_record {
    struct bytes key;
    struct bytes row; /* empty: delete */
};

struct kv_batch_iterator {
    struct reader rest;
    int32_t left;
};

/* The first batch of in, checksum verified; bytes behind it are ignored. Borrows.
 * ERR_CORRUPT_RECORD naming what is wrong. */
MUST_USE enum errcode kv_batch_parse(struct bytes in, struct kv_batch *ret, struct error *e);

void kv_batch_iterator_init(struct kv_batch_iterator *it, const struct kv_batch *batch);
/* The next of batch->record_count records. ERR_CORRUPT_RECORD for a record that is cut short, and
 * for bytes behind the last one. */
MUST_USE enum errcode kv_batch_next(struct kv_batch_iterator *it, struct kv_record *ret,
                                    struct error *e);

/* Building, for clients: begin, add, finish; begins again with the memory it has. */
struct kv_batch_writer {
    struct buffer out;
    int32_t record_count;
};

void kv_batch_writer_fini(struct kv_batch_writer *w);
void kv_batch_writer_begin(struct kv_batch_writer *w, int16_t schema_id);
/* row empty: delete. */
void kv_batch_writer_add(struct kv_batch_writer *w, struct bytes key, struct bytes row);
/* The batch, owned by the writer until it begins again. */
struct bytes kv_batch_writer_finish(struct kv_batch_writer *w, int64_t writer_id,
                                    int32_t batch_sequence);

#endif
