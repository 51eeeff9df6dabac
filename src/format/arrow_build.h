/* Building the Arrow message of a batch (arrow.h), column by column.
 *
 * A builder is made of nodes, the fields of the schema in depth-first pre-order: a LIST is followed
 * by its element, a STRUCT by its fields, a map is a LIST of a STRUCT of key and value. Values are
 * appended node by node in any order; when the message is made, all top-level nodes have the same
 * number of values. Memory is kept from one message to the next.
 *
 * What comes out is what the Java writer makes: a validity buffer also without nulls, zeros under
 * nulls. Thread: one at a time, its owner.
 */
#ifndef FORMAT_ARROW_BUILD_H
#define FORMAT_ARROW_BUILD_H

#include "codec.h"

enum arrow_build_kind {
    ARROW_BUILD_FIXED, /* validity, data of `width` bytes each */
    ARROW_BUILD_BOOL,  /* validity, bits */
    ARROW_BUILD_BYTES, /* validity, offsets, data: utf8 and binary */
    ARROW_BUILD_LIST,  /* validity, offsets */
    ARROW_BUILD_STRUCT /* validity */
};

struct arrow_build_node {
    enum arrow_build_kind kind;
    uint32_t width; /* of FIXED */
    uint32_t span;  /* nodes of this field: itself and all below it, so at least 1 */
};

struct arrow_builder;

/* Copies the nodes; count > 0. */
struct arrow_builder *arrow_builder_new(const struct arrow_build_node *nodes, size_t count);
void arrow_builder_free(struct arrow_builder *b);
void arrow_builder_freep(struct arrow_builder **b); /* for OWNED */
/* Drops all values. */
void arrow_builder_clear(struct arrow_builder *b);

/* Any kind. Below a null STRUCT all fields get a null too; a null LIST has no elements. */
void arrow_builder_null(struct arrow_builder *b, size_t node);
/* width bytes in the order of Arrow (little-endian). */
void arrow_builder_fixed(struct arrow_builder *b, size_t node, const void *value);
void arrow_builder_bool(struct arrow_builder *b, size_t node, bool value);
void arrow_builder_bytes(struct arrow_builder *b, size_t node, struct bytes value);
/* The same for up to ARROW_RUN_MAX values at once; bit i of `valid` says whether value i is one. Below
 * nulls: for FIXED zeros, which the caller puts into the room it is given as well, for BOOL zeros, for
 * BYTES empty values. */
#define ARROW_RUN_MAX 64u
struct arrow_run {
    uint32_t count;
    uint64_t valid;
};
uint8_t *arrow_builder_fixed_run(struct arrow_builder *b, size_t node, struct arrow_run run);
void arrow_builder_bool_run(struct arrow_builder *b, size_t node, struct arrow_run run,
                            uint64_t values);
void arrow_builder_bytes_run(struct arrow_builder *b, size_t node, struct arrow_run run,
                             const struct bytes *values);
/* A list of what was appended to its element since the list before. */
void arrow_builder_list(struct arrow_builder *b, size_t node);
/* A struct that is not null; its fields are appended separately. */
void arrow_builder_struct(struct arrow_builder *b, size_t node);

static inline void arrow_builder_i32(struct arrow_builder *b, size_t node, int32_t value)
{
    uint8_t raw[sizeof value];

    put_i32le(raw, value);
    arrow_builder_fixed(b, node, raw);
}

static inline void arrow_builder_i64(struct arrow_builder *b, size_t node, int64_t value)
{
    uint8_t raw[sizeof value];

    put_i64le(raw, value);
    arrow_builder_fixed(b, node, raw);
}

/* Values of the node so far; of node 0 the rows of the message. */
size_t arrow_builder_count(const struct arrow_builder *b, size_t node);
/* Bytes of all buffers so far, before compression: what to bound a batch by. */
size_t arrow_builder_size(const struct arrow_builder *b);

struct arrow_build_codec {
    struct codec *codec; /* NULL only with ARROW_CODEC_NONE */
    enum arrow_codec kind;
    int level;
};

/* The message, in the arena; at least one row. The values stay: clear before the next.
 * ERR_RECORD_TOO_LARGE: a column or the message has 2^31 bytes and more. */
MUST_USE enum errcode arrow_builder_finish(const struct arrow_builder *b,
                                           const struct arrow_build_codec *codec,
                                           struct arena *arena, struct bytes *ret, struct error *e);

#endif
