#include "../../support/row_vectors.h"
#include "../../support/unit.h"
#include "base/hash.h"
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

/* The encoded row stays in the arena. */
static void append(struct arrow_rows *rows, struct row_format format, const struct row_plan *plan,
                   const struct row_value *values, struct arena *arena)
{
    struct row_cell cells[CELLS_MAX];
    struct bytes encoded = BYTES_EMPTY;

    assert_int_equal(row_encode(format, values, arena, &encoded, NULL), ERR_OK);
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
        struct row_format format = {form == 0 ? ROW_COMPACTED : ROW_INDEXED, row};
        const struct row_plan *plan = row_plan_new(format.layout, row, &arena);
        struct bytes message;

        arrow_rows_clear(rows);
        for (size_t i = 0; i < json_array_size(records); i++) {
            const struct row_value *values =
                row_vector_fields(vectors_get(json_array_get(records, i), "row"), row, &arena);

            if (form == 2) {
                assert_int_equal(arrow_rows_append_values(rows, values, NULL), ERR_OK);
            } else {
                append(rows, format, plan, values, &arena);
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
    append(rows, (struct row_format){ROW_COMPACTED, narrow},
           row_plan_new(ROW_COMPACTED, narrow, &arena), values, &arena);
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
    struct bytes message;
    struct row_cell cell = {(const uint8_t *)"\xff\xff\xff\x7f", 4};

    (void)state;
    assert_int_equal(arrow_rows_append(rows, plan, &cell, NULL), ERR_OK);
    assert_int_equal(arrow_rows_finish(rows, &none, &arena, &message, NULL), ERR_CORRUPT_RECORD);
    arrow_rows_clear(rows);
    for (uint32_t i = 0; i < ARROW_RUN_MAX; i++) {
        assert_int_equal(arrow_rows_append(rows, plan, &cell, NULL), ERR_OK);
    }
    assert_int_equal(arrow_rows_append(rows, plan, &cell, NULL), ERR_CORRUPT_RECORD);
}

/* ---- many rows ---- */

#define MANY_COLUMNS                                                                               \
    "`a` BIGINT, `c` SMALLINT, `d` TINYINT, `e` BOOLEAN, `f` FLOAT, `g` DOUBLE, "                  \
    "`h` STRING, `i` BYTES, `j` BINARY(3), `k` DECIMAL(9, 2), `l` DECIMAL(30, 2), `m` DATE, "      \
    "`n` TIME(0), `o` TIME(6), `p` TIMESTAMP(3), `q` TIMESTAMP_LTZ(9)"

static int64_t random_integer(const struct type *type, uint64_t h)
{
    return type->root == TYPE_TINYINT    ? (int8_t)(h >> 8)
           : type->root == TYPE_SMALLINT ? (int16_t)(h >> 8)
           : type->root == TYPE_BIGINT   ? (int64_t)h
           : type->root == TYPE_TIME     ? (int64_t)(h >> 8) % 86400000
                                         : (int32_t)(h >> 8);
}

static struct row_value random_value(const struct type *type, uint64_t h, struct arena *arena)
{
    struct row_value v = {.null = h % 5 == 0};
    enum type_root root = type->root;
    uint8_t bytes[] = {(uint8_t)(h >> 8), (uint8_t)(h >> 16), (uint8_t)(h >> 24)};

    if (root == TYPE_BOOLEAN) {
        v.boolean = (h >> 40 & 1) != 0;
    } else if (root == TYPE_FLOAT) {
        v.real32 = (float)(h >> 40);
    } else if (root == TYPE_DOUBLE) {
        v.real64 = (double)(h >> 40);
    } else if (root == TYPE_STRING || root == TYPE_BYTES || root == TYPE_BINARY) {
        v.bytes = arena_copy(arena, bytes_of(bytes, (h >> 4) % 4));
    } else if (root == TYPE_DECIMAL && type->precision > 18) {
        v.bytes = arena_copy(arena, bytes_of(bytes, 1 + (h >> 4) % 3));
    } else if (root == TYPE_TIMESTAMP || root == TYPE_TIMESTAMP_LTZ) {
        v.timestamp.millis = (int64_t)h >> 20;
        v.timestamp.nanos = type->precision > 3 ? (int32_t)(h % 1000000) : 0;
    } else {
        v.integer = random_integer(type, h);
    }
    return v;
}

/* Rows of two schemas, one after the other, of more than one run. */
static void check_many(enum row_layout layout, uint32_t count, uint32_t every)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct type *wide = row_vector_type("ROW<" MANY_COLUMNS ">", &arena);
    struct type narrow = *wide;
    OWNED(arrow_rows_freep) struct arrow_rows *rows = arrow_rows_new(wide);
    OWNED(arrow_rows_freep) struct arrow_rows *expected = arrow_rows_new(wide);
    const struct type *types[] = {wide, &narrow};
    const struct row_plan *plans[2];

    narrow.count = wide->count / 2;
    plans[0] = row_plan_new(layout, wide, &arena);
    plans[1] = row_plan_new(layout, &narrow, &arena);
    for (uint32_t i = 0; i < count; i++) {
        size_t which = i / every % 2;
        struct row_value values[CELLS_MAX];

        for (uint32_t k = 0; k < wide->count; k++) {
            values[k] = random_value(wide->fields[k].type, hash_u64(i * 100 + k + 1), &arena);
            values[k].null = values[k].null || k >= types[which]->count;
        }
        append(rows, (struct row_format){layout, types[which]}, plans[which], values, &arena);
        assert_int_equal(arrow_rows_append_values(expected, values, NULL), ERR_OK);
    }
    vectors_assert_equal("many rows", message_of(rows, &arena), message_of(expected, &arena));
}

static void many_rows_are_the_same_as_values(void **state)
{
    (void)state;
    for (enum row_layout layout = ROW_COMPACTED; layout <= ROW_INDEXED; layout++) {
        check_many(layout, ARROW_RUN_MAX, 1000);
        check_many(layout, 3 * ARROW_RUN_MAX + 7, 1000);
        check_many(layout, 3 * ARROW_RUN_MAX + 7, 5);
        check_many(layout, 500, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_messages),
        cmocka_unit_test(missing_columns_are_null),
        cmocka_unit_test(binary_is_filled_but_not_cut),
        cmocka_unit_test(damaged_nested_values_are_refused),
        cmocka_unit_test(many_rows_are_the_same_as_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
