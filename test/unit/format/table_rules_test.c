#include "../../support/unit.h"
#include "format/table_rules.h"

static const struct table_policy policy = {
    .bucket_count_default = 3,
    .bucket_count_max = 100,
    .replication_factor_default = 1,
    .create_log_tables = true,
    .create_kv_tables = true,
};

#define COLUMN(name, type) "{\"name\":\"" name "\",\"data_type\":{\"type\":\"" type "\"}}"
#define COLUMNS                                                                                    \
    COLUMN("a", "STRING")                                                                          \
    "," COLUMN("n", "BIGINT") "," COLUMN("d", "DATE") "," COLUMN(                                  \
        "y", "BYTES") ","                                                                          \
                      "{\"name\":\"l\",\"data_type\":{\"type\":\"ARRAY\",\"element_type\":{"       \
                      "\"type\":\"DATE\"}}},"                                                      \
                      "{\"name\":\"m\",\"data_type\":{\"type\":\"DECIMAL\",\"precision\":9,"       \
                      "\"scale\":1}}"

/* A table of COLUMNS: its keys ("primary_key") and other members, then its properties. */
static struct table_descriptor *table_of(const char *schema_rest, const char *rest,
                                         const char *properties)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_descriptor *table = NULL;
    struct error e = {0};
    const char *text = arena_printf(&arena,
                                    "{\"schema\":{\"columns\":[" COLUMNS "]%s},%s,"
                                    "\"properties\":{%s},\"custom_properties\":{}}",
                                    schema_rest, rest, properties);

    if (table_descriptor_parse(bytes_str(text), &table, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return table;
}

#define KEYED    ",\"primary_key\":[\"a\"]"
#define PLAIN    "\"partition_key\":[],\"bucket_count\":1"
#define BY_A     "\"partition_key\":[\"a\"],\"bucket_count\":1"
#define RF       "\"table.replication.factor\":\"1\""
#define PART     "\"partition_key\":[],\"bucket_key\":[\"a\"],\"bucket_count\":1"
#define ICEBERG  RF ",\"table.datalake.format\":\"ICEBERG\""
#define TWO_KEYS ",\"primary_key\":[\"a\",\"n\"]"
#define AUTO     RF ",\"table.auto-partition.enabled\":\"true\""

static enum errcode validate(const char *schema_rest, const char *rest, const char *properties,
                             struct error *e)
{
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *table = table_of(schema_rest, rest, properties);

    return table_validate(table, &policy, e);
}

struct sample {
    enum errcode code;
    const char *schema_rest;
    const char *rest;
    const char *properties;
};

static void assert_codes(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error e = {0};
        enum errcode code =
            validate(samples[i].schema_rest, samples[i].rest, samples[i].properties, &e);

        if (code != samples[i].code) {
            fail_msg("sample %zu %s: %s, %s", i, samples[i].properties, error_name(code),
                     e.message);
        }
    }
}

static void checks_options(void **state)
{
    static const struct sample samples[] = {
        {ERR_OK, "", PLAIN, RF},
        {ERR_OK, KEYED, PLAIN, RF},
        {ERR_INVALID_CONFIG, "", PLAIN, ""},
        {ERR_INVALID_CONFIG, "", PLAIN, "\"table.replication.factor\":\"0\""},
        {ERR_INVALID_CONFIG, "", PLAIN, RF ",\"table.nonsense\":\"1\""},
        {ERR_INVALID_CONFIG, "", PLAIN, RF ",\"table.log.ttl\":\"soon\""},
        {ERR_INVALID_TABLE, "", "\"partition_key\":[]", RF},
        {ERR_BUCKET_MAX_NUM, "", "\"partition_key\":[],\"bucket_count\":101", RF},
        {ERR_INVALID_ARGUMENT, "", "\"partition_key\":[],\"bucket_count\":0", RF},
        {ERR_INVALID_CONFIG, "", PLAIN, RF ",\"table.log.arrow.compression.zstd.level\":\"23\""},
        {ERR_INVALID_CONFIG, KEYED, PLAIN, RF ",\"table.log.format\":\"INDEXED\""},
        {ERR_OK, "", PLAIN, RF ",\"table.log.format\":\"INDEXED\""},
        {ERR_INVALID_CONFIG, KEYED, PLAIN,
         RF ",\"table.log.format\":\"INDEXED\",\"table.kv.format\":\"INDEXED\""},
        {ERR_INVALID_CONFIG, KEYED, PLAIN, RF ",\"table.kv.format-version\":\"3\""},
        {ERR_INVALID_CONFIG, "", PLAIN, RF ",\"table.log.tiered.local-segments\":\"0\""},
        {ERR_INVALID_CONFIG, "", PLAIN, RF ",\"table.log.local-ttl\":\"8d\""},
        {ERR_OK, "", PLAIN, RF ",\"table.log.local-ttl\":\"8d\",\"table.log.ttl\":\"0s\""},
        {ERR_INVALID_CONFIG, "", PLAIN,
         RF ",\"table.datalake.historical-partition.enabled\":\"true\""},
    };

    (void)state;
    assert_codes(samples, ARRAY_LEN(samples));
}

