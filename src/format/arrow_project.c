/* Column projection of ARROW record batches; what it does is told in arrow_project.h. */
#include "arrow_project.h"

#include <inttypes.h>

/* A batch being projected. */
struct source {
    struct arrow_message message;
    size_t message_at; /* in the batch */
    size_t body_at;
};

static enum errcode check_positions(const struct arrow_layout *layout, const uint32_t *positions,
                                    size_t count, struct error *e);
static size_t message_at(const struct batch_header *header);
static enum errcode open_source(const struct arrow_projector *p, struct bytes prefix,
                                const struct batch_header *header, struct source *ret,
                                struct error *e);
static enum errcode check_columns(const struct arrow_projector *p, const struct arrow_message *m,
                                  struct error *e);
static enum errcode find_ranges(const struct arrow_projector *p, const struct source *s,
                                struct arena *arena, struct arrow_projection *ret, struct error *e);
static enum errcode check_run(const struct arrow_project_run *run, const struct arrow_message *m,
                              int64_t start_min, struct error *e);
static int64_t buffer_end(const struct arrow_message *m, size_t index);
static void write_head(uint8_t *to, struct bytes prefix, const struct batch_header *header,
                       size_t new_size);
static void write_metadata(const struct arrow_projector *p, const struct arrow_message *m,
                           size_t body_size, uint8_t *to);

enum errcode arrow_projector_init(struct arrow_projector *p, const struct arrow_layout *layout,
                                  const uint32_t *positions, size_t count, struct arena *arena,
                                  struct error *e)
{
    struct arrow_projector built = {.column_count = count};
    size_t next = 0; /* of positions */

    TRY(check_positions(layout, positions, count, e));
    built.runs = arena_array(arena, count, sizeof *built.runs);
    built.column_nodes = arena_array(arena, count, sizeof *built.column_nodes);
    for (size_t i = 0; i < layout->count; i++) {
        const struct arrow_column *column = &layout->columns[i];

        ASSERT(column->nodes > 0);
        if (next < count && positions[next] == i) {
            struct arrow_project_run *run;

            if (next == 0 || positions[next - 1] + 1 != i) {
                built.runs[built.run_count++] =
                    (struct arrow_project_run){.node_first = built.schema_node_count,
                                               .buffer_first = built.schema_buffer_count};
            }
            run = &built.runs[built.run_count - 1];
            run->node_count += column->nodes;
            run->buffer_count += column->buffers;
            built.node_count += column->nodes;
            built.buffer_count += column->buffers;
            built.column_nodes[next++] = built.schema_node_count;
        }
        built.schema_node_count += column->nodes;
        built.schema_buffer_count += column->buffers;
    }
    ASSERT(next == count);
    *p = built;
    return ERR_OK;
}

static enum errcode check_positions(const struct arrow_layout *layout, const uint32_t *positions,
                                    size_t count, struct error *e)
{
    if (count == 0) {
        return error_set(e, ERR_INVALID_COLUMN_PROJECTION, "the projection selects no column");
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && positions[i] <= positions[i - 1]) {
            return error_set(e, ERR_INVALID_COLUMN_PROJECTION,
                             "projected positions must ascend: %" PRIu32 " follows %" PRIu32,
                             positions[i], positions[i - 1]);
        }
        if (positions[i] >= layout->count) {
            return error_set(e, ERR_INVALID_COLUMN_PROJECTION,
                             "projected position %" PRIu32 " in a schema of %zu columns",
                             positions[i], layout->count);
        }
    }
    return ERR_OK;
}

enum errcode arrow_head_size(struct bytes prefix, const struct batch_header *header, size_t *ret,
                             struct error *e)
{
    size_t at = message_at(header);
    size_t metadata_size;

