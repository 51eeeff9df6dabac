#include "../../support/kv_node.h"

static void append(struct test_node *n, int64_t table, int32_t bucket, int32_t records)
{
    (void)store_append(n->store, bucket_of(table, bucket),
                       store_batch(n->store, records, 100, (uint32_t)records));
}

/* ---- LIST_OFFSETS ---- */

static struct msg_list_offsets_response *offsets(struct test_node *n, int64_t table, int32_t type,
                                                 int64_t time_ms)
{
    int32_t *ids = arena_array(&n->arena, 5, sizeof *ids);
    struct msg_list_offsets_request m = {.follower_server_id = -1,
                                         .offset_type = type,
                                         .table_id = table,
                                         .bucket_id = ids,
                                         .bucket_id_count = 5,
                                         .has_start_timestamp = time_ms >= 0,
                                         .start_timestamp = time_ms};

    for (int32_t i = 0; i < 5; i++) {
        ids[i] = 4 - i;
    }
    return node_ask(n, API_LIST_OFFSETS, &m);
}

static void offsets_of_every_kind(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    struct msg_list_offsets_response *r;

    for (int32_t b = 0; b < 4; b++) {
        append(n, table, b, b + 1);
    }
    for (int32_t type = 0; type <= 2; type++) {
        r = offsets(n, table, type, type == 2 ? 0 : -1);
        assert_int_equal(r->buckets_resp_count, 5);
        assert_int_equal(r->buckets_resp[0].bucket_id, 4);
        assert_int_equal(r->buckets_resp[0].error_code, 21);
        assert_false(r->buckets_resp[0].has_offset);
        for (int i = 1; i < 5; i++) {
            assert_int_equal(r->buckets_resp[i].bucket_id, 4 - i);
            assert_false(r->buckets_resp[i].has_error_code);
            assert_int_equal(r->buckets_resp[i].offset, type == 1 ? 5 - i : 0);
        }
    }
}

static void offsets_that_make_no_sense(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    struct msg_list_offsets_response *r = offsets(n, table, 2, -1); /* no time */

    for (int i = 0; i < 5; i++) {
        assert_int_equal(r->buckets_resp[i].error_code, -1);
        assert_true(r->buckets_resp[i].has_error_message);
    }
    assert_int_equal(offsets(n, table, 7, -1)->buckets_resp[3].error_code, -1);
    assert_int_equal(offsets(n, table, 2, INT64_MAX)->buckets_resp[3].error_code, 38);
}

static void too_many_buckets(void **state)
{
    struct test_node *n = *state;
    size_t many = FAN_BUCKETS_MAX + 1;
    struct msg_list_offsets_request offsets_of = {
        .bucket_id = arena_array(&n->arena, many, sizeof(int32_t)), .bucket_id_count = many};
    struct msg_get_table_stats_request stats_of = {
        .buckets_req =
            arena_array(&n->arena, many, sizeof(struct msg_pb_table_stats_req_for_bucket)),
        .buckets_req_count = many};

    assert_int_equal(node_refused(n, API_LIST_OFFSETS, &offsets_of), ERR_INVALID_ARGUMENT);
    assert_int_equal(node_refused(n, API_GET_TABLE_STATS, &stats_of), ERR_INVALID_ARGUMENT);
}

/* ---- GET_TABLE_STATS ---- */

static void rows_are_counted(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    int64_t days = store_create_table(n->store, "days", STORE_TABLE("\"b\"", "2", ""));
    int64_t monday = store_create_partition(n->store, "days", "monday");
    struct msg_pb_table_stats_req_for_bucket buckets[2] = {{.bucket_id = 1}, {.bucket_id = 9}};
    struct msg_get_table_stats_request m = {
        .table_id = table, .buckets_req = buckets, .buckets_req_count = 2};
    struct msg_get_table_stats_response *r;

    append(n, table, 1, 7);
    append(n, table, 1, 3);
    r = node_ask(n, API_GET_TABLE_STATS, &m);
    assert_int_equal(r->buckets_resp[0].row_count, 10);
    assert_false(r->buckets_resp[0].has_partition_id);
    assert_int_equal(r->buckets_resp[1].error_code, 21);
    assert_false(r->buckets_resp[1].has_row_count);
    m.table_id = days;
    buckets[0].has_partition_id = true;
    buckets[0].partition_id = monday;
    r = node_ask(n, API_GET_TABLE_STATS, &m);
    assert_int_equal(r->buckets_resp[0].row_count, 0);
    assert_int_equal(r->buckets_resp[0].partition_id, monday);
}

