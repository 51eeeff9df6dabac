#include "../../support/unit.h"
#include "../../support/vectors.h"
#include "cmd/bench_rows.h"
#include "format/batch.h"
#include "format/codec.h"
#include "format/json.h"

static const struct arrow_column shapes[BENCH_COLUMN_COUNT] = {
    {1, 2}, {1, 2}, {1, 3}, {1, 3}, {1, 3}, {1, 2}, {1, 2}, {1, 2}, {1, 2}, {1, 3}};
static const struct arrow_layout layout = {shapes, BENCH_COLUMN_COUNT};

static void test_descriptor(void **state)
{
    struct bench_options options = {.buckets = 3,
                                    .codec = ARROW_CODEC_ZSTD,
                                    .properties = {"table.log.ttl=1 d"},
                                    .property_count = 1};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *json, *properties, *columns;
    struct bytes text;
    const char *value;

    (void)state;
    assert_int_equal(bench_descriptor(&options, &arena, &text, NULL), ERR_OK);
    assert_int_equal(json_parse(text, NULL, &arena, &json, NULL), ERR_OK);
    assert_int_equal(json_get_object(json, "properties", &properties, NULL), ERR_OK);
    assert_int_equal(json_get_string(properties, "table.log.ttl", &value, NULL), ERR_OK);
    assert_string_equal(value, "1 d");
    assert_int_equal(json_get_string(properties, "table.log.arrow.compression.type", &value, NULL),
                     ERR_OK);
    assert_string_equal(value, "ZSTD");
    assert_int_equal(json_get_array(json_find(json, "schema"), "columns", &columns, NULL), ERR_OK);
    assert_int_equal(json_count(columns), BENCH_COLUMN_COUNT);
}

/* The sum of the data buffers of 100 rows, without validity and offsets: 125 bytes a row, but for
 * the decimal, which takes 16 bytes for 8, and the booleans, which are bits. */
static void test_a_row_has_125_bytes(void **state)
{
    static const size_t data[] = {1, 3, 6, 9, 12, 14, 16, 18, 20, 23}; /* index of the buffer */
    struct bench_options options = {.codec = ARROW_CODEC_NONE};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(bench_rows_freep) struct bench_rows *rows = bench_rows_new(&options);
    struct arrow_message m;
    struct bytes message;
    int64_t sum = 0;

    (void)state;
    assert_int_equal(bench_rows_message(rows, 1000, 100, &arena, &message, NULL), ERR_OK);
    assert_int_equal(arrow_message_parse(message, &m, NULL), ERR_OK);
    assert_int_equal(arrow_message_check(&m, &layout, NULL), ERR_OK);
    for (size_t i = 0; i < BENCH_COLUMN_COUNT; i++) {
        sum += arrow_buffer(&m, data[i]).length;
    }
    assert_int_equal(sum, 100 * (125 + 8 - 1) + 13);
    assert_int_equal(get_i32le(message.data + m.body_at + arrow_buffer(&m, 1).offset), 1000);
}

static void test_batches(void **state)
{
    struct bench_options options = {.codec = ARROW_CODEC_ZSTD, .zstd_level = 3};
    struct bench_writer writer = {.id = 9, .sequence = 4};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(bench_rows_freep) struct bench_rows *rows = bench_rows_new(&options);
    struct bytes message, again, batch;
    struct batch_header header;

    (void)state;
    assert_int_equal(bench_rows_message(rows, 0, 7000, &arena, &message, NULL), ERR_OK);
    assert_int_equal(bench_rows_message(rows, 0, 7000, &arena, &again, NULL), ERR_OK);
    vectors_assert_equal("the same rows again", again, message);
    assert_true(message.len < 7000 * 60);
    batch = bench_batch(message, 7000, writer, &arena);
    assert_int_equal(batch_parse(batch, &header, NULL), ERR_OK);
    assert_int_equal(batch_check_crc(&header, batch, NULL), ERR_OK);
    assert_int_equal(header.record_count, 7000);
    assert_int_equal(header.writer_id, 9);
    assert_int_equal(header.batch_sequence, 4);
    assert_true(batch_append_only(&header));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptor),
        cmocka_unit_test(test_a_row_has_125_bytes),
        cmocka_unit_test(test_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
