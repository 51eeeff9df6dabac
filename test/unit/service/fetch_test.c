#include "../../support/node.h"

#define BUCKETS 8

struct ask {
    struct msg_fetch_log_request m;
    struct msg_pb_fetch_log_req_for_table table;
    struct msg_pb_fetch_log_req_for_bucket buckets[BUCKETS];
};

/* The buckets 0 to count - 1 of a table from the start. */
static struct ask *ask_of(struct test_node *n, int64_t table, size_t count)
{
    struct ask *a = arena_new(&n->arena, struct ask);

    a->m = (struct msg_fetch_log_request){.follower_server_id = -1,
                                          .max_bytes = 1 << 20,
                                          .tables_req = &a->table,
                                          .tables_req_count = 1};
    a->table = (struct msg_pb_fetch_log_req_for_table){
        .table_id = table, .buckets_req = a->buckets, .buckets_req_count = count};
    for (size_t i = 0; i < count; i++) {
        a->buckets[i].bucket_id = (int32_t)i;
        a->buckets[i].max_fetch_bytes = 1 << 20;
    }
    return a;
}

static void wait_for(struct ask *a, int32_t min_bytes, int32_t max_wait_ms)
{
    a->m.has_min_bytes = true;
    a->m.min_bytes = min_bytes;
    a->m.has_max_wait_ms = true;
    a->m.max_wait_ms = max_wait_ms;
}

static struct msg_pb_fetch_log_resp_for_bucket *answers(struct msg_fetch_log_response *r)
{
    assert_int_equal(r->tables_resp_count, 1);
    return r->tables_resp[0].buckets_resp;
}

static struct msg_pb_fetch_log_resp_for_bucket *fetch(struct test_node *n, struct ask *a)
{
    return answers(node_ask(n, API_FETCH_LOG, &a->m));
}

static struct node_call *start(struct test_node *n, struct ask *a)
{
    return node_start(n, 0, API_FETCH_LOG, &a->m);
}

static struct msg_pb_fetch_log_resp_for_bucket *end(struct test_node *n, struct node_call *c)
{
    void *response = NULL;

    if (node_wait(c, &response) != ERR_OK) {
        fail_msg("%s", n->error.message);
    }
    return answers(response);
}

/* One record of so many bytes. */
static void append(struct test_node *n, int64_t table, int32_t bucket, size_t size)
{
    (void)store_append(n->store, bucket_of(table, bucket), store_batch(n->store, 1, size, 7));
}

#define OVERHEAD 48 /* of a batch */

/* ---- reading ---- */

static void all_buckets_are_read_where_they_are(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    struct msg_pb_fetch_log_resp_for_bucket *r;

    for (int32_t b = 0; b < BUCKETS; b++) {
        append(n, table, b, 100 + (size_t)b);
    }
    r = fetch(n, ask_of(n, table, BUCKETS));
    for (int32_t b = 0; b < BUCKETS; b++) {
        struct bytes batch = store_batch(n->store, 1, 100 + (size_t)b, 7);

        assert_int_equal(r[b].bucket_id, b);
        assert_int_equal(r[b].high_watermark, 1);
        assert_true(r[b].has_log_start_offset && r[b].log_start_offset == 0);
        assert_true(r[b].has_records);
        assert_int_equal(r[b].records.len, batch.len);
        assert_memory_equal(r[b].records.data + 21, batch.data + 21, batch.len - 21);
        assert_false(r[b].has_error_code || r[b].has_filtered_end_offset);
    }
    assert_int_equal(node_charged(n), 0);
}

static void errors_are_per_bucket(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "2", ""));
    struct ask *a = ask_of(n, table, 4);
    struct msg_pb_fetch_log_resp_for_bucket *r;

    append(n, table, 0, 10);
    a->buckets[1].fetch_offset = 5;
    a->buckets[3].has_partition_id = true;
    a->buckets[3].partition_id = 1;
    r = fetch(n, a);
    assert_int_equal(r[0].records.len, OVERHEAD + 10);
    assert_int_equal(r[1].error_code, 19);
    assert_int_equal(r[2].error_code, 21);
    assert_int_equal(r[3].error_code, 21);
    assert_true(r[3].has_partition_id);
    a->m.follower_server_id = 2;
    r = fetch(n, a);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(r[i].error_code, 12);
    }
}

