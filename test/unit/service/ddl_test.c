#include "../../support/node.h"

static bool exists(struct test_node *n, unsigned shard, const char *name)
{
    struct msg_table_exists_request m = {.table_path = node_path(name)};
    struct msg_table_exists_response *r = NULL;

    assert_int_equal(node_wait(node_start(n, shard, API_TABLE_EXISTS, &m), (void **)&r), ERR_OK);
    return r->exists;
}

/* Whoever was answered finds the change on every shard. */
static void tables_come_and_go_everywhere(void **state)
{
    struct test_node *n = *state;

    for (unsigned from = 0; from < STORE_SHARDS; from++) {
        struct msg_create_table_request create = {.table_path = node_path("t"),
                                                  .table_json = bytes_str(STORE_PLAIN)};
        struct msg_drop_table_request drop = {.table_path = node_path("t")};

        assert_int_equal(node_wait(node_start(n, from, API_CREATE_TABLE, &create), NULL), ERR_OK);
        for (unsigned i = 0; i < STORE_SHARDS; i++) {
            assert_true(exists(n, i, "t"));
        }
        assert_int_equal(node_refused(n, API_CREATE_TABLE, &create), ERR_TABLE_ALREADY_EXIST);
        create.ignore_if_exists = true;
        (void)node_ask(n, API_CREATE_TABLE, &create);
        assert_int_equal(node_wait(node_start(n, from, API_DROP_TABLE, &drop), NULL), ERR_OK);
        for (unsigned i = 0; i < STORE_SHARDS; i++) {
            assert_false(exists(n, i, "t"));
        }
        assert_int_equal(node_refused(n, API_DROP_TABLE, &drop), ERR_TABLE_NOT_EXIST);
        drop.ignore_if_not_exists = true;
        (void)node_ask(n, API_DROP_TABLE, &drop);
    }
}

static void databases_come_change_and_go(void **state)
{
    struct test_node *n = *state;
    struct msg_create_database_request create = {.database_name = bytes_str("db")};
    struct msg_pb_alter_config config = {
        .config_key = bytes_str("k"), .config_value = bytes_str("v"), .has_config_value = true};
    struct msg_alter_database_request alter = {.database_name = bytes_str("db"),
                                               .config_changes = &config,
                                               .config_changes_count = 1,
                                               .has_comment = true,
                                               .comment = bytes_str("words")};
    struct msg_get_database_info_request info = {.database_name = bytes_str("db")};
    struct msg_drop_database_request drop = {.database_name = bytes_str("db"), .cascade = true};
    struct msg_get_database_info_response *r;

    (void)node_ask(n, API_CREATE_DATABASE, &create);
    assert_int_equal(node_refused(n, API_CREATE_DATABASE, &create), ERR_DATABASE_ALREADY_EXIST);
    (void)node_ask(n, API_ALTER_DATABASE, &alter);
    r = node_ask(n, API_GET_DATABASE_INFO, &info);
    assert_non_null(memmem(r->database_json.data, r->database_json.len, "words", 5));
    config.op_type = 77;
    assert_int_equal(node_refused(n, API_ALTER_DATABASE, &alter), ERR_INVALID_ARGUMENT);
    (void)node_ask(n, API_DROP_DATABASE, &drop);
    assert_int_equal(node_refused(n, API_DROP_DATABASE, &drop), ERR_DATABASE_NOT_EXIST);
}

static void columns_are_added(void **state)
{
    struct test_node *n = *state;
    struct msg_pb_add_column column = {
        .column_name = bytes_str("d"),
        .data_type_json = bytes_str("{\"type\":\"DOUBLE\"}"),
        .has_comment = true,
        .comment = bytes_str("new"),
    };
    struct msg_pb_drop_column gone = {.column_name = bytes_str("a")};
    struct msg_alter_table_request m = {
        .table_path = node_path("t"), .add_columns = &column, .add_columns_count = 1};
    struct msg_get_table_schema_request schema = {.table_path = node_path("t")};
    struct msg_get_table_schema_response *r;

    (void)store_create_table(n->store, "t", STORE_PLAIN);
    (void)node_ask(n, API_ALTER_TABLE, &m);
    r = node_ask(n, API_GET_TABLE_SCHEMA, &schema);
    assert_int_equal(r->schema_id, 2);
    assert_non_null(memmem(r->schema_json.data, r->schema_json.len, "DOUBLE", 6));
    m.drop_columns = &gone;
    m.drop_columns_count = 1;
    assert_true(node_refused(n, API_ALTER_TABLE, &m) != ERR_OK);
    m.drop_columns_count = 0;
    column.has_agg_function_type = true; /* not for log tables, but it must be understood */
    column.agg_function_type = bytes_str("SUM");
    column.column_name = bytes_str("e");
    (void)node_wait(node_start(n, 0, API_ALTER_TABLE, &m), NULL);
}

static void partitions_come_and_go(void **state)
{
    struct test_node *n = *state;
    struct msg_pb_key_value pair = {.key = bytes_str("b"), .value = bytes_str("monday")};
    struct msg_pb_partition_spec spec = {.partition_key_values = &pair,
                                         .partition_key_values_count = 1};
    struct msg_create_partition_request create = {.table_path = node_path("days"),
                                                  .partition_spec = spec};
    struct msg_drop_partition_request drop = {.table_path = node_path("days"),
                                              .partition_spec = spec};

    (void)store_create_table(n->store, "days", STORE_TABLE("\"b\"", "2", ""));
    (void)node_ask(n, API_CREATE_PARTITION, &create);
    assert_int_equal(node_refused(n, API_CREATE_PARTITION, &create), ERR_PARTITION_ALREADY_EXISTS);
    create.ignore_if_not_exists = true;
    (void)node_ask(n, API_CREATE_PARTITION, &create);
    (void)node_ask(n, API_DROP_PARTITION, &drop);
    assert_int_equal(node_refused(n, API_DROP_PARTITION, &drop), ERR_PARTITION_NOT_EXISTS);
    drop.ignore_if_not_exists = true;
    (void)node_ask(n, API_DROP_PARTITION, &drop);
}

/* From all shards at once: one wins. */
static void the_same_table_by_many(void **state)
{
    struct test_node *n = *state;
    struct msg_create_table_request m = {.table_path = node_path("t"),
                                         .table_json = bytes_str(STORE_PLAIN)};
    struct node_call *calls[12];
    int made = 0;

    for (unsigned i = 0; i < ARRAY_LEN(calls); i++) {
        calls[i] = node_start(n, i % STORE_SHARDS, API_CREATE_TABLE, &m);
    }
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++) {
        enum errcode code = node_wait(calls[i], NULL);

        made += code == ERR_OK;
        assert_true(code == ERR_OK || code == ERR_TABLE_ALREADY_EXIST);
    }
    assert_int_equal(made, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(tables_come_and_go_everywhere),
        NODE_TEST(databases_come_change_and_go),
        NODE_TEST(columns_are_added),
        NODE_TEST(partitions_come_and_go),
        NODE_TEST(the_same_table_by_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
