#include "../../support/key_vectors.h"
#include "../../support/unit.h"

static void golden_compacted_keys(void **state)
{
    (void)state;
    key_vectors_check("fluss", KEY_COMPACTED, BUCKETING_FLUSS);
}

/* A table with the primary key (p, a, b), partitioned by p. */
static struct table_descriptor *table_of(const char *bucket_keys)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_descriptor *table = NULL;
    const char *text =
        arena_printf(&arena,
                     "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["
                     "{\"name\":\"v\",\"data_type\":{\"type\":\"STRING\"},\"id\":0},"
                     "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\"},\"id\":1},"
                     "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\"},\"id\":2},"
                     "{\"name\":\"p\",\"data_type\":{\"type\":\"STRING\"},\"id\":3}],"
                     "\"primary_key\":[\"p\",\"a\",\"b\"],\"highest_field_id\":3},"
                     "\"partition_key\":[\"p\"],\"bucket_key\":[%s],\"bucket_count\":3,"
                     "\"properties\":{},\"custom_properties\":{}}",
                     bucket_keys);

    assert_int_equal(table_descriptor_parse(bytes_str(text), &table, NULL), ERR_OK);
    return table;
}

static void partition_columns_are_not_in_the_key(void **state)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *table = table_of("\"a\"");
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct table_options options = {0};
    struct key_format primary = key_format_primary(table, &options, &arena);
    struct key_format bucket = key_format_bucket(table, &options, &arena);

    (void)state;
    assert_int_equal(primary.columns->count, 2);
    assert_string_equal(primary.columns->fields[0].name, "a");
    assert_string_equal(primary.columns->fields[1].name, "b");
    assert_int_equal(primary.positions[0], 1);
    assert_int_equal(primary.positions[1], 2);
    assert_int_equal(bucket.columns->count, 1);
    assert_int_equal(bucket.positions[0], 1);
}

static void lake_format_and_version_choose_the_encoding(void **state)
{
    static const struct {
        enum lake_format lake;
        int32_t version;
        const char *bucket_keys;
        enum key_encoding primary;
        enum key_encoding bucket;
        enum bucketing function;
    } cases[] = {
        {LAKE_FORMAT_NONE, 0, "\"a\"", KEY_COMPACTED, KEY_COMPACTED, BUCKETING_FLUSS},
        {LAKE_FORMAT_LANCE, 2, "\"a\"", KEY_COMPACTED, KEY_COMPACTED, BUCKETING_FLUSS},
        {LAKE_FORMAT_PAIMON, 1, "\"a\"", KEY_PAIMON, KEY_PAIMON, BUCKETING_PAIMON},
        {LAKE_FORMAT_PAIMON, 0, "\"a\"", KEY_PAIMON, KEY_PAIMON, BUCKETING_PAIMON},
        {LAKE_FORMAT_PAIMON, 2, "\"a\"", KEY_COMPACTED, KEY_PAIMON, BUCKETING_PAIMON},
        {LAKE_FORMAT_PAIMON, 2, "\"a\",\"b\"", KEY_PAIMON, KEY_PAIMON, BUCKETING_PAIMON},
        {LAKE_FORMAT_PAIMON, 2, "\"b\",\"a\"", KEY_COMPACTED, KEY_PAIMON, BUCKETING_PAIMON},
        {LAKE_FORMAT_ICEBERG, 1, "\"a\"", KEY_ICEBERG, KEY_ICEBERG, BUCKETING_ICEBERG},
        {LAKE_FORMAT_ICEBERG, 2, "\"a\"", KEY_COMPACTED, KEY_ICEBERG, BUCKETING_ICEBERG},
        {LAKE_FORMAT_HUDI, 1, "\"a\",\"b\"", KEY_COMPACTED, KEY_HUDI, BUCKETING_HUDI},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        OWNED(table_descriptor_unrefp)
        struct table_descriptor *table = table_of(cases[i].bucket_keys);
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        const struct table_options options = {.lake_format = cases[i].lake,
                                              .kv_format_version = cases[i].version};

        assert_int_equal(key_format_primary(table, &options, &arena).encoding, cases[i].primary);
        assert_int_equal(key_format_bucket(table, &options, &arena).encoding, cases[i].bucket);
        assert_int_equal(key_bucketing(&options), cases[i].function);
    }
}

static void prefixes_of_keys(void **state)
{
    static const struct {
        const char *bucket_keys;
        enum lake_format lake;
        uint32_t count;
    } cases[] = {
        {"\"a\"", LAKE_FORMAT_NONE, 1},
        {"\"b\"", LAKE_FORMAT_NONE, 0},
        {"\"a\",\"b\"", LAKE_FORMAT_NONE, 0},
        {"\"a\"", LAKE_FORMAT_PAIMON, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        OWNED(table_descriptor_unrefp)
        struct table_descriptor *table = table_of(cases[i].bucket_keys);
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        const struct table_options options = {.lake_format = cases[i].lake};
        struct key_prefix prefix = key_prefix_of(table, &options, &arena);

        assert_int_equal(prefix.count, cases[i].count);
        if (prefix.count > 0) { /* a INT, b STRING */
            assert_int_equal(key_prefix_size(&prefix, bytes_of("\xac\x02\x02xy", 5)), 2);
            assert_int_equal(key_prefix_size(&prefix, bytes_of("\x07", 1)), 1);
            assert_int_equal(key_prefix_size(&prefix, bytes_of("\xac", 1)), 0);
            assert_int_equal(key_prefix_size(&prefix, BYTES_EMPTY), 0);
        }
    }
}

static void nulls_and_leftovers_are_refused(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct key_format format = {
        .encoding = KEY_COMPACTED,
        .columns = row_vector_type("ROW<`a` INT NOT NULL, `b` STRING NOT NULL>", &arena)};
    const struct row_value null[] = {{.integer = 1}, {.null = true}};
    const struct row_value good[] = {{.integer = 300}, {.bytes = bytes_str("xy")}};
    const struct row_value *read = NULL;
    struct bytes key;

    (void)state;
    assert_int_equal(key_encode(&format, null, &arena, &key, NULL), ERR_INVALID_ARGUMENT);
    assert_int_equal(key_encode(&format, good, &arena, &key, NULL), ERR_OK);
    vectors_assert_equal("key", key, bytes_of("\xac\x02\x02xy", 5));
    for (size_t len = 0; len < key.len; len++) {
        assert_int_equal(key_decode(&format, bytes_slice(key, 0, len), &arena, &read, NULL),
                         ERR_CORRUPT_RECORD);
    }
    assert_int_equal(key_decode(&format, bytes_of("\xac\x02\x02xyz", 6), &arena, &read, NULL),
                     ERR_CORRUPT_RECORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_compacted_keys),
        cmocka_unit_test(partition_columns_are_not_in_the_key),
        cmocka_unit_test(lake_format_and_version_choose_the_encoding),
        cmocka_unit_test(prefixes_of_keys),
        cmocka_unit_test(nulls_and_leftovers_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
