#include "../../support/unit.h"
#include "format/table_options.h"

#define MAP(...)                                                                                   \
    ((struct text_map){.items = (const struct text_pair[]){__VA_ARGS__},                           \
                       .count = sizeof((const struct text_pair[]){__VA_ARGS__}) /                  \
                                sizeof(struct text_pair)})

static void defaults_are_those_of_the_table(void **state)
{
    struct table_options o;

    (void)state;
    assert_int_equal(table_options_parse((struct text_map){0}, &o, NULL), ERR_OK);
    assert_int_equal(o.present, 0);
    assert_int_equal(o.log_format, LOG_FORMAT_ARROW);
    assert_int_equal(o.arrow_compression, ARROW_CODEC_ZSTD);
    assert_int_equal(o.arrow_zstd_level, 3);
    assert_int_equal(o.log_ttl_ms, INT64_C(7) * 86400000);
    assert_int_equal(o.lake_freshness_ms, 180000);
    assert_int_equal(o.auto_partition.unit, PARTITION_DAY);
    assert_int_equal(o.auto_partition.precreate, 2);
    assert_int_equal(o.auto_partition.retention, 7);
    assert_false(o.auto_partition.enabled);
    assert_null(o.auto_partition.key);
    assert_int_equal(o.merge_engine, MERGE_NONE);
    assert_int_equal(o.auto_increment_cache, 100000);
}

static void values_of_every_kind(void **state)
{
    struct table_options o;

    (void)state;
    assert_int_equal(
        table_options_parse(MAP({"table.replication.factor", "3"}, {"table.log.format", "indexed"},
                                {"table.log.arrow.compression.type", "lz4_frame"},
                                {"table.auto-partition.enabled", "TRUE"},
                                {"table.auto-partition.key", "dt"},
                                {"table.auto-partition.time-unit", "hour"},
                                {"table.log.ttl", "10 min"}, {"table.merge-engine", "First_Row"},
                                {"table.auto-increment.cache-size", "5000000000"}),
                            &o, NULL),
        ERR_OK);
    assert_int_equal(o.replication_factor, 3);
    assert_int_equal(o.log_format, LOG_FORMAT_INDEXED);
    assert_int_equal(o.arrow_compression, ARROW_CODEC_LZ4_FRAME);
    assert_true(o.auto_partition.enabled);
    assert_string_equal(o.auto_partition.key, "dt");
    assert_int_equal(o.auto_partition.unit, PARTITION_HOUR);
    assert_int_equal(o.log_ttl_ms, 600000);
    assert_int_equal(o.merge_engine, MERGE_FIRST_ROW);
    assert_int_equal(o.auto_increment_cache, 5000000000);
    assert_true(table_options_has(&o, TABLE_OPTION_LOG_TTL));
    assert_false(table_options_has(&o, TABLE_OPTION_LOG_LOCAL_TTL));
}

static void refuses_unknown_keys_and_values(void **state)
{
    struct table_options o;
    struct error e;

    (void)state;
    assert_int_equal(table_options_parse(MAP({"table.kv.ttl", "1 d"}), &o, &e), ERR_INVALID_CONFIG);
    assert_string_equal(e.message, "'table.kv.ttl' is not a table property that this server knows");
    assert_int_equal(table_options_parse(MAP({"connector", "x"}), &o, &e), ERR_INVALID_CONFIG);
    assert_int_equal(table_options_parse(MAP({"table.log.format", "csv"}), &o, &e),
                     ERR_INVALID_CONFIG);
    assert_string_equal(e.message, "invalid value of 'table.log.format': found \"csv\", expected "
                                   "one of ARROW, INDEXED, COMPACTED");
    assert_int_equal(table_options_parse(MAP({"table.merge-engine", ""}), &o, NULL),
                     ERR_INVALID_CONFIG);
    assert_int_equal(table_options_parse(MAP({"table.log.ttl", "-1 d"}), &o, &e),
                     ERR_INVALID_CONFIG);
    assert_string_equal(e.message, "invalid value of 'table.log.ttl': found \"-1 d\", expected a "
                                   "duration such as 7d, 10 min or 100ms");
}

static void the_table_can_be_asked(void **state)
{
    enum table_option option = TABLE_OPTION_COUNT;
    enum lake_format lake = LAKE_FORMAT_NONE;

    (void)state;
    for (int i = 0; i < TABLE_OPTION_COUNT; i++) {
        assert_true(table_option_find(table_option_key((enum table_option)i), &option));
        assert_int_equal(option, i);
    }
    assert_true(table_option_alterable(TABLE_OPTION_LOG_TTL));
    assert_false(table_option_alterable(TABLE_OPTION_LOG_FORMAT));
    assert_string_equal(table_option_default(TABLE_OPTION_LOG_TTL), "7 d");
    assert_null(table_option_default(TABLE_OPTION_MERGE_ENGINE));
    assert_true(lake_format_parse("iceberg", &lake));
    assert_string_equal(lake_format_name(lake), "ICEBERG");
    assert_false(lake_format_parse("", &lake));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(values_of_every_kind),
        cmocka_unit_test(refuses_unknown_keys_and_values),
        cmocka_unit_test(the_table_can_be_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
