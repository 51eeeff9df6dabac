#include "../../support/unit.h"
#include "../../support/value_vectors.h"
#include "format/aligned_row.h"

static struct aligned_row opened(struct bytes data, size_t field_count)
{
    struct aligned_row row = {0};
    struct error e;

    if (aligned_row_init(&row, data, field_count, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return row;
}

static void assert_field(const json_t *one, const struct aligned_row *row, size_t i,
                         struct arena *arena)
{
    const json_t *column = json_array_get(vectors_get(one, "schema"), i);
    const char *text = vectors_text(column, "type");
    struct type type = {.root = TYPE_ARRAY};
    bool plain = vector_type(text, &type);
    struct value expected;
    struct value got = {0};
    struct error e;
    enum errcode code = aligned_row_get(row, i, &type, &got, &e);

    if (!plain && !aligned_row_is_null(row, i)) {
        assert_int_equal(code, ERR_UNSUPPORTED_OPERATION);
        return;
    }
    if (code != ERR_OK) {
        fail_msg("%s: %s", text, e.message);
    }
    expected = vector_value(json_array_get(vectors_get(one, "row"), i), &type, arena);
    if (!vector_value_equal(&got, &expected)) {
        fail_msg("%s: field %zu is not as expected", text, i);
    }
}

static void reads_golden_rows(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("rows_aligned.json");
    size_t rows = 0;

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        size_t count = json_array_size(vectors_get(one, "schema"));
        struct aligned_row row;

        if (json_object_get(one, "error") != NULL) {
            continue;
        }
        row = opened(vectors_hex(one, "hex", &arena), count);
        for (size_t i = 0; i < count; i++) {
            assert_field(one, &row, i, &arena);
        }
        rows++;
    }
    assert_true(rows > 100);
}

static void more_than_56_fields_take_a_second_header_word(void **state)
{
    uint8_t data[16 + 57 * 8] = {0};
    struct type type = {.root = TYPE_INTEGER};
    struct aligned_row row;
    struct value v;

    (void)state;
    data[8] = 1; /* bit 64: field 56 */
    put_i32le(data + 16, -5);
    row = opened(bytes_of(data, sizeof data), 57);
    assert_true(aligned_row_is_null(&row, 56));
    assert_int_equal(aligned_row_get(&row, 0, &type, &v, NULL), ERR_OK);
    assert_int_equal(v.integer, -5);
}

struct bad {
    struct type type;
    uint64_t slot;
    const char *message;
};

static void refuses_values_outside_the_row(void **state)
{
    static const struct bad table[] = {
        {{.root = TYPE_STRING}, 17ULL << 32, "value at byte 17 of 0 bytes in an aligned row of 16"},
        {{.root = TYPE_STRING},
         16ULL << 32 | 1,
         "value at byte 16 of 1 bytes in an aligned row of 16"},
        {{.root = TYPE_BYTES},
         0x7fffffffULL,
         "value at byte 0 of 2147483647 bytes in an aligned row of 16"},
        {{.root = TYPE_STRING}, 0x88ULL << 56, "8 bytes in a slot of an aligned row"},
        {{.root = TYPE_TIMESTAMP, .precision = 6},
         9ULL << 32,
         "value at byte 9 of 8 bytes in an aligned row of 16"},
        {{.root = TYPE_DECIMAL, .precision = 20},
         8ULL << 32,
         "decimal of 0 bytes in an aligned row"},
        {{.root = TYPE_DECIMAL, .precision = 20},
         0ULL << 32 | 17,
         "value at byte 0 of 17 bytes in an aligned row of 16"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        uint8_t data[16] = {0};
        struct aligned_row row;
        struct value v;
        struct error e;

        put_u64le(data + 8, table[i].slot);
        row = opened(bytes_of(data, sizeof data), 1);
        assert_int_equal(aligned_row_get(&row, 0, &table[i].type, &v, &e), ERR_CORRUPT_RECORD);
        assert_string_equal(e.message, table[i].message);
    }
}

static void refuses_a_row_shorter_than_its_slots(void **state)
{
    static const uint8_t data[31] = {0};
    struct aligned_row row;
    struct error e;

    (void)state;
    assert_int_equal(aligned_row_init(&row, bytes_of(data, sizeof data), 3, &e),
                     ERR_CORRUPT_RECORD);
    assert_string_equal(e.message, "aligned row of 31 bytes with 3 fields");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden_rows),
        cmocka_unit_test(more_than_56_fields_take_a_second_header_word),
        cmocka_unit_test(refuses_values_outside_the_row),
        cmocka_unit_test(refuses_a_row_shorter_than_its_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
