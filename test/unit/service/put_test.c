#include "../../support/kv_store.h"
#include "../../support/node.h"

#define KEY_BUCKETS 2

/* Asks in a version of the API; the outcome is the request's. */
static enum errcode put(struct test_node *n, int16_t version, const struct msg_put_kv_request *m,
                        struct msg_put_kv_response **ret)
{
    void *response = NULL;
    struct bytes body = node_encode(n, API_PUT_KV, m);
    enum errcode code = node_wait(node_start_bytes(n, 0, API_PUT_KV, version, body), &response);

    *ret = response;
    return code;
}

static struct msg_put_kv_request
request_of(int64_t table, struct msg_pb_put_kv_req_for_bucket *buckets, size_t count)
{
    return (struct msg_put_kv_request){.acks = -1,
                                       .table_id = table,
                                       .timeout_ms = 20000,
                                       .buckets_req = buckets,
                                       .buckets_req_count = count};
}

static void each_bucket_has_its_answer(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_KV(""));
    struct msg_pb_put_kv_req_for_bucket buckets[KEY_BUCKETS + 1] = {0};
    struct msg_put_kv_request m = request_of(table, buckets, ARRAY_LEN(buckets));
    struct msg_put_kv_response *r;

    for (int16_t version = 0; version <= 2; version++) {
        for (int32_t i = 0; i <= KEY_BUCKETS; i++) {
            struct kv_store_row row = {.a = version * 10 + i, .b = "x"};

            buckets[i].bucket_id = i;
            buckets[i].records = kv_store_one(n->store, table, &row);
        }
        assert_int_equal(put(n, version, &m, &r), ERR_OK);
        assert_int_equal(r->buckets_resp_count, KEY_BUCKETS + 1);
        for (int32_t i = 0; i <= KEY_BUCKETS; i++) {
            const struct msg_pb_put_kv_resp_for_bucket *b = &r->buckets_resp[i];

            assert_int_equal(b->bucket_id, i);
            assert_false(b->has_partition_id || b->has_pressure);
            assert_int_equal(b->has_log_end_offset, i < KEY_BUCKETS);
            assert_int_equal(b->has_error_code, i == KEY_BUCKETS);
            assert_int_equal(b->log_end_offset, i < KEY_BUCKETS ? version + 1 : 0);
            assert_int_equal(b->error_code, i < KEY_BUCKETS ? 0 : 21);
        }
    }
    m.buckets_req_count = 0;
    assert_int_equal(put(n, 0, &m, &r), ERR_OK);
    assert_int_equal(r->buckets_resp_count, 0);
}

static void what_the_request_says_is_done(void **state)
{
    struct test_node *n = *state;
    int64_t table =
        store_create_table(n->store, "t", STORE_KV("\"table.merge-engine\":\"first_row\""));
    struct msg_pb_put_kv_req_for_bucket bucket = {0};
    struct msg_put_kv_request m = request_of(table, &bucket, 1);
    struct msg_put_kv_response *r;
    int32_t targets[1] = {2};

    for (int32_t mode = 0; mode <= 2; mode++) {
        struct kv_store_row row = {.a = 1, .b = arena_printf(&n->arena, "%d", mode)};

        bucket.records = kv_store_one(n->store, table, &row);
        m.has_agg_mode = mode > 0;
        m.agg_mode = mode;
        assert_int_equal(put(n, 2, &m, &r), ERR_OK);
        assert_false(r->buckets_resp[0].has_error_code);
        assert_string_equal(store_get(n->store, bucket_of(table, 0), 1, KV_SIGHT_SHOWN),
                            mode == 0 ? "0" : "1");
    }
    m.table_id = store_create_table(n->store, "u", STORE_KV(""));
    m.target_columns = targets; /* without the key */
    m.target_columns_count = 1;
    assert_int_equal(put(n, 2, &m, &r), ERR_OK);
    assert_int_equal(r->buckets_resp[0].error_code, 35);
    m.acks = 2;
    assert_int_equal(put(n, 2, &m, &r), ERR_INVALID_REQUIRED_ACKS);
}

static void log_tables_and_damaged_batches_are_refused(void **state)
{
    struct test_node *n = *state;
    int64_t log = store_create_table(n->store, "log", STORE_PLAIN);
    int64_t table = store_create_table(n->store, "t", STORE_KV(""));
    struct kv_store_row row = {.a = 1, .b = "x"};
    struct msg_pb_put_kv_req_for_bucket bucket = {.records = kv_store_one(n->store, table, &row)};
    struct msg_put_kv_request m = request_of(log, &bucket, 1);
    struct msg_put_kv_response *r;

    assert_int_equal(put(n, 2, &m, &r), ERR_OK);
    assert_int_equal(r->buckets_resp[0].error_code, 20);
    assert_true(r->buckets_resp[0].has_error_message);
    m.table_id = table;
    ((uint8_t *)(uintptr_t)bucket.records.data)[bucket.records.len - 1] ^= 1;
    assert_int_equal(put(n, 2, &m, &r), ERR_OK);
    assert_int_equal(r->buckets_resp[0].error_code, 14);
}

/* ---- more than the store takes ---- */

static void hold_much(struct kv_tablet *t, void *context)
{
    const size_t *bytes = context;

    atomic_fetch_add(t->bucket->set->kv.budgets.pending_held, *bytes);
}

static void hold_no_more(struct kv_tablet *t, void *context)
{
    const size_t *bytes = context;

    atomic_fetch_sub(t->bucket->set->kv.budgets.pending_held, *bytes);
}

static void back_pressure_has_a_code_that_the_client_knows(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_KV(""));
    struct bucket_id id = bucket_of(table, 0);
    struct kv_store_row row = {.a = 1, .b = "x"};
    struct msg_pb_put_kv_req_for_bucket bucket = {.records = kv_store_one(n->store, table, &row)};
    struct msg_put_kv_request m = request_of(table, &bucket, 1);
    struct msg_put_kv_response *r;
    size_t much = (size_t)1 << 40;
    size_t some = kv_env_budgets(kv_env_lazy_get(&n->store->kv_env)).pending_bytes / 2 * 3;

    (void)store_put(n->store, id, 1, "y");
    store_look(n->store, id, hold_much, &some);
    assert_int_equal(put(n, 2, &m, &r), ERR_OK);
    assert_true(r->buckets_resp[0].has_log_end_offset && r->buckets_resp[0].has_pressure);
    assert_true(r->buckets_resp[0].pressure > 0 && r->buckets_resp[0].pressure < 1);
    store_look(n->store, id, hold_no_more, &some);
    store_look(n->store, id, hold_much, &much);
    for (int16_t version = 0; version <= 2; version++) {
        assert_int_equal(put(n, version, &m, &r), ERR_OK);
        assert_int_equal(r->buckets_resp[0].error_code, version < 2 ? 11 : 72);
        assert_true(r->buckets_resp[0].pressure == 1);
    }
    store_look(n->store, id, hold_no_more, &much);
    assert_int_equal(put(n, 2, &m, &r), ERR_OK);
    assert_false(r->buckets_resp[0].has_error_code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(each_bucket_has_its_answer),
        NODE_TEST(what_the_request_says_is_done),
        NODE_TEST(log_tables_and_damaged_batches_are_refused),
        NODE_TEST(back_pressure_has_a_code_that_the_client_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