static void requests_without_buckets(void **state)
{
    struct test_node *n = *state;
    struct msg_fetch_log_request m = {.follower_server_id = -1, .max_bytes = 100};
    struct msg_pb_fetch_log_req_for_table tables[2] = {{.table_id = 1}, {.table_id = 2}};
    struct msg_fetch_log_response *r = node_ask(n, API_FETCH_LOG, &m);

    assert_int_equal(r->tables_resp_count, 0);
    m.tables_req = tables;
    m.tables_req_count = 2;
    m.has_min_bytes = true;
    m.min_bytes = 1;
    r = node_ask(n, API_FETCH_LOG, &m);
    assert_int_equal(r->tables_resp_count, 2);
    assert_int_equal(r->tables_resp[1].table_id, 2);
}

static size_t total(const struct msg_pb_fetch_log_resp_for_bucket *r, size_t count)
{
    size_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        assert_false(r[i].has_error_code);
        assert_true(r[i].has_high_watermark);
        sum += r[i].records.len;
    }
    return sum;
}

static void bytes_are_spent_over_the_buckets(void **state)
{
    static const int32_t limits[] = {INT32_MIN, -1, 0, 1, 1047, 1048, 1049, 2096, 4000, 8384, 9000};
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    struct ask *a = ask_of(n, table, BUCKETS);

    for (int32_t b = 0; b < BUCKETS; b++) {
        append(n, table, b, 1000);
    }
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        size_t limit = limits[i] > 0 ? (size_t)limits[i] : 0;
        struct msg_pb_fetch_log_resp_for_bucket *r;

        a->m.max_bytes = limits[i];
        r = fetch(n, a);
        assert_in_range(total(r, BUCKETS), 1048, limit > 1048 ? limit : 1048);
        assert_int_equal(r[0].records.len, 1048);
    }
    a->m.max_bytes = INT32_MAX;
    a->buckets[3].max_fetch_bytes = 1047; /* less than its first batch: only the first may */
    a->buckets[4].max_fetch_bytes = -5;
    assert_int_equal(total(fetch(n, a), BUCKETS), 6 * 1048);
    a->buckets[0].max_fetch_bytes = 1;
    assert_int_equal(total(fetch(n, a), BUCKETS), 6 * 1048);
}

/* The same bucket a thousand times: the answer stays within the limits all the same. */
static void a_bucket_named_often_is_bounded(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    struct ask *a = ask_of(n, table, 0);
    size_t count = 1000;
    struct msg_pb_fetch_log_req_for_bucket *many = arena_array(&n->arena, count, sizeof *many);

    append(n, table, 0, 50000);
    for (size_t i = 0; i < count; i++) {
        many[i] = (struct msg_pb_fetch_log_req_for_bucket){.max_fetch_bytes = INT32_MAX};
    }
    a->table.buckets_req = many;
    a->table.buckets_req_count = count;
    assert_int_equal(total(fetch(n, a), count), (size_t)20 * 50048);
    a->table.buckets_req_count = FAN_BUCKETS_MAX + 1;
    a->table.buckets_req = arena_array(&n->arena, FAN_BUCKETS_MAX + 1, sizeof *many);
    assert_int_equal(node_refused(n, API_FETCH_LOG, &a->m), ERR_INVALID_ARGUMENT);
}

/* ---- waiting ---- */

static void an_append_answers_a_waiting_fetch(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));

    for (int32_t b = 0; b < BUCKETS; b++) {
        struct ask *a = ask_of(n, table, BUCKETS);
        int64_t start_us = clock_mono_us();
        struct node_call *c;

        for (int32_t i = 0; i < b; i++) {
            a->buckets[i].fetch_offset = 1;
        }
        wait_for(a, 1, 60000);
        c = start(n, a);
        thread_sleep_us(3000);
        assert_false(node_answered(c));
        append(n, table, b, 10);
        assert_int_equal(end(n, c)[b].records.len, OVERHEAD + 10);
        assert_true(clock_mono_us() - start_us < 30000000);
    }
}

