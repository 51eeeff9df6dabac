#include "../../support/arrow_vectors.h"
#include "../../support/unit.h"
#include "format/arrow_project.h"

#define POSITIONS_MAX 64

struct selection {
    uint32_t positions[POSITIONS_MAX];
    size_t count;
};

/* Projects one batch the way a caller reading a file does: prefix, more prefix, plan, ranges. */
static enum errcode project(const struct arrow_projector *p, struct bytes batch,
                            struct arena *arena, struct bytes *ret, struct error *e)
{
    struct bytes prefix = bytes_slice(batch, 0, batch.len < 56 ? batch.len : 56);
    struct arrow_projection plan;
    struct batch_header header;
    struct writer w;
    size_t need = 0;

    TRY(batch_parse(prefix, &header, e));
    for (int rounds = 0;; rounds++) {
        TRY(arrow_head_size(prefix, &header, &need, e));
        if (need <= prefix.len) {
            break;
        }
        assert_true(rounds < 2 && need <= batch.len);
        prefix = bytes_slice(batch, 0, need);
    }
    TRY(arrow_project_plan(p, prefix, &header, arena, &plan, e));
    w = writer_of(arena_alloc(arena, plan.size), plan.size);
    writer_bytes(&w, plan.head);
    for (size_t i = 0; i < plan.range_count; i++) {
        assert_true(plan.ranges[i].len > 0);
        writer_bytes(&w, bytes_slice(batch, plan.ranges[i].offset, plan.ranges[i].len));
    }
    assert_int_equal(w.len, plan.size);
    *ret = bytes_of(w.data, w.len);
    return ERR_OK;
}

/* All batches of the input, one behind the other. */
static struct bytes project_all(const struct arrow_projector *p, struct bytes input,
                                struct arena *arena)
{
    struct writer w = writer_of(arena_alloc(arena, input.len), input.len);
    struct batch_iterator it;
    struct batch batch;
    bool found = true;
    struct error e;

    batch_iterator_init(&it, input);
    while (assert_int_equal(batch_next(&it, &batch, &found, &e), ERR_OK), found) {
        struct bytes projected = BYTES_EMPTY;

        if (project(p, batch.data, arena, &projected, &e) != ERR_OK) {
            fail_msg("%s", e.message);
        }
        writer_bytes(&w, projected);
    }
    return bytes_of(w.data, w.len);
}

static struct arrow_projector projector(const struct arrow_layout *layout,
                                        const struct selection *s, struct arena *arena)
{
    struct arrow_projector p = {0};

    assert_int_equal(arrow_projector_init(&p, layout, s->positions, s->count, arena, NULL), ERR_OK);
    return p;
}

static struct selection selection_of(const json_t *positions)
{
    struct selection s = {.count = json_array_size(positions)};

    assert_true(s.count <= POSITIONS_MAX);
    for (size_t i = 0; i < s.count; i++) {
        s.positions[i] = (uint32_t)vector_i64(json_array_get(positions, i));
    }
    return s;
}

static void equals_the_bytes_of_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("projection.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct arrow_layout layout = vector_layout(vectors_get(one, "schema"), &arena);
        struct selection s = selection_of(vectors_get(one, "projection"));
        struct arrow_projector p = projector(&layout, &s, &arena);

        vectors_assert_equal(vectors_text(one, "name"),
                             project_all(&p, vectors_hex(one, "input_hex", &arena), &arena),
                             vectors_hex(one, "output_hex", &arena));
    }
}

static void drops_statistics_like_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_v1_v2_main.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct arrow_layout layout = vector_layout(vectors_get(one, "schema"), &arena);
        struct selection s = {.positions = {0, 2}, .count = 2};
        struct arrow_projector p = projector(&layout, &s, &arena);

        vectors_assert_equal(vectors_text(one, "name"),
                             project_all(&p, vectors_hex(one, "hex", &arena), &arena),
                             vectors_hex(one, "projected_0_2_hex", &arena));
    }
}

/* ---- messages of Arrow C++ ---- */

