/* Log record batches: the unit of produce and fetch requests and of log files, where they simply
 * follow one another. All integers are little-endian.
 *
 *   offset by magic   0     1     2
 *   base_offset       0     0     0   i64  of the first record; assigned by the leader
 *   length            8     8     8   i32  bytes after this field: the batch has length + 12
 *   magic            12    12    12   i8   0, 1 or 2
 *   commit_timestamp 13    13    13   i64  ms since 1970; assigned by the leader
 *   leader_epoch      -     -    21   i32
 *   crc              21    21    25   u32  CRC-32C of [schema_id, end of the batch)
 *   schema_id        25    25    29   i16
 *   attributes       27    27    31   i8   bit 0: append-only
 *   last_offset_delta 28   28    32   i32  last offset = base_offset + delta
 *   writer_id        32    32    36   i64  -1: not idempotent
 *   batch_sequence   40    40    44   i32  -1: none
 *   record_count     44    44    48   i32
 *   statistics_length -    48    52   i32  0: none
 *   header size      48    52    56
 *   then: statistics (stats.h), then the body: for ARROW one change type byte per record unless
 *   append-only and one Arrow message (arrow.h), for INDEXED and COMPACTED the records.
 *
 * Valid: length covers header and statistics, counts are not negative, the checksum is right.
 * base_offset and commit_timestamp (and leader_epoch) precede the checksummed part, so a leader
 * assigns them without computing the checksum again. A batch without records is its header only
 * and still takes one offset. Magic 1 is the layout with statistics; 0.9.1 read magic 1 otherwise
 * but nobody ever wrote it. After a crash a file may end in a cut or garbage batch.
 * Source: LogRecordBatchFormat, DefaultLogRecordBatch of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_BATCH_H
#define FORMAT_BATCH_H

#include "base/arena.h"
#include "base/error.h"

#define BATCH_SIZE_PREFIX       ((size_t)12) /* base_offset and length: all batch_size_peek needs */
#define BATCH_HEADER_SIZE_MIN   ((size_t)48) /* of magic 0 */
#define BATCH_HEADER_SIZE_MAX   ((size_t)56) /* of magic 2 */
#define BATCH_MAGIC_MAX         2
#define BATCH_APPEND_ONLY       0x01 /* attribute bit */
#define BATCH_NO_WRITER_ID      (-1)
#define BATCH_NO_BATCH_SEQUENCE (-1)

struct batch_header {
    int64_t base_offset;
    int64_t commit_timestamp;
    int64_t writer_id;
    int32_t batch_sequence;
    int32_t last_offset_delta;
    int32_t record_count;
    int32_t leader_epoch; /* -1 below magic 2 */
    uint32_t crc;
    int16_t schema_id;
    uint8_t magic;
    uint8_t attributes;
    size_t size;            /* of the whole batch */
    size_t header_size;     /* statistics follow */
    size_t statistics_size; /* the body is [header_size + statistics_size, size) */
};

/* One batch of an iteration. */
struct batch {
    struct batch_header header;
    size_t position; /* of its first byte in the iterated bytes */
    struct bytes data;
};

struct batch_iterator {
    struct bytes rest;
    size_t position;
};

/* What a new batch is made of; see batch_build. */
struct batch_spec {
    uint8_t magic;
    bool append_only;
    int16_t schema_id;
    int32_t leader_epoch; /* magic 2 only */
    int32_t record_count;
    int32_t batch_sequence;
    int64_t writer_id;
    struct bytes statistics;   /* magic 1 and 2 only */
    struct bytes change_types; /* record_count bytes, or empty */
    struct bytes body;         /* an Arrow message, or records */
};

/* Size of the batch that starts with prefix, of which at least BATCH_SIZE_PREFIX bytes are given.
 * ERR_CORRUPT_RECORD: shorter than any header, or longer than 2^31 - 1 bytes. */
MUST_USE enum errcode batch_size_peek(struct bytes prefix, size_t *ret, struct error *e);

/* Reads the header; `start` may end anywhere behind it (BATCH_HEADER_SIZE_MAX bytes always do).
 * ERR_CORRUPT_RECORD naming the field. The checksum is not looked at. */
MUST_USE enum errcode batch_parse(struct bytes start, struct batch_header *ret, struct error *e);

/* data: the whole batch. ERR_CORRUPT_RECORD naming both checksums. */
MUST_USE enum errcode batch_check_crc(const struct batch_header *header, struct bytes data,
                                      struct error *e);

/* Leader: writes offset and time into a batch whose header has been parsed. */
void batch_assign(uint8_t *data, int64_t base_offset, int64_t commit_timestamp);

/* Writes a new size, and no statistics, into a header that was parsed into *header. */
void batch_rewrite_sizes(uint8_t *data, const struct batch_header *header, size_t size);

/* One past the last offset. Saturates for hostile offsets. */
int64_t batch_next_offset(const struct batch_header *header);

static inline bool batch_append_only(const struct batch_header *header)
{
    return (header->attributes & BATCH_APPEND_ONLY) != 0;
}

static inline bool batch_header_only(const struct batch_header *header)
{
    return header->size == header->header_size;
}

/* Borrow from data, which is the whole batch. */
struct bytes batch_statistics(const struct batch_header *header, struct bytes data);
struct bytes batch_body(const struct batch_header *header, struct bytes data);

/* Walks concatenated batches. An incomplete batch at the end is ordinary and ends the walk; its
 * bytes are those from it->position on. */
void batch_iterator_init(struct batch_iterator *it, struct bytes batches);
/* *ret_found false: no complete batch is left. ERR_CORRUPT_RECORD as batch_parse, naming the
 * position; the iterator then stays where it is. */
MUST_USE enum errcode batch_next(struct batch_iterator *it, struct batch *ret, bool *ret_found,
                                 struct error *e);

/* The bytes of a batch as a writer sends it: offset and time 0, checksum right, in the arena.
 * record_count 0 with empty parts gives a header-only batch. */
struct bytes batch_build(const struct batch_spec *spec, struct arena *arena);

#endif