/* Appends race with the fetch on its way into and out of waiting. */
static void no_append_is_missed(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    int64_t offsets[BUCKETS] = {0};

    for (int round = 0; round < 200; round++) {
        struct ask *a = ask_of(n, table, BUCKETS);
        int32_t bucket = (int32_t)(round * 5 % BUCKETS);
        struct msg_pb_fetch_log_resp_for_bucket *r;
        struct node_call *c;

        for (int32_t b = 0; b < BUCKETS; b++) {
            a->buckets[b].fetch_offset = offsets[b];
        }
        wait_for(a, 1, 60000);
        c = start(n, a);
        append(n, table, bucket, 10);
        r = end(n, c);
        assert_int_equal(r[bucket].records.len, OVERHEAD + 10);
        offsets[bucket]++;
    }
    assert_int_equal(node_charged(n), 0);
}

static void min_bytes_count_over_buckets_and_shards(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    struct ask *a = ask_of(n, table, BUCKETS);
    struct node_call *c;

    wait_for(a, 6 * (OVERHEAD + 100), 60000);
    append(n, table, 0, 100);
    c = start(n, a);
    for (int32_t b = 1; b < 5; b++) {
        append(n, table, b, 100);
        thread_sleep_us(2000);
        assert_false(node_answered(c));
    }
    append(n, table, 5, 100);
    assert_int_equal(total(end(n, c), BUCKETS), 6 * (OVERHEAD + 100));
}

/* Data that is there but too little must not be read over and over. */
static void waiting_costs_nothing(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    struct ask *a = ask_of(n, table, BUCKETS);
    int64_t cpu_us;
    struct node_call *c;

    append(n, table, 0, 100);
    (void)fetch(n, a);
    wait_for(a, 100000, 800);
    cpu_us = clock_cpu_us();
    c = start(n, a);
    assert_int_equal(total(end(n, c), BUCKETS), OVERHEAD + 100);
    assert_true(clock_cpu_us() - cpu_us < 400000);
}

static void the_time_is_kept(void **state)
{
    static const int32_t waits[] = {30, 0, -5, INT32_MIN};
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    struct ask *a = ask_of(n, table, BUCKETS);

    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        int64_t start_us = clock_mono_us();

        wait_for(a, 1, waits[i]);
        assert_int_equal(total(fetch(n, a), BUCKETS), 0);
        assert_true(clock_mono_us() - start_us >= (waits[i] > 0 ? waits[i] * 1000 : 0));
    }
    n->node.wait_us_max = 20000; /* the server's limit */
    wait_for(a, INT32_MAX, INT32_MAX);
    assert_int_equal(total(fetch(n, a), BUCKETS), 0);
    a->m.has_max_wait_ms = false; /* the default */
    n->node.wait_us_max = PATIENCE_US;
    assert_int_equal(total(fetch(n, a), BUCKETS), 0);
    wait_for(a, 0, 10000); /* nothing to wait for */
    assert_int_equal(total(fetch(n, a), BUCKETS), 0);
    wait_for(a, INT32_MIN, 10000);
    assert_int_equal(total(fetch(n, a), BUCKETS), 0);
}

/* More is asked for than the answer may have: it need not be waited for. */
static void min_bytes_above_max_bytes(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    struct ask *a = ask_of(n, table, 1);

    append(n, table, 0, 1000);
    a->m.max_bytes = 500;
    wait_for(a, 100000, 15000);
    assert_int_equal(total(fetch(n, a), 1), OVERHEAD + 1000);
}

static void errors_do_not_wait(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    struct ask *a = ask_of(n, table, 2);

    a->buckets[1].fetch_offset = 1;
    wait_for(a, 1, 60000);
    assert_int_equal(fetch(n, a)[1].error_code, 19);
}

static void a_dropped_table_ends_the_wait(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    struct ask *a = ask_of(n, table, BUCKETS);
    struct node_call *c;

    for (int32_t b = 0; b < BUCKETS; b++) {
        append(n, table, b, 10);
        a->buckets[b].fetch_offset = 1;
    }
    wait_for(a, 1, 300);
    c = start(n, a);
    thread_sleep_us(2000);
    store_drop_table(n->store, "t");
    assert_int_equal(end(n, c)[0].error_code, 21);
}

