#include "../../support/unit.h"
#include "cmd/bench_table.h"
#include "format/table_descriptor.h"

static const struct bench_column columns[] = {{"a", "BIGINT", 0, 0, true},
                                              {"b", "DECIMAL", 18, 2, true},
                                              {"c", "TIMESTAMP_WITHOUT_TIME_ZONE", 3, 0, false}};
static const char *const key[] = {"a", "b"};

static struct table_descriptor *parse(const struct bench_table *table,
                                      const struct bench_options *options)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_descriptor *descriptor = NULL;
    struct bytes text;

    assert_int_equal(bench_table_json(table, options, &arena, &text, NULL), ERR_OK);
    assert_int_equal(table_descriptor_parse(text, &descriptor, NULL), ERR_OK);
    return descriptor;
}

static void test_log_table(void **state)
{
    struct bench_table table = {.columns = columns, .column_count = ARRAY_LEN(columns)};
    struct bench_options options = {.buckets = 3, .codec = ARROW_CODEC_ZSTD};
    OWNED(table_descriptor_unrefp) struct table_descriptor *d = parse(&table, &options);

    (void)state;
    assert_false(table_has_primary_key(d));
    assert_int_equal(d->def.bucket_count, 3);
    assert_true(d->def.distributed);
    assert_int_equal(d->def.bucket_keys.count, 0);
    assert_string_equal(text_map_get(d->def.properties, "table.log.arrow.compression.type"),
                        "ZSTD");
    assert_int_equal(d->def.schema->count, 3);
    assert_false(d->def.schema->columns[0].type->nullable);
    assert_int_equal(d->def.schema->columns[1].type->precision, 18);
    assert_int_equal(d->def.schema->columns[1].type->scale, 2);
    assert_int_equal(d->def.schema->columns[2].type->precision, 3);
    assert_true(d->def.schema->columns[2].type->nullable);
}

static void test_primary_key_table(void **state)
{
    struct bench_table table = {.columns = columns,
                                .column_count = ARRAY_LEN(columns),
                                .primary_key = key,
                                .primary_key_count = 2,
                                .bucket_key_count = 1};
    struct bench_options options = {
        .buckets = 1, .properties = {"table.kv.format=indexed"}, .property_count = 1};
    OWNED(table_descriptor_unrefp) struct table_descriptor *d = parse(&table, &options);

    (void)state;
    assert_int_equal(d->def.schema->primary_key_count, 2);
    assert_int_equal(d->def.schema->primary_key[1], 1);
    assert_int_equal(d->def.bucket_keys.count, 1);
    assert_string_equal(text_map_get(d->def.properties, "table.kv.format"), "indexed");
}

static void test_property_without_a_key(void **state)
{
    struct bench_table table = {.columns = columns, .column_count = ARRAY_LEN(columns)};
    struct bench_options options = {.buckets = 1, .properties = {"=x"}, .property_count = 1};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes text;
    struct error e;

    (void)state;
    assert_int_equal(bench_table_json(&table, &options, &arena, &text, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, "property '=x' has no key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_table),
        cmocka_unit_test(test_primary_key_table),
        cmocka_unit_test(test_property_without_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
