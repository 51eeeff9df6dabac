/* Reading and writing the metadata of Arrow RecordBatch messages; the bytes are drawn in arrow.h. */
#include "arrow.h"

#include <inttypes.h>

#define CONTINUATION        0xFFFFFFFFu
#define HEADER_RECORD_BATCH 3
#define METHOD_BUFFER       0
#define VTABLE_OVERHEAD     4 /* its own size and the size of the table */
#define VECTOR_OVERHEAD     4 /* the element count */

/* Fields of the tables, in the order of Message.fbs. */
enum { MESSAGE_HEADER_TYPE = 1, MESSAGE_HEADER = 2, MESSAGE_BODY_LENGTH = 3 };
enum { BATCH_LENGTH = 0, BATCH_NODES = 1, BATCH_BUFFERS = 2, BATCH_COMPRESSION = 3 };
enum { COMPRESSION_CODEC = 0, COMPRESSION_METHOD = 1 };

/* A flatbuffer being read. Sticky like struct reader: a position outside fails it, and from then
 * on every read yields zero. */
struct flat {
    struct bytes in;
    bool failed;
};

struct flat_table {
    size_t at;
    size_t vtable_at;
    size_t vtable_size;
};

struct flat_vector {
    const uint8_t *items;
    uint32_t count;
};

static enum errcode read_batch(struct flat *f, struct flat_table batch, struct arrow_message *m,
                               struct error *e);
static enum errcode read_compression(struct flat *f, struct flat_table batch, enum arrow_codec *ret,
                                     struct error *e);
static enum errcode broken(struct error *e);
static struct flat_table flat_table_at(struct flat *f, size_t offset_at);
static struct flat_table flat_table_field(struct flat *f, struct flat_table t, unsigned index);
static struct flat_vector flat_vector_field(struct flat *f, struct flat_table t, unsigned index);
static size_t flat_field(struct flat *f, struct flat_table t, unsigned index);
static uint8_t flat_u8_field(struct flat *f, struct flat_table t, unsigned index);
static int64_t flat_i64_field(struct flat *f, struct flat_table t, unsigned index);
static const uint8_t *flat_bytes(struct flat *f, size_t at, size_t len);

enum errcode arrow_metadata_peek(struct bytes prefix, size_t *ret, struct error *e)
{
    uint32_t size;

    if (prefix.len < ARROW_PREFIX_SIZE) {
        return error_set(e, ERR_CORRUPT_RECORD, "Arrow message cut short: %zu bytes", prefix.len);
    }
    if (get_u32le(prefix.data) != CONTINUATION) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "Arrow message starts with %08" PRIx32 ", expected ffffffff",
                         get_u32be(prefix.data));
    }
    size = get_u32le(prefix.data + 4);
    if (size == 0 || size > ARROW_METADATA_SIZE_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD, "Arrow metadata of %" PRIu32 " bytes", size);
    }
    *ret = ARROW_PREFIX_SIZE + size;
    return ERR_OK;
}

enum errcode arrow_message_parse(struct bytes start, struct arrow_message *ret, struct error *e)
{
    struct arrow_message m = {0};
    struct flat f = {0};
    struct flat_table root;
    int64_t body_size;
    uint8_t header_type;

    TRY(arrow_metadata_peek(start, &m.body_at, e));
    if (start.len < m.body_at) {
        return error_set(e, ERR_CORRUPT_RECORD, "Arrow metadata ends at byte %zu, given %zu",
                         m.body_at, start.len);
    }
    f.in = bytes_slice(start, ARROW_PREFIX_SIZE, m.body_at - ARROW_PREFIX_SIZE);
    root = flat_table_at(&f, 0);
    header_type = flat_u8_field(&f, root, MESSAGE_HEADER_TYPE);
    body_size = flat_i64_field(&f, root, MESSAGE_BODY_LENGTH);
    if (f.failed) {
        return broken(e);
    }
    if (header_type != HEADER_RECORD_BATCH) {
        return error_set(e, ERR_CORRUPT_RECORD, "Arrow message of type %u, expected a RecordBatch",
                         header_type);
    }
    if (body_size < 0 || body_size > INT32_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD, "Arrow body of %" PRId64 " bytes", body_size);
    }
    m.body_size = (size_t)body_size;
    TRY(read_batch(&f, flat_table_field(&f, root, MESSAGE_HEADER), &m, e));
    *ret = m;
    return ERR_OK;
}

