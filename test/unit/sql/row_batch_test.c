#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "sql/row_batch.h"

static const char *const kinds[] = {"+A", "+I", "-U", "+U", "-D"};

/* The last column and the first one, or what there is of them. */
static const struct type *part_of(const struct type *row, const uint32_t **ret_positions,
                                  struct arena *arena)
{
    uint32_t *positions = arena_array(arena, 2, sizeof *positions);
    struct type_field *fields = arena_array(arena, 2, sizeof *fields);
    struct type *part = arena_new(arena, struct type);

    positions[0] = row->count - 1;
    *part = *row;
    part->count = row->count == 1 ? 1 : 2;
    part->fields = fields;
    for (uint32_t i = 0; i < part->count; i++) {
        fields[i] = row->fields[positions[i]];
    }
    *ret_positions = positions;
    return part;
}

static void check_record(const struct row_batch *b, size_t i, const json_t *record,
                         const struct type *row)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct row_value *expected = row_vector_fields(vectors_get(record, "row"), row, &arena);
    const struct type *part = b->columns.row;
    struct row_value found[2];

    assert_string_equal(kinds[b->types == NULL ? 0 : b->types[i]], vectors_text(record, "change"));
    arrow_reader_row(&b->columns, i, &arena, found);
    for (uint32_t k = 0; k < part->count; k++) {
        assert_true(row_value_equal(part->fields[k].type, &found[k], &expected[b->positions[k]]));
    }
}

static void check_case(const json_t *one, enum row_layout layout)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *row = row_vector_schema(vectors_get(one, "schema"), &arena);
    const json_t *records = vectors_get(one, "records");
    struct bytes data = vectors_hex(one, "hex", &arena);
    const uint32_t *positions = NULL;
    const struct type *part = part_of(row, &positions, &arena);
    struct batch_header header;
    struct row_batch b;

    assert_int_equal(batch_parse(data, &header, NULL), ERR_OK);
    row_batch_init(&b, (struct row_format){layout, row}, part, positions, &arena);
    assert_int_equal(row_batch_open(&b, &header, data, &arena, NULL), ERR_OK);
    assert_int_equal(b.columns.row_count, json_array_size(records));
    for (size_t i = 0; i < b.columns.row_count; i++) {
        check_record(&b, i, json_array_get(records, i), row);
    }
    row_batch_fini(&b);
}

/* Batches of the Java writer. */
static void golden_batches(void **state)
{
    static const struct {
        const char *file;
        enum row_layout layout;
    } sources[] = {{"log_batches_indexed.json", ROW_INDEXED},
                   {"log_batches_compacted.json", ROW_COMPACTED}};

    (void)state;
    for (size_t s = 0; s < 2; s++) {
        OWNED(vectors_freep) json_t *document = vectors_load(sources[s].file);
        int checked = 0;

        VECTORS_FOR_EACH(one, document)
        {
            if (json_array_size(vectors_get(one, "records")) > 0) {
                check_case(one, sources[s].layout);
                checked++;
            }
        }
        assert_true(checked > 3);
    }
}

static void damaged_batches(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *row = row_vector_type("ROW<`a` INT, `b` STRING>", &arena);
    struct type none = {.root = TYPE_ROW};
    static const uint8_t records[] = {5, 0, 0, 0, 0, 0, 2, 1, 'x', 2, 0, 0, 0, 0, 3};
    struct batch_spec spec = {.record_count = 2, .append_only = true};
    struct batch_header header;
    struct row_batch b;

    (void)state;
    row_batch_init(&b, (struct row_format){ROW_COMPACTED, row}, &none, NULL, &arena);
    for (size_t len = 0; len <= sizeof records; len++) {
        struct bytes data;

        spec.body = bytes_of(records, len);
        data = batch_build(&spec, &arena);
        assert_int_equal(batch_parse(data, &header, NULL), ERR_OK);
        assert_int_equal(row_batch_open(&b, &header, data, &arena, NULL),
                         len == sizeof records ? ERR_OK : ERR_CORRUPT_RECORD);
    }
    spec.record_count = 1; /* bytes behind it */
    spec.body = bytes_of(records, sizeof records);
    spec.body = batch_build(&spec, &arena);
    assert_int_equal(batch_parse(spec.body, &header, NULL), ERR_OK);
    assert_int_equal(row_batch_open(&b, &header, spec.body, &arena, NULL), ERR_CORRUPT_RECORD);
    row_batch_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_batches),
                                       cmocka_unit_test(damaged_batches)};

    return cmocka_run_group_tests_name("sql/row_batch", tests, NULL, NULL);
}
