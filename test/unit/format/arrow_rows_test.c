#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "format/arrow_rows.h"
#include "format/batch.h"

#define CELLS_MAX 64

static const struct arrow_build_codec none = {.kind = ARROW_CODEC_NONE};

/* The Arrow message of a case; empty when it has no records. */
static struct bytes golden_message(const json_t *one, struct arena *arena)
{
    struct bytes batch = vectors_hex(one, "hex", arena);
    struct batch_header header;
    struct bytes body;
    size_t skip;

    assert_int_equal(batch_parse(batch, &header, NULL), ERR_OK);
    body = batch_body(&header, batch);
    skip = batch_append_only(&header) ? 0 : (size_t)header.record_count; /* change types */
    return bytes_slice(body, skip, body.len - skip);
}

static void append(struct arrow_rows *rows, const struct type *row, enum row_layout layout,
                   const struct row_value *values)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct row_format format = {.layout = layout, .row = row};
    const struct row_plan *plan = row_plan_new(layout, row, &arena);
    struct row_cell cells[CELLS_MAX];
    struct bytes encoded = BYTES_EMPTY;

    assert_int_equal(row_encode(format, values, &arena, &encoded, NULL), ERR_OK);
    assert_int_equal(row_cells_read(plan, encoded, cells, NULL), ERR_OK);
    assert_int_equal(arrow_rows_append(rows, plan, cells, NULL), ERR_OK);
}

/* Rows of both layouts, and values, give the bytes of the Java writer. What is compressed depends on
 * the compressor: see codec_test.c, arrow_read_test.c. */
static void check_case(const json_t *one)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes golden = golden_message(one, &arena);
    const struct type *row = row_vector_schema(vectors_get(one, "schema"), &arena);
    const json_t *records = vectors_get(one, "records");
    OWNED(arrow_rows_freep) struct arrow_rows *rows = arrow_rows_new(row);

    for (int form = 0; form < 3 && json_array_size(records) > 0; form++) {
        struct bytes message;

        arrow_rows_clear(rows);
        for (size_t i = 0; i < json_array_size(records); i++) {
            const struct row_value *values =
                row_vector_fields(vectors_get(json_array_get(records, i), "row"), row, &arena);

            if (form == 2) {
                assert_int_equal(arrow_rows_append_values(rows, values, NULL), ERR_OK);
            } else {
                append(rows, row, form == 0 ? ROW_COMPACTED : ROW_INDEXED, values);
            }
        }
        assert_int_equal(arrow_rows_finish(rows, &none, &arena, &message, NULL), ERR_OK);
        vectors_assert_equal(vectors_text(one, "name"), message, golden);
    }
}

static void golden_messages(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_arrow.json");
    int checked = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        if (strcmp(vectors_text(one, "compression"), "NONE") == 0) {
            check_case(one);
            checked++;
        }
    }
    assert_true(checked > 10);
}

/* ---- what has no golden case ---- */

static struct bytes message_of(struct arrow_rows *rows, struct arena *arena)
{
    struct bytes message = BYTES_EMPTY;

    assert_int_equal(arrow_rows_finish(rows, &none, arena, &message, NULL), ERR_OK);
    return message;
}

static void missing_columns_are_null(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *narrow = row_vector_type("ROW<`a` INT>", &arena);
    const struct type *wide = row_vector_type("ROW<`a` INT, `b` STRING, `c` ARRAY<INT>>", &arena);
    OWNED(arrow_rows_freep) struct arrow_rows *rows = arrow_rows_new(wide);
    const struct row_value values[] = {{.integer = 7}, {.null = true}, {.null = true}};
    struct bytes expected;

    (void)state;
    assert_int_equal(arrow_rows_append_values(rows, values, NULL), ERR_OK);
    expected = message_of(rows, &arena);
    arrow_rows_clear(rows);
    append(rows, narrow, ROW_COMPACTED, values);
    vectors_assert_equal("narrow row", message_of(rows, &arena), expected);
}

static void binary_is_filled_but_not_cut(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *row = row_vector_type("ROW<`a` BINARY(3)>", &arena);
    OWNED(arrow_rows_freep) struct arrow_rows *rows = arrow_rows_new(row);
    struct row_value value = {.bytes = bytes_str("a")};
    struct bytes message;

    (void)state;
    assert_int_equal(arrow_rows_append_values(rows, &value, NULL), ERR_OK);
    message = message_of(rows, &arena);
    assert_memory_equal(message.data + message.len - 8, "a\0\0\0\0\0\0\0", 8);
    value.bytes = bytes_str("abcd");
    assert_int_equal(arrow_rows_append_values(rows, &value, NULL), ERR_CORRUPT_RECORD);
}

static void damaged_nested_values_are_refused(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *row = row_vector_type("ROW<`a` ARRAY<STRING>>", &arena);
    const struct row_plan *plan = row_plan_new(ROW_COMPACTED, row, &arena);
    OWNED(arrow_rows_freep) struct arrow_rows *rows = arrow_rows_new(row);
    struct row_cell cell = {(const uint8_t *)"\xff\xff\xff\x7f", 4};

    (void)state;
    assert_int_equal(arrow_rows_append(rows, plan, &cell, NULL), ERR_CORRUPT_RECORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_messages),
        cmocka_unit_test(missing_columns_are_null),
        cmocka_unit_test(binary_is_filled_but_not_cut),
        cmocka_unit_test(damaged_nested_values_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
