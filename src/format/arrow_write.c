/* Writing the metadata of Arrow RecordBatch messages without a flatbuffer library.
 *
 * What the Java writer produces is a function of codec, row count, nodes, buffers and body size
 * only: a constant start per codec with four numbers in it, then
 *
 *   i32 B, B x {i64 offset, i64 length}, i32 0, i32 N, N x {i64 length, i64 null_count}
 *
 * The constants below are that start: root offset and padding, vtable and table of Message, vtable
 * and table of RecordBatch, vtable and table of BodyCompression. Tested byte for byte against
 * batches of the Java client.
 */
#include "arrow.h"

#define BODY_SIZE_AT   24
#define NODES_OVERHEAD 8 /* padding and count before the nodes */

struct template
{
    const uint8_t *bytes;
    uint8_t size;
    uint8_t nodes_offset_at; /* i32, nodes_offset + 16 per buffer */
    uint8_t nodes_offset;
    uint8_t rows_at; /* i64 */
};

/* clang-format off */
static const uint8_t start_none[76] = {
    0x14, 0, 0, 0, 0, 0, 0, 0,
    0x0c, 0, 0x16, 0, 0x0e, 0, 0x15, 0, 0x10, 0, 0x04, 0,
    0x0c, 0, 0, 0, /* body size */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0, 16, 0, 0, 0, 0, 0x03,
    0x0a, 0, 0x18, 0, 0x0c, 0, 0x08, 0, 0x04, 0,
    10, 0, 0, 0, 20, 0, 0, 0, /* nodes */ 0, 0, 0, 0, /* rows */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
static const uint8_t start_lz4_frame[92] = {
    0x14, 0, 0, 0, 0, 0, 0, 0,
    0x0c, 0, 0x18, 0, 0x0e, 0, 0x17, 0, 0x10, 0, 0x04, 0,
    0x0c, 0, 0, 0, /* body size */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0, 20, 0, 0, 0, 0, 0, 0, 0x03,
    0x0c, 0, 0x1c, 0, 0x10, 0, 0x0c, 0, 0x08, 0, 0x04, 0,
    12, 0, 0, 0, 28, 0, 0, 0, 28, 0, 0, 0, /* nodes */ 0, 0, 0, 0, /* rows */ 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0,
    0x04, 0, 0x04, 0, 4, 0, 0, 0,
};
static const uint8_t start_zstd[100] = {
    0x14, 0, 0, 0, 0, 0, 0, 0,
    0x0c, 0, 0x18, 0, 0x0e, 0, 0x17, 0, 0x10, 0, 0x04, 0,
    0x0c, 0, 0, 0, /* body size */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0, 20, 0, 0, 0, 0, 0, 0, 0x03,
    0x0c, 0, 0x1e, 0, 0x10, 0, 0x0c, 0, 0x08, 0, 0x04, 0,
    12, 0, 0, 0, 32, 0, 0, 0, 36, 0, 0, 0, /* nodes */ 0, 0, 0, 0, /* rows */ 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0,
    0x06, 0, 0x08, 0, 0x07, 0, 6, 0, 0, 0, 0, 0, 0, 0x01,
};
/* clang-format on */

static const struct template templates[] = {
    [ARROW_CODEC_NONE] = {start_none, sizeof start_none, 60, 24, 64},
    [ARROW_CODEC_LZ4_FRAME] = {start_lz4_frame, sizeof start_lz4_frame, 68, 32, 72},
    [ARROW_CODEC_ZSTD] = {start_zstd, sizeof start_zstd, 68, 40, 72},
};

size_t arrow_metadata_size(enum arrow_codec codec, size_t node_count, size_t buffer_count)
{
    return ARROW_PREFIX_SIZE + templates[codec].size + sizeof(uint32_t) + NODES_OVERHEAD +
           ARROW_NODE_SIZE * (node_count + buffer_count);
}

void arrow_writer_begin(struct arrow_writer *w, uint8_t *at, const struct arrow_metadata *m)
{
    const struct template *t = &templates[m->codec];
    size_t size = arrow_metadata_size(m->codec, m->node_count, m->buffer_count);
    uint8_t *start;

    ASSERT(size <= ARROW_METADATA_SIZE_MAX);
    *w = (struct arrow_writer){
        .out = writer_of(at, size), .buffers_left = m->buffer_count, .nodes_left = m->node_count};
    writer_u32le(&w->out, UINT32_MAX);
    writer_u32le(&w->out, (uint32_t)(size - ARROW_PREFIX_SIZE));
    start = writer_room(&w->out, t->size);
    memcpy(start, t->bytes, t->size);
    put_i64le(start + BODY_SIZE_AT, m->body_size);
    put_u32le(start + t->nodes_offset_at,
              t->nodes_offset + (uint32_t)ARROW_NODE_SIZE * m->buffer_count);
    put_i64le(start + t->rows_at, m->row_count);
    writer_u32le(&w->out, m->buffer_count);
}

void arrow_writer_buffer(struct arrow_writer *w, int64_t offset, int64_t length)
{
    ASSERT(w->buffers_left > 0);
    w->buffers_left--;
    writer_i64le(&w->out, offset);
    writer_i64le(&w->out, length);
}

void arrow_writer_nodes(struct arrow_writer *w)
{
    ASSERT(w->buffers_left == 0);
    writer_u32le(&w->out, 0);
    writer_u32le(&w->out, w->nodes_left);
}

void arrow_writer_node(struct arrow_writer *w, int64_t length, int64_t null_count)
{
    ASSERT(w->buffers_left == 0 && w->nodes_left > 0);
    w->nodes_left--;
    writer_i64le(&w->out, length);
    writer_i64le(&w->out, null_count);
}