static enum errcode read_batch(struct flat *f, struct flat_table batch, struct arrow_message *m,
                               struct error *e)
{
    struct flat_vector nodes = flat_vector_field(f, batch, BATCH_NODES);
    struct flat_vector buffers = flat_vector_field(f, batch, BATCH_BUFFERS);

    m->row_count = flat_i64_field(f, batch, BATCH_LENGTH);
    TRY(read_compression(f, batch, &m->codec, e));
    if (f->failed) {
        return broken(e);
    }
    if (m->row_count < 0 || m->row_count > INT32_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD, "Arrow batch of %" PRId64 " rows", m->row_count);
    }
    m->nodes = nodes.items;
    m->node_count = nodes.count;
    m->buffers = buffers.items;
    m->buffer_count = buffers.count;
    return ERR_OK;
}

static enum errcode read_compression(struct flat *f, struct flat_table batch, enum arrow_codec *ret,
                                     struct error *e)
{
    struct flat_table compression;
    uint8_t codec;
    uint8_t method;

    if (flat_field(f, batch, BATCH_COMPRESSION) == 0) {
        *ret = ARROW_CODEC_NONE;
        return ERR_OK;
    }
    compression = flat_table_field(f, batch, BATCH_COMPRESSION);
    codec = flat_u8_field(f, compression, COMPRESSION_CODEC);
    method = flat_u8_field(f, compression, COMPRESSION_METHOD);
    if (codec > 1 || method != METHOD_BUFFER) {
        return error_set(e, ERR_CORRUPT_RECORD, "unknown Arrow compression: codec %u, method %u",
                         codec, method);
    }
    *ret = codec == 0 ? ARROW_CODEC_LZ4_FRAME : ARROW_CODEC_ZSTD;
    return ERR_OK;
}

static enum errcode broken(struct error *e)
{
    return error_set(e, ERR_CORRUPT_RECORD, "Arrow metadata is not a valid flatbuffer");
}

/* ---- flatbuffers ---- */

/* The table that the u32 at offset_at points to. */
static struct flat_table flat_table_at(struct flat *f, size_t offset_at)
{
    const uint8_t *offset = flat_bytes(f, offset_at, 4);
    struct flat_table t = {.at = offset_at + (offset != NULL ? get_u32le(offset) : 0)};
    const uint8_t *to_vtable = flat_bytes(f, t.at, 4);
    int64_t vtable_at = (int64_t)t.at - (to_vtable != NULL ? get_i32le(to_vtable) : 0);
    const uint8_t *size = vtable_at < 0 ? NULL : flat_bytes(f, (size_t)vtable_at, VTABLE_OVERHEAD);

    t.vtable_at = (size_t)vtable_at;
    t.vtable_size = size != NULL ? get_u16le(size) : 0;
    if (t.vtable_size < VTABLE_OVERHEAD || flat_bytes(f, t.vtable_at, t.vtable_size) == NULL) {
        f->failed = true;
    }
    return t;
}

/* A required field that is a table. */
static struct flat_table flat_table_field(struct flat *f, struct flat_table t, unsigned index)
{
    size_t at = flat_field(f, t, index);

    if (at == 0) {
        f->failed = true;
        return (struct flat_table){0};
    }
    return flat_table_at(f, at);
}

/* A field that is a vector of 16-byte structs; absent: empty. */
static struct flat_vector flat_vector_field(struct flat *f, struct flat_table t, unsigned index)
{
    size_t at = flat_field(f, t, index);
    const uint8_t *offset = at != 0 ? flat_bytes(f, at, 4) : NULL;
    const uint8_t *count;
    struct flat_vector v = {0};

    if (offset == NULL) {
        return v;
    }
    at += get_u32le(offset);
    count = flat_bytes(f, at, VECTOR_OVERHEAD);
    if (count == NULL) {
        return v;
    }
    v.items = flat_bytes(f, at + VECTOR_OVERHEAD, (size_t)get_u32le(count) * ARROW_NODE_SIZE);
    v.count = v.items != NULL ? get_u32le(count) : 0;
    return v;
}