static enum arrow_codec codec_named(const char *name)
{
    if (strcmp(name, "LZ4_FRAME") == 0) {
        return ARROW_CODEC_LZ4_FRAME;
    }
    return strcmp(name, "ZSTD") == 0 ? ARROW_CODEC_ZSTD : ARROW_CODEC_NONE;
}

static struct bytes buffer_bytes(struct bytes message, const struct arrow_message *m, size_t index)
{
    struct arrow_buffer b = arrow_buffer(m, index);

    return bytes_slice(message, m->body_at + (size_t)b.offset, (size_t)b.length);
}

/* Same nodes and same buffers, wherever they are in the bodies. */
static void assert_same_contents(const char *name, struct bytes a, struct bytes b)
{
    struct arrow_message ma;
    struct arrow_message mb;

    assert_int_equal(arrow_message_parse(a, &ma, NULL), ERR_OK);
    assert_int_equal(arrow_message_parse(b, &mb, NULL), ERR_OK);
    assert_int_equal(ma.codec, mb.codec);
    assert_int_equal(ma.row_count, mb.row_count);
    assert_int_equal(ma.node_count, mb.node_count);
    assert_int_equal(ma.buffer_count, mb.buffer_count);
    vectors_assert_equal(name, bytes_of(ma.nodes, ma.node_count * ARROW_NODE_SIZE),
                         bytes_of(mb.nodes, mb.node_count * ARROW_NODE_SIZE));
    for (size_t i = 0; i < ma.buffer_count; i++) {
        vectors_assert_equal(name, buffer_bytes(a, &ma, i), buffer_bytes(b, &mb, i));
    }
}

static void projects_messages_of_arrow_cpp(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("arrow_pyarrow.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct arrow_layout layout = vector_layout(vectors_get(one, "schema"), &arena);
        struct batch_spec spec = {.append_only = true,
                                  .record_count = (int32_t)vectors_i64(one, "rows"),
                                  .body = vectors_hex(one, "message_hex", &arena)};
        struct selection s = selection_of(vectors_get(one, "projection"));
        struct arrow_projector p = projector(&layout, &s, &arena);
        struct bytes projected = BYTES_EMPTY;
        struct arrow_message m;
        struct error e;

        assert_int_equal(arrow_message_parse(spec.body, &m, NULL), ERR_OK);
        assert_int_equal(m.codec, codec_named(vectors_text(one, "codec")));
        if (arrow_message_check(&m, &layout, &e) != ERR_OK ||
            project(&p, batch_build(&spec, &arena), &arena, &projected, &e) != ERR_OK) {
            fail_msg("%s: %s", vectors_text(one, "name"), e.message);
        }
        assert_same_contents(vectors_text(one, "name"),
                             bytes_slice(projected, 48, projected.len - 48),
                             vectors_hex(one, "selected_hex", &arena));
    }
}

/* ---- properties, over random layouts and projections ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static struct arrow_layout random_layout(uint32_t *seed, struct arena *arena)
{
    size_t count = 1 + next_random(seed) % 20;
    struct arrow_column *columns = arena_array(arena, count, sizeof *columns);

    for (size_t i = 0; i < count; i++) {
        columns[i].nodes = 1 + next_random(seed) % 3;
        columns[i].buffers = columns[i].nodes * 2 + next_random(seed) % 2;
    }
    return (struct arrow_layout){.columns = columns, .count = count};
}

static struct selection random_selection(size_t column_count, uint32_t *seed)
{
    struct selection s = {.count = 0};

    for (uint32_t i = 0; i < column_count; i++) {
        if (next_random(seed) % 2 == 0 || (s.count == 0 && i + 1 == column_count)) {
            s.positions[s.count++] = i;
        }
    }
    return s;
}

static struct arrow_layout select_columns(const struct arrow_layout *layout,
                                          const struct selection *s, struct arena *arena)
{
    struct arrow_column *columns = arena_array(arena, s->count, sizeof *columns);

    for (size_t i = 0; i < s->count; i++) {
        columns[i] = layout->columns[s->positions[i]];
    }
    return (struct arrow_layout){.columns = columns, .count = s->count};
}

static struct bytes random_batch(const struct arrow_layout *layout, uint32_t *seed,
                                 struct arena *arena)
{
    int32_t rows = 1 + (int32_t)(next_random(seed) % 9);
    struct batch_spec spec = {
        .magic = (uint8_t)(next_random(seed) % 3),
        .append_only = next_random(seed) % 2 == 0,
        .schema_id = 1,
        .leader_epoch = -1,
        .record_count = rows,
        .writer_id = BATCH_NO_WRITER_ID,
        .batch_sequence = BATCH_NO_BATCH_SEQUENCE,
        .body = vector_message(layout, rows, next_random(seed) % 40, arena),
    };

    if (!spec.append_only) {
        spec.change_types = bytes_of(arena_zalloc(arena, (size_t)rows), (size_t)rows);
    }
    return batch_build(&spec, arena);
}

/* Projecting twice is projecting once by the composed positions, and every result is a valid batch
 * of the projected schema. */
