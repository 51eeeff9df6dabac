#include "arrow_build.h"

#include <stdlib.h>

#define BUFFERS_MAX 3 /* of one node: validity, offsets, data */
#define GROW_MIN    ((size_t)256)

struct growing {
    uint8_t *data;
    size_t len;
    size_t cap;
};

struct build_column {
    enum arrow_build_kind kind;
    uint32_t width;
    uint32_t span;
    size_t count;
    size_t null_count;
    struct growing validity;
    struct growing offsets; /* BYTES and LIST: count + 1 numbers */
    struct growing data;    /* FIXED, BOOL and BYTES */
};

struct arrow_builder {
    size_t count;
    struct build_column columns[];
};

/* ---- life ---- */

/* Room for len more bytes, counted as used. */
static uint8_t *grow(struct growing *g, size_t len)
{
    uint8_t *p;

    if (g->cap - g->len < len) {
        size_t cap = g->cap == 0 ? GROW_MIN : g->cap * 2;

        while (cap - g->len < len) {
            cap *= 2;
        }
        g->data = mem_realloc(g->data, cap);
        g->cap = cap;
    }
    p = g->data + g->len;
    g->len += len;
    return p;
}

static bool has_offsets(const struct build_column *c)
{
    return c->kind == ARROW_BUILD_BYTES || c->kind == ARROW_BUILD_LIST;
}

static bool has_data(const struct build_column *c)
{
    return c->kind != ARROW_BUILD_LIST && c->kind != ARROW_BUILD_STRUCT;
}

struct arrow_builder *arrow_builder_new(const struct arrow_build_node *nodes, size_t count)
{
    struct arrow_builder *b;

    ASSERT(count > 0);
    b = mem_zalloc(sizeof *b + count * sizeof b->columns[0]);
    b->count = count;
    for (size_t i = 0; i < count; i++) {
        ASSERT(nodes[i].span >= 1 && nodes[i].span <= count - i);
        ASSERT(nodes[i].kind != ARROW_BUILD_LIST || nodes[i].span > 1);
        ASSERT(nodes[i].kind != ARROW_BUILD_FIXED || nodes[i].width > 0);
        b->columns[i].kind = nodes[i].kind;
        b->columns[i].width = nodes[i].width;
        b->columns[i].span = nodes[i].span;
    }
    arrow_builder_clear(b);
    return b;
}

void arrow_builder_free(struct arrow_builder *b)
{
    if (b == NULL) {
        return;
    }
    for (size_t i = 0; i < b->count; i++) {
        free(b->columns[i].validity.data);
        free(b->columns[i].offsets.data);
        free(b->columns[i].data.data);
    }
    free(b);
}

void arrow_builder_freep(struct arrow_builder **b) { arrow_builder_free(*b); }

void arrow_builder_clear(struct arrow_builder *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct build_column *c = &b->columns[i];

        c->count = 0;
        c->null_count = 0;
        c->validity.len = 0;
        c->offsets.len = 0;
        c->data.len = 0;
        if (has_offsets(c)) {
            put_u32le(grow(&c->offsets, sizeof(uint32_t)), 0);
        }
    }
}

/* ---- values ---- */

static struct build_column *column(struct arrow_builder *b, size_t node)
{
    ASSERT(node < b->count);
    return &b->columns[node];
}

/* Appends a bit at position `index`, which is the number of bits so far. */
static void append_bit(struct growing *bits, size_t index, bool value)
{
    if (index % 8 == 0) {
        *grow(bits, 1) = 0;
    }
    if (value) {
        bits->data[index / 8] |= (uint8_t)(1u << index % 8);
    }
}

/* Lengths beyond 32 bits are refused when the message is made. */
static void append_offset(struct build_column *c, size_t end)
{
    put_u32le(grow(&c->offsets, sizeof(uint32_t)), (uint32_t)end);
}

static void append_validity(struct build_column *c, bool valid)
{
    append_bit(&c->validity, c->count, valid);
    c->count++;
    c->null_count += valid ? 0 : 1;
}

static void append_null(struct arrow_builder *b, size_t node)
{
    struct build_column *c = &b->columns[node];

    switch (c->kind) {
    case ARROW_BUILD_FIXED:
        memset(grow(&c->data, c->width), 0, c->width);
        break;
    case ARROW_BUILD_BOOL:
        append_bit(&c->data, c->count, false);
        break;
    case ARROW_BUILD_BYTES:
        append_offset(c, c->data.len);
        break;
    case ARROW_BUILD_LIST:
        append_offset(c, b->columns[node + 1].count);
        break;
    case ARROW_BUILD_STRUCT:
        break;
    }
    append_validity(c, false);
}

