#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "base/crc32c.h"
#include "format/kv_batch.h"

/* The row bytes of a record of the case; a delete has none. */
static struct bytes row_of(const json_t *one, const json_t *record, struct arena *arena)
{
    bool indexed = strcmp(vectors_text(one, "kv_format"), "INDEXED") == 0;
    struct row_format format = {.layout = indexed ? ROW_INDEXED : ROW_COMPACTED,
                                .row = row_vector_schema(vectors_get(one, "schema"), arena)};
    struct bytes row = BYTES_EMPTY;

    if (!vectors_bool(record, "delete")) {
        const struct row_value *fields =
            row_vector_fields(vectors_get(record, "row"), format.row, arena);

        assert_int_equal(row_encode(format, fields, arena, &row, NULL), ERR_OK);
    }
    return row;
}

static void check_case(const json_t *one, struct kv_batch_writer *w)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes golden = vectors_hex(one, "hex", &arena);
    const json_t *records = vectors_get(one, "records");
    struct kv_batch batch;
    struct kv_batch_iterator it;

    assert_int_equal(kv_batch_parse(golden, &batch, NULL), ERR_OK);
    assert_int_equal(batch.schema_id, vectors_i64(one, "schema_id"));
    assert_int_equal(batch.writer_id, vectors_i64(one, "writer_id"));
    assert_int_equal(batch.batch_sequence, vectors_i64(one, "batch_sequence"));
    assert_int_equal(batch.record_count, json_array_size(records));
    kv_batch_iterator_init(&it, &batch);
    kv_batch_writer_begin(w, batch.schema_id);
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *expected = json_array_get(records, i);
        struct bytes key = vectors_hex(expected, "key_hex", &arena);
        struct bytes row = row_of(one, expected, &arena);
        struct kv_record record;

        assert_int_equal(kv_batch_next(&it, &record, NULL), ERR_OK);
        vectors_assert_equal("key", record.key, key);
        vectors_assert_equal("row", record.row, row);
        kv_batch_writer_add(w, key, row);
    }
    vectors_assert_equal("batch", kv_batch_writer_finish(w, batch.writer_id, batch.batch_sequence),
                         golden);
}

static void golden_batches(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("kv_batches.json");
    OWNED(kv_batch_writer_fini) struct kv_batch_writer w = {0};

    (void)state;
    VECTORS_FOR_EACH(one, document) { check_case(one, &w); }
}

/* A batch of two records of 2 + 3 and 1 + 0 bytes. */
static struct bytes sample(struct kv_batch_writer *w)
{
    kv_batch_writer_begin(w, 3);
    kv_batch_writer_add(w, bytes_str("ab"), bytes_str("row"));
    kv_batch_writer_add(w, bytes_str("c"), BYTES_EMPTY);
    return kv_batch_writer_finish(w, 7, 0);
}

static enum errcode read_all(struct bytes in)
{
    struct kv_batch batch;
    struct kv_batch_iterator it;
    struct kv_record record;
    struct error e;

    TRY(kv_batch_parse(in, &batch, &e));
    kv_batch_iterator_init(&it, &batch);
    while (it.left > 0) {
        TRY(kv_batch_next(&it, &record, &e));
    }
    return ERR_OK;
}

static void any_flipped_or_missing_byte_is_noticed(void **state)
{
    OWNED(kv_batch_writer_fini) struct kv_batch_writer w = {0};
    struct bytes whole = sample(&w);

    (void)state;
    assert_int_equal(read_all(whole), ERR_OK);
    for (size_t i = 0; i < whole.len; i++) {
        assert_int_equal(read_all(bytes_slice(whole, 0, i)), ERR_CORRUPT_RECORD);
        w.out.data[i] ^= 0x10;
        assert_int_equal(read_all(whole), ERR_CORRUPT_RECORD);
        w.out.data[i] ^= 0x10;
    }
    *buffer_room(&w.out, 1) = 0xff; /* only the first batch counts */
    assert_int_equal(read_all(buffer_view(&w.out)), ERR_OK);
}

static void put_crc(struct kv_batch_writer *w)
{
    put_u32le(w->out.data + 5, crc32c(bytes_of(w->out.data + 9, w->out.len - 9)));
}

static void wrong_lengths_under_a_right_checksum(void **state)
{
    OWNED(kv_batch_writer_fini) struct kv_batch_writer w = {0};
    struct bytes whole = sample(&w);

    (void)state;
    for (int32_t count = -1; count < 5; count++) {
        put_i32le(w.out.data + 24, count);
        put_crc(&w);
        assert_int_equal(read_all(whole), count == 2 ? ERR_OK : ERR_CORRUPT_RECORD);
    }
    put_i32le(w.out.data + 24, 2);
    for (uint32_t length = 0; length < 20; length++) {
        put_u32le(w.out.data + KV_BATCH_HEADER_SIZE, length);
        put_crc(&w);
        assert_int_equal(read_all(whole), length == 6 ? ERR_OK : ERR_CORRUPT_RECORD);
    }
    put_u32le(w.out.data + KV_BATCH_HEADER_SIZE, 6);
    w.out.data[KV_BATCH_HEADER_SIZE + 4] = 6; /* a key longer than its record */
    put_crc(&w);
    assert_int_equal(read_all(whole), ERR_CORRUPT_RECORD);
    w.out.data[KV_BATCH_HEADER_SIZE + 4] = 5; /* then it is a delete */
    put_crc(&w);
    assert_int_equal(read_all(whole), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_batches),
        cmocka_unit_test(any_flipped_or_missing_byte_is_noticed),
        cmocka_unit_test(wrong_lengths_under_a_right_checksum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