static void projections_compose(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct arrow_layout layout = random_layout(&seed, &arena);
        struct selection first = random_selection(layout.count, &seed);
        struct arrow_layout inner = select_columns(&layout, &first, &arena);
        struct selection second = random_selection(inner.count, &seed);
        struct arrow_projector p1 = projector(&layout, &first, &arena);
        struct arrow_projector p2 = projector(&inner, &second, &arena);
        struct selection both = {.count = second.count};
        struct arrow_projector p12;
        struct bytes batch = random_batch(&layout, &seed, &arena);
        struct bytes once = BYTES_EMPTY;
        struct bytes twice = BYTES_EMPTY;
        struct bytes direct = BYTES_EMPTY;

        for (size_t i = 0; i < second.count; i++) {
            both.positions[i] = first.positions[second.positions[i]];
        }
        p12 = projector(&layout, &both, &arena);
        assert_int_equal(project(&p1, batch, &arena, &once, NULL), ERR_OK);
        assert_int_equal(project(&p2, once, &arena, &twice, NULL), ERR_OK);
        assert_int_equal(project(&p12, batch, &arena, &direct, NULL), ERR_OK);
        vectors_assert_equal("composed", twice, direct);
    }
}

static void neighbouring_columns_are_one_range(void **state)
{
    static const struct arrow_column columns[] = {{1, 2}, {1, 3}, {1, 2}, {1, 2}};
    static const struct arrow_layout layout = {.columns = columns, .count = 4};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = {
        .append_only = true, .record_count = 3, .body = vector_message(&layout, 3, 16, &arena)};
    struct bytes batch = batch_build(&spec, &arena);
    struct selection s = {.positions = {0, 1, 3}, .count = 3};
    struct arrow_projector p = projector(&layout, &s, &arena);
    size_t body_at = batch.len - 9 * 16;
    struct arrow_projection plan;
    struct batch_header header;

    (void)state;
    assert_int_equal(batch_parse(batch, &header, NULL), ERR_OK);
    assert_int_equal(arrow_project_plan(&p, batch, &header, &arena, &plan, NULL), ERR_OK);
    assert_int_equal(plan.range_count, 2);
    assert_int_equal(plan.ranges[0].offset, body_at);
    assert_int_equal(plan.ranges[0].len, 5 * 16);
    assert_int_equal(plan.ranges[1].offset, body_at + 7 * 16);
    assert_int_equal(plan.ranges[1].len, 2 * 16);
}