    if (batch_header_only(header)) {
        *ret = header->header_size;
        return ERR_OK;
    }
    if (at > header->size || header->size - at < ARROW_PREFIX_SIZE) {
        return error_set(e, ERR_CORRUPT_RECORD, "record batch of %zu bytes without Arrow message",
                         header->size);
    }
    if (prefix.len < at + ARROW_PREFIX_SIZE) {
        *ret = at + ARROW_PREFIX_SIZE;
        return ERR_OK;
    }
    TRY(arrow_metadata_peek(bytes_slice(prefix, at, ARROW_PREFIX_SIZE), &metadata_size, e));
    if (metadata_size > header->size - at) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "Arrow metadata of %zu bytes at %zu of a record batch of %zu",
                         metadata_size, at, header->size);
    }
    *ret = at + metadata_size;
    return ERR_OK;
}

/* Where the Arrow message starts; may lie behind the end of a damaged batch. */
static size_t message_at(const struct batch_header *header)
{
    size_t at = header->header_size + header->statistics_size;

    return batch_append_only(header) ? at : at + (size_t)header->record_count;
}

enum errcode arrow_project_plan(const struct arrow_projector *p, struct bytes prefix,
                                const struct batch_header *header, struct arena *arena,
                                struct arrow_projection *ret, struct error *e)
{
    struct arrow_projection plan = {0};
    struct source s = {0};
    size_t fixed_size; /* header and change types */
    size_t body_size;
    uint8_t *head;

    if (batch_header_only(header)) {
        plan.head = arena_copy(arena, bytes_slice(prefix, 0, header->header_size));
        plan.size = plan.head.len;
        *ret = plan;
        return ERR_OK;
    }
    TRY(open_source(p, prefix, header, &s, e));
    TRY(find_ranges(p, &s, arena, &plan, e));
    body_size = plan.size;
    fixed_size = s.message_at - header->statistics_size;
    plan.head.len =
        fixed_size + arrow_metadata_size(s.message.codec, p->node_count, p->buffer_count);
    plan.size += plan.head.len;
    if (plan.size > INT32_MAX) {
        return error_set(e, ERR_CORRUPT_RECORD, "projected record batch of %zu bytes", plan.size);
    }
    head = arena_alloc(arena, plan.head.len);
    write_head(head, prefix, header, plan.size);
    write_metadata(p, &s.message, body_size, head + fixed_size);
    plan.head.data = head;
    *ret = plan;
    return ERR_OK;
}

static enum errcode open_source(const struct arrow_projector *p, struct bytes prefix,
                                const struct batch_header *header, struct source *ret,
                                struct error *e)
{
    struct source s = {.message_at = message_at(header)};
    size_t head_size;

    TRY(arrow_head_size(prefix, header, &head_size, e));
    ASSERT(head_size <= prefix.len);
    TRY(arrow_message_parse(bytes_slice(prefix, s.message_at, head_size - s.message_at), &s.message,
                            e));
    s.body_at = s.message_at + s.message.body_at;
    if (s.message.body_size > header->size - s.body_at) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "Arrow body of %zu bytes at %zu of a record batch of %zu",
                         s.message.body_size, s.body_at, header->size);
    }
    if (s.message.row_count != header->record_count) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "Arrow batch of %" PRId64 " rows in a record batch of %" PRId32,
                         s.message.row_count, header->record_count);
    }
    TRY(check_columns(p, &s.message, e));
    *ret = s;
    return ERR_OK;
}

static enum errcode check_columns(const struct arrow_projector *p, const struct arrow_message *m,
                                  struct error *e)
{
    if (m->node_count != p->schema_node_count || m->buffer_count != p->schema_buffer_count) {
        return error_set(e, ERR_CORRUPT_RECORD,
                         "Arrow batch of %" PRIu32 " nodes and %" PRIu32
                         " buffers; its schema has %" PRIu32 " and %" PRIu32,
                         m->node_count, m->buffer_count, p->schema_node_count,
                         p->schema_buffer_count);
    }
    for (size_t i = 0; i < p->column_count; i++) {
        struct arrow_node node = arrow_node(m, p->column_nodes[i]);

        if (node.length != m->row_count) {
            return error_set(e, ERR_CORRUPT_RECORD,
                             "Arrow column of %" PRId64 " values in a batch of %" PRId64,
                             node.length, m->row_count);
        }
    }
    return ERR_OK;
}

