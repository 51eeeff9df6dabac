/* Real connections to the fronts of a small server, both ends in this process. */
#include "../../support/node.h"
#include "../../support/peers.h"
#include "front/fluss.h"
#include "rpc/frame.h"

struct rig {
    struct test_node *node;
    struct fluss_front *fronts[STORE_SHARDS];
    struct fluss_front_options options;
    struct gate *stopped;
    bool was_stopped;
    int32_t next_id;
    struct arena arena;
};

/* ---- on shards ---- */

static void front_new(void *context, unsigned index)
{
    struct rig *r = context;

    r->fronts[index] = fluss_front_new(r->node->services[index], &r->options);
}

static void pass_stopped(void *context) { gate_pass(((struct rig *)context)->stopped); }

static void front_stop(void *context, unsigned index)
{
    struct rig *r = context;

    service_drain(r->node->services[index]);
    fluss_front_stop(r->fronts[index], PATIENCE_US, pass_stopped, r);
}

struct arrival {
    struct rig *rig;
    unsigned shard;
    int fd;
};

static void arrive(void *context)
{
    struct arrival *a = context;

    fluss_front_accept(a->rig->fronts[a->shard], &a->rig->node->listener, a->fd);
}

struct count {
    struct rig *rig;
    size_t connections[STORE_SHARDS];
};

static void count_run(void *context, unsigned index)
{
    struct count *c = context;

    c->connections[index] = fluss_front_connections(c->rig->fronts[index]);
}

/* ---- the rig ---- */

static int setup(void **state)
{
    struct rig *r = mem_new(struct rig);

    r->node = node_new(STORE_SHARDS);
    r->options = (struct fluss_front_options){.fronts = r->fronts,
                                              .frame_bytes_max = 10 << 20,
                                              .inflight_max = 100,
                                              .unsent_bytes_max = 1 << 20,
                                              .idle_us = 0};
    shards_call(r->node->store->shards, STORE_SHARDS, front_new, r);
    *state = r;
    return 0;
}

static void stop(struct rig *r)
{
    r->stopped = gate_new(STORE_SHARDS);
    r->was_stopped = true;
    shards_call(r->node->store->shards, STORE_SHARDS, front_stop, r);
    gate_wait(r->stopped);
}

static int teardown(void **state)
{
    struct rig *r = *state;
    size_t charged;

    if (!r->was_stopped) {
        stop(r);
    }
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        shard_settle(r->node->store->shards[i]);
    }
    charged = node_charged(r->node);
    node_free(r->node);
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        fluss_front_free(r->fronts[i]);
    }
    arena_fini(&r->arena);
    free(r);
    assert_int_equal(charged, 0);
    return 0;
}

static int connect_to(struct rig *r, unsigned shard)
{
    struct peers p = peers_connect();
    struct arrival a = {.rig = r, .shard = shard, .fd = p.ours};

    on_shard(r->node->store->shards[shard], arrive, &a);
    return p.other;
}

static struct count counted(struct rig *r)
{
    struct count c = {.rig = r};

    shards_call(r->node->store->shards, STORE_SHARDS, count_run, &c);
    return c;
}

static size_t all_connections(struct rig *r)
{
    struct count c = counted(r);

    return c.connections[0] + c.connections[1] + c.connections[2];
}

/* ---- the client ---- */

static int32_t ask_raw(struct rig *r, int fd, int16_t key, int16_t version, struct bytes body)
{
    uint8_t head[12];

    put_i32be(head, (int32_t)(8 + body.len));
    put_i16be(head + 4, key);
    put_i16be(head + 6, version);
    put_i32be(head + 8, ++r->next_id);
    peer_write(fd, head, sizeof head);
    peer_write(fd, body.data, body.len);
    return r->next_id;
}

/* The id of the request. */
static int32_t ask(struct rig *r, int fd, enum rpc_api_key key, const void *message)
{
    return ask_raw(r, fd, (int16_t)key, rpc_api_find((int16_t)key)->version_max,
                   node_encode(r->node, key, message));
}

