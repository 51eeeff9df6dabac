#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "format/row_cells.h"

#define CELLS_MAX 64

static void check_values(const struct row_plan *plan, const struct row_cell *cells,
                         const struct row_value *expected, struct arena *arena)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct row_plan_column *c = &plan->columns[i];
        struct row_value decoded;
        struct row_cell again;
        struct value v;

        assert_int_equal(row_cell_decode(plan, i, cells[i], arena, &decoded, NULL), ERR_OK);
        if (!row_value_equal(c->type, &decoded, &expected[i])) {
            fail_msg("%s: value differs", type_text(c->type).text);
        }
        if (cells[i].data == NULL || type_is_nested(c->type)) {
            continue;
        }
        v = row_cell_value(c, cells[i]);
        again = row_cell_of(c, &v, arena);
        vectors_assert_equal(type_text(c->type).text, row_cell_bytes(again),
                             row_cell_bytes(cells[i]));
    }
}

/* Cells have the values of the row decoder and make the same row again. */
static void check_case(const json_t *one, enum row_layout layout)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct row_format format = {.layout = layout,
                                .row = row_vector_schema(vectors_get(one, "schema"), &arena)};
    const struct row_plan *plan = row_plan_new(layout, format.row, &arena);
    struct bytes golden = vectors_hex(one, "hex", &arena);
    const struct row_value *expected = NULL;
    struct row_cell cells[CELLS_MAX];
    struct error e = {0};

    assert_true(plan->count <= CELLS_MAX);
    assert_int_equal(row_decode(format, golden, &arena, &expected, NULL), ERR_OK);
    if (row_cells_read(plan, golden, cells, &e) != ERR_OK) {
        fail_msg("%s: %s", type_text(format.row).text, e.message);
    }
    check_values(plan, cells, expected, &arena);
    row_cells_write(plan, cells, &out);
    vectors_assert_equal(type_text(format.row).text, buffer_view(&out), golden);
    for (size_t len = 0; len < golden.len; len++) { /* any part of it is not a row */
        assert_int_equal(row_cells_read(plan, bytes_slice(golden, 0, len), cells, NULL),
                         ERR_CORRUPT_RECORD);
    }
}

static void golden_compacted_rows(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("rows_compacted.json");

    (void)state;
    VECTORS_FOR_EACH(one, document) { check_case(one, ROW_COMPACTED); }
}

static void golden_indexed_rows(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("rows_indexed.json");

    (void)state;
    VECTORS_FOR_EACH(one, document) { check_case(one, ROW_INDEXED); }
}

static enum errcode read_compacted(const char *type, const void *data, size_t len)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_plan *plan =
        row_plan_new(ROW_COMPACTED, row_vector_type(type, &arena), &arena);
    struct row_cell cells[CELLS_MAX];

    return row_cells_read(plan, bytes_of(data, len), cells, NULL);
}

static void fields_that_no_writer_makes(void **state)
{
    (void)state;
    assert_int_equal(read_compacted("ROW<`a` INT>", "\0\xff\xff\xff\xff\x0f", 6), ERR_OK);
    assert_int_equal(read_compacted("ROW<`a` INT>", "\0\xff\xff\xff\xff\x1f", 6),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(read_compacted("ROW<`a` INT>", "\0\xff\xff\xff\xff\xff\x01", 7),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(read_compacted("ROW<`a` TIMESTAMP(6)>", "\0\1\xbf\x84\x3d", 5), ERR_OK);
    assert_int_equal(read_compacted("ROW<`a` TIMESTAMP(6)>", "\0\1\xc0\x84\x3d", 5),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(read_compacted("ROW<`a` DECIMAL(20, 0)>", "\0\0", 2), ERR_CORRUPT_RECORD);
    assert_int_equal(read_compacted("ROW<`a` DECIMAL(20, 0)>", "\0\x11wwwwwwwwwwwwwwwww", 19),
                     ERR_CORRUPT_RECORD);
    assert_int_equal(
        read_compacted("ROW<`a` STRING>", "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),
        ERR_CORRUPT_RECORD);
    assert_int_equal(read_compacted("ROW<`a` STRING NOT NULL>", "\1\0", 2), ERR_OK);
    assert_int_equal(read_compacted("ROW<`a` STRING>", "\1\0", 2), ERR_CORRUPT_RECORD);
}

static void damage_inside_nested_values(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *row = row_vector_type("ROW<`a` INT, `b` ARRAY<INT>>", &arena);
    const struct row_plan *plan = row_plan_new(ROW_COMPACTED, row, &arena);
    struct row_cell cells[2];

    (void)state;
    assert_true(plan->has_nested);
    assert_int_equal(row_cells_read(plan, bytes_of("\0\1\4\0\0\0\0", 7), cells, NULL), ERR_OK);
    assert_int_equal(row_cells_check_nested(plan, cells, &arena, NULL), ERR_OK);
    assert_int_equal(row_cells_read(plan, bytes_of("\0\1\4\1\0\0\0", 7), cells, NULL), ERR_OK);
    assert_int_equal(row_cells_check_nested(plan, cells, &arena, NULL), ERR_CORRUPT_RECORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_compacted_rows),
        cmocka_unit_test(golden_indexed_rows),
        cmocka_unit_test(fields_that_no_writer_makes),
        cmocka_unit_test(damage_inside_nested_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
