/* Roaring bitmaps of 64 bits as Java's Roaring64Bitmap writes them; containers are drawn in bitmap.h.
 *
 *   u8    0: empty, nothing follows; 1: not empty
 *   i64   containers
 *   a radix tree of the upper 48 bits of the containers, as keys of 6 bytes, most significant first;
 *   each node is followed by its children in ascending order:
 *     u8 kind, i16 children, u8 length of the prefix all keys below have in common, the prefix; then
 *       0     4 key bytes of up to 4 children, from the last place to the first
 *       1     16 key bytes of up to 16 children, likewise in each half
 *       2     256 numbers of children, ff for none, in groups of 8 from the last to the first
 *       3     256 bits, the lowest first, set for the key bytes of the children
 *       4     a leaf, without children and prefix: u32 and u16 big-endian, the upper 48 bits; i64
 *             its container: list << 32 | entry
 *   i32   lists of containers; of each u8, i32 entries, and of each entry
 *           u8 0: none; 1: u8 kind (0 run, 1 bitset, 2 array), i32 cardinality, container
 *   i64   containers; i32 and i32: the last list and entry in use
 *
 * Integers are little-endian unless said otherwise. Reading takes the leaves as they come: the nodes
 * above them are redundant. Writing puts all containers into one list by ascending key.
 * Source: Roaring64Bitmap, Art, Containers of RoaringBitmap for Java 1.3.
 */
#include "bitmap.h"

#define KEY_SIZE     6
#define LEAF_SIZE    14 /* behind kind, children and prefix length */
#define NODE_MIN     4
#define ENTRY_NONE   0
#define ENTRY_THERE  1
#define TRAILER_SIZE 16
#define LIST_MARK    0xfe
#define BRANCHES     256

enum node_kind { NODE_4, NODE_16, NODE_48, NODE_256, NODE_LEAF };

static const uint16_t node_sizes[] = {
    [NODE_4] = 4, [NODE_16] = 16, [NODE_48] = 256, [NODE_256] = 32, [NODE_LEAF] = LEAF_SIZE};
static const uint16_t node_children[] = {
    [NODE_4] = 4, [NODE_16] = 16, [NODE_48] = 48, [NODE_256] = 256, [NODE_LEAF] = 0};

static enum errcode corrupt(struct error *e, const char *what)
{
    return error_set(e, ERR_CORRUPT_RECORD, "not a roaring bitmap of 64 bits: %s", what);
}

/* ---- reading ---- */

struct leaf {
    uint64_t key;
    uint64_t container; /* list << 32 | entry */
};

struct leaves {
    struct leaf *items;
    size_t count;
};

static enum errcode add_leaf(struct leaves *leaves, struct bytes body, struct error *e)
{
    struct leaf leaf = {.key = (uint64_t)get_u32be(body.data) << 16 | get_u16be(body.data + 4),
                        .container = get_u64le(body.data + KEY_SIZE)};

    if (leaves->count > 0 && leaf.key <= leaves->items[leaves->count - 1].key) {
        return corrupt(e, "keys that are not ascending");
    }
    leaves->items[leaves->count++] = leaf;
    return ERR_OK;
}

/* All nodes in the order they were written. */
static enum errcode read_tree(struct reader *r, struct arena *arena, struct leaves *ret,
                              struct error *e)
{
    size_t open = 1; /* nodes announced and not yet read */

    (void)reader_u64le(r);
    ret->count = 0;
    ret->items = arena_alloc(arena, r->rest.len / (NODE_MIN + LEAF_SIZE) * sizeof *ret->items);
    while (open > 0) {
        uint8_t kind = reader_u8(r);
        uint16_t children = reader_u16le(r);
        struct bytes prefix = reader_bytes(r, reader_u8(r));
        struct bytes body = kind <= NODE_LEAF ? reader_bytes(r, node_sizes[kind]) : BYTES_EMPTY;

        if (r->failed || kind > NODE_LEAF || children > node_children[kind] ||
            prefix.len >= KEY_SIZE) {
            return corrupt(e, "a damaged tree");
        }
        open += children;
        open--;
        if (kind == NODE_LEAF) {
            TRY(add_leaf(ret, body, e));
        } else if (children == 0) {
            return corrupt(e, "a branch without children");
        }
    }
    return ERR_OK;
}

