#include "../../support/kv_node.h"

#define BY_A                                                                                       \
    "{\"version\":1,\"schema\":{\"version\":1,\"columns\":["                                       \
    "{\"name\":\"a\",\"data_type\":{\"type\":\"INTEGER\",\"nullable\":false},\"id\":0},"           \
    "{\"name\":\"b\",\"data_type\":{\"type\":\"STRING\",\"nullable\":false},\"id\":1},"            \
    "{\"name\":\"c\",\"data_type\":{\"type\":\"BIGINT\"},\"id\":2}"                                \
    "],\"highest_field_id\":2,\"primary_key\":[\"a\",\"b\"]},\"partition_key\":[],"                \
    "\"bucket_key\":[\"a\"],\"bucket_count\":20,\"properties\":{},\"custom_properties\":{}}"

static void every_bucket_and_key_is_answered_in_order(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", NODE_KV);
    struct msg_pb_lookup_req_for_bucket buckets[21] = {0};
    struct msg_lookup_request m = {
        .table_id = table, .buckets_req = buckets, .buckets_req_count = 21};
    struct msg_lookup_response *r;
    struct bytes keys[3];

    node_fill(n, table, 0, 10);
    for (int32_t i = 0; i < 3; i++) {
        keys[i] = kv_store_key(n->store, i * 7); /* 0 and 7 are there */
    }
    for (int32_t b = 0; b < 21; b++) {
        buckets[b].bucket_id = 20 - b;
        buckets[b].keys = keys;
        buckets[b].keys_count = 3;
    }
    r = node_ask(n, API_LOOKUP, &m);
    assert_int_equal(r->buckets_resp_count, 21);
    assert_int_equal(r->buckets_resp[0].bucket_id, 20);
    assert_int_equal(r->buckets_resp[0].error_code, 21);
    assert_int_equal(r->buckets_resp[0].values_count, 0);
    for (int32_t b = 1; b < 21; b++) {
        const struct msg_pb_lookup_resp_for_bucket *one = &r->buckets_resp[b];

        assert_int_equal(one->bucket_id, 20 - b);
        assert_false(one->has_error_code);
        assert_false(one->has_partition_id);
        assert_int_equal(one->values_count, 3);
        assert_string_equal(store_text(n->store, table, one->values[0].values), "row 0");
        assert_string_equal(store_text(n->store, table, one->values[1].values), "row 7");
        assert_false(one->values[2].has_values);
    }
    assert_int_equal(node_charged(n), 0);
}

static void insert_if_not_exists(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", NODE_KV);
    struct bytes key = kv_store_key(n->store, 3);
    struct msg_pb_lookup_req_for_bucket bucket = {.keys = &key, .keys_count = 1};
    struct msg_lookup_request m = {.table_id = table,
                                   .buckets_req = &bucket,
                                   .buckets_req_count = 1,
                                   .has_insert_if_not_exists = true,
                                   .insert_if_not_exists = true};
    struct msg_lookup_response *r;

    assert_int_equal(node_refused(n, API_LOOKUP, &m), ERR_INVALID_ARGUMENT);
    m.has_acks = m.has_timeout_ms = true;
    m.acks = 2;
    assert_int_equal(node_refused(n, API_LOOKUP, &m), ERR_INVALID_REQUIRED_ACKS);
    m.acks = 0;
    m.timeout_ms = 10000;
    r = node_ask(n, API_LOOKUP, &m);
    assert_int_equal(r->buckets_resp[0].error_code, 0);
    assert_string_equal(store_text(n->store, table, r->buckets_resp[0].values[0].values), "(null)");
}

static void what_cannot_be_looked_up(void **state)
{
    struct test_node *n = *state;
    int64_t log = store_create_table(n->store, "log", STORE_PLAIN);
    struct bytes key = kv_store_key(n->store, 3);
    struct msg_pb_lookup_req_for_bucket bucket = {.keys = &key, .keys_count = 1};
    struct msg_lookup_request m = {.table_id = log, .buckets_req = &bucket, .buckets_req_count = 1};
    struct msg_lookup_response *r = node_ask(n, API_LOOKUP, &m);

    assert_int_equal(r->buckets_resp[0].error_code, 20);
    bucket.has_original_partition_name = true;
    bucket.original_partition_name = bytes_str("monday");
    r = node_ask(n, API_LOOKUP, &m);
    assert_int_equal(r->buckets_resp[0].error_code, 43);
    assert_true(bytes_equal_str(r->buckets_resp[0].original_partition_name, "monday"));
    m.buckets_req_count = 0;
    r = node_ask(n, API_LOOKUP, &m);
    assert_int_equal(r->buckets_resp_count, 0);
}

static void lists_of_rows_by_prefix(void **state)
{
    struct test_node *n = *state;
    struct store *s = n->store;
    int64_t table = store_create_table(s, "t", BY_A);
    struct bucket_id id = bucket_of(table, 1);
    struct bytes keys[] = {kv_store_key(s, 1), kv_store_key(s, 2), kv_store_key(s, 3)};
    struct msg_pb_prefix_lookup_req_for_bucket buckets[] = {
        {.bucket_id = 1, .keys = keys, .keys_count = 3}, {.bucket_id = 99}};
    struct msg_prefix_lookup_request m = {
        .table_id = table, .buckets_req = buckets, .buckets_req_count = 2};
    struct msg_prefix_lookup_response *r;

    for (int32_t a = 1; a <= 3; a += 2) {
        for (int i = 0; i < a; i++) {
            const char *b = arena_printf(&s->arena, "%d", i);
            uint8_t key[] = {(uint8_t)a, 1, (uint8_t)*b};
            struct kv_batch_writer w = {0};
            struct put_op p;

            kv_batch_writer_begin(&w, 1);
            kv_batch_writer_add(&w, bytes_of(key, 3), kv_store_row(s, table, a, b, 0));
            p = put_of(id, arena_copy(&s->arena, kv_batch_writer_finish(&w, -1, -1)), -1);
            kv_batch_writer_fini(&w);
            assert_int_equal(store_op(s, &p.op, submit_put), ERR_OK);
        }
    }
    r = node_ask(n, API_PREFIX_LOOKUP, &m);
    assert_int_equal(r->buckets_resp[0].value_lists_count, 3);
    assert_int_equal(r->buckets_resp[0].value_lists[0].values_count, 1);
    assert_int_equal(r->buckets_resp[0].value_lists[1].values_count, 0);
    assert_int_equal(r->buckets_resp[0].value_lists[2].values_count, 3);
    assert_string_equal(store_text(s, table, r->buckets_resp[0].value_lists[2].values[1]), "1");
    assert_int_equal(r->buckets_resp[1].error_code, 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(every_bucket_and_key_is_answered_in_order),
        NODE_TEST(insert_if_not_exists),
        NODE_TEST(what_cannot_be_looked_up),
        NODE_TEST(lists_of_rows_by_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
