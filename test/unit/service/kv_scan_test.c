#include "../../support/kv_node.h"

static struct msg_scan_kv_request next_of(const struct msg_scan_kv_response *r, int32_t call)
{
    return (struct msg_scan_kv_request){.has_scanner_id = true,
                                        .scanner_id = r->scanner_id,
                                        .has_call_seq_id = true,
                                        .call_seq_id = call,
                                        .has_batch_size_bytes = true,
                                        .batch_size_bytes = 100};
}

static struct msg_scan_kv_request opening(struct msg_pb_scan_req_for_bucket *bucket)
{
    return (struct msg_scan_kv_request){.bucket_scan_req = bucket,
                                        .has_call_seq_id = true,
                                        .has_batch_size_bytes = true,
                                        .batch_size_bytes = 100};
}

static uint32_t rows_in(const struct msg_scan_kv_response *r)
{
    struct value_batch_iterator it;

    if (!r->has_records) {
        return 0;
    }
    assert_int_equal(value_batch_parse(r->records, &it, NULL), ERR_OK);
    return it.left;
}

static void scanners_are_found_from_any_shard(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", NODE_KV);

    node_fill(n, table, 0, 50);
    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        struct msg_pb_scan_req_for_bucket bucket = {.table_id = table,
                                                    .bucket_id = bucket_on(n, table, shard)};
        struct msg_scan_kv_request m = opening(&bucket);
        struct msg_scan_kv_response *r = node_ask(n, API_SCAN_KV, &m);
        uint32_t rows = rows_in(r);

        assert_true(r->has_log_offset);
        assert_int_equal(r->log_offset, 50);
        for (int32_t call = 1; r->has_more_results; call++) {
            m = next_of(r, call);
            assert_int_equal(
                node_wait(node_start(n, (shard + (unsigned)call) % STORE_SHARDS, API_SCAN_KV, &m),
                          (void **)&r),
                ERR_OK);
            assert_false(r->has_error_code);
            assert_false(r->has_log_offset);
            rows += rows_in(r);
        }
        assert_int_equal(rows, 50);
    }
}

static void an_empty_bucket_has_no_scanner(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", NODE_KV);
    struct msg_pb_scan_req_for_bucket bucket = {.table_id = table};
    struct msg_scan_kv_request m = opening(&bucket);
    struct msg_scan_kv_response *r = node_ask(n, API_SCAN_KV, &m);

    assert_false(r->has_error_code);
    assert_false(r->has_scanner_id);
    assert_true(r->has_has_more_results);
    assert_false(r->has_more_results);
    assert_true(r->has_log_offset);
    assert_false(r->has_records);
}

static int32_t error_of(struct test_node *n, const struct msg_scan_kv_request *m)
{
    struct msg_scan_kv_response *r = node_ask(n, API_SCAN_KV, m);

    assert_true(r->has_error_code);
    assert_false(r->has_records);
    return r->error_code;
}

static void requests_that_make_no_sense(void **state)
{
    struct test_node *n = *state;
    int64_t log = store_create_table(n->store, "log", STORE_PLAIN);
    struct msg_pb_scan_req_for_bucket bucket = {.table_id = log};
    struct msg_scan_kv_request good = opening(&bucket);
    struct msg_scan_kv_request m = {0};

    assert_int_equal(error_of(n, &m), 68);
    m = good;
    m.has_scanner_id = true;
    assert_int_equal(error_of(n, &m), 68);
    m = good;
    m.has_close_scanner = m.close_scanner = true;
    assert_int_equal(error_of(n, &m), 68);
    m = good;
    m.batch_size_bytes = 0;
    assert_int_equal(error_of(n, &m), 68);
    m.has_batch_size_bytes = false;
    assert_int_equal(error_of(n, &m), 68);
    m = good;
    m.has_call_seq_id = false;
    assert_int_equal(error_of(n, &m), 68);
    m = good;
    m.call_seq_id = 3;
    assert_int_equal(error_of(n, &m), 68);
    assert_int_equal(error_of(n, &good), 20);
    bucket.table_id = 99;
    assert_int_equal(error_of(n, &good), 21);
}

static void scanners_that_are_not_known(void **state)
{
    static const uint8_t id[16] = {1};
    const struct bytes ids[] = {BYTES_EMPTY, bytes_str("abc"), bytes_of(id, sizeof id)};
    struct test_node *n = *state;

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct msg_scan_kv_request m = next_of(&(struct msg_scan_kv_response){0}, 1);
        struct msg_scan_kv_response *r;

        m.scanner_id = ids[i];
        assert_int_equal(error_of(n, &m), 67);
        m = (struct msg_scan_kv_request){.has_scanner_id = true,
                                         .scanner_id = ids[i],
                                         .has_close_scanner = true,
                                         .close_scanner = true};
        r = node_ask(n, API_SCAN_KV, &m);
        assert_false(r->has_error_code);
        assert_false(r->has_more_results);
        assert_true(bytes_equal(r->scanner_id, ids[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(scanners_are_found_from_any_shard),
        NODE_TEST(an_empty_bucket_has_no_scanner),
        NODE_TEST(requests_that_make_no_sense),
        NODE_TEST(scanners_that_are_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