static void checks_keys_and_names(void **state)
{
    static const struct sample samples[] = {
        {ERR_INVALID_TABLE, "", "\"partition_key\":[],\"bucket_key\":[\"l\"],\"bucket_count\":1",
         RF},
        {ERR_INVALID_TABLE, ",\"primary_key\":[\"a\",\"l\"]", PLAIN, RF},
        {ERR_INVALID_TABLE, "", "\"partition_key\":[\"l\"],\"bucket_count\":1", RF},
        {ERR_INVALID_TABLE, "", "\"partition_key\":[\"m\"],\"bucket_count\":1", RF},
        {ERR_OK, "", "\"partition_key\":[\"y\"],\"bucket_count\":1", RF},
        /* what the lake's encoding takes: for Iceberg one column, unless keys are COMPACTED because
         * the bucket key is only a part */
        {ERR_OK, KEYED, PLAIN, ICEBERG},
        {ERR_INVALID_TABLE, TWO_KEYS, PLAIN, ICEBERG},
        {ERR_OK, TWO_KEYS, PART, ICEBERG ",\"table.kv.format-version\":\"2\""},
        {ERR_INVALID_TABLE, TWO_KEYS, PART, ICEBERG ",\"table.kv.format-version\":\"1\""},
        {ERR_OK, TWO_KEYS, PLAIN, RF ",\"table.datalake.format\":\"PAIMON\""},
    };
    static const char reserved[] = "{\"schema\":{\"columns\":[" COLUMN(
        "_log_offset", "DATE") "]}," PLAIN ",\"properties\":{" RF "},\"custom_properties\":{}}";
    OWNED(table_descriptor_unrefp) struct table_descriptor *table = NULL;
    struct error e;

    (void)state;
    assert_codes(samples, ARRAY_LEN(samples));
    assert_int_equal(table_descriptor_parse(bytes_str(reserved), &table, &e), ERR_OK);
    assert_int_equal(table_validate(table, &policy, &e), ERR_INVALID_TABLE);
    assert_string_equal(e.message, "column name '_log_offset' is reserved for a system column");
}

static void checks_merge_engines(void **state)
{
#define VERSIONED RF ",\"table.merge-engine\":\"versioned\""
#define VERSION   ",\"table.merge-engine.versioned.ver-column\":"
    static const struct sample samples[] = {
        {ERR_INVALID_CONFIG, "", PLAIN, RF ",\"table.merge-engine\":\"first_row\""},
        {ERR_OK, KEYED, PLAIN, RF ",\"table.merge-engine\":\"first_row\""},
        {ERR_INVALID_CONFIG, KEYED, PLAIN, VERSIONED},
        {ERR_INVALID_CONFIG, KEYED, PLAIN, VERSIONED VERSION "\"gone\""},
        {ERR_INVALID_CONFIG, KEYED, PLAIN, VERSIONED VERSION "\"d\""},
        {ERR_OK, KEYED, PLAIN, VERSIONED VERSION "\"n\""},
        {ERR_INVALID_CONFIG, KEYED, PLAIN,
         VERSIONED VERSION "\"n\",\"table.delete.behavior\":\"allow\""},
        {ERR_OK, KEYED, PLAIN, VERSIONED VERSION "\"n\",\"table.delete.behavior\":\"disable\""},
        {ERR_INVALID_CONFIG, "", PLAIN, RF ",\"table.delete.behavior\":\"ignore\""},
        {ERR_INVALID_CONFIG, KEYED, PLAIN,
         RF ",\"table.merge-engine\":\"aggregation\",\"table.changelog.image\":\"wal\""},
    };
    static const char aggregate[] = "{\"schema\":{\"columns\":[" COLUMN(
        "k",
        "DATE") ",{\"name\":\"v\",\"data_type\":{\"type\":"
                "\"STRING\"},\"agg_function\":{\"type\":\"sum\"}}],\"primary_key\":[\"k\"]}," PLAIN
                ",\"properties\":{" RF "%s},\"custom_properties\":{}}";
    static const char *const engines[] = {"", ",\"table.merge-engine\":\"aggregation\""};

    (void)state;
    assert_codes(samples, ARRAY_LEN(samples));
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) { /* no engine; a type that has no sum */
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        OWNED(table_descriptor_unrefp) struct table_descriptor *table = NULL;
        const char *text = arena_printf(&arena, aggregate, engines[i]);

        assert_int_equal(table_descriptor_parse(bytes_str(text), &table, NULL), ERR_OK);
        assert_int_equal(table_validate(table, &policy, NULL), ERR_INVALID_CONFIG);
    }
}

