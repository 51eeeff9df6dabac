/* Requests that a merger refuses, and outcomes at the edges; replay_test.c has the engines against
 * a model. */
#include "../../support/kv_tables.h"
#include "../../support/unit.h"
#include "kv/merge.h"

static const struct test_column columns[] = {
    {"k", "INT NOT NULL", NULL, NULL}, {"a", "BIGINT", NULL, NULL}, {"b", "STRING", NULL, NULL}};

static struct kv_table *table_of(const char *property, const struct test_column *of, size_t count)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(schema_unrefp) struct schema *schema = test_schema(of, count, 1, NULL);
    const char *properties[] = {property, "table.merge-engine.versioned.ver-column=a"};
    struct table_options options = test_options(&arena, properties, 2);
    const struct kv_schema history = {.id = 1, .schema = schema};
    struct kv_table *table = NULL;

    assert_int_equal(kv_table_new(&options, &history, 1, &table, NULL), ERR_OK);
    return table;
}

static enum errcode init(struct merger *m, const struct kv_table *table, const int32_t *targets,
                         size_t count, struct arena *arena)
{
    const struct merge_request request = {.target_columns = targets, .target_count = count};

    return merger_init(m, table, &request, arena, NULL);
}

static void target_columns(void **state)
{
    static const struct {
        int32_t targets[4];
        size_t count;
        enum errcode code;
        bool partial;
    } cases[] = {
        {{0, 1}, 2, ERR_OK, true},
        {{0}, 1, ERR_OK, true},
        {{2, 0, 1}, 3, ERR_OK, false},
        {{0, 1, 2, 2}, 4, ERR_OK, false},
        {{0, 1, 1, 1}, 4, ERR_OK, true},
        {{1, 2}, 2, ERR_INVALID_TARGET_COLUMN, false},
        {{0, 3}, 2, ERR_INVALID_TARGET_COLUMN, false},
        {{0, -1}, 2, ERR_INVALID_TARGET_COLUMN, false},
    };
    OWNED(kv_table_unrefp) struct kv_table *table = table_of("table.log.format=ARROW", columns, 3);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct merger m;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(init(&m, table, cases[i].targets, cases[i].count, &arena), cases[i].code);
        assert_true(cases[i].code != ERR_OK || merger_needs_old(&m) == cases[i].partial);
    }
}

static void partial_updates_need_nullable_columns(void **state)
{
    static const struct test_column strict[] = {{"k", "INT NOT NULL", NULL, NULL},
                                                {"a", "BIGINT NOT NULL", NULL, NULL},
                                                {"b", "STRING", NULL, NULL}};
    static const int32_t targets[] = {0, 1, 2};
    OWNED(kv_table_unrefp) struct kv_table *table = table_of("table.log.format=ARROW", strict, 3);
    OWNED(kv_table_unrefp)
    struct kv_table *aggregated = table_of("table.merge-engine=aggregation", strict, 3);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct merger m;

    (void)state;
    assert_int_equal(init(&m, table, targets, 2, &arena), ERR_INVALID_TARGET_COLUMN);
    assert_int_equal(init(&m, table, targets, 3, &arena), ERR_OK); /* a full row */
    assert_int_equal(init(&m, aggregated, targets, 3, &arena), ERR_INVALID_TARGET_COLUMN);
}

static void engines_without_partial_update(void **state)
{
    static const char *const engines[] = {"table.merge-engine=first_row",
                                          "table.merge-engine=versioned"};
    static const int32_t targets[] = {0, 1};
    struct merge_request overwrite = {
        .mode = KV_MERGE_OVERWRITE, .target_columns = targets, .target_count = 2};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        OWNED(kv_table_unrefp) struct kv_table *table = table_of(engines[i], columns, 3);
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        struct merger m;

        assert_int_equal(init(&m, table, targets, 2, &arena), ERR_UNSUPPORTED_OPERATION);
        assert_int_equal(init(&m, table, NULL, 0, &arena), ERR_OK);
        assert_int_equal(m.delete_behavior, DELETE_IGNORE);
        assert_int_equal(merger_init(&m, table, &overwrite, &arena, NULL), ERR_OK);
        assert_int_equal(m.delete_behavior, DELETE_ALLOW);
    }
}

/* A row of the table with the version in column a. */
static struct kv_row row_of(const struct kv_table *table, const struct row_value *version,
                            struct arena *arena)
{
    struct row_format format = {.layout = table->layout, .row = table->schema->row};
    struct row_value values[] = {{.integer = 1}, *version, {.null = true}};
    struct kv_row row = {.plan = table->plan, .schema_id = 1};

    row.cells = arena_array(arena, 3, sizeof *row.cells);
    assert_int_equal(row_encode(format, values, arena, &row.bytes, NULL), ERR_OK);
    assert_int_equal(row_cells_read(row.plan, row.bytes, row.cells, NULL), ERR_OK);
    return row;
}

static void null_is_the_smallest_version(void **state)
{
    static const struct row_value null = {.null = true};
    static const struct row_value smallest = {.integer = INT64_MIN};
    static const struct row_value zero = {.integer = 0};
    static const struct {
        const struct row_value *old;
        const struct row_value *new;
        enum merge_outcome outcome;
    } cases[] = {
        {&null, &null, MERGE_TAKE}, {&null, &smallest, MERGE_TAKE}, {&smallest, &null, MERGE_TAKE},
        {&zero, &null, MERGE_KEEP}, {&null, &zero, MERGE_TAKE},     {&zero, &smallest, MERGE_KEEP},
    };
    OWNED(kv_table_unrefp)
    struct kv_table *table = table_of("table.merge-engine=versioned", columns, 3);
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct merger m;

    (void)state;
    assert_int_equal(init(&m, table, NULL, 0, &arena), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kv_row old = row_of(table, cases[i].old, &arena);
        struct kv_row new = row_of(table, cases[i].new, &arena);
        enum merge_outcome outcome;

        assert_int_equal(merger_upsert(&m, &old, &new, &outcome, NULL), ERR_OK);
        assert_int_equal(outcome, cases[i].outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(target_columns),
        cmocka_unit_test(partial_updates_need_nullable_columns),
        cmocka_unit_test(engines_without_partial_update),
        cmocka_unit_test(null_is_the_smallest_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
