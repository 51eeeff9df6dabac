/* Arrow IPC RecordBatch messages: the body of ARROW batches (batch.h). This file reads and writes
 * their metadata only; buffers are neither decoded nor decompressed.
 *
 * The message, little-endian, at any alignment:
 *
 *   0    4          continuation FF FF FF FF
 *   4    4          i32 M, size of the metadata including padding
 *   8    M          flatbuffer Message
 *   8+M  body size  buffers, each on a multiple of 8
 *
 *   Message      {version, header_type = RecordBatch (3), header, bodyLength}
 *   RecordBatch  {length, nodes[], buffers[], compression}
 *   node         {i64 length, i64 null_count}       one per field, depth-first pre-order
 *   buffer       {i64 offset in the body, i64 length without padding}
 *   compression  {codec: 0 LZ4_FRAME, 1 ZSTD; method 0}; absent: not compressed
 *
 * There is no schema message: how many nodes and buffers belong to which column follows from the
 * table schema (struct arrow_layout). Bytes behind the message are ignored.
 * Reading takes any valid flatbuffer layout, since Java and Rust lay the same tables out
 * differently; every position is checked against the metadata. Writing gives byte for byte what
 * the Java writer gives. Source: MessageSerializer of Apache Arrow Java, ArrowUtils of Apache
 * Fluss. Thread: any.
 */
#ifndef FORMAT_ARROW_H
#define FORMAT_ARROW_H

#include "base/arena.h"
#include "base/error.h"

#define ARROW_PREFIX_SIZE       ((size_t)8)  /* continuation and metadata size */
#define ARROW_NODE_SIZE         ((size_t)16) /* and of a buffer */
#define ARROW_METADATA_SIZE_MAX ((size_t)64 << 20)

enum arrow_codec { ARROW_CODEC_NONE, ARROW_CODEC_LZ4_FRAME, ARROW_CODEC_ZSTD };

/* What one top-level column of a schema takes, all its children included: of a fixed-width type
 * 1 node and 2 buffers; utf8 and binary 1 and 3; list 1 and 2 and the element; map 2 and 3 (the
 * list and its struct) and key and value; struct 1 and 1 and the fields. */
struct arrow_column {
    uint32_t nodes; /* at least 1 */
    uint32_t buffers;
};

struct arrow_layout {
    const struct arrow_column *columns; /* top-level, in schema order */
    size_t count;
};

struct schema;
/* In the arena. */
struct arrow_layout arrow_layout_of(const struct schema *schema, struct arena *arena);

/* The metadata of a message. Vectors are borrowed; read them with arrow_node and arrow_buffer. */
struct arrow_message {
    int64_t row_count;
    size_t body_at;   /* from the start of the message */
    size_t body_size; /* as announced; the body need not be at hand */
    enum arrow_codec codec;
    uint32_t node_count;
    uint32_t buffer_count;
    const uint8_t *nodes;
    const uint8_t *buffers;
};

struct arrow_node {
    int64_t length;
    int64_t null_count;
};

/* Inside the body, once arrow_message_check said so. */
struct arrow_buffer {
    int64_t offset;
    int64_t length;
};

/* Size of prefix and metadata (where the body starts) of the message that starts with prefix, of
 * which at least ARROW_PREFIX_SIZE bytes are given. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode arrow_metadata_peek(struct bytes prefix, size_t *ret, struct error *e);

/* Reads the metadata; `start` reaches at least to the end of it. Node and buffer vectors are known
 * to lie inside the metadata, their contents are not looked at. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode arrow_message_parse(struct bytes start, struct arrow_message *ret,
                                          struct error *e);

/* Checks everything that projection and decoding rely on: as many nodes and buffers as the layout
 * has, top-level nodes as long as the batch, plausible null counts, buffers in order and inside
 * the body. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode arrow_message_check(const struct arrow_message *m,
                                          const struct arrow_layout *layout, struct error *e);

static inline struct arrow_node arrow_node(const struct arrow_message *m, size_t index)
{
    const uint8_t *p = m->nodes + index * ARROW_NODE_SIZE;

    return (struct arrow_node){.length = get_i64le(p), .null_count = get_i64le(p + 8)};
}

static inline struct arrow_buffer arrow_buffer(const struct arrow_message *m, size_t index)
{
    const uint8_t *p = m->buffers + index * ARROW_NODE_SIZE;

    return (struct arrow_buffer){.offset = get_i64le(p), .length = get_i64le(p + 8)};
}

/* ---- writing ---- */

/* Metadata of a new message, written in order: arrow_writer_begin, every buffer, arrow_writer_nodes,
 * every node. Counts and sizes announced at the beginning must come true (ASSERT). */
struct arrow_writer {
    struct writer out;
    uint32_t buffers_left;
    uint32_t nodes_left;
};

struct arrow_metadata {
    enum arrow_codec codec;
    uint32_t node_count;
    uint32_t buffer_count;
    int64_t row_count;
    int64_t body_size;
};

/* Prefix and metadata together; a multiple of 8. */
size_t arrow_metadata_size(enum arrow_codec codec, size_t node_count, size_t buffer_count);
/* Takes room for arrow_metadata_size bytes at `at`. */
void arrow_writer_begin(struct arrow_writer *w, uint8_t *at, const struct arrow_metadata *m);
void arrow_writer_buffer(struct arrow_writer *w, int64_t offset, int64_t length);
/* Between the last buffer and the first node. */
void arrow_writer_nodes(struct arrow_writer *w);
void arrow_writer_node(struct arrow_writer *w, int64_t length, int64_t null_count);

#endif