static void refuses_bad_positions(void **state)
{
    static const struct arrow_column columns[] = {{1, 2}, {1, 2}, {1, 2}};
    static const struct arrow_layout layout = {.columns = columns, .count = 3};
    static const struct {
        struct selection s;
        const char *message;
    } table[] = {
        {{.count = 0}, "the projection selects no column"},
        {{{1, 0}, 2}, "projected positions must ascend: 0 follows 1"},
        {{{1, 1}, 2}, "projected positions must ascend: 1 follows 1"},
        {{{0, 3}, 2}, "projected position 3 in a schema of 3 columns"},
        {{{UINT32_MAX}, 1}, "projected position 4294967295 in a schema of 3 columns"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct arrow_projector p;
        struct error e;

        assert_int_equal(
            arrow_projector_init(&p, &layout, table[i].s.positions, table[i].s.count, &arena, &e),
            ERR_INVALID_COLUMN_PROJECTION);
        assert_string_equal(e.message, table[i].message);
    }
}

/* ---- damage ---- */

enum { HEADER = 48, ROWS_AT = HEADER + 8 + 64, BODY_SIZE_AT = HEADER + 8 + 24 };
enum { BUFFERS_AT = HEADER + 8 + 80, NODES_AT = BUFFERS_AT + 6 * 16 + 8 };

struct bad {
    size_t at;
    int64_t value;
    const char *message;
};

static void refuses_damaged_batches(void **state)
{
    static const struct arrow_column columns[] = {{1, 2}, {1, 2}, {1, 2}};
    static const struct arrow_layout layout = {.columns = columns, .count = 3};
    static const struct bad table[] = {
        {ROWS_AT, 4, "Arrow batch of 4 rows in a record batch of 3"},
        {BODY_SIZE_AT, 97, "Arrow body of 97 bytes at 288 of a record batch of 384"},
        {NODES_AT + 32, 2, "Arrow column of 2 values in a batch of 3"},
        {BUFFERS_AT + 8, 17,
         "Arrow buffer 0 at 0 of 17 bytes, the next starts at 16 in a body of 96"},
        {BUFFERS_AT + 32, 97,
         "Arrow buffer 1 at 16 of 16 bytes, the next starts at 97 in a body of 96"},
        {BUFFERS_AT + 64, 24,
         "Arrow buffer 4 at 24 of 16 bytes, the next starts at 80 in a body of 96"},
        {HEADER + 4, 1 << 20, "Arrow metadata of 1048584 bytes at 48 of a record batch of 384"},
    };
    static const struct selection s = {.positions = {0, 2}, .count = 2};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct batch_spec spec = {
            .append_only = true, .record_count = 3, .body = vector_message(&layout, 3, 16, &arena)};
        struct bytes batch = batch_build(&spec, &arena);
        struct arrow_projector p = projector(&layout, &s, &arena);
        struct bytes out;
        struct error e;

        if (table[i].at == HEADER + 4) {
            put_i32le((uint8_t *)(uintptr_t)batch.data + table[i].at, (int32_t)table[i].value);
        } else {
            put_i64le((uint8_t *)(uintptr_t)batch.data + table[i].at, table[i].value);
        }
        assert_int_equal(project(&p, batch, &arena, &out, &e), ERR_CORRUPT_RECORD);
        assert_string_equal(e.message, table[i].message);
    }
}

static void a_batch_too_short_for_its_change_types_is_damaged(void **state)
{
    static const struct arrow_column columns[] = {{1, 2}};
    static const struct arrow_layout layout = {.columns = columns, .count = 1};
    static const struct selection s = {.positions = {0}, .count = 1};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct batch_spec spec = {.record_count = 1000, .body = bytes_str("short")};
    struct arrow_projector p = projector(&layout, &s, &arena);
    struct bytes out;
    struct error e;

    (void)state;
    assert_int_equal(project(&p, batch_build(&spec, &arena), &arena, &out, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "record batch of 53 bytes without Arrow message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_bytes_of_the_reference),
        cmocka_unit_test(drops_statistics_like_the_reference),
        cmocka_unit_test(projects_messages_of_arrow_cpp),
        cmocka_unit_test(projections_compose),
        cmocka_unit_test(neighbouring_columns_are_one_range),
        cmocka_unit_test(refuses_bad_positions),
        cmocka_unit_test(refuses_damaged_batches),
        cmocka_unit_test(a_batch_too_short_for_its_change_types_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
