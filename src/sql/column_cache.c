#include "column_cache.h"

#include "text_codes.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "io/lock.h"

#define BUFFER_ALIGN 16

struct column_cache {
    struct lock lock;   /* of all that follows, and of links and scans of the entries */
    struct map columns; /* hash of the key -> the one that came last */
    struct list by_use; /* the one that was used last at the end */
    uint64_t bytes;     /* what is being copied included */
    uint64_t bytes_max;
    uint64_t scans;
};

struct cached_column {
    atomic_uint refs;
    struct column_key key;
    uint64_t hash;
    size_t bytes;
    struct list link;
    uint64_t scan; /* the latest that used it */
    size_t rows;
    const uint8_t *codes; /* of texts of few values; NULL: others */
    struct arrow_read_node nodes[];
};

struct column_cache *column_cache_new(uint64_t bytes_max)
{
    struct column_cache *c = mem_new(struct column_cache);

    lock_init(&c->lock);
    map_init(&c->columns);
    list_init(&c->by_use);
    c->bytes_max = bytes_max;
    return c;
}

/* Takes it out, for the caller to unref. */
static void take_out(struct column_cache *c, struct cached_column *column)
{
    ASSERT(map_remove(&c->columns, column->hash) == column);
    list_remove(&column->link);
    c->bytes -= column->bytes;
}

static void unref_all(struct list *columns)
{
    LIST_FOR_EACH(it, columns)
    {
        (void)cached_column_unref(container_of(it, struct cached_column, link));
    }
}

void column_cache_free(struct column_cache *c)
{
    if (c == NULL) {
        return;
    }
    unref_all(&c->by_use);
    map_fini(&c->columns);
    lock_fini(&c->lock);
    free(c);
}

uint64_t column_cache_scan(struct column_cache *c)
{
    uint64_t scan;

    lock_take(&c->lock);
    scan = ++c->scans;
    lock_give(&c->lock);
    return scan;
}

uint64_t column_cache_bytes(struct column_cache *c)
{
    uint64_t bytes;

    lock_take(&c->lock);
    bytes = c->bytes;
    lock_give(&c->lock);
    return bytes;
}

const struct arrow_read_node *cached_column_nodes(const struct cached_column *column)
{
    return column->nodes;
}

const uint8_t *cached_column_codes(const struct cached_column *column) { return column->codes; }
size_t cached_column_rows(const struct cached_column *column) { return column->rows; }

void *cached_column_unref(struct cached_column *column)
{
    if (column != NULL && atomic_fetch_sub(&column->refs, 1) == 1) {
        free(column);
    }
    return NULL;
}

/* ---- finding ---- */

static uint64_t hash_key(const struct column_key *key)
{
    const uint64_t words[] = {(uint64_t)key->bucket.table_id,
                              (uint64_t)key->bucket.partition_id,
                              (uint64_t)key->bucket.bucket,
                              (uint64_t)key->base_offset,
                              key->size,
                              (uint64_t)key->crc << 32 | key->position};
    uint64_t hash = 0;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        hash = hash_u64(hash + words[i] + 1);
    }
    return hash;
}

static bool same_key(const struct column_key *a, const struct column_key *b)
{
    return a->bucket.table_id == b->bucket.table_id &&
           a->bucket.partition_id == b->bucket.partition_id &&
           a->bucket.bucket == b->bucket.bucket && a->base_offset == b->base_offset &&
           a->size == b->size && a->crc == b->crc && a->position == b->position;
}

struct cached_column *column_cache_get(struct column_cache *c, const struct column_key *key,
                                       uint64_t scan)
{
    uint64_t hash = hash_key(key);
    struct cached_column *column;

    lock_take(&c->lock);
    column = map_get(&c->columns, hash);
    if (column != NULL && !same_key(&column->key, key)) {
        column = NULL;
    }
    if (column != NULL) {
        atomic_fetch_add(&column->refs, 1);
        column->scan = scan > column->scan ? scan : column->scan;
        list_remove(&column->link);
        list_push_back(&c->by_use, &column->link);
    }
    lock_give(&c->lock);
    return column;
}

/* ---- copying ---- */

