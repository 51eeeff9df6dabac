#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "format/value_batch.h"

/* Schema id and row of a case or record as a value. */
static struct bytes value_of(const json_t *one, const struct type *row, struct arena *arena)
{
    struct row_format format = {.layout = ROW_COMPACTED, .row = row};
    const struct row_value *fields = row_vector_fields(vectors_get(one, "row"), row, arena);
    struct bytes encoded = BYTES_EMPTY;
    uint8_t *value;

    assert_int_equal(row_encode(format, fields, arena, &encoded, NULL), ERR_OK);
    value = arena_alloc(arena, VALUE_HEADER_SIZE + encoded.len);
    put_i16le(value, (int16_t)vectors_i64(one, "schema_id"));
    memcpy(value + VALUE_HEADER_SIZE, encoded.data, encoded.len);
    return bytes_of(value, VALUE_HEADER_SIZE + encoded.len);
}

/* The same batch built where its size is known. */
static void check_sized(struct bytes golden, struct arena *arena)
{
    struct writer w = writer_of(arena_alloc(arena, golden.len), golden.len);
    struct value_batch_iterator it;

    assert_int_equal(value_batch_parse(golden, &it, NULL), ERR_OK);
    value_header_write(&w, golden.len, it.left);
    while (it.left > 0) {
        struct bytes value;

        assert_int_equal(value_batch_next(&it, &value, NULL), ERR_OK);
        value_record_write(&w, value);
    }
    vectors_assert_equal("sized batch", bytes_of(w.data, w.len), golden);
}

static void check_batch(const json_t *one, const struct type *row, struct arena *arena)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;
    struct bytes golden = vectors_hex(one, "hex", arena);
    const json_t *records = vectors_get(one, "records");
    struct value_batch_iterator it;

    value_batch_begin(&out);
    assert_int_equal(value_batch_parse(golden, &it, NULL), ERR_OK);
    assert_int_equal(it.left, json_array_size(records));
    for (size_t i = 0; i < json_array_size(records); i++) {
        struct bytes expected = value_of(json_array_get(records, i), row, arena);
        struct bytes value;

        assert_int_equal(value_batch_next(&it, &value, NULL), ERR_OK);
        vectors_assert_equal("value", value, expected);
        value_batch_add(&out, expected);
    }
    value_batch_finish(&out);
    vectors_assert_equal("batch", buffer_view(&out), golden);
    check_sized(golden, arena);
}

static void golden_batches_and_values(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("value_batches.json");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *row =
        row_vector_schema(vectors_get(vectors_case(document, 0), "schema"), &arena);

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        if (json_object_get(one, "hex") != NULL) {
            check_batch(one, row, &arena);
        } else {
            struct bytes golden = vectors_hex(one, "value_hex", &arena);

            vectors_assert_equal("value", value_of(one, row, &arena), golden);
            assert_int_equal(value_schema_id(golden), vectors_i64(one, "schema_id"));
            assert_int_equal(value_row(golden).len, golden.len - VALUE_HEADER_SIZE);
        }
    }
}

static enum errcode read_all(struct bytes in)
{
    struct value_batch_iterator it;
    struct bytes value;
    struct error e;

    TRY(value_batch_parse(in, &it, &e));
    while (it.left > 0) {
        TRY(value_batch_next(&it, &value, &e));
    }
    return ERR_OK;
}

static void wrong_lengths(void **state)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;

    (void)state;
    value_batch_begin(&out);
    value_batch_add(&out, bytes_of("\1\0row", 5));
    value_batch_add(&out, bytes_of("\2\0", 2));
    value_batch_finish(&out);
    assert_int_equal(read_all(buffer_view(&out)), ERR_OK);
    for (size_t len = 0; len < out.len; len++) {
        assert_int_equal(read_all(bytes_of(out.data, len)), ERR_CORRUPT_RECORD);
    }
    for (uint32_t count = 0; count < 4; count++) {
        put_u32le(out.data + 5, count);
        assert_int_equal(read_all(buffer_view(&out)), count == 2 ? ERR_OK : ERR_CORRUPT_RECORD);
    }
    put_u32le(out.data + 5, 2);
    for (uint32_t size = 0; size < 16; size++) {
        put_u32le(out.data + VALUE_BATCH_HEADER_SIZE, size);
        assert_int_equal(read_all(buffer_view(&out)), size == 5 ? ERR_OK : ERR_CORRUPT_RECORD);
    }
    put_u32le(out.data + VALUE_BATCH_HEADER_SIZE, 5);
    out.data[4] = 1;
    assert_int_equal(read_all(buffer_view(&out)), ERR_CORRUPT_RECORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_batches_and_values),
        cmocka_unit_test(wrong_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
