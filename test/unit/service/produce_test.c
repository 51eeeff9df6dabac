#include "../../support/node.h"

/* One table, entries for buckets in order. */
static struct msg_produce_log_response *produce(struct test_node *n, int64_t table, int32_t acks,
                                                struct msg_pb_produce_log_req_for_bucket *buckets,
                                                size_t count)
{
    struct msg_produce_log_request m = {.acks = acks,
                                        .table_id = table,
                                        .timeout_ms = 20000,
                                        .buckets_req = buckets,
                                        .buckets_req_count = count};

    return node_ask(n, API_PRODUCE_LOG, &m);
}

static void each_bucket_has_its_answer(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "20", ""));
    struct msg_pb_produce_log_req_for_bucket buckets[30] = {0};
    struct msg_produce_log_response *r;

    for (int32_t acks = -1; acks <= 1; acks++) {
        for (int32_t i = 0; i < 30; i++) {
            buckets[i].bucket_id = i;
            buckets[i].records = store_batch(n->store, 2, 100, (uint32_t)i);
        }
        r = produce(n, table, acks, buckets, 30);
        assert_int_equal(r->buckets_resp_count, 30);
        for (int32_t i = 0; i < 30; i++) {
            const struct msg_pb_produce_log_resp_for_bucket *b = &r->buckets_resp[i];

            assert_int_equal(b->bucket_id, i);
            assert_int_equal(b->has_base_offset, i < 20);
            assert_int_equal(b->has_error_code, i >= 20);
            if (i < 20) {
                assert_int_equal(b->base_offset, 2 * (acks + 1));
            } else {
                assert_int_equal(b->error_code, 21);
            }
        }
    }
    assert_int_equal(produce(n, table, -1, NULL, 0)->buckets_resp_count, 0);
}

static void one_bad_bucket_spoils_no_other(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    struct msg_pb_produce_log_req_for_bucket buckets[2] = {
        {.bucket_id = 0, .records = store_batch(n->store, 1, 100, 1)},
        {.bucket_id = 1, .records = store_batch(n->store, 1, 100, 1)},
    };
    struct msg_produce_log_response *r;

    ((uint8_t *)(uintptr_t)buckets[0].records.data)[60] ^= 1;
    r = produce(n, table, -1, buckets, 2);
    assert_int_equal(r->buckets_resp[0].error_code, 14);
    assert_true(r->buckets_resp[0].has_error_message);
    assert_true(r->buckets_resp[1].has_base_offset);
}

static void partitions_are_named_in_the_answer(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "days", STORE_TABLE("\"b\"", "2", ""));
    int64_t partition = store_create_partition(n->store, "days", "monday");
    struct msg_pb_produce_log_req_for_bucket buckets[2] = {
        {.has_partition_id = true,
         .partition_id = partition,
         .bucket_id = 1,
         .records = store_batch(n->store, 1, 100, 1)},
        {.bucket_id = 1, .records = store_batch(n->store, 1, 100, 1)},
    };
    struct msg_produce_log_response *r = produce(n, table, -1, buckets, 2);

    assert_true(r->buckets_resp[0].has_partition_id && r->buckets_resp[0].has_base_offset);
    assert_int_equal(r->buckets_resp[0].partition_id, partition);
    assert_false(r->buckets_resp[1].has_partition_id);
    assert_int_equal(r->buckets_resp[1].error_code, 21);
}

/* Requests of one connection are pipelined: they start in the order of their arrival, whichever
 * shard owns the bucket and however long its opening takes. */
static void pipelined_appends_keep_their_order(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "50", ""));

    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        struct node_call *calls[50];

        for (int i = 0; i < 50; i++) {
            struct msg_pb_produce_log_req_for_bucket bucket = {
                .bucket_id = bucket_on(n, table, shard),
                .records = store_batch(n->store, 1, 200, (uint32_t)i)};
            struct msg_produce_log_request m = {.acks = i % 2 == 0 ? -1 : 1,
                                                .table_id = table,
                                                .timeout_ms = 20000,
                                                .buckets_req = &bucket,
                                                .buckets_req_count = 1};

            calls[i] = node_start(n, 0, API_PRODUCE_LOG, &m);
        }
        for (int i = 0; i < 50; i++) {
            struct msg_produce_log_response *r = NULL;

            assert_int_equal(node_wait(calls[i], (void **)&r), ERR_OK);
            assert_int_equal(r->buckets_resp->base_offset, i);
        }
    }
}

static void bad_requests(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    struct msg_produce_log_request m = {.acks = 2, .table_id = table, .timeout_ms = INT32_MIN};
    size_t many = FAN_BUCKETS_MAX + 1;

    assert_int_equal(node_refused(n, API_PRODUCE_LOG, &m), ERR_INVALID_REQUIRED_ACKS);
    m.acks = INT32_MIN;
    assert_int_equal(node_refused(n, API_PRODUCE_LOG, &m), ERR_INVALID_REQUIRED_ACKS);
    m.acks = -1;
    m.buckets_req = arena_array(&n->arena, many, sizeof *m.buckets_req);
    m.buckets_req_count = many;
    assert_int_equal(node_refused(n, API_PRODUCE_LOG, &m), ERR_INVALID_ARGUMENT);
    assert_string_equal(n->error.message, "65537 buckets in one request, at most 65536 expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(each_bucket_has_its_answer),
        NODE_TEST(one_bad_bucket_spoils_no_other),
        NODE_TEST(partitions_are_named_in_the_answer),
        NODE_TEST(pipelined_appends_keep_their_order),
        NODE_TEST(bad_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
