#include "../../support/unit.h"
#include "format/table_rules.h"

static const struct table_policy policy = {.bucket_count_max = 100};
static const struct table_policy lake_policy = {.bucket_count_max = 100,
                                                .lake_format = LAKE_FORMAT_ICEBERG};

#define COLUMNS "{\"columns\":[{\"name\":\"a\",\"data_type\":{\"type\":\"STRING\"}}]}"

static struct table_descriptor *table_with(const char *rest)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct table_descriptor *table = NULL;
    const char *text =
        arena_printf(&arena,
                     "{\"schema\":" COLUMNS ",\"partition_key\":[],\"bucket_count\":1,%s"
                     "\"properties\":{\"table.replication.factor\":\"1\"},"
                     "\"custom_properties\":{\"mine\":\"1\"}}",
                     rest);

    assert_int_equal(table_descriptor_parse(bytes_str(text), &table, NULL), ERR_OK);
    return table;
}

#define CHANGES(...)                                                                               \
    ((struct table_changes){.items = (const struct text_pair[]){__VA_ARGS__},                      \
                            .count = sizeof((const struct text_pair[]){__VA_ARGS__}) /             \
                                     sizeof(struct text_pair)})

static void sets_and_resets(void **state)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *table = table_with("");
    OWNED(table_descriptor_unrefp) struct table_descriptor *next = NULL;
    struct table_changes changes = CHANGES({"table.log.ttl", "1 d"}, {"mine", NULL}, {"yours", "2"},
                                           {"yours", "3"}, {"gone", NULL});

    (void)state;
    assert_int_equal(table_alter_properties(table, changes, &policy, &next, NULL), ERR_OK);
    assert_string_equal(text_map_get(next->def.properties, "table.log.ttl"), "1 d");
    assert_null(text_map_get(next->def.custom_properties, "mine"));
    assert_string_equal(text_map_get(next->def.custom_properties, "yours"), "3");
    assert_null(text_map_get(table->def.properties, "table.log.ttl"));
}

static void nothing_changed_is_no_descriptor(void **state)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *table = table_with("");
    struct table_descriptor *next = table;

    (void)state;
    assert_int_equal(table_alter_properties(table, CHANGES({"mine", "1"}), &policy, &next, NULL),
                     ERR_OK);
    assert_null(next);
    next = table;
    assert_int_equal(
        table_alter_properties(table, CHANGES({"table.log.ttl", NULL}), &policy, &next, NULL),
        ERR_OK);
    assert_null(next);
}

static void only_some_properties_can_be_altered(void **state)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *table = table_with("");
    struct table_descriptor *next = NULL;
    struct error e;

    (void)state;
    assert_int_equal(
        table_alter_properties(table, CHANGES({"table.log.format", "ARROW"}), &policy, &next, &e),
        ERR_INVALID_ALTER_TABLE);
    assert_string_equal(e.message, "'table.log.format' cannot be altered");
    assert_int_equal(
        table_alter_properties(table, CHANGES({"table.what", "1"}), &policy, &next, &e),
        ERR_INVALID_ALTER_TABLE);
    assert_int_equal(table_alter_properties(table,
                                            CHANGES({"table.kv.standby-replica.enabled", "true"}),
                                            &policy, &next, &e),
                     ERR_INVALID_ALTER_TABLE);
    assert_int_equal(
        table_alter_properties(table, CHANGES({"table.log.ttl", "long"}), &policy, &next, &e),
        ERR_INVALID_CONFIG);
    assert_int_equal(table_alter_properties(table,
                                            CHANGES({"table.log.tiered.local-segments", "0"}),
                                            &policy, &next, &e),
                     ERR_INVALID_CONFIG);
    assert_null(next);
}

static void lake_properties_need_a_lake(void **state)
{
    OWNED(table_descriptor_unrefp) struct table_descriptor *plain = table_with("");
    OWNED(table_descriptor_unrefp)
    struct table_descriptor *keyed = table_with("\"bucket_key\":[\"a\"],");
    OWNED(table_descriptor_unrefp) struct table_descriptor *next = NULL;
    struct table_changes enable = CHANGES({"table.datalake.enabled", "true"});
    struct table_changes freshness = CHANGES({"table.datalake.freshness", "1 min"});
    struct error e;

    (void)state;
    assert_int_equal(table_alter_properties(plain, enable, &policy, &next, &e),
                     ERR_INVALID_ALTER_TABLE);
    assert_int_equal(table_alter_properties(plain, freshness, &lake_policy, &next, &e),
                     ERR_INVALID_ALTER_TABLE);
    assert_int_equal(table_alter_properties(keyed, enable, &lake_policy, &next, &e),
                     ERR_INVALID_ALTER_TABLE);
    assert_null(next);
    assert_int_equal(table_alter_properties(plain, enable, &lake_policy, &next, &e), ERR_OK);
    assert_string_equal(text_map_get(next->def.properties, "table.datalake.format"), "ICEBERG");
}

static void the_number_of_changes_is_limited(void **state)
{
    static struct text_pair items[TEXT_MAP_COUNT_MAX + 1];
    OWNED(table_descriptor_unrefp) struct table_descriptor *table = table_with("");
    struct table_descriptor *next = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        items[i] = (struct text_pair){"k", "v"};
    }
    assert_int_equal(table_alter_properties(table, (struct table_changes){items, ARRAY_LEN(items)},
                                            &policy, &next, NULL),
                     ERR_INVALID_ALTER_TABLE);
    assert_null(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_and_resets),
        cmocka_unit_test(nothing_changed_is_no_descriptor),
        cmocka_unit_test(only_some_properties_can_be_altered),
        cmocka_unit_test(lake_properties_need_a_lake),
        cmocka_unit_test(the_number_of_changes_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