static void drain_run(void *context) { service_drain(context); }

static void draining_answers_who_waits(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    struct ask *a = ask_of(n, table, BUCKETS);
    struct node_call *calls[20];

    wait_for(a, 1, 60000);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        calls[i] = start(n, a);
    }
    thread_sleep_us(3000);
    on_shard(n->store->shards[0], drain_run, n->services[0]);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        assert_int_equal(total(end(n, calls[i]), BUCKETS), 0);
    }
    assert_int_equal(total(fetch(n, a), BUCKETS), 0); /* nobody waits from now on */
}

/* Many readers and writers at once: every reader gets every record, in order. */
static void readers_follow_writers(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_TABLE("", "8", ""));
    struct node_call *calls[3];
    int64_t offsets[3] = {0};
    struct ask *asks[3];

    for (unsigned i = 0; i < 3; i++) {
        asks[i] = ask_of(n, table, 1);
        wait_for(asks[i], 1, 15000);
        calls[i] = node_start(n, i, API_FETCH_LOG, &asks[i]->m);
    }
    for (int k = 0; k < 100; k++) {
        append(n, table, 0, 10);
        for (unsigned i = 0; i < 3; i++) {
            struct msg_pb_fetch_log_resp_for_bucket *r = end(n, calls[i]);

            assert_int_equal(get_i64le(r[0].records.data), offsets[i]);
            offsets[i] += (int64_t)(r[0].records.len / (OVERHEAD + 10));
            asks[i]->buckets[0].fetch_offset = offsets[i];
            calls[i] = node_start(n, i, API_FETCH_LOG, &asks[i]->m);
        }
    }
    append(n, table, 0, 10);
    for (unsigned i = 0; i < 3; i++) {
        (void)end(n, calls[i]);
        assert_int_equal(offsets[i], 100);
    }
}

/* ---- projection and filter ---- */

static void projections_and_filters_need_sense(void **state)
{
    struct test_node *n = *state;
    int64_t table = store_create_table(n->store, "t", STORE_PLAIN);
    struct ask *a = ask_of(n, table, 1);
    struct msg_pb_leaf_predicate leaf = {.function = 6};
    struct msg_pb_predicate predicate = {.leaf = &leaf};
    int32_t fields[] = {0, -1};

    append(n, table, 0, 100);
    a->table.projection_pushdown_enabled = true;
    assert_int_equal(fetch(n, a)[0].error_code, 34);
    a->table.projected_fields = fields;
    a->table.projected_fields_count = 2;
    assert_int_equal(fetch(n, a)[0].error_code, 34);
    a->table.projection_pushdown_enabled = false;
    a->table.filter_predicate = &predicate;
    assert_int_equal(node_refused(n, API_FETCH_LOG, &a->m), ERR_INVALID_ARGUMENT);
    a->table.has_filter_schema_id = true;
    a->table.filter_schema_id = -1;
    assert_int_equal(node_refused(n, API_FETCH_LOG, &a->m), ERR_INVALID_ARGUMENT);
    a->table.filter_schema_id = 1;
    assert_int_equal(total(fetch(n, a), 1), OVERHEAD + 100); /* no statistics: kept */
    assert_int_equal(node_charged(n), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(all_buckets_are_read_where_they_are),
        NODE_TEST(errors_are_per_bucket),
        NODE_TEST(requests_without_buckets),
        NODE_TEST(bytes_are_spent_over_the_buckets),
        NODE_TEST(a_bucket_named_often_is_bounded),
        NODE_TEST(an_append_answers_a_waiting_fetch),
        NODE_TEST(no_append_is_missed),
        NODE_TEST(min_bytes_count_over_buckets_and_shards),
        NODE_TEST(waiting_costs_nothing),
        NODE_TEST(the_time_is_kept),
        NODE_TEST(min_bytes_above_max_bytes),
        NODE_TEST(errors_do_not_wait),
        NODE_TEST(a_dropped_table_ends_the_wait),
        NODE_TEST(draining_answers_who_waits),
        NODE_TEST(readers_follow_writers),
        NODE_TEST(projections_and_filters_need_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
