#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "format/arrow_read.h"
#include "format/arrow_rows.h"
#include "format/batch.h"

#define COLUMNS_MAX 64

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

/* Messages of the Java writer, in every codec, hold the records of the case: the values read are
 * those that, written again, give the message of the same case without compression. */
static void check_case(const json_t *one, struct codec *codec)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct arrow_build_codec none = {.kind = ARROW_CODEC_NONE};
    const struct type *row = row_vector_schema(vectors_get(one, "schema"), &arena);
    const json_t *records = vectors_get(one, "records");
    OWNED(arrow_rows_freep) struct arrow_rows *read = arrow_rows_new(row);
    OWNED(arrow_rows_freep) struct arrow_rows *expected = arrow_rows_new(row);
    struct row_value values[COLUMNS_MAX];
    struct arrow_reader reader;
    struct bytes messages[2];
    struct error e = {0};

    if (json_array_size(records) == 0) {
        return;
    }
    if (arrow_reader_open(row, golden_message(one, &arena), codec, &arena, &reader, &e) != ERR_OK) {
        fail_msg("%s: %s", vectors_text(one, "name"), e.message);
    }
    assert_int_equal(reader.row_count, json_array_size(records));
    for (size_t i = 0; i < reader.row_count; i++) {
        const json_t *record = json_array_get(records, i);

        arrow_reader_row(&reader, i, &arena, values);
        assert_int_equal(arrow_rows_append_values(read, values, NULL), ERR_OK);
        assert_int_equal(
            arrow_rows_append_values(
                expected, row_vector_fields(vectors_get(record, "row"), row, &arena), NULL),
            ERR_OK);
    }
    assert_int_equal(arrow_rows_finish(read, &none, &arena, &messages[0], NULL), ERR_OK);
    assert_int_equal(arrow_rows_finish(expected, &none, &arena, &messages[1], NULL), ERR_OK);
    vectors_assert_equal(vectors_text(one, "name"), messages[0], messages[1]);
}

static void golden_messages(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_arrow.json");
    OWNED(codec_freep) struct codec *codec = codec_new();

    (void)state;
    VECTORS_FOR_EACH(one, document) { check_case(one, codec); }
}

/* ---- values that come back ---- */

static struct row_value round_trip(const char *type, struct row_value value, struct arena *arena)
{
    const struct arrow_build_codec none = {.kind = ARROW_CODEC_NONE};
    const struct type *row = row_vector_type(type, arena);
    OWNED(arrow_rows_freep) struct arrow_rows *rows = arrow_rows_new(row);
    struct arrow_reader reader;
    struct bytes message;
    struct row_value read;

    assert_int_equal(arrow_rows_append_values(rows, &value, NULL), ERR_OK);
    assert_int_equal(arrow_rows_finish(rows, &none, arena, &message, NULL), ERR_OK);
    assert_int_equal(arrow_reader_open(row, message, NULL, arena, &reader, NULL), ERR_OK);
    arrow_reader_row(&reader, 0, arena, &read);
    return read;
}

static void times_come_back_to_their_precision(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct row_value before_1970 = {.timestamp = {.millis = -1, .nanos = 999999}};
    struct row_value read;

    (void)state;
    read = round_trip("ROW<`a` TIMESTAMP(9)>", before_1970, &arena);
    assert_int_equal(read.timestamp.millis, -1);
    assert_int_equal(read.timestamp.nanos, 999999);
    read = round_trip("ROW<`a` TIMESTAMP_LTZ(6)>", before_1970, &arena);
    assert_int_equal(read.timestamp.millis, -1);
    assert_int_equal(read.timestamp.nanos, 999000);
    read = round_trip("ROW<`a` TIMESTAMP(0)>", (struct row_value){.timestamp = {.millis = 1999}},
                      &arena);
    assert_int_equal(read.timestamp.millis, 1000);
    for (int32_t precision = 0; precision <= 9; precision++) {
        const char *type = arena_printf(&arena, "ROW<`a` TIME(%d)>", precision);

        read = round_trip(type, (struct row_value){.integer = 86399999}, &arena);
        assert_int_equal(read.integer, precision == 0 ? 86399000 : 86399999);
    }
}

/* ---- damage ---- */

/* Reads everything there is; whatever the message says, only what opening let pass. */
static void read_all(const struct type *row, struct bytes message, struct codec *codec)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct row_value values[COLUMNS_MAX];
    struct arrow_reader reader;
    struct error e;

    if (arrow_reader_open(row, message, codec, &arena, &reader, &e) == ERR_OK) {
        for (size_t i = 0; i < reader.row_count; i++) {
            arrow_reader_row(&reader, i, &arena, values);
        }
    } else {
        assert_int_equal(e.code, ERR_CORRUPT_RECORD);
    }
}

static void any_damage_is_survived(void **state)
{
    OWNED(vectors_freep) json_t *document = vectors_load("log_batches_arrow.json");
    OWNED(codec_freep) struct codec *codec = codec_new();

    (void)state;
    VECTORS_FOR_EACH(one, document)
    {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        const struct type *row = row_vector_schema(vectors_get(one, "schema"), &arena);
        struct bytes golden = golden_message(one, &arena);
        uint8_t *copy = arena_alloc(&arena, golden.len);

        if (golden.len == 0) {
            continue;
        }
        memcpy(copy, golden.data, golden.len);
        for (size_t i = 0; i < golden.len; i += 3) {
            copy[i] ^= (uint8_t)(1 << i % 8);
            read_all(row, bytes_of(copy, golden.len), codec);
            copy[i] = golden.data[i];
        }
        for (size_t len = 0; len < golden.len; len += 7) {
            struct arrow_reader reader;

            assert_int_equal(
                arrow_reader_open(row, bytes_slice(golden, 0, len), codec, &arena, &reader, NULL),
                ERR_CORRUPT_RECORD);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_messages),
        cmocka_unit_test(times_come_back_to_their_precision),
        cmocka_unit_test(any_damage_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