/* One list of containers; the others are empty but for more than 2^31 containers, which no value
 * can hold. Entries that are not there have a cardinality of 0. */
static enum errcode read_list(struct reader *r, struct arena *arena, struct bitmap_list *ret,
                              struct error *e)
{
    uint32_t lists = reader_u32le(r);
    uint32_t entries;

    (void)reader_u8(r);
    entries = reader_u32le(r);
    if (r->failed || lists != 1 || entries > r->rest.len) {
        return corrupt(e, "damaged lists of containers");
    }
    ret->items = arena_array(arena, entries, sizeof *ret->items);
    ret->count = entries;
    for (uint32_t i = 0; i < entries; i++) {
        uint8_t mark = reader_u8(r);
        uint8_t kind = mark == ENTRY_THERE ? reader_u8(r) : 0;
        uint32_t cardinality = mark == ENTRY_THERE ? reader_u32le(r) : 0;

        if (r->failed || mark > ENTRY_THERE || kind > BITMAP_ARRAY) {
            return corrupt(e, "damaged lists of containers");
        }
        if (mark == ENTRY_THERE) {
            TRY(bitmap_container_read(r, (enum bitmap_kind)kind, cardinality, &ret->items[i], e));
        }
    }
    (void)reader_bytes(r, TRAILER_SIZE);
    return r->failed ? corrupt(e, "the end is cut off") : ERR_OK;
}

enum errcode bitmap64_read(struct bytes in, struct arena *arena, struct bitmap_list *ret,
                           struct error *e)
{
    struct reader r = reader_of(in);
    struct bitmap_list entries = {0};
    struct leaves leaves = {0};
    uint8_t tag = reader_u8(&r);

    *ret = (struct bitmap_list){0};
    if (r.failed || tag > 1) {
        return corrupt(e, "unknown tag");
    }
    if (tag == 0) {
        return ERR_OK;
    }
    TRY(read_tree(&r, arena, &leaves, e));
    TRY(read_list(&r, arena, &entries, e));
    ret->items = arena_alloc(arena, leaves.count * sizeof *ret->items);
    for (size_t i = 0; i < leaves.count; i++) {
        uint64_t at = leaves.items[i].container;

        if (at >= entries.count || entries.items[at].cardinality == 0) {
            return corrupt(e, "a key without a container");
        }
        ret->items[i] = entries.items[at];
        ret->items[i].key = leaves.items[i].key;
    }
    ret->count = leaves.count;
    return ERR_OK;
}

/* ---- writing ---- */

/* Byte `depth` of a key, the most significant first. */
static uint8_t key_byte(uint64_t key, size_t depth)
{
    return (uint8_t)(key >> 8 * (KEY_SIZE - 1 - depth));
}

/* A branch: containers [from, to) have all bytes before depth in common. */
struct branch {
    size_t from;
    size_t to;
    size_t depth;
    size_t prefix; /* more bytes they have in common */
    size_t children;
    size_t starts[BRANCHES + 1]; /* where each child begins, and the end */
};

static void split(const struct bitmap_list *list, struct branch *b)
{
    uint64_t first = list->items[b->from].key;
    uint64_t last = list->items[b->to - 1].key;
    size_t at;

    b->prefix = 0;
    while (key_byte(first, b->depth + b->prefix) == key_byte(last, b->depth + b->prefix)) {
        b->prefix++;
    }
    at = b->depth + b->prefix;
    b->children = 0;
    for (size_t i = b->from; i < b->to; i++) {
        if (i == b->from ||
            key_byte(list->items[i].key, at) != key_byte(list->items[i - 1].key, at)) {
            b->starts[b->children++] = i;
        }
    }
    b->starts[b->children] = b->to;
}

