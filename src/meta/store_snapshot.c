#include "store_snapshot.h"

#include "base/crc32c.h"

#define SNAPSHOT_FORMAT 1
#define SNAPSHOT_HEADER 36
#define NODE_FIXED      11 /* depth, name length, version, data length */

static const uint8_t snapshot_magic[8] = {'E', 'I', 'D', 'R', 'S', 'N', 'A', 'P'};

static size_t encoded_size(const struct tree *t)
{
    size_t size = SNAPSHOT_HEADER + 4;

    for (const struct tree_node *n = tree_next(t, t->root); n != NULL; n = tree_next(t, n)) {
        size += NODE_FIXED + n->name_len + n->len;
    }
    return size;
}

struct bytes snapshot_encode(const struct tree *t, const struct snapshot_header *h)
{
    size_t size = encoded_size(t);
    struct writer w = writer_of(mem_alloc(size), size);

    writer_bytes(&w, bytes_of(snapshot_magic, sizeof snapshot_magic));
    writer_u32le(&w, SNAPSHOT_FORMAT);
    writer_u64le(&w, h->generation);
    writer_u64le(&w, h->sequence);
    writer_u64le(&w, t->count);
    for (const struct tree_node *n = tree_next(t, t->root); n != NULL; n = tree_next(t, n)) {
        writer_u8(&w, (uint8_t)tree_depth(n));
        writer_u16le(&w, (uint16_t)n->name_len);
        writer_bytes(&w, bytes_of(n->name, n->name_len));
        writer_i32le(&w, n->version);
        writer_u32le(&w, (uint32_t)n->len);
        writer_bytes(&w, bytes_of(n->data, n->len));
    }
    writer_u32le(&w, crc32c(bytes_of(w.data, w.len)));
    ASSERT(w.len == size);
    return bytes_of(w.data, w.len);
}

/* Reads one node and hangs it below the last node of the level above. */
static bool node_decode(struct reader *r, struct tree *t,
                        struct tree_node *last[STORE_DEPTH_MAX + 1], unsigned *depth_last)
{
    unsigned depth = reader_u8(r);
    struct bytes name = reader_bytes(r, reader_u16le(r));
    int32_t version = reader_i32le(r);
    struct bytes data = reader_bytes(r, reader_u32le(r));
    struct tree_node *n;

    if (r->failed || depth == 0 || depth > STORE_DEPTH_MAX || depth > *depth_last + 1 ||
        version < 0 || data.len > STORE_DATA_MAX) {
        return false;
    }
    n = tree_append(t, last[depth - 1], name, data, version);
    if (n == NULL) {
        return false;
    }
    last[depth] = n;
    *depth_last = depth;
    return true;
}

enum errcode snapshot_decode(struct bytes file, struct tree *t, struct snapshot_header *ret,
                             struct error *e)
{
    struct tree_node *last[STORE_DEPTH_MAX + 1] = {t->root};
    struct reader r = reader_of(file);
    struct bytes magic = reader_bytes(&r, sizeof snapshot_magic);
    uint32_t format = reader_u32le(&r);
    struct snapshot_header h = {0};
    unsigned depth = 0;
    uint64_t count;

    h.generation = reader_u64le(&r);
    h.sequence = reader_u64le(&r);
    count = reader_u64le(&r);
    if (r.failed || r.rest.len < 4 ||
        !bytes_equal(magic, bytes_of(snapshot_magic, sizeof snapshot_magic)) ||
        get_u32le(file.data + file.len - 4) != crc32c(bytes_slice(file, 0, file.len - 4))) {
        return error_set(e, ERR_CORRUPT_FILE, "checksum or length of the snapshot is wrong");
    }
    if (format != SNAPSHOT_FORMAT) {
        return error_set(e, ERR_CORRUPT_FILE, "snapshot format %u is not known to this version",
                         format);
    }
    r.rest.len -= 4;
    for (uint64_t i = 0; i < count; i++) {
        if (!node_decode(&r, t, last, &depth)) {
            return error_set(e, ERR_CORRUPT_FILE, "node %llu of the snapshot is malformed",
                             (unsigned long long)i);
        }
    }
    if (r.rest.len != 0) {
        return error_set(e, ERR_CORRUPT_FILE, "%zu bytes behind the snapshot's last node",
                         r.rest.len);
    }
    *ret = h;
    return ERR_OK;
}
