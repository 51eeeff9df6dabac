/* Arrow metadata and column projection of outside batches.
 *
 * Input: byte 0 = number of columns (1..16), then one byte per column (low nibble nodes, at
 * least 1, high nibble buffers), two bytes bit set of the projected columns, then a record batch. What a
 * projection gives must be a batch of the projected schema, and be its own projection to all
 * columns. */
#include "format/arrow_project.h"

#define COLUMNS_MAX 16

struct selection {
    uint32_t positions[COLUMNS_MAX];
    size_t count;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes copy_out(const struct arrow_projection *plan, struct bytes batch,
                             struct arena *arena)
{
    struct writer w = writer_of(arena_alloc(arena, plan->size), plan->size);

    writer_bytes(&w, plan->head);
    for (size_t i = 0; i < plan->range_count; i++) {
        writer_bytes(&w, bytes_slice(batch, plan->ranges[i].offset, plan->ranges[i].len));
    }
    ASSERT(w.len == plan->size);
    return bytes_of(w.data, w.len);
}

static bool project(const struct arrow_layout *layout, const struct selection *s,
                    struct bytes batch, struct arena *arena, struct bytes *ret)
{
    struct arrow_projector projector;
    struct arrow_projection plan;
    struct batch_header header;
    size_t need = 0;

    if (arrow_projector_init(&projector, layout, s->positions, s->count, arena, NULL) != ERR_OK ||
        batch_parse(batch, &header, NULL) != ERR_OK || header.size > batch.len ||
        arrow_head_size(batch, &header, &need, NULL) != ERR_OK) {
        return false;
    }
    ASSERT(need <= header.size);
    batch = bytes_slice(batch, 0, header.size);
    if (arrow_project_plan(&projector, bytes_slice(batch, 0, need), &header, arena, &plan, NULL) !=
        ERR_OK) {
        return false;
    }
    *ret = copy_out(&plan, batch, arena);
    return true;
}

static void check_projected(const struct arrow_layout *layout, const struct selection *s,
                            struct bytes projected, struct arena *arena)
{
    struct arrow_column columns[COLUMNS_MAX];
    struct arrow_layout inner = {.columns = columns, .count = s->count};
    struct selection all = {.count = s->count};
    struct bytes again;

    for (size_t i = 0; i < s->count; i++) {
        columns[i] = layout->columns[s->positions[i]];
        all.positions[i] = (uint32_t)i;
    }
    ASSERT(project(&inner, &all, projected, arena, &again));
    ASSERT(bytes_equal(again, projected));
}

static void read_message(struct bytes message, const struct arrow_layout *layout)
{
    struct arrow_message m;

    if (arrow_message_parse(message, &m, NULL) != ERR_OK ||
        arrow_message_check(&m, layout, NULL) != ERR_OK) {
        return;
    }
    for (size_t i = 0; i < m.buffer_count; i++) {
        struct arrow_buffer b = arrow_buffer(&m, i);

        ASSERT(b.offset >= 0 && b.offset + b.length <= (int64_t)m.body_size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct reader r = reader_of(bytes_of(data, size));
    struct arrow_column columns[COLUMNS_MAX] = {{0}};
    struct arrow_layout layout = {.columns = columns, .count = 1 + reader_u8(&r) % COLUMNS_MAX};
    struct selection s = {.count = 0};
    struct bytes projected;
    uint16_t selected;

    for (size_t i = 0; i < layout.count; i++) {
        uint8_t taken = reader_u8(&r);

        columns[i] =
            (struct arrow_column){.nodes = taken % 16 != 0 ? taken % 16 : 1, .buffers = taken >> 4};
    }
    selected = reader_u16le(&r);
    for (uint32_t i = 0; i < layout.count; i++) {
        if ((selected >> i & 1) != 0) {
            s.positions[s.count++] = i;
        }
    }
    read_message(r.rest, &layout);
    if (project(&layout, &s, r.rest, &arena, &projected)) {
        check_projected(&layout, &s, projected, &arena);
    }
    return 0;
}
