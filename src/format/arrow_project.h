/* Column projection of ARROW record batches without decoding or decompressing: the selected
 * columns' buffers are copied as they are, only the metadata is written anew.
 *
 * Planning and copying are separate, so that only what is sent is read from a file:
 *   arrow_projector_init  once per (schema, projection): which nodes and buffers belong together
 *   arrow_head_size       how much of a batch has to be read for its plan
 *   arrow_project_plan    that prefix -> new head in memory, byte ranges of the batch to copy
 *
 * The projected batch: the header with a new length and no statistics, the change types, an Arrow
 * message with the selected columns' nodes and buffers at new offsets, then for each selected
 * buffer the bytes up to where the next one of the original started, padding and compression
 * prefix included. Everything else in the header stays, so the checksum no longer matches: clients
 * that ask for a projection do not check it. A header-only batch stays as it is.
 * Byte for byte what the reference sends. Source: FileLogProjection of Apache Fluss. Thread: any;
 * a projector may be shared.
 */
#ifndef FORMAT_ARROW_PROJECT_H
#define FORMAT_ARROW_PROJECT_H

#include "arrow.h"
#include "batch.h"

/* Neighbouring selected columns. */
struct arrow_project_run {
    uint32_t node_first;
    uint32_t node_count;
    uint32_t buffer_first;
    uint32_t buffer_count;
};

struct arrow_projector {
    struct arrow_project_run *runs;
    size_t run_count;
    uint32_t *column_nodes; /* first node of each selected column */
    size_t column_count;
    uint32_t node_count; /* selected */
    uint32_t buffer_count;
    uint32_t schema_node_count; /* what a batch of the schema has */
    uint32_t schema_buffer_count;
};

/* Part of the stored batch, relative to its first byte. */
struct arrow_range {
    size_t offset;
    size_t len;
};

struct arrow_projection {
    struct bytes head;          /* in the arena: header, change types, metadata */
    struct arrow_range *ranges; /* follow the head, in order, none empty; in the arena */
    size_t range_count;
    size_t size; /* of the projected batch: head and ranges */
};

/* positions: strictly ascending top-level columns of the schema that layout describes; both are
 * only read during the call, the projector lives in the arena.
 * ERR_INVALID_COLUMN_PROJECTION: empty, not ascending, or outside the schema. */
MUST_USE enum errcode arrow_projector_init(struct arrow_projector *p,
                                           const struct arrow_layout *layout,
                                           const uint32_t *positions, size_t count,
                                           struct arena *arena, struct error *e);

/* How many bytes of the batch a plan needs. prefix is what has been read of it so far and holds
 * the header at least; an answer above prefix.len asks to read that much and ask again (at most
 * twice). ERR_CORRUPT_RECORD. */
MUST_USE enum errcode arrow_head_size(struct bytes prefix, const struct batch_header *header,
                                      size_t *ret, struct error *e);

/* prefix: at least arrow_head_size bytes of the batch. ERR_CORRUPT_RECORD. */
MUST_USE enum errcode arrow_project_plan(const struct arrow_projector *p, struct bytes prefix,
                                         const struct batch_header *header, struct arena *arena,
                                         struct arrow_projection *ret, struct error *e);

#endif
