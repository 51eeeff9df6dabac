#include "../../support/kv_node.h"

#define KEYED_BY_TWO(bucket_key, properties)                                                       \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\",\"nullable\":false},\"id\":0},"           \
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\",\"nullable\":false},\"id\":1}"             \
    "],\"highest_field_id\":1,\"primary_key\":[\"a\",\"b\"]},\"partition_key\":[],"                \
    "\"bucket_key\":[" bucket_key "],\"bucket_count\":2,\"properties\":{" properties               \
    "},\"custom_properties\":{}}"
#define PAIMON(version)                                                                            \
    "\"table.datalake.format\":\"paimon\",\"table.kv.format-version\":\"" version "\""

static int32_t code_of(struct test_node *n, const char *name, const char *json, int16_t version)
{
    struct bytes key = bytes_of("\x01", 1);
    struct msg_pb_prefix_lookup_req_for_bucket bucket = {.keys = &key, .keys_count = 1};
    struct msg_prefix_lookup_request m = {.buckets_req = &bucket, .buckets_req_count = 1};
    struct msg_prefix_lookup_response *r = NULL;

    m.table_id = store_create_table(n->store, name, json);
    assert_int_equal(node_wait(node_start_bytes(n, 0, API_PREFIX_LOOKUP, version,
                                                node_encode(n, API_PREFIX_LOOKUP, &m)),
                               (void **)&r),
                     ERR_OK);
    return r->buckets_resp[0].error_code;
}

static void old_clients_encode_keys_of_lake_tables_otherwise(void **state)
{
    struct test_node *n = *state;

    assert_int_equal(code_of(n, "a", KEYED_BY_TWO("\"a\"", PAIMON("2")), 0), 2);
    assert_int_equal(code_of(n, "b", KEYED_BY_TWO("\"a\"", PAIMON("2")), 1), 0);
    assert_int_equal(code_of(n, "c", KEYED_BY_TWO("\"a\"", ""), 0), 0);
    assert_int_equal(code_of(n, "d", KEYED_BY_TWO("", PAIMON("2")), 0), 0);
    assert_int_equal(code_of(n, "e", KEYED_BY_TWO("\"a\",\"b\"", PAIMON("2")), 0), 0);
    assert_int_equal(code_of(n, "f", KEYED_BY_TWO("\"b\",\"a\"", PAIMON("2")), 0), 2);
}

/* The rows would be stored under keys that nobody finds. */
static void old_clients_write_nothing_to_them(void **state)
{
    struct test_node *n = *state;
    struct msg_pb_put_kv_req_for_bucket buckets[2] = {{.bucket_id = 0}, {.bucket_id = 1}};
    struct msg_put_kv_request m = {.acks = -1,
                                   .timeout_ms = 20000,
                                   .buckets_req = buckets,
                                   .buckets_req_count = ARRAY_LEN(buckets)};
    struct msg_put_kv_response *r = NULL;

    m.table_id = store_create_table(n->store, "a", KEYED_BY_TWO("\"a\"", PAIMON("2")));
    assert_int_equal(
        node_wait(node_start_bytes(n, 0, API_PUT_KV, 0, node_encode(n, API_PUT_KV, &m)),
                  (void **)&r),
        ERR_OK);
    assert_int_equal(r->buckets_resp_count, ARRAY_LEN(buckets));
    for (size_t i = 0; i < r->buckets_resp_count; i++) {
        assert_int_equal(r->buckets_resp[i].error_code, 2);
        assert_true(r->buckets_resp[i].has_error_message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(old_clients_encode_keys_of_lake_tables_otherwise),
        NODE_TEST(old_clients_write_nothing_to_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
