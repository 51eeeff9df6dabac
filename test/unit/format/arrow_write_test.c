#include "../../support/arrow_vectors.h"
#include "../../support/unit.h"
#include "format/arrow.h"
#include "format/batch.h"

/* The Arrow message of a golden batch; empty for a batch without records. */
static struct bytes message_of(const json_t *one, struct arena *arena)
{
    struct bytes data = vectors_hex(one, "hex", arena);
    struct batch_header h;
    struct bytes body;
    size_t skip;

    assert_int_equal(batch_parse(data, &h, NULL), ERR_OK);
    body = batch_body(&h, data);
    skip = batch_append_only(&h) ? 0 : (size_t)h.record_count;
    return bytes_slice(body, skip, body.len - skip);
}

static struct arrow_message parsed(struct bytes message)
{
    struct arrow_message m = {0};
    struct error e;

    if (arrow_message_parse(message, &m, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return m;
}

/* The metadata written from what was read must be the bytes of the Java writer. */
static void writes_the_bytes_of_the_reference(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_arrow.json");

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct bytes message = message_of(one, &arena);
        struct arrow_metadata metadata;
        struct arrow_message m;
        struct arrow_writer w;

        if (message.len == 0) {
            continue;
        }
        m = parsed(message);
        metadata = (struct arrow_metadata){.codec = m.codec,
                                           .node_count = m.node_count,
                                           .buffer_count = m.buffer_count,
                                           .row_count = m.row_count,
                                           .body_size = (int64_t)m.body_size};
        assert_int_equal(arrow_metadata_size(m.codec, m.node_count, m.buffer_count), m.body_at);
        arrow_writer_begin(&w, arena_alloc(&arena, m.body_at), &metadata);
        for (size_t i = 0; i < m.buffer_count; i++) {
            arrow_writer_buffer(&w, arrow_buffer(&m, i).offset, arrow_buffer(&m, i).length);
        }
        arrow_writer_nodes(&w);
        for (size_t i = 0; i < m.node_count; i++) {
            arrow_writer_node(&w, arrow_node(&m, i).length, arrow_node(&m, i).null_count);
        }
        vectors_assert_equal(vectors_text(one, "name"), bytes_of(w.out.data, w.out.len),
                             bytes_slice(message, 0, m.body_at));
    }
}

static void writes_what_it_can_read(void **state)
{
    static const struct arrow_column columns[] = {{1, 2}, {3, 5}};
    static const struct arrow_layout layout = {.columns = columns, .count = 2};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes message = vector_message(&layout, 7, 9, &arena);
    struct arrow_message m = parsed(message);

    (void)state;
    assert_int_equal(arrow_message_check(&m, &layout, NULL), ERR_OK);
    assert_int_equal(m.body_at % 8, 0);
    assert_int_equal(m.body_size, 7 * 16);
    assert_int_equal(m.row_count, 7);
    assert_int_equal(arrow_buffer(&m, 6).offset, 6 * 16);
    assert_int_equal(arrow_buffer(&m, 6).length, 9);
    assert_int_equal(arrow_node(&m, 3).length, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_bytes_of_the_reference),
        cmocka_unit_test(writes_what_it_can_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