/* Where a field is; 0 when the table has not got it. */
static size_t flat_field(struct flat *f, struct flat_table t, unsigned index)
{
    size_t entry = VTABLE_OVERHEAD + 2 * (size_t)index;
    uint16_t offset;

    if (f->failed || entry + 2 > t.vtable_size) {
        return 0;
    }
    offset = get_u16le(f->in.data + t.vtable_at + entry);
    return offset == 0 ? 0 : t.at + offset;
}

static uint8_t flat_u8_field(struct flat *f, struct flat_table t, unsigned index)
{
    size_t at = flat_field(f, t, index);
    const uint8_t *p = at != 0 ? flat_bytes(f, at, 1) : NULL;

    return p != NULL ? p[0] : 0;
}

static int64_t flat_i64_field(struct flat *f, struct flat_table t, unsigned index)
{
    size_t at = flat_field(f, t, index);
    const uint8_t *p = at != 0 ? flat_bytes(f, at, 8) : NULL;

    return p != NULL ? get_i64le(p) : 0;
}

/* Positions are sums of a few 32-bit numbers, so they cannot wrap in size_t. */
static const uint8_t *flat_bytes(struct flat *f, size_t at, size_t len)
{
    static_assert(sizeof(size_t) == 8, "positions need more than 32 bits");
    if (f->failed || at > f->in.len || len > f->in.len - at) {
        f->failed = true;
        return NULL;
    }
    return f->in.data + at;
}

/* ---- checking against a layout ---- */

static enum errcode check_nodes(const struct arrow_message *m, const struct arrow_layout *layout,
                                struct error *e);
static enum errcode check_buffers(const struct arrow_message *m, struct error *e);

enum errcode arrow_message_check(const struct arrow_message *m, const struct arrow_layout *layout,
                                 struct error *e)
{
    uint64_t nodes = 0;
    uint64_t buffers = 0;

    for (size_t i = 0; i < layout->count; i++) {
        ASSERT(layout->columns[i].nodes > 0);
        nodes += layout->columns[i].nodes;
        buffers += layout->columns[i].buffers;
    }
    if (nodes != m->node_count || buffers != m->buffer_count) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "Arrow batch of %" PRIu32 " nodes and %" PRIu32
                         " buffers; its schema has %" PRIu64 " and %" PRIu64,
                         m->node_count, m->buffer_count, nodes, buffers);
    }
    TRY(check_nodes(m, layout, e));
    return check_buffers(m, e);
}

static enum errcode check_nodes(const struct arrow_message *m, const struct arrow_layout *layout,
                                struct error *e)
{
    size_t top = 0;

    for (size_t i = 0; i < m->node_count; i++) {
        struct arrow_node node = arrow_node(m, i);

        if (node.length < 0 || node.null_count < 0 || node.null_count > node.length) {
            return error_set(e, ERR_CORRUPT_RECORD,
                             "Arrow node %zu of %" PRId64 " values with %" PRId64 " nulls", i,
                             node.length, node.null_count);
        }
    }
    for (size_t i = 0; i < layout->count; i++) {
        if (arrow_node(m, top).length != m->row_count) {
            return error_set(e, ERR_CORRUPT_RECORD,
                             "Arrow column %zu has %" PRId64 " values in a batch of %" PRId64, i,
                             arrow_node(m, top).length, m->row_count);
        }
        top += layout->columns[i].nodes;
    }
    return ERR_OK;
}

static enum errcode check_buffers(const struct arrow_message *m, struct error *e)
{
    int64_t end = 0;
    int64_t body_size = (int64_t)m->body_size;

    for (size_t i = 0; i < m->buffer_count; i++) {
        struct arrow_buffer b = arrow_buffer(m, i);

        if (b.offset < end || b.offset > body_size || b.length < 0 ||
            b.length > body_size - b.offset) {
            return error_set(e, ERR_CORRUPT_RECORD,
                             "Arrow buffer %zu at %" PRId64 " of %" PRId64
                             " bytes, the one before ends at %" PRId64 ", the body at %" PRId64,
                             i, b.offset, b.length, end, body_size);
        }
        end = b.offset + b.length;
    }
    return ERR_OK;
}