/* One range per run, joined where the columns between two runs take no bytes. Runs must ascend, so
 * that no byte is copied twice. ret->size is the sum. */
static enum errcode find_ranges(const struct arrow_projector *p, const struct source *s,
                                struct arena *arena, struct arrow_projection *ret, struct error *e)
{
    struct arrow_range *last = NULL;
    int64_t end = 0; /* of the run before */

    ret->ranges = arena_alloc(arena, p->run_count * sizeof *ret->ranges);
    for (size_t i = 0; i < p->run_count; i++) {
        const struct arrow_project_run *run = &p->runs[i];
        int64_t start;
        size_t len;

        if (run->buffer_count == 0) {
            continue;
        }
        TRY(check_run(run, &s->message, end, e));
        start = arrow_buffer(&s->message, run->buffer_first).offset;
        end = buffer_end(&s->message, run->buffer_first + run->buffer_count - 1);
        len = (size_t)(end - start);
        if (last != NULL && last->offset + last->len == s->body_at + (size_t)start) {
            last->len += len;
        } else if (len > 0) {
            last = &ret->ranges[ret->range_count++];
            *last = (struct arrow_range){.offset = s->body_at + (size_t)start, .len = len};
        }
        ret->size += len;
    }
    return ERR_OK;
}

/* Buffers of the run must follow one another, from `start_min` to the end of the body. */
static enum errcode check_run(const struct arrow_project_run *run, const struct arrow_message *m,
                              int64_t start_min, struct error *e)
{
    for (size_t i = 0; i < run->buffer_count; i++) {
        size_t index = run->buffer_first + i;
        struct arrow_buffer b = arrow_buffer(m, index);
        int64_t end = buffer_end(m, index);

        if (b.offset < start_min || b.length < 0 || end < b.offset || b.length > end - b.offset ||
            end > (int64_t)m->body_size) {
            return error_set(e, ERR_CORRUPT_RECORD,
                             "Arrow buffer %zu at %" PRId64 " of %" PRId64
                             " bytes, the next starts at %" PRId64 " in a body of %zu",
                             index, b.offset, b.length, end, m->body_size);
        }
        start_min = end;
    }
    return ERR_OK;
}

/* Where the next buffer starts, so that padding is included. */
static int64_t buffer_end(const struct arrow_message *m, size_t index)
{
    return index + 1 < m->buffer_count ? arrow_buffer(m, index + 1).offset : (int64_t)m->body_size;
}

static void write_head(uint8_t *to, struct bytes prefix, const struct batch_header *header,
                       size_t new_size)
{
    size_t change_types_at = header->header_size + header->statistics_size;

    memcpy(to, prefix.data, header->header_size);
    batch_rewrite_sizes(to, header, new_size);
    if (!batch_append_only(header)) {
        memcpy(to + header->header_size, prefix.data + change_types_at,
               (size_t)header->record_count);
    }
}

static void write_metadata(const struct arrow_projector *p, const struct arrow_message *m,
                           size_t body_size, uint8_t *to)
{
    struct arrow_metadata metadata = {.codec = m->codec,
                                      .node_count = p->node_count,
                                      .buffer_count = p->buffer_count,
                                      .row_count = m->row_count,
                                      .body_size = (int64_t)body_size};
    struct arrow_writer w;
    int64_t offset = 0;

    arrow_writer_begin(&w, to, &metadata);
    for (size_t i = 0; i < p->run_count; i++) {
        size_t first = p->runs[i].buffer_first;

        for (size_t b = first; b < first + p->runs[i].buffer_count; b++) {
            struct arrow_buffer buffer = arrow_buffer(m, b);

            arrow_writer_buffer(&w, offset, buffer.length);
            offset += buffer_end(m, b) - buffer.offset;
        }
    }
    ASSERT((size_t)offset == body_size);
    arrow_writer_nodes(&w);
    for (size_t i = 0; i < p->run_count; i++) {
        size_t first = p->runs[i].node_first;

        for (size_t n = first; n < first + p->runs[i].node_count; n++) {
            struct arrow_node node = arrow_node(m, n);

            arrow_writer_node(&w, node.length, node.null_count);
        }
    }
}