static void checks_automatic_partitions(void **state)
{
#define BY_TWO "\"partition_key\":[\"a\",\"n\"],\"bucket_count\":1"
#define BY_D   "\"partition_key\":[\"d\"],\"bucket_count\":1"
#define KEY    ",\"table.auto-partition.key\":"
#define NONE   ",\"table.auto-partition.num-precreate\":\"0\""
#define FORMAT ",\"table.auto-partition.time-format\":"
#define ZONE   ",\"table.auto-partition.time-zone\":"
    static const struct sample samples[] = {
        {ERR_INVALID_CONFIG, "", PLAIN, AUTO},
        {ERR_OK, "", BY_A, AUTO},
        {ERR_INVALID_TABLE, "", BY_A, AUTO KEY "\"n\""},
        {ERR_INVALID_TABLE, "", BY_TWO, AUTO NONE},
        {ERR_INVALID_TABLE, "", BY_TWO, AUTO NONE KEY "\"d\""},
        {ERR_INVALID_TABLE, "", BY_TWO, AUTO KEY "\"n\""},
        {ERR_OK, "", BY_TWO, AUTO NONE KEY "\"n\""},
        {ERR_INVALID_TABLE, "", BY_A, AUTO FORMAT "\"yyyyMM\""},
        {ERR_INVALID_TABLE, "", BY_A, RF FORMAT "\"yyyyMM\""},
        {ERR_OK, "", BY_A, AUTO FORMAT "\"yyyy_MM_dd\""},
        {ERR_INVALID_TABLE, "", BY_D, AUTO},
        {ERR_OK, "", BY_D, AUTO FORMAT "\"yyyy-MM-dd\""},
        {ERR_INVALID_TABLE, "", BY_D,
         AUTO FORMAT "\"yyyy-MM-dd\",\"table.auto-partition.time-unit\":\"hour\""},
        {ERR_OK, "", BY_A, AUTO ZONE "\"Europe/Paris\""},
        {ERR_OK, "", BY_A, AUTO ZONE "\"+08:00\""},
        {ERR_INVALID_CONFIG, "", BY_A, AUTO ZONE "\"../../etc/passwd\""},
    };

    (void)state;
    assert_codes(samples, ARRAY_LEN(samples));
}

static void checks_statistics_columns(void **state)
{
#define STATISTICS RF ",\"table.statistics.columns\":"
    static const struct sample samples[] = {
        {ERR_OK, "", PLAIN, STATISTICS "\" * \""},
        {ERR_OK, "", PLAIN, STATISTICS "\"a, n ,,d\""},
        {ERR_INVALID_CONFIG, "", PLAIN, STATISTICS "\"\""},
        {ERR_INVALID_CONFIG, "", PLAIN, STATISTICS "\" , \""},
        {ERR_INVALID_CONFIG, "", PLAIN, STATISTICS "\"a,gone\""},
        {ERR_INVALID_CONFIG, "", PLAIN, STATISTICS "\"y\""},
        {ERR_INVALID_CONFIG, "", PLAIN, STATISTICS "\"l\""},
        {ERR_INVALID_CONFIG, KEYED, PLAIN, STATISTICS "\"*\""},
    };

    (void)state;
    assert_codes(samples, ARRAY_LEN(samples));
}