/* ---- LIMIT_SCAN ---- */

static void the_last_rows_as_batches(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "20", ""));

    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        int32_t bucket = bucket_on(n, table, shard);
        struct msg_limit_scan_request m = {.table_id = table, .bucket_id = bucket, .limit = 4};
        struct msg_limit_scan_response *r;

        for (int i = 0; i < 5; i++) {
            append(n, table, bucket, 3);
        }
        r = node_ask(n, API_LIMIT_SCAN, &m);
        assert_false(r->has_error_code);
        assert_true(r->has_is_log_table && r->is_log_table);
        assert_int_equal(r->records.len, 2 * 148);
        assert_int_equal(get_i64le(r->records.data), 9);
        m.limit = INT32_MAX;
        r = node_ask(n, API_LIMIT_SCAN, &m);
        assert_int_equal(r->records.len, 5 * 148);
        m.limit = INT32_MIN;
        r = node_ask(n, API_LIMIT_SCAN, &m);
        assert_true(r->has_records);
        assert_int_equal(r->records.len, 0);
        m.bucket_id = -1;
        r = node_ask(n, API_LIMIT_SCAN, &m);
        assert_int_equal(r->error_code, 21);
        assert_false(r->has_records);
    }
}

/* ---- primary-key tables ---- */

static void first_rows_and_row_counts_of_primary_key_tables(void **state)
{
    struct test_node *n = *state;
    struct store *s = n->store;
    int64_t table = store_create_table(s, "t", NODE_KV);
    int64_t wal = store_create_table(s, "wal", STORE_KV("\"table.changelog.image\":\"wal\""));
    struct msg_pb_table_stats_req_for_bucket bucket = {.bucket_id = 1};
    struct msg_get_table_stats_request stats = {
        .table_id = table, .buckets_req = &bucket, .buckets_req_count = 1};
    struct msg_limit_scan_request scan = {.table_id = table, .bucket_id = 1, .limit = 3};
    struct msg_get_table_stats_response *counted;
    struct msg_limit_scan_response *r;
    struct value_batch_iterator it;

    store_put_range(s, bucket_of(table, 1), 0, 10);
    store_put_range(s, bucket_of(table, 1), 5, 15); /* five of them again */
    (void)store_remove(s, bucket_of(table, 1), 0);
    counted = node_ask(n, API_GET_TABLE_STATS, &stats);
    assert_int_equal(counted->buckets_resp[0].row_count, 14);
    stats.table_id = wal;
    counted = node_ask(n, API_GET_TABLE_STATS, &stats);
    assert_int_equal(counted->buckets_resp[0].error_code, 15);

    r = node_ask(n, API_LIMIT_SCAN, &scan);
    assert_false(r->has_error_code);
    assert_true(r->has_is_log_table);
    assert_false(r->is_log_table);
    assert_int_equal(value_batch_parse(r->records, &it, NULL), ERR_OK);
    assert_int_equal(it.left, 3);
    for (int32_t a = 1; a <= 3; a++) {
        struct bytes value;

        assert_int_equal(value_batch_next(&it, &value, NULL), ERR_OK);
        assert_string_equal(store_text(s, table, value), arena_printf(&s->arena, "row %d", a));
    }
    scan.limit = -1;
    r = node_ask(n, API_LIMIT_SCAN, &scan);
    assert_int_equal(value_batch_parse(r->records, &it, NULL), ERR_OK);
    assert_int_equal(it.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(offsets_of_every_kind),
        NODE_TEST(offsets_that_make_no_sense),
        NODE_TEST(too_many_buckets),
        NODE_TEST(rows_are_counted),
        NODE_TEST(the_last_rows_as_batches),
        NODE_TEST(first_rows_and_row_counts_of_primary_key_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