static struct rpc_response answer(struct rig *r, int fd)
{
    struct rpc_response response = {0};
    uint8_t length[4];
    uint8_t *frame;
    size_t len;

    peer_read(fd, length, sizeof length);
    len = get_u32be(length);
    frame = arena_alloc(&r->arena, len);
    peer_read(fd, frame, len);
    assert_int_equal(rpc_response_parse(bytes_of(frame, len), &response, NULL), ERR_OK);
    return response;
}

static void *answer_to(struct rig *r, int fd, int32_t id, enum rpc_api_key key)
{
    const struct rpc_api *api = rpc_api_find((int16_t)key);
    struct rpc_response response = answer(r, fd);
    void *message = arena_zalloc(&r->arena, api->response->size);

    assert_int_equal(response.type, RPC_SUCCESS);
    assert_int_equal(response.id, id);
    assert_int_equal(rpc_decode(api->response, response.body, &r->arena, message, NULL), ERR_OK);
    return message;
}

static void assert_refused(struct rig *r, int fd, int32_t id, enum errcode code)
{
    struct rpc_response response = answer(r, fd);

    assert_int_equal(response.type, RPC_FAILURE);
    assert_int_equal(response.id, id);
    assert_int_equal(rpc_response_error(response.body, NULL), code);
}

static int32_t ask_versions(struct rig *r, int fd)
{
    struct msg_api_versions_request m = {.client_software_name = bytes_str("test"),
                                         .client_software_version = bytes_str("1")};

    return ask(r, fd, API_API_VERSIONS, &m);
}

static int32_t ask_produce(struct rig *r, int fd, int64_t table, int32_t bucket, size_t size)
{
    struct msg_pb_produce_log_req_for_bucket b = {
        .bucket_id = bucket, .records = store_batch(r->node->store, 1, size, 1)};
    struct msg_produce_log_request m = {.acks = -1,
                                        .table_id = table,
                                        .timeout_ms = 20000,
                                        .buckets_req = &b,
                                        .buckets_req_count = 1};

    return ask(r, fd, API_PRODUCE_LOG, &m);
}

static int32_t ask_fetch(struct rig *r, int fd, int64_t table, int32_t bucket, int32_t wait_ms)
{
    struct msg_pb_fetch_log_req_for_bucket b = {.bucket_id = bucket, .max_fetch_bytes = 10 << 20};
    struct msg_pb_fetch_log_req_for_table t = {
        .table_id = table, .buckets_req = &b, .buckets_req_count = 1};
    struct msg_fetch_log_request m = {.follower_server_id = -1,
                                      .max_bytes = 10 << 20,
                                      .tables_req = &t,
                                      .tables_req_count = 1,
                                      .has_min_bytes = true,
                                      .min_bytes = 1,
                                      .has_max_wait_ms = true,
                                      .max_wait_ms = wait_ms};

    return ask(r, fd, API_FETCH_LOG, &m);
}

static int64_t table_of(struct rig *r)
{
    return store_create_table(r->node->store, "t", STORE_TABLE("", "20", ""));
}

/* ---- answers ---- */

static void every_request_is_answered_and_the_connection_lives(void **state)
{
    struct rig *r = *state;
    int fd = connect_to(r, 0);
    struct msg_get_table_info_request info = {.table_path = node_path("nothing")};
    int32_t id;

    id = ask_versions(r, fd);
    (void)answer_to(r, fd, id, API_API_VERSIONS);
    id = ask_raw(r, fd, 4711, 0, BYTES_EMPTY);
    assert_refused(r, fd, id, ERR_UNSUPPORTED_VERSION);
    id = ask_raw(r, fd, -1, -1, bytes_str("body"));
    assert_refused(r, fd, id, ERR_UNSUPPORTED_VERSION);
    id = ask_raw(r, fd, API_API_VERSIONS, 99, BYTES_EMPTY);
    assert_refused(r, fd, id, ERR_UNSUPPORTED_VERSION);
    id = ask_raw(r, fd, API_GET_TABLE_INFO, 0, bytes_str("\x0a\x7f"));
    assert_refused(r, fd, id, ERR_CORRUPT_MESSAGE);
    id = ask(r, fd, API_GET_TABLE_INFO, &info);
    assert_refused(r, fd, id, ERR_TABLE_NOT_EXIST);
    id = ask_versions(r, fd);
    (void)answer_to(r, fd, id, API_API_VERSIONS);
    socket_close(fd);
}