static enum node_kind kind_of(size_t children)
{
    return children <= 4 ? NODE_4 : children <= 16 ? NODE_16 : children <= 48 ? NODE_48 : NODE_256;
}

static void write_branch(const struct bitmap_list *list, const struct branch *b, struct writer *w)
{
    enum node_kind kind = kind_of(b->children);
    uint8_t *body;

    writer_u8(w, (uint8_t)kind);
    writer_u16le(w, (uint16_t)b->children);
    writer_u8(w, (uint8_t)b->prefix);
    for (size_t i = 0; i < b->prefix; i++) {
        writer_u8(w, key_byte(list->items[b->from].key, b->depth + i));
    }
    body = writer_room(w, node_sizes[kind]);
    memset(body, kind == NODE_48 ? 0xff : 0, node_sizes[kind]);
    for (size_t i = 0; i < b->children; i++) {
        uint8_t key = key_byte(list->items[b->starts[i]].key, b->depth + b->prefix);

        switch (kind) {
        case NODE_4:
            body[3 - i] = key;
            break;
        case NODE_16:
            body[i ^ 7] = key;
            break;
        case NODE_48:
            body[key ^ 7] = (uint8_t)i;
            break;
        case NODE_256:
            body[key / 8] |= (uint8_t)(1 << key % 8);
            break;
        case NODE_LEAF:
            break;
        }
    }
}

static void write_leaf(const struct bitmap_list *list, size_t i, struct writer *w)
{
    uint64_t key = list->items[i].key;

    writer_u8(w, NODE_LEAF);
    writer_u16le(w, 0);
    writer_u8(w, 0);
    writer_u32be(w, (uint32_t)(key >> 16));
    writer_u16be(w, (uint16_t)key);
    writer_u64le(w, i);
}

/* Recursion: a level for each byte of a key at most, KEY_SIZE. */
static void write_tree(const struct bitmap_list *list, size_t from, size_t to, size_t depth,
                       struct writer *w)
{
    struct branch b = {.from = from, .to = to, .depth = depth};

    if (to - from == 1) {
        write_leaf(list, from, w);
        return;
    }
    split(list, &b);
    write_branch(list, &b, w);
    for (size_t i = 0; i < b.children; i++) {
        write_tree(list, b.starts[i], b.starts[i + 1], depth + b.prefix + 1, w);
    }
}

/* No less than the tree of so many leaves takes: each branch has two children or more. */
static size_t tree_size_max(size_t leaves)
{
    return leaves * (NODE_MIN + LEAF_SIZE) + (leaves - 1) * (NODE_MIN + KEY_SIZE + BRANCHES);
}

static void write_list(const struct bitmap_list *list, struct writer *w)
{
    writer_u32le(w, 1);
    writer_u8(w, LIST_MARK);
    writer_u32le(w, (uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++) {
        writer_u8(w, ENTRY_THERE);
        writer_u8(w, (uint8_t)list->items[i].kind);
        writer_u32le(w, list->items[i].cardinality);
        writer_bytes(w, list->items[i].data);
    }
    writer_u64le(w, list->count);
    writer_u32le(w, 0);
    writer_u32le(w, (uint32_t)list->count - 1);
}

struct bytes bitmap64_write(const struct bitmap_list *list, struct arena *arena)
{
    static const uint8_t empty[] = {0};
    size_t size = 64; /* counts and marks */
    struct writer w;

    if (list->count == 0) {
        return bytes_of(empty, sizeof empty);
    }
    for (size_t i = 0; i < list->count; i++) {
        size += list->items[i].data.len + 6;
    }
    size += tree_size_max(list->count);
    w = writer_of(arena_alloc(arena, size), size);
    writer_u8(&w, 1);
    writer_u64le(&w, list->count);
    write_tree(list, 0, list->count, 0, &w);
    write_list(list, &w);
    return bytes_of(w.data, w.len);
}