static size_t padded(size_t len) { return (len + BUFFER_ALIGN - 1) & ~(size_t)(BUFFER_ALIGN - 1); }

/* Of the decimals of the column the low halves say all. */
static bool is_narrow(const struct type *type, const struct arrow_read_node *n)
{
    uint64_t beyond = 0;

    if (type->root != TYPE_DECIMAL || type->precision <= 9 || type->precision > 18) {
        return false;
    }
    for (size_t i = 0; i < n->length; i++) {
        uint64_t low = get_u64le(n->data.data + i * 16);

        beyond |= get_u64le(n->data.data + i * 16 + 8) ^ (uint64_t)((int64_t)low >> 63);
    }
    return beyond == 0;
}

static size_t nodes_size(const struct arrow_read_node *nodes)
{
    return padded(sizeof(struct cached_column) + nodes->span * sizeof *nodes);
}

static size_t column_size(const struct arrow_read_node *nodes, bool narrow)
{
    size_t size = nodes_size(nodes);

    for (uint32_t i = 0; i < nodes->span; i++) {
        const struct arrow_read_node *n = &nodes[i];

        size += padded(n->validity.len) + padded(n->offsets.len) +
                padded(narrow ? n->length * sizeof(int64_t) : n->data.len);
    }
    return size;
}

static struct bytes copy_buffer(struct writer *w, struct bytes b)
{
    uint8_t *at = writer_room(w, padded(b.len));

    if (b.len > 0) {
        memcpy(at, b.data, b.len);
    }
    return bytes_of(at, b.len);
}

static struct bytes copy_halves(struct writer *w, const struct arrow_read_node *n)
{
    size_t len = n->length * sizeof(int64_t);
    uint8_t *at = writer_room(w, padded(len));

    for (size_t i = 0; i < n->length; i++) {
        memcpy(at + i * 8, n->data.data + i * 16, sizeof(int64_t));
    }
    return bytes_of(at, len);
}

static struct cached_column *column_of_size(size_t size)
{
    struct cached_column *column = mem_alloc(size);

    memset(column, 0, sizeof *column);
    atomic_init(&column->refs, 1);
    column->bytes = size;
    list_init(&column->link);
    return column;
}

static struct cached_column *copy_column(const struct arrow_read_node *nodes, bool narrow,
                                         size_t size)
{
    struct cached_column *column = column_of_size(size);
    size_t head = nodes_size(nodes);
    struct writer w = writer_of((uint8_t *)column + head, size - head);

    column->rows = nodes->length;
    for (uint32_t i = 0; i < nodes->span; i++) {
        struct arrow_read_node n = nodes[i];

        n.validity = copy_buffer(&w, nodes[i].validity);
        n.offsets = copy_buffer(&w, nodes[i].offsets);
        n.data = narrow ? copy_halves(&w, &nodes[i]) : copy_buffer(&w, nodes[i].data);
        n.width = narrow ? sizeof(int64_t) : n.width;
        column->nodes[i] = n;
    }
    return column;
}

/* ---- texts of few values ---- */

static size_t coded_size(const struct arrow_read_node *node, const struct text_codes *t)
{
    return nodes_size(node) + padded(node->length) + padded((t->count + 7) / 8) +
           padded((t->count + 1) * sizeof(uint32_t)) + padded(t->bytes);
}

/* The values as a column of their own, whose buffers go to where the writer is. */
static struct arrow_read_node copy_values(struct writer *w, const struct text_codes *t)
{
    struct arrow_read_node n = {
        .kind = ARROW_BUILD_BYTES, .span = 1, .length = t->count, .null_count = t->null_count};
    size_t validity_len = (t->count + 7) / 8;
    size_t offsets_len = (t->count + 1) * sizeof(uint32_t);
    uint8_t *validity = writer_room(w, padded(validity_len));
    uint8_t *offsets = writer_room(w, padded(offsets_len));
    uint8_t *data = writer_room(w, padded(t->bytes));
    uint32_t at = 0;