void arrow_builder_null(struct arrow_builder *b, size_t node)
{
    size_t end = node + column(b, node)->span;

    append_null(b, node);
    if (b->columns[node].kind != ARROW_BUILD_STRUCT) {
        return;
    }
    for (size_t i = node + 1; i < end;) { /* into structs, not into lists */
        append_null(b, i);
        i += b->columns[i].kind == ARROW_BUILD_STRUCT ? 1 : b->columns[i].span;
    }
}

void arrow_builder_fixed(struct arrow_builder *b, size_t node, const void *value)
{
    struct build_column *c = column(b, node);

    ASSERT(c->kind == ARROW_BUILD_FIXED);
    memcpy(grow(&c->data, c->width), value, c->width);
    append_validity(c, true);
}

void arrow_builder_bool(struct arrow_builder *b, size_t node, bool value)
{
    struct build_column *c = column(b, node);

    ASSERT(c->kind == ARROW_BUILD_BOOL);
    append_bit(&c->data, c->count, value);
    append_validity(c, true);
}

void arrow_builder_bytes(struct arrow_builder *b, size_t node, struct bytes value)
{
    struct build_column *c = column(b, node);

    ASSERT(c->kind == ARROW_BUILD_BYTES);
    if (value.len > 0) {
        memcpy(grow(&c->data, value.len), value.data, value.len);
    }
    append_offset(c, c->data.len);
    append_validity(c, true);
}

/* ---- runs of values ---- */

/* Appends `count` bits behind `index` of them. */
static void append_bits(struct growing *bits, size_t index, uint64_t values, uint32_t count)
{
    size_t at = index / 8;
    size_t fresh = (index + count + 7) / 8 - bits->len;
    unsigned shift = index % 8;

    if (fresh > 0) {
        memset(grow(bits, fresh), 0, fresh);
    }
    bits->data[at] |= (uint8_t)(values << shift);
    for (unsigned done = 8 - shift; done < count; done += 8) {
        bits->data[++at] = (uint8_t)(values >> done);
    }
}

static struct build_column *run_column(struct arrow_builder *b, size_t node,
                                       enum arrow_build_kind kind, struct arrow_run run)
{
    struct build_column *c = column(b, node);

    ASSERT(c->kind == kind && run.count > 0 && run.count <= ARROW_RUN_MAX);
    ASSERT(run.count == ARROW_RUN_MAX || run.valid >> run.count == 0);
    return c;
}

static void end_run(struct build_column *c, struct arrow_run run)
{
    append_bits(&c->validity, c->count, run.valid, run.count);
    c->count += run.count;
    c->null_count += run.count - (uint32_t)__builtin_popcountll(run.valid);
}

uint8_t *arrow_builder_fixed_run(struct arrow_builder *b, size_t node, struct arrow_run run)
{
    struct build_column *c = run_column(b, node, ARROW_BUILD_FIXED, run);

    end_run(c, run);
    return grow(&c->data, (size_t)run.count * c->width);
}

void arrow_builder_bool_run(struct arrow_builder *b, size_t node, struct arrow_run run,
                            uint64_t values)
{
    struct build_column *c = run_column(b, node, ARROW_BUILD_BOOL, run);

    ASSERT((values & ~run.valid) == 0);
    append_bits(&c->data, c->count, values, run.count);
    end_run(c, run);
}

void arrow_builder_bytes_run(struct arrow_builder *b, size_t node, struct arrow_run run,
                             const struct bytes *values)
{
    struct build_column *c = run_column(b, node, ARROW_BUILD_BYTES, run);
    uint8_t *offsets = grow(&c->offsets, run.count * sizeof(uint32_t));
    size_t end = c->data.len;
    size_t size = 0;

    for (uint32_t i = 0; i < run.count; i++) {
        size += values[i].len;
        put_u32le(offsets + i * sizeof(uint32_t), (uint32_t)(end + size));
    }
    if (size > 0) { /* else there may be no memory yet */
        struct writer w = writer_of(grow(&c->data, size), size);

        for (uint32_t i = 0; i < run.count; i++) {
            writer_bytes(&w, values[i]);
        }
    }
    end_run(c, run);
}

/* ---- nested values ---- */

void arrow_builder_list(struct arrow_builder *b, size_t node)
{
    struct build_column *c = column(b, node);

    ASSERT(c->kind == ARROW_BUILD_LIST);
    append_offset(c, b->columns[node + 1].count);
    append_validity(c, true);
}

void arrow_builder_struct(struct arrow_builder *b, size_t node)
{
    struct build_column *c = column(b, node);

    ASSERT(c->kind == ARROW_BUILD_STRUCT);
    append_validity(c, true);
}

size_t arrow_builder_count(const struct arrow_builder *b, size_t node)
{
    ASSERT(node < b->count);
    return b->columns[node].count;
}

