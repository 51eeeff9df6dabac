#include "../../support/row_vectors.h"
#include "../../support/unit.h"

/* A value of every kind of slot, in arrays, maps and rows inside each other. */
static void nested_values_round_trip(void **state)
{
    static const struct {
        const char *type;
        const char *row;
    } samples[] = {
        {"ROW<`a` ARRAY<BOOLEAN>>", "[[true, null, false]]"},
        {"ROW<`a` ARRAY<SMALLINT NOT NULL>>", "[[1, -2, 3]]"},
        {"ROW<`a` ARRAY<FLOAT>, `b` ARRAY<DOUBLE>>", "[[1.5, null], [\"NaN\", -0.0]]"},
        {"ROW<`a` ARRAY<BIGINT>, `b` ARRAY<DATE>>", "[[5000000000], [null, -1]]"},
        {"ROW<`a` ARRAY<BYTES>>", "[[\"hex:\", \"hex:0102030405060708\", null]]"},
        {"ROW<`a` ARRAY<DECIMAL(5, 2)>, `b` ARRAY<DECIMAL(38, 0)>>",
         "[[\"1.23\"], [\"-99999999999999999999999999999999999999\", null]]"},
        {"ROW<`a` ARRAY<TIMESTAMP(3)>, `b` ARRAY<TIMESTAMP_LTZ(9)>>",
         "[[{\"millis\": -1, \"nano_of_milli\": 0}], [null, {\"millis\": 7, \"nano_of_milli\": "
         "9}]]"},
        {"ROW<`a` MAP<INT NOT NULL, ARRAY<STRING>>>",
         "[{\"keys\": [1, 2], \"values\": [[\"x\", \"a longer text\"], null]}]"},
        {"ROW<`a` ARRAY<MAP<STRING NOT NULL, ROW<`x` INT, `y` ARRAY<TINYINT>>>>>",
         "[[{\"keys\": [\"k\"], \"values\": [[3, [1, null, 2]]]}, null]]"},
        {"ROW<`a` ROW<`b` ROW<`c` STRING>, `d` MAP<DATE NOT NULL, DATE>>>",
         "[[[\"deep\"], {\"keys\": [], \"values\": []}]]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples) * 2; i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        OWNED(vectors_freep) json_t *json = json_loads(samples[i / 2].row, 0, NULL);
        struct row_format format = {.layout = i % 2 == 0 ? ROW_COMPACTED : ROW_INDEXED,
                                    .row = row_vector_type(samples[i / 2].type, &arena)};
        const struct row_value *fields = row_vector_fields(json, format.row, &arena);
        struct row_value before = {.count = format.row->count, .items = fields};
        struct row_value after = before;
        struct bytes encoded = BYTES_EMPTY;

        assert_int_equal(row_encode(format, fields, &arena, &encoded, NULL), ERR_OK);
        assert_int_equal(row_decode(format, encoded, &arena, &after.items, NULL), ERR_OK);
        assert_true(row_value_equal(format.row, &before, &after));
    }
}

static enum errcode decode_array(const char *type, struct bytes array, struct arena *arena)
{
    struct row_format format = {.layout = ROW_INDEXED, .row = row_vector_type(type, arena)};
    const struct row_value *fields = NULL;
    uint8_t *data = arena_zalloc(arena, 5 + array.len);

    put_u32le(data + 1, (uint32_t)array.len);
    if (array.len > 0) {
        memcpy(data + 5, array.data, array.len);
    }
    return row_decode(format, bytes_of(data, 5 + array.len), arena, &fields, NULL);
}

static void refuses_damaged_arrays(void **state)
{
    /* count, null bits, one slot */
    uint8_t array[16] = {1};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes in = bytes_of(array, sizeof array);

    (void)state;
    put_u64le(array + 8, UINT64_C(16) << 32);
    assert_int_equal(decode_array("ROW<`a` ARRAY<STRING>>", in, &arena), ERR_OK);
    put_u64le(array + 8, UINT64_C(17) << 32);
    assert_int_equal(decode_array("ROW<`a` ARRAY<STRING>>", in, &arena), ERR_CORRUPT_RECORD);
    put_u64le(array + 8, UINT64_C(16) << 32 | 1);
    assert_int_equal(decode_array("ROW<`a` ARRAY<STRING>>", in, &arena), ERR_CORRUPT_RECORD);
    assert_int_equal(decode_array("ROW<`a` ARRAY<TIMESTAMP(9)>>", in, &arena), ERR_CORRUPT_RECORD);
    put_u64le(array + 8, UINT64_C(0x88) << 56);
    assert_int_equal(decode_array("ROW<`a` ARRAY<STRING>>", in, &arena), ERR_CORRUPT_RECORD);
    put_u32le(array, UINT32_MAX);
    assert_int_equal(decode_array("ROW<`a` ARRAY<STRING>>", in, &arena), ERR_CORRUPT_RECORD);
    put_u32le(array, INT32_MAX);
    assert_int_equal(decode_array("ROW<`a` ARRAY<STRING>>", in, &arena), ERR_CORRUPT_RECORD);
    assert_int_equal(decode_array("ROW<`a` MAP<INT NOT NULL, INT>>", in, &arena),
                     ERR_CORRUPT_RECORD);
}

/* Slots that all point to one inner array, whose slots all point to one ... */
static void overlapping_slots_do_not_multiply(void **state)
{
    enum { WIDTH = 64, LEVELS = 8 };
    size_t level_size = 4 + WIDTH / 8 + WIDTH * 8 + 4;
    size_t size = level_size * LEVELS;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    uint8_t *data = arena_zalloc(&arena, size);
    const char *type = "INT";

    (void)state;
    for (size_t level = 0; level < LEVELS; level++) {
        uint8_t *array = data + level * level_size;
        size_t rest = size - (level + 1) * level_size;

        put_u32le(array, level + 1 < LEVELS ? WIDTH : 0);
        for (size_t i = 0; i < WIDTH; i++) {
            put_u64le(array + 4 + WIDTH / 8 + i * 8, (uint64_t)level_size << 32 | rest);
        }
        type = arena_printf(&arena, "ARRAY<%s>", type);
    }
    assert_int_equal(
        decode_array(arena_printf(&arena, "ROW<`a` %s>", type), bytes_of(data, size), &arena),
        ERR_CORRUPT_RECORD);
    assert_true(arena.total < 8u << 20);
}

static void values_compare(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *real = row_vector_type("DOUBLE", &arena);
    const struct type *list = row_vector_type("ARRAY<INT>", &arena);
    const struct row_value one = {.integer = 1};
    const struct row_value two = {.integer = 2};

    (void)state;
    assert_false(row_value_equal(real, &(struct row_value){.real64 = 0.0},
                                 &(struct row_value){.real64 = -0.0}));
    assert_false(row_value_equal(real, &(struct row_value){.null = true},
                                 &(struct row_value){.real64 = 0.0}));
    assert_false(row_value_equal(list, &(struct row_value){.count = 1, .items = &one},
                                 &(struct row_value){.count = 1, .items = &two}));
    assert_false(row_value_equal(list, &(struct row_value){.count = 1, .items = &one},
                                 &(struct row_value){.count = 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_values_round_trip),
        cmocka_unit_test(refuses_damaged_arrays),
        cmocka_unit_test(overlapping_slots_do_not_multiply),
        cmocka_unit_test(values_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