static void a_frame_beyond_the_limit_closes(void **state)
{
    struct rig *r = *state;
    int fd = connect_to(r, 1);

    peer_write(fd, "\x7f\xff\xff\xff\0\0\0\0", 8);
    peer_sees_end(fd);
    socket_close(fd);
    assert_int_equal(all_connections(r), 0);
}

/* A fetch that waits is overtaken by what comes after it. */
static void a_waiting_fetch_blocks_nobody(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);
    int fd = connect_to(r, 0);
    int32_t polls[3];
    struct rpc_response response;

    for (unsigned i = 0; i < 3; i++) {
        polls[i] = ask_fetch(r, fd, table, bucket_on(r->node, table, i), 15000);
    }
    for (int i = 0; i < 20; i++) {
        int32_t id = ask_versions(r, fd);

        (void)answer_to(r, fd, id, API_API_VERSIONS);
    }
    for (unsigned i = 3; i-- > 0;) {
        (void)store_append(r->node->store, bucket_of(table, bucket_on(r->node, table, i)),
                           store_batch(r->node->store, 1, 10, 1));
        response = answer(r, fd);
        assert_int_equal(response.id, polls[i]);
    }
    socket_close(fd);
}

static void large_requests_and_answers(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);

    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        int fd = connect_to(r, 0);
        int32_t bucket = bucket_on(r->node, table, shard);
        struct msg_fetch_log_response *fetched;
        int32_t id;

        for (int i = 0; i < 5; i++) {
            id = ask_produce(r, fd, table, bucket, (size_t)1 << 20);
            (void)answer_to(r, fd, id, API_PRODUCE_LOG);
        }
        id = ask_fetch(r, fd, table, bucket, 0);
        fetched = answer_to(r, fd, id, API_FETCH_LOG);
        assert_int_equal(fetched->tables_resp[0].buckets_resp[0].records.len % ((1 << 20) + 48), 0);
        socket_close(fd);
    }
}

/* ---- vanishing peers ---- */

static void requests_outlive_their_connection(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);

    for (unsigned round = 0; round < 10; round++) {
        for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
            int fd = connect_to(r, shard);

            for (int32_t b = 0; b < 20; b++) {
                (void)ask_fetch(r, fd, table, b, 15000); /* empty: they wait */
                (void)ask_produce(r, fd, table, 19, 5000);
                (void)ask_versions(r, fd);
            }
            if (round % 2 == 0) {
                shard_settle(r->node->store->shards[shard]);
            }
            peer_reset(fd);
        }
    }
    while (all_connections(r) > 0) {
        thread_sleep_us(500);
    }
    /* teardown: the fronts stop when the last of these requests is freed */
}

static void a_peer_that_reads_nothing_is_no_leak(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);
    int32_t bucket = bucket_on(r->node, table, 2);
    int fd = connect_to(r, 0);

    for (int i = 0; i < 3; i++) {
        (void)store_append(r->node->store, bucket_of(table, bucket),
                           store_batch(r->node->store, 1, (size_t)3 << 20, 1));
    }
    for (int i = 0; i < 30; i++) {
        (void)ask_fetch(r, fd, table, bucket, 0);
    }
    thread_sleep_us(5000);
    shard_settle(r->node->store->shards[0]);
    peer_reset(fd);
}

/* ---- stopping ---- */