size_t arrow_builder_size(const struct arrow_builder *b)
{
    size_t size = 0;

    for (size_t i = 0; i < b->count; i++) {
        const struct build_column *c = &b->columns[i];

        size += c->validity.len + c->offsets.len + c->data.len;
    }
    return size;
}

/* ---- the message ---- */

static size_t padded(size_t len) { return (len + 7) & ~(size_t)7; }

/* The buffers of a node in their order. */
static size_t buffers_of(const struct build_column *c, struct bytes *ret)
{
    size_t count = 0;

    ret[count++] = bytes_of(c->validity.data, c->validity.len);
    if (has_offsets(c)) {
        ret[count++] = bytes_of(c->offsets.data, c->offsets.len);
    }
    if (has_data(c)) {
        ret[count++] = bytes_of(c->data.data, c->data.len);
    }
    return count;
}

/* What the appending functions could not refuse. */
static enum errcode check_sizes(const struct arrow_builder *b, struct error *e)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct build_column *c = &b->columns[i];

        if (c->data.len > INT32_MAX || c->count > INT32_MAX) {
            return error_set(e, ERR_RECORD_TOO_LARGE, "a column of %zu values has %zu bytes",
                             c->count, c->data.len);
        }
    }
    return ERR_OK;
}

/* Our own mistakes: columns of different lengths. */
static void assert_counts(const struct arrow_builder *b)
{
    size_t rows = b->columns[0].count;

    ASSERT(rows > 0);
    for (size_t i = 0; i < b->count; i += b->columns[i].span) {
        ASSERT(b->columns[i].count == rows);
    }
    for (size_t i = 0; i < b->count; i++) {
        const struct build_column *c = &b->columns[i];

        if (c->kind == ARROW_BUILD_LIST) {
            ASSERT(get_u32le(c->offsets.data + c->offsets.len - sizeof(uint32_t)) ==
                   (uint32_t)b->columns[i + 1].count);
        }
        for (size_t k = i + 1; c->kind == ARROW_BUILD_STRUCT && k < i + c->span;
             k += b->columns[k].span) {
            ASSERT(b->columns[k].count == c->count);
        }
    }
}

/* All buffers as they will be stored. */
static struct bytes *store_buffers(const struct arrow_builder *b,
                                   const struct arrow_build_codec *codec, struct arena *arena,
                                   size_t *ret_count)
{
    struct bytes *stored = arena_array(arena, b->count * BUFFERS_MAX, sizeof *stored);
    size_t count = 0;

    for (size_t i = 0; i < b->count; i++) {
        count += buffers_of(&b->columns[i], stored + count);
    }
    for (size_t i = 0; codec->kind != ARROW_CODEC_NONE && i < count; i++) {
        stored[i] = codec_compress(codec->codec, codec->kind, codec->level, stored[i], arena);
    }
    *ret_count = count;
    return stored;
}

static void write_metadata(const struct arrow_builder *b, const struct bytes *stored, uint8_t *at,
                           const struct arrow_metadata *m)
{
    struct arrow_writer w;
    int64_t offset = 0;

    arrow_writer_begin(&w, at, m);
    for (size_t i = 0; i < m->buffer_count; i++) {
        arrow_writer_buffer(&w, offset, (int64_t)stored[i].len);
        offset += (int64_t)padded(stored[i].len);
    }
    arrow_writer_nodes(&w);
    for (size_t i = 0; i < b->count; i++) {
        arrow_writer_node(&w, (int64_t)b->columns[i].count, (int64_t)b->columns[i].null_count);
    }
}

enum errcode arrow_builder_finish(const struct arrow_builder *b,
                                  const struct arrow_build_codec *codec, struct arena *arena,
                                  struct bytes *ret, struct error *e)
{
    struct bytes *stored;
    struct writer body;
    size_t body_size = 0;
    size_t start;
    size_t count;

    assert_counts(b);
    TRY(check_sizes(b, e));
    stored = store_buffers(b, codec, arena, &count);
    for (size_t i = 0; i < count; i++) {
        body_size += padded(stored[i].len);
    }
    start = arrow_metadata_size(codec->kind, b->count, count);
    if (start + body_size > INT32_MAX) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "a message of %zu bytes", start + body_size);
    }
    body = writer_of(arena_alloc(arena, start + body_size), start + body_size);
    write_metadata(b, stored, writer_room(&body, start),
                   &(struct arrow_metadata){.codec = codec->kind,
                                            .node_count = (uint32_t)b->count,
                                            .buffer_count = (uint32_t)count,
                                            .row_count = (int64_t)b->columns[0].count,
                                            .body_size = (int64_t)body_size});
    for (size_t i = 0; i < count; i++) {
        writer_bytes(&body, stored[i]);
        writer_zeros(&body, padded(stored[i].len) - stored[i].len);
    }
    *ret = bytes_of(body.data, body.len);
    return ERR_OK;
}
