#include "world.h"

static enum errcode alter(struct world *w, struct meta_alter_table *job)
{
    job->job.kind = META_ALTER_TABLE;
    job->database = bytes_str("fluss");
    if (job->table.len == 0) {
        job->table = bytes_str("t");
    }
    return world_run(w, &job->job);
}

static enum errcode set(struct world *w, const char *key, const char *value)
{
    struct meta_change change = {.key = bytes_str(key),
                                 .value = bytes_str(value == NULL ? "" : value),
                                 .op = value == NULL ? META_DELETE : META_SET};
    struct meta_alter_table job = {.changes = &change, .change_count = 1};

    return alter(w, &job);
}

static enum errcode add(struct world *w, const char *name, const char *type)
{
    struct meta_add_column column = {.name = bytes_str(name), .type_json = bytes_str(type)};
    struct meta_alter_table job = {.columns = &column, .column_count = 1};

    return alter(w, &job);
}

#define INT_TYPE "{\"type\":\"INTEGER\"}"

static void changes_properties(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
    w->now_ms += 7;
    assert_int_equal(set(w, "table.log.ttl", "1h"), ERR_OK);
    assert_int_equal(set(w, "owner", "me"), ERR_OK);
    for (int round = 0; round < 2; round++) {
        const struct meta_table *t = table_of(w, "t");

        assert_int_equal(t->options->log_ttl_ms, 3600000);
        assert_string_equal(text_map_get(t->descriptor->def.custom_properties, "owner"), "me");
        assert_int_equal(t->created_ms, NOW_MS);
        assert_int_equal(t->modified_ms, NOW_MS + 7);
        assert_int_equal(t->schema_count, 1);
        assert_int_equal(t->buckets.count, 2);
        world_restart(w);
    }
    w->published = 0;
    assert_int_equal(set(w, "table.log.ttl", "1h"), ERR_OK);
    assert_int_equal(w->published, 0);
    assert_int_equal(set(w, "owner", NULL), ERR_OK);
    assert_int_equal(set(w, "table.log.ttl", NULL), ERR_OK);
    assert_int_equal(table_of(w, "t")->options->log_ttl_ms, INT64_C(7) * 24 * 3600 * 1000);
}

static void adds_columns_at_the_end(void **state)
{
    struct world *w = *state;
    struct meta_add_column columns[] = {
        {.name = bytes_str("a"), .type_json = bytes_str(INT_TYPE)},
        {.name = bytes_str("b"),
         .type_json = bytes_str("{\"type\":\"ROW\",\"fields\":[{\"name\":\"x\",\"field_type\":"
                                "{\"type\":\"DATE\"},\"field_id\":0}]}"),
         .has_comment = true,
         .comment = bytes_str("nested")},
    };
    struct meta_alter_table job = {.columns = columns, .column_count = 2};

    assert_int_equal(create_table(w, "fluss", "t", PARTITIONED_TABLE, false), ERR_OK);
    assert_int_equal(create_partition(w, "t", "a"), ERR_OK);
    assert_int_equal(alter(w, &job), ERR_OK);
    assert_int_equal(add(w, "c", INT_TYPE), ERR_OK);
    for (int round = 0; round < 2; round++) {
        const struct meta_table *t = table_of(w, "t");

        assert_int_equal(t->schema_count, 3);
        assert_int_equal(meta_table_latest(t)->id, 3);
        assert_int_equal(meta_table_schema(t, 1)->schema->count, 3);
        assert_int_equal(meta_table_schema(t, 2)->schema->count, 5);
        assert_int_equal(meta_table_latest(t)->schema->columns[4].id, 4);
        assert_int_equal(meta_table_latest(t)->schema->columns[5].id, 6);
        assert_ptr_equal(t->descriptor->def.schema, meta_table_latest(t)->schema);
        assert_int_equal(t->partitions->count, 1);
        assert_non_null(memmem(t->json.data, t->json.len, "nested", 6));
        world_restart(w);
    }
}

static void every_error_has_its_code(void **state)
{
    struct world *w = *state;
    struct meta_change change = {.key = bytes_str("k"), .value = bytes_str("v")};
    struct meta_add_column column = {.name = bytes_str("a"), .type_json = bytes_str(INT_TYPE)};
    struct meta_alter_table both = {
        .changes = &change, .change_count = 1, .columns = &column, .column_count = 1};
    struct meta_alter_table missing = {
        .changes = &change, .change_count = 1, .table = bytes_str("none")};
    struct meta_alter_table one = {.columns = &column, .column_count = 1};
    struct meta_alter_table unsupported = {.unsupported = true};
    struct meta_alter_table nothing = {.change_count = 0};

    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(alter(w, &both), ERR_INVALID_ALTER_TABLE);
    assert_int_equal(alter(w, &missing), ERR_TABLE_NOT_EXIST);
    missing.ignore_if_not_exists = true;
    assert_int_equal(alter(w, &missing), ERR_OK);
    assert_int_equal(alter(w, &nothing), ERR_OK);
    assert_int_equal(alter(w, &unsupported), ERR_INVALID_ARGUMENT);
    assert_int_equal(set(w, "table.log.format", "INDEXED"), ERR_INVALID_ALTER_TABLE);
    assert_int_equal(set(w, "table.log.ttl", "soon"), ERR_INVALID_CONFIG);
    assert_int_equal(set(w, "table.auto-partition.enabled", "true"), ERR_INVALID_CONFIG);
    assert_int_equal(add(w, "n", INT_TYPE), ERR_INVALID_ALTER_TABLE);
    assert_int_equal(add(w, "__offset", INT_TYPE), ERR_INVALID_TABLE);
    assert_int_equal(add(w, "x", "{\"type\":\"INTEGER\",\"nullable\":false}"),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(add(w, "x", "{\"type\":\"NONSENSE\"}"), ERR_INVALID_ARGUMENT);
    assert_int_equal(add(w, "x", "{"), ERR_INVALID_ARGUMENT);
    column.position = 1;
    assert_int_equal(alter(w, &one), ERR_INVALID_ARGUMENT);
    column.position = 0;
    column.has_agg_function = true;
    column.agg_function_json = bytes_str("{\"type\":\"sum\"}");
    assert_int_equal(alter(w, &one), ERR_INVALID_CONFIG);
    column.agg_function_json = bytes_str("{\"type\":\"median\"}");
    assert_int_equal(alter(w, &one), ERR_INVALID_CONFIG);
    for (change.op = META_APPEND; change.op <= META_SUBTRACT; change.op++) {
        struct meta_alter_table job = {.changes = &change, .change_count = 1};

        assert_int_equal(alter(w, &job), ERR_INVALID_ARGUMENT);
    }
    assert_int_equal(w->published, 1);
    assert_int_equal(table_of(w, "t")->schema_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(changes_properties),
        WORLD_TEST(adds_columns_at_the_end),
        WORLD_TEST(every_error_has_its_code),
    };

    return RUN_TESTS(tests);
}