    memset(validity, 0xff, validity_len);
    if (t->null_count > 0) {
        validity[t->null / 8] &= (uint8_t) ~(1u << t->null % 8);
    }
    for (size_t i = 0; i < t->count; i++) {
        put_u32le(offsets + i * sizeof at, at);
        if (t->values[i].len > 0) {
            memcpy(data + at, t->values[i].data, t->values[i].len);
        }
        at += (uint32_t)t->values[i].len;
    }
    put_u32le(offsets + t->count * sizeof at, at);
    n.validity = bytes_of(validity, validity_len);
    n.offsets = bytes_of(offsets, offsets_len);
    n.data = bytes_of(data, t->bytes);
    return n;
}

static struct cached_column *coded_column(const struct arrow_read_node *node, const uint8_t *codes,
                                          const struct text_codes *t)
{
    size_t size = coded_size(node, t);
    struct cached_column *column = column_of_size(size);
    size_t head = nodes_size(node);
    struct writer w = writer_of((uint8_t *)column + head, size - head);

    column->rows = node->length;
    column->codes = copy_buffer(&w, bytes_of(codes, node->length)).data;
    column->nodes[0] = copy_values(&w, t);
    return column;
}

/* NULL: it is not a column of few values. */
static struct cached_column *copy_coded(const struct type *type, const struct arrow_read_node *node)
{
    struct cached_column *column = NULL;
    struct text_codes t;
    uint8_t *codes;

    if (!text_codes_may_be(type, node)) {
        return NULL;
    }
    codes = mem_alloc(node->length);
    if (text_codes_find(&t, type, node, codes)) {
        column = coded_column(node, codes, &t);
    }
    free(codes);
    return column;
}

/* ---- coming and going ---- */

/* Whether there is room for the bytes now, which the caller has then. */
static bool reserve(struct column_cache *c, uint64_t bytes, uint64_t scan)
{
    struct list gone;
    bool room = bytes <= c->bytes_max;

    list_init(&gone);
    lock_take(&c->lock);
    while (room && c->bytes + bytes > c->bytes_max) {
        struct cached_column *oldest = container_of(c->by_use.next, struct cached_column, link);

        room = !list_empty(&c->by_use) && oldest->scan + COLUMN_CACHE_SCANS < scan;
        if (room) {
            take_out(c, oldest);
            list_push_back(&gone, &oldest->link);
        }
    }
    c->bytes += room ? bytes : 0;
    lock_give(&c->lock);
    unref_all(&gone);
    return room;
}

void column_cache_put(struct column_cache *c, const struct column_key *key, const struct type *type,
                      const struct arrow_read_node *nodes, uint64_t scan)
{
    bool narrow = is_narrow(type, nodes);
    size_t room = column_size(nodes, narrow);
    struct cached_column *column;
    struct cached_column *other;

    if (!reserve(c, room, scan)) {
        return;
    }
    column = copy_coded(type, nodes);
    if (column == NULL) {
        column = copy_column(nodes, narrow, room);
    }
    ASSERT(column->bytes <= room);
    column->key = *key;
    column->hash = hash_key(key);
    column->scan = scan;
    lock_take(&c->lock);
    c->bytes -= room - column->bytes;
    other = map_get(&c->columns, column->hash); /* another scan was as fast */
    if (other != NULL) {
        take_out(c, other);
    }
    ASSERT(map_put(&c->columns, column->hash, column) == NULL);
    list_push_back(&c->by_use, &column->link);
    lock_give(&c->lock);
    (void)cached_column_unref(other);
}

static bool is_there(const struct meta_view *view, const struct bucket_id *id)
{
    return meta_view_table_by_id(view, id->table_id) != NULL &&
           (id->partition_id < 0 || meta_view_partition(view, id->partition_id, NULL) != NULL);
}

void column_cache_follow(struct column_cache *c, const struct meta_view *view)
{
    struct list gone;

    list_init(&gone);
    lock_take(&c->lock);
    LIST_FOR_EACH(it, &c->by_use)
    {
        struct cached_column *column = container_of(it, struct cached_column, link);

        if (!is_there(view, &column->key.bucket)) {
            take_out(c, column);
            list_push_back(&gone, &column->link);
        }
    }
    lock_give(&c->lock);
    unref_all(&gone);
}
