#include "../../support/unit.h"
#include "../../support/value_vectors.h"
#include "format/batch.h"
#include "format/stats.h"

static bool absent(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), "absent") == 0;
}

static void assert_column(const json_t *one, const struct stats *stats, uint32_t position,
                          struct arena *arena)
{
    const json_t *expected = vectors_get(one, "statistics");
    const json_t *min = json_array_get(vectors_get(expected, "min_by_schema_position"), position);
    const json_t *max = json_array_get(vectors_get(expected, "max_by_schema_position"), position);
    const json_t *nulls = json_array_get(vectors_get(expected, "null_counts"), position);
    struct type type;
    struct stats_column column;
    struct value value;
    enum errcode code;

    assert_true(vector_type(
        vectors_text(json_array_get(vectors_get(one, "schema"), position), "type"), &type));
    code = stats_column(stats, position, &type, &column, NULL);
    if (absent(min)) {
        assert_int_equal(code, ERR_INVALID_ARGUMENT);
        return;
    }
    assert_int_equal(code, ERR_OK);
    assert_int_equal(column.null_count, vector_i64(nulls));
    value = vector_value(min, &type, arena);
    assert_true(vector_value_equal(&column.min, &value));
    value = vector_value(max, &type, arena);
    assert_true(vector_value_equal(&column.max, &value));
}

static void reads_golden_statistics(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_v1_v2_main.json");
    size_t sections = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct bytes data = vectors_hex(one, "hex", &arena);
        const json_t *expected = json_object_get(one, "statistics");
        struct batch_header h;
        struct stats stats;
        struct bytes section;

        assert_int_equal(batch_parse(data, &h, NULL), ERR_OK);
        section = batch_statistics(&h, data);
        if (expected == NULL) {
            assert_int_equal(section.len, 0);
            continue;
        }
        vectors_assert_equal("section", section, vectors_hex(expected, "hex", &arena));
        assert_int_equal(stats_parse(section, &stats, NULL), ERR_OK);
        for (uint32_t i = 0; i < json_array_size(vectors_get(one, "schema")); i++) {
            assert_column(one, &stats, i, &arena);
        }
        sections++;
    }
    assert_int_equal(sections, 10);
}

/* Of one column at position 0, as the reference writes it: min 3, max 1 << 40. */
static const char valid[] = "0101000000"
                            "01000000"
                            "10000000"
                            "00000000000000000300000000000000"
                            "10000000"
                            "00000000000000000000000000010000";

static void refuses_sections_cut_anywhere(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes section = vector_unhex(valid, &arena);
    struct stats stats;

    (void)state;
    assert_int_equal(stats_parse(section, &stats, NULL), ERR_OK);
    for (size_t len = 0; len < section.len; len++) {
        assert_int_equal(stats_parse(bytes_slice(section, 0, len), &stats, NULL),
                         ERR_CORRUPT_RECORD);
    }
}

static void refuses_other_versions_and_counts(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    uint8_t *data = (uint8_t *)(uintptr_t)vector_unhex(valid, &arena).data;
    struct bytes section = bytes_of(data, strlen(valid) / 2);
    struct stats stats;
    struct error e;

    (void)state;
    data[0] = 2;
    assert_int_equal(stats_parse(section, &stats, &e), ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "statistics of 49 bytes, version 2, 1 columns");
    data[0] = 1;
    put_i16le(data + 1, -1);
    assert_int_equal(stats_parse(section, &stats, &e), ERR_CORRUPT_RECORD);
    put_i16le(data + 1, 2);
    assert_int_equal(stats_parse(section, &stats, &e), ERR_CORRUPT_RECORD);
    put_i16le(data + 1, 1);
    put_i32le(data + 9, -1);
    assert_int_equal(stats_parse(section, &stats, &e), ERR_CORRUPT_RECORD);
    put_i32le(data + 9, 8);
    assert_int_equal(stats_parse(section, &stats, &e), ERR_CORRUPT_RECORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden_statistics),
        cmocka_unit_test(refuses_sections_cut_anywhere),
        cmocka_unit_test(refuses_other_versions_and_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
