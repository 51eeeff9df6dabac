#include "../../support/node.h"

static struct msg_metadata_response *ask_tables(struct test_node *n,
                                                struct msg_pb_table_path *paths, size_t count)
{
    struct msg_metadata_request m = {.table_path = paths, .table_path_count = count};

    return node_ask(n, API_GET_METADATA, &m);
}

static void servers_are_told_as_the_listener_advertises_them(void **state)
{
    struct test_node *n = *state;
    struct msg_metadata_response *r = ask_tables(n, NULL, 0);

    assert_int_equal(r->tablet_servers_count, 1);
    assert_int_equal(r->tablet_servers[0].node_id, 3);
    assert_int_equal(r->tablet_servers[0].port, 9123);
    assert_true(bytes_equal_str(r->tablet_servers[0].host, "here"));
    assert_true(bytes_equal_str(r->tablet_servers[0].rack, "r1"));
    assert_int_equal(r->coordinator_server->port, 9123);
    assert_false(r->coordinator_server->has_rack);
    assert_int_equal(r->table_metadata_count, 0);
}

static void tables_with_their_buckets(void **state)
{
    struct test_node *n = *state;
    int64_t plain = store_create_table(n->store, "plain", STORE_PLAIN);
    int64_t days = store_create_table(n->store, "days", STORE_TABLE("\"b\"", "3", ""));
    struct msg_pb_table_path paths[] = {node_path("days"), node_path("plain")};
    struct msg_metadata_response *r = ask_tables(n, paths, 2);

    assert_int_equal(r->table_metadata_count, 2);
    assert_int_equal(r->table_metadata[0].table_id, days);
    assert_int_equal(r->table_metadata[0].bucket_metadata_count, 0);
    assert_int_equal(r->table_metadata[1].table_id, plain);
    assert_int_equal(r->table_metadata[1].schema_id, 1);
    assert_int_equal(r->table_metadata[1].bucket_metadata_count, 4);
    for (int i = 0; i < 4; i++) {
        const struct msg_pb_bucket_metadata *b = &r->table_metadata[1].bucket_metadata[i];

        assert_int_equal(b->bucket_id, i);
        assert_int_equal(b->leader_id, 3);
        assert_int_equal(b->replica_id_count, 1);
        assert_int_equal(b->replica_id[0], 3);
        assert_true(b->has_leader_epoch);
    }
    assert_non_null(memmem(r->table_metadata[1].table_json.data,
                           r->table_metadata[1].table_json.len, "\"bucket_count\":4", 16));
}

static void partitions_by_name_and_id(void **state)
{
    struct test_node *n = *state;
    struct msg_pb_physical_table_path path = {.database_name = bytes_str("fluss"),
                                              .table_name = bytes_str("days"),
                                              .partition_name = bytes_str("monday"),
                                              .has_partition_name = true};
    int64_t ids[2];
    struct msg_metadata_request m = {.partitions_path = &path,
                                     .partitions_path_count = 1,
                                     .partitions_id = ids,
                                     .partitions_id_count = 2};
    struct msg_metadata_response *r;

    (void)store_create_table(n->store, "days", STORE_TABLE("\"b\"", "3", ""));
    ids[0] = store_create_partition(n->store, "days", "monday");
    ids[1] = store_create_partition(n->store, "days", "tuesday");
    r = node_ask(n, API_GET_METADATA, &m);
    assert_int_equal(r->partition_metadata_count, 3);
    assert_int_equal(r->partition_metadata[0].partition_id, ids[0]);
    assert_int_equal(r->partition_metadata[1].partition_id, ids[0]);
    assert_true(bytes_equal_str(r->partition_metadata[2].partition_name, "tuesday"));
    assert_int_equal(r->partition_metadata[2].bucket_metadata_count, 3);
    path.partition_name = bytes_str("sunday");
    assert_int_equal(node_refused(n, API_GET_METADATA, &m), ERR_PARTITION_NOT_EXISTS);
    path.has_partition_name = false;
    assert_int_equal(node_refused(n, API_GET_METADATA, &m), ERR_PARTITION_NOT_EXISTS);
    m.partitions_path_count = 0;
    ids[1] = 999;
    assert_int_equal(node_refused(n, API_GET_METADATA, &m), ERR_PARTITION_NOT_EXISTS);
}

static void unknown_tables_are_refused(void **state)
{
    struct test_node *n = *state;
    struct msg_pb_table_path path = node_path("nothing");
    struct msg_metadata_request m = {.table_path = &path, .table_path_count = 1};

    assert_int_equal(node_refused(n, API_GET_METADATA, &m), ERR_TABLE_NOT_EXIST);
    assert_non_null(strstr(n->error.message, "fluss.nothing"));
}

/* One table, named so often that its buckets would fill the memory. */
static void answers_are_bounded(void **state)
{
    struct test_node *n = *state;
    size_t count = 10000;
    struct msg_pb_table_path *paths = arena_array(&n->arena, count, sizeof *paths);
    struct msg_metadata_request m = {.table_path = paths, .table_path_count = count};

    (void)store_create_table(n->store, "t", STORE_TABLE("", "1000", ""));
    for (size_t i = 0; i < count; i++) {
        paths[i] = node_path("t");
    }
    assert_int_equal(node_refused(n, API_GET_METADATA, &m), ERR_INVALID_ARGUMENT);
    m.table_path_count = 100;
    assert_int_equal(
        ((struct msg_metadata_response *)node_ask(n, API_GET_METADATA, &m))->table_metadata_count,
        100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(servers_are_told_as_the_listener_advertises_them),
        NODE_TEST(tables_with_their_buckets),
        NODE_TEST(partitions_by_name_and_id),
        NODE_TEST(unknown_tables_are_refused),
        NODE_TEST(answers_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
