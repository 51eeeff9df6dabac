#include "../../support/node.h"

static bool table_exists(struct test_node *n, const char *name)
{
    struct msg_table_exists_request m = {.table_path = node_path(name)};

    return ((struct msg_table_exists_response *)node_ask(n, API_TABLE_EXISTS, &m))->exists;
}

static void databases(void **state)
{
    struct test_node *n = *state;
    struct msg_list_databases_request list = {0};
    struct msg_database_exists_request exists = {.database_name = bytes_str("fluss")};
    struct msg_get_database_info_request info = {.database_name = bytes_str("fluss")};
    struct msg_list_databases_response *l = node_ask(n, API_LIST_DATABASES, &list);
    struct msg_get_database_info_response *i;

    assert_int_equal(l->database_name_count, 1);
    assert_true(bytes_equal_str(l->database_name[0], "fluss"));
    (void)store_create_table(n->store, "t", STORE_PLAIN);
    list.has_include_summary = true;
    list.include_summary = true;
    l = node_ask(n, API_LIST_DATABASES, &list);
    assert_int_equal(l->database_name_count, 0);
    assert_int_equal(l->database_summary_count, 1);
    assert_int_equal(l->database_summary[0].table_count, 1);
    assert_true(
        ((struct msg_database_exists_response *)node_ask(n, API_DATABASE_EXISTS, &exists))->exists);
    i = node_ask(n, API_GET_DATABASE_INFO, &info);
    assert_true(i->created_time > 0 && i->database_json.len > 0);
    exists.database_name = info.database_name = bytes_str("nothing");
    assert_false(
        ((struct msg_database_exists_response *)node_ask(n, API_DATABASE_EXISTS, &exists))->exists);
    assert_int_equal(node_refused(n, API_GET_DATABASE_INFO, &info), ERR_DATABASE_NOT_EXIST);
}

static void tables(void **state)
{
    struct test_node *n = *state;
    struct msg_list_tables_request list = {.database_name = bytes_str("fluss")};
    struct msg_get_table_info_request info = {.table_path = node_path("b")};
    struct msg_get_table_info_response *i;
    struct msg_list_tables_response *l;
    int64_t id;

    assert_false(table_exists(n, "b"));
    id = store_create_table(n->store, "b", STORE_PLAIN);
    (void)store_create_table(n->store, "a", STORE_PLAIN);
    assert_true(table_exists(n, "b"));
    l = node_ask(n, API_LIST_TABLES, &list);
    assert_int_equal(l->table_name_count, 2);
    assert_true(bytes_equal_str(l->table_name[0], "a"));
    i = node_ask(n, API_GET_TABLE_INFO, &info);
    assert_int_equal(i->table_id, id);
    assert_int_equal(i->schema_id, 1);
    assert_non_null(memmem(i->table_json.data, i->table_json.len, "\"columns\"", 9));
    store_drop_table(n->store, "b");
    assert_int_equal(node_refused(n, API_GET_TABLE_INFO, &info), ERR_TABLE_NOT_EXIST);
    list.database_name = bytes_str("nothing");
    assert_int_equal(node_refused(n, API_LIST_TABLES, &list), ERR_DATABASE_NOT_EXIST);
}

static void schemas(void **state)
{
    struct test_node *n = *state;
    struct msg_get_table_schema_request m = {.table_path = node_path("t")};
    struct msg_get_table_schema_response *r;

    (void)store_create_table(n->store, "t", STORE_PLAIN);
    r = node_ask(n, API_GET_TABLE_SCHEMA, &m);
    assert_int_equal(r->schema_id, 1);
    m.has_schema_id = true;
    m.schema_id = 1;
    r = node_ask(n, API_GET_TABLE_SCHEMA, &m);
    assert_non_null(memmem(r->schema_json.data, r->schema_json.len, "BIGINT", 6));
    m.schema_id = 2;
    assert_int_equal(node_refused(n, API_GET_TABLE_SCHEMA, &m), ERR_SCHEMA_NOT_EXIST);
    m.schema_id = INT32_MIN;
    assert_int_equal(node_refused(n, API_GET_TABLE_SCHEMA, &m), ERR_SCHEMA_NOT_EXIST);
}

static void partitions(void **state)
{
    struct test_node *n = *state;
    struct msg_pb_key_value pair = {.key = bytes_str("b"), .value = bytes_str("monday")};
    struct msg_pb_partition_spec spec = {.partition_key_values = &pair,
                                         .partition_key_values_count = 1};
    struct msg_list_partition_infos_request m = {.table_path = node_path("days")};
    struct msg_list_partition_infos_response *r;

    (void)store_create_table(n->store, "days", STORE_TABLE("\"b\"", "2", ""));
    (void)store_create_table(n->store, "t", STORE_PLAIN);
    (void)store_create_partition(n->store, "days", "monday");
    (void)store_create_partition(n->store, "days", "friday");
    r = node_ask(n, API_LIST_PARTITION_INFOS, &m);
    assert_int_equal(r->partitions_info_count, 2);
    assert_true(bytes_equal_str(r->partitions_info[0].partition_spec.partition_key_values[0].value,
                                "friday"));
    m.partial_partition_spec = &spec;
    r = node_ask(n, API_LIST_PARTITION_INFOS, &m);
    assert_int_equal(r->partitions_info_count, 1);
    pair.key = bytes_str("nothing");
    assert_int_equal(node_refused(n, API_LIST_PARTITION_INFOS, &m), ERR_PARTITION_SPEC_INVALID);
    m.table_path = node_path("t");
    assert_int_equal(node_refused(n, API_LIST_PARTITION_INFOS, &m), ERR_TABLE_NOT_PARTITIONED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(databases),
        NODE_TEST(tables),
        NODE_TEST(schemas),
        NODE_TEST(partitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
