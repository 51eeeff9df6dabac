#include "../../support/kv_tables.h"
#include "../../support/unit.h"
#include "kv/table.h"

static const struct test_column columns[] = {{"k", "INT NOT NULL", NULL, NULL},
                                             {"v", "STRING", "string_agg", "|"},
                                             {"n", "BIGINT", "sum", NULL},
                                             {"t", "STRING", "listagg", NULL},
                                             {"x", "DOUBLE", NULL, NULL}};

static enum errcode make(const char *property, const struct kv_schema *history, size_t count,
                         struct kv_table **ret)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *properties[] = {property, "table.merge-engine.versioned.ver-column=n"};
    struct table_options options = test_options(&arena, properties, 2);

    return kv_table_new(&options, history, count, ret, NULL);
}

static void aggregations_by_column(void **state)
{
    OWNED(schema_unrefp) struct schema *schema = test_schema(columns, 5, 1, NULL);
    OWNED(kv_table_unrefp) struct kv_table *table = NULL;
    const struct kv_schema history = {.id = 4, .schema = schema};

    (void)state;
    assert_int_equal(make("table.merge-engine=aggregation", &history, 1, &table), ERR_OK);
    assert_int_equal(table->schema_id, 4);
    assert_int_equal(table->delete_behavior, DELETE_IGNORE);
    assert_int_equal(table->aggregations[0].kind, AGG_LAST_VALUE);
    assert_true(bytes_equal_str(table->aggregations[1].delimiter, "|"));
    assert_int_equal(table->aggregations[2].kind, AGG_SUM);
    assert_true(bytes_equal_str(table->aggregations[3].delimiter, ","));
    assert_int_equal(table->aggregations[4].kind, AGG_LAST_VALUE_IGNORE_NULLS);
    assert_true(table->is_key[0] && !table->is_key[1]);
    assert_non_null(kv_table_plan(table, 4));
    for (int16_t id = -1; id < 4; id++) {
        assert_null(kv_table_plan(table, id));
    }
    assert_null(kv_table_plan(table, 5));
}

static void the_level_that_was_asked_for(void **state)
{
    static const struct {
        const char *property;
        int32_t level;
    } cases[] = {{"table.log.format=ARROW", 1},
                 {"table.log.arrow.compression.zstd.level=3", 3},
                 {"table.log.arrow.compression.zstd.level=19", 19}};
    OWNED(schema_unrefp) struct schema *schema = test_schema(columns, 5, 1, NULL);
    const struct kv_schema history = {.id = 1, .schema = schema};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        OWNED(kv_table_unrefp) struct kv_table *table = NULL;

        assert_int_equal(make(cases[i].property, &history, 1, &table), ERR_OK);
        assert_int_equal(table->zstd_level, cases[i].level);
    }
}

static void deletes_by_engine(void **state)
{
    static const struct {
        const char *property;
        enum delete_behavior behavior;
    } cases[] = {
        {"table.log.format=ARROW", DELETE_ALLOW},
        {"table.delete.behavior=DISABLE", DELETE_DISABLE},
        {"table.merge-engine=first_row", DELETE_IGNORE},
        {"table.merge-engine=versioned", DELETE_IGNORE},
    };
    OWNED(schema_unrefp) struct schema *schema = test_schema(columns, 5, 1, NULL);
    const struct kv_schema history = {.id = 0, .schema = schema};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        OWNED(kv_table_unrefp) struct kv_table *table = NULL;

        assert_int_equal(make(cases[i].property, &history, 1, &table), ERR_OK);
        assert_int_equal(table->delete_behavior, cases[i].behavior);
        assert_null(table->aggregations);
    }
}

static void schemas_must_follow_each_other(void **state)
{
    OWNED(schema_unrefp) struct schema *narrow = test_schema(columns, 3, 1, NULL);
    OWNED(schema_unrefp) struct schema *wide = test_schema(columns, 5, 1, NULL);
    const struct kv_schema right[] = {{1, narrow}, {3, wide}};
    const struct kv_schema swapped[] = {{1, wide}, {3, narrow}};
    const struct kv_schema descending[] = {{3, narrow}, {1, wide}};
    OWNED(kv_table_unrefp) struct kv_table *table = NULL;

    (void)state;
    assert_int_equal(make("table.log.format=ARROW", swapped, 2, &table), ERR_INVALID_TABLE);
    assert_int_equal(make("table.log.format=ARROW", descending, 2, &table), ERR_INVALID_TABLE);
    assert_int_equal(make("table.log.format=ARROW", right, 2, &table), ERR_OK);
    assert_int_equal(kv_table_plan(table, 1)->count, 3);
    assert_null(kv_table_plan(table, 2));
    assert_ptr_equal(kv_table_plan(table, 3), table->plan);
}

static void version_column_must_be_one(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = test_schema(columns, 5, 1, NULL);
    const struct kv_schema history = {.id = 1, .schema = schema};
    static const char *const names[] = {"v", "none", "n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        OWNED(kv_table_unrefp) struct kv_table *table = NULL;
        const char *properties[] = {
            "table.merge-engine=versioned",
            arena_printf(&arena, "table.merge-engine.versioned.ver-column=%s", names[i])};
        struct table_options options = test_options(&arena, properties, 2);

        assert_int_equal(kv_table_new(&options, &history, 1, &table, NULL),
                         i == 2 ? ERR_OK : ERR_INVALID_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregations_by_column),
        cmocka_unit_test(the_level_that_was_asked_for),
        cmocka_unit_test(deletes_by_engine),
        cmocka_unit_test(schemas_must_follow_each_other),
        cmocka_unit_test(version_column_must_be_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
