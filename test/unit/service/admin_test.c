#include "../../support/node.h"

static void versions_are_those_of_what_is_served(void **state)
{
    struct test_node *n = *state;
    struct msg_api_versions_request m = {.client_software_name = bytes_str("test"),
                                         .client_software_version = bytes_str("1")};
    struct msg_api_versions_response *r = node_ask(n, API_API_VERSIONS, &m);
    size_t served = 0;

    for (size_t i = 0; i < rpc_api_count(); i++) {
        const struct rpc_api *api = rpc_api_at(i);

        if (api->served) {
            assert_int_equal(r->api_versions[served].api_key, api->key);
            assert_int_equal(r->api_versions[served].min_version, api->version_min);
            assert_int_equal(r->api_versions[served++].max_version, api->version_max);
        }
    }
    assert_int_equal(r->api_versions_count, served);
    assert_false(r->has_server_type);
}

static void plain_text_needs_no_password(void **state)
{
    struct test_node *n = *state;
    struct msg_authenticate_request m = {.protocol = bytes_str("plaintext")};

    (void)node_ask(n, API_AUTHENTICATE, &m);
    m.protocol = bytes_str("PLAIN");
    assert_int_equal(node_refused(n, API_AUTHENTICATE, &m), ERR_AUTHENTICATE);
    m.protocol = BYTES_EMPTY;
    assert_int_equal(node_refused(n, API_AUTHENTICATE, &m), ERR_AUTHENTICATE);
}

static void health_counts_all_buckets(void **state)
{
    struct test_node *n = *state;
    struct msg_get_cluster_health_request m = {0};
    struct msg_get_cluster_health_response *r = node_ask(n, API_GET_CLUSTER_HEALTH, &m);
    int64_t table;

    assert_int_equal(r->num_replicas, 0);
    assert_int_equal(r->status, 0);
    table = store_create_table(n->store, "t", STORE_TABLE("", "7", ""));
    (void)store_create_table(n->store, "days", STORE_TABLE("\"b\"", "3", ""));
    (void)store_create_partition(n->store, "days", "monday");
    (void)store_create_partition(n->store, "days", "tuesday");
    r = node_ask(n, API_GET_CLUSTER_HEALTH, &m);
    assert_int_equal(r->num_replicas, 13);
    assert_int_equal(r->active_leader_replicas, 13);
    assert_int_equal(r->in_sync_replicas, 13);
    assert_int_equal(r->num_leader_replicas, 13);
    assert_int_equal(r->status, 0);
    /* one that cannot be opened */
    assert_int_equal(
        file_replace(arena_printf(&n->arena, "%s/fluss", n->store->dir), bytes_str("x"), NULL),
        ERR_OK);
    for (int32_t b = 0; b < 2; b++) {
        struct stats_op stats = {.op.id = bucket_of(table, b)};

        assert_true(store_op(n->store, &stats.op, submit_stats) != ERR_OK);
    }
    r = node_ask(n, API_GET_CLUSTER_HEALTH, &m);
    assert_int_equal(r->active_leader_replicas, 11);
    assert_int_equal(r->status, 2);
}

static void writer_ids_are_all_different(void **state)
{
    struct test_node *n = *state;
    struct msg_init_writer_request m = {0};
    struct node_call *calls[60];
    int64_t ids[60];

    for (unsigned i = 0; i < 60; i++) {
        calls[i] = node_start(n, i % STORE_SHARDS, API_INIT_WRITER, &m);
    }
    for (int i = 0; i < 60; i++) {
        struct msg_init_writer_response *r = NULL;

        assert_int_equal(node_wait(calls[i], (void **)&r), ERR_OK);
        ids[i] = r->writer_id;
        for (int k = 0; k < i; k++) {
            assert_true(ids[k] != ids[i]);
        }
    }
}

static void the_rest(void **state)
{
    struct test_node *n = *state;
    struct msg_describe_cluster_configs_request configs = {0};
    struct msg_get_file_system_security_token_request token = {0};
    struct msg_describe_cluster_configs_response *r =
        node_ask(n, API_DESCRIBE_CLUSTER_CONFIGS, &configs);
    struct msg_get_file_system_security_token_response *t =
        node_ask(n, API_GET_FILESYSTEM_SECURITY_TOKEN, &token);

    assert_int_equal(r->configs_count, 0); /* none was set */
    assert_true(bytes_equal_str(t->schema, "file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(versions_are_those_of_what_is_served),
        NODE_TEST(plain_text_needs_no_password),
        NODE_TEST(health_counts_all_buckets),
        NODE_TEST(writer_ids_are_all_different),
        NODE_TEST(the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