static const char *property(const struct table_descriptor *table, const char *key)
{
    return text_map_get(table->def.properties, key);
}

static void fills_in_defaults(void **state)
{
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *plain = table_of("", "\"partition_key\":[]", "");
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *keyed =
        table_of(KEYED, "\"partition_key\":[]", "\"table.merge-engine\":\"first_row\"");
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *several =
        table_of("", BY_TWO, "\"table.auto-partition.enabled\":\"true\"");
    OWNED(table_descriptor_unrefp) struct table_descriptor *full = NULL;
    OWNED(table_descriptor_unrefp) struct table_descriptor *full_keyed = NULL;
    OWNED(table_descriptor_unrefp) struct table_descriptor *full_several = NULL;
    struct table_policy with_lake = policy;

    (void)state;
    with_lake.lake_format = LAKE_FORMAT_PAIMON;
    assert_int_equal(table_apply_defaults(plain, &policy, &full, NULL), ERR_OK);
    assert_int_equal(full->def.bucket_count, 3);
    assert_int_equal(full->def.properties.count, 1);
    assert_string_equal(property(full, "table.replication.factor"), "1");
    assert_int_equal(table_validate(full, &policy, NULL), ERR_OK);
    assert_int_equal(table_apply_defaults(keyed, &with_lake, &full_keyed, NULL), ERR_OK);
    assert_string_equal(property(full_keyed, "table.delete.behavior"), "IGNORE");
    assert_string_equal(property(full_keyed, "table.kv.format-version"), "2");
    assert_string_equal(property(full_keyed, "table.kv.standby-replica.enabled"), "true");
    assert_string_equal(property(full_keyed, "table.datalake.format"), "PAIMON");
    assert_int_equal(table_apply_defaults(several, &policy, &full_several, NULL), ERR_OK);
    assert_string_equal(property(full_several, "table.auto-partition.num-precreate"), "0");
}

static void refuses_kinds_of_tables(void **state)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *plain = table_of("", PLAIN, "");
    OWNED(table_descriptor_unrefp) struct table_descriptor *keyed = table_of(KEYED, PLAIN, "");
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *lake = table_of("", PLAIN, "\"table.datalake.enabled\":\"true\"");
    struct table_descriptor *full = NULL;
    struct table_policy closed = policy;

    (void)state;
    closed.create_log_tables = closed.create_kv_tables = false;
    assert_int_equal(table_apply_defaults(plain, &closed, &full, NULL), ERR_INVALID_TABLE);
    assert_int_equal(table_apply_defaults(keyed, &closed, &full, NULL), ERR_INVALID_TABLE);
    assert_int_equal(table_apply_defaults(lake, &policy, &full, NULL), ERR_INVALID_TABLE);
    assert_null(full);
}

static void adds_columns_by_the_rules(void **state)
{
    static const struct type date = {.root = TYPE_DATE, .nullable = true};
    static const struct agg_function last = {.kind = AGG_LAST_VALUE};
    static const struct schema_column good = {.name = "new", .type = &date};
    static const struct schema_column reserved = {.name = "__bucket", .type = &date};
    static const struct schema_column aggregate = {.name = "new", .type = &date, .agg = &last};
    OWNED(table_descriptor_unrefp) struct table_descriptor *table = table_of("", PLAIN, RF);
    OWNED(table_descriptor_unrefp) struct table_descriptor *next = NULL;

    (void)state;
    assert_int_equal(table_add_columns(table, &reserved, 1, &next, NULL), ERR_INVALID_TABLE);
    assert_int_equal(table_add_columns(table, &aggregate, 1, &next, NULL), ERR_INVALID_CONFIG);
    assert_int_equal(table_add_columns(table, &good, 1, &next, NULL), ERR_OK);
    assert_int_equal(next->def.schema->count, table->def.schema->count + 1);
    assert_int_equal(schema_find(next->def.schema, "new"), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_options),
        cmocka_unit_test(checks_keys_and_names),
        cmocka_unit_test(checks_merge_engines),
        cmocka_unit_test(checks_automatic_partitions),
        cmocka_unit_test(checks_statistics_columns),
        cmocka_unit_test(fills_in_defaults),
        cmocka_unit_test(refuses_kinds_of_tables),
        cmocka_unit_test(adds_columns_by_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