static void a_stop_answers_what_is_in_flight(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);
    int fds[STORE_SHARDS];

    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        fds[i] = connect_to(r, i);
        (void)ask_fetch(r, fds[i], table, bucket_on(r->node, table, (i + 1) % 3), 15000);
        (void)ask_produce(r, fds[i], table, bucket_on(r->node, table, i), 1000);
        (void)answer(r, fds[i]); /* the produce: all has arrived */
    }
    stop(r);
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        (void)answer(r, fds[i]); /* the fetch */
        peer_sees_end(fds[i]);
        socket_close(fds[i]);
        fds[i] = connect_to(r, i); /* closed at once */
        peer_sees_end(fds[i]);
        socket_close(fds[i]);
    }
    assert_int_equal(all_connections(r), 0);
}

/* ---- moving ---- */

static void connections_move_to_their_data(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);
    int32_t bucket = bucket_on(r->node, table, 2);
    int fd = connect_to(r, 0);

    for (int i = 0; i < 100; i++) {
        int32_t id = ask_produce(r, fd, table, bucket, 100);
        struct msg_produce_log_response *p = answer_to(r, fd, id, API_PRODUCE_LOG);

        assert_int_equal(p->buckets_resp[0].base_offset, i);
    }
    assert_int_equal(counted(r).connections[2], 1);
    assert_int_equal(all_connections(r), 1);
    socket_close(fd);
}

/* Pipelined, so that frames are under way while the connection changes sides, again and again. */
static void moving_loses_and_reorders_nothing(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);
    int fd = connect_to(r, 0);
    int64_t offsets[STORE_SHARDS] = {0};

    for (int round = 0; round < 12; round++) {
        unsigned shard = (unsigned)(round % STORE_SHARDS);
        int32_t bucket = bucket_on(r->node, table, shard);
        int32_t ids[60];

        for (int i = 0; i < 60; i++) {
            ids[i] = ask_produce(r, fd, table, bucket, i % 7 == 0 ? 100000 : 50);
        }
        for (int i = 0; i < 60; i++) {
            struct msg_produce_log_response *p = answer_to(r, fd, ids[i], API_PRODUCE_LOG);

            assert_int_equal(p->buckets_resp[0].base_offset, offsets[shard]++);
        }
    }
    assert_int_equal(all_connections(r), 1);
    socket_close(fd);
}

static void a_connection_does_not_wait_for_a_fetch_to_move(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);
    int fd = connect_to(r, 0);
    int64_t start_us = clock_mono_us();

    (void)ask_fetch(r, fd, table, bucket_on(r->node, table, 1), 60000);
    for (int i = 0; i < 30; i++) {
        int32_t id = ask_produce(r, fd, table, bucket_on(r->node, table, 2), 100);

        (void)answer_to(r, fd, id, API_PRODUCE_LOG);
    }
    assert_true(clock_mono_us() - start_us < 30000000);
    assert_int_equal(counted(r).connections[0], 1);
    socket_close(fd);
}

static void vanishing_while_moving(void **state)
{
    struct rig *r = *state;
    int64_t table = table_of(r);

    for (int round = 0; round < 60; round++) {
        int fd = connect_to(r, 0);

        for (int i = 0; i < 9; i++) {
            (void)ask_produce(r, fd, table, bucket_on(r->node, table, 1), 50);
        }
        for (int i = 0; i < round % 9; i++) {
            (void)answer(r, fd);
        }
        peer_reset(fd);
    }
    while (all_connections(r) > 0) {
        thread_sleep_us(500);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_request_is_answered_and_the_connection_lives),
        TEST(a_frame_beyond_the_limit_closes),
        TEST(a_waiting_fetch_blocks_nobody),
        TEST(large_requests_and_answers),
        TEST(requests_outlive_their_connection),
        TEST(a_peer_that_reads_nothing_is_no_leak),
        TEST(a_stop_answers_what_is_in_flight),
        TEST(connections_move_to_their_data),
        TEST(moving_loses_and_reorders_nothing),
        TEST(a_connection_does_not_wait_for_a_fetch_to_move),
        TEST(vanishing_while_moving),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
