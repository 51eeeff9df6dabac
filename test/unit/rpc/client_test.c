/* The peer is the other end of a socket pair, played by the test itself: responses that the client
 * is to find are written before it looks. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "io/clock.h"
#include "io/file.h"
#include "rpc/client.h"

#define SECOND_US   1000000
#define PATIENCE_US (120 * SECOND_US)

struct pair {
    struct rpc_client *client;
    int peer;
    struct arena arena;
};

static int setup(void **state)
{
    struct timeval patience = {.tv_sec = 10};
    struct pair *p = mem_new(struct pair);
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    p->client = rpc_client_of_socket(fds[0]);
    p->peer = fds[1];
    assert_int_equal(setsockopt(p->peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;

    rpc_client_free(p->client);
    (void)close(p->peer);
    arena_fini(&p->arena);
    free(p);
    return 0;
}

static void peer_writes(struct pair *p, const struct pieces *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const struct piece *piece = &out->items[i];

        assert_int_equal(write(p->peer, piece->data, piece->len), piece->len);
    }
}

static void peer_answers(struct pair *p, int32_t id, enum rpc_api_key key, const void *message)
{
    struct pieces out;

    pieces_init(&out, &p->arena);
    rpc_frame_response(id, rpc_api_find((int16_t)key)->response, message, &out);
    peer_writes(p, &out);
}

/* The next request at the peer; its body is in the arena. */
static struct rpc_request peer_reads(struct pair *p)
{
    struct rpc_request request = {0};
    uint8_t start[RPC_LENGTH_SIZE];
    size_t size;
    uint8_t *frame;

    assert_int_equal(recv(p->peer, start, sizeof start, MSG_WAITALL), sizeof start);
    size = get_u32be(start);
    frame = arena_alloc(&p->arena, size);
    assert_int_equal(recv(p->peer, frame, size, MSG_WAITALL), size);
    assert_int_equal(rpc_request_parse(bytes_of(frame, size), &request, NULL), ERR_OK);
    return request;
}

static void offer(struct pair *p, int16_t key, int32_t min, int32_t max)
{
    struct msg_pb_api_version version = {.api_key = key, .min_version = min, .max_version = max};
    struct msg_api_versions_response response = {.api_versions = &version, .api_versions_count = 1};

    peer_answers(p, 0, API_API_VERSIONS, &response);
    assert_int_equal(rpc_client_handshake(p->client, "test", PATIENCE_US, NULL), ERR_OK);
    assert_int_equal(peer_reads(p).api_key, API_API_VERSIONS);
}

static int32_t send_init_writer(struct pair *p)
{
    struct msg_init_writer_request request = {0};
    int32_t id = -1;

    assert_int_equal(rpc_client_send(p->client, API_INIT_WRITER, &request, &id, NULL), ERR_OK);
    return id;
}

static void answer_init_writer(struct pair *p, int32_t id, int64_t writer_id)
{
    struct msg_init_writer_response response = {.writer_id = writer_id};

    peer_answers(p, id, API_INIT_WRITER, &response);
}

static void assert_next_is(struct pair *p, int32_t id, int64_t writer_id)
{
    struct msg_init_writer_response message = {0};
    struct rpc_response response = {0};
    bool found = false;

    assert_int_equal(rpc_client_next(p->client, &response, &found, NULL), ERR_OK);
    assert_true(found);
    assert_int_equal(response.id, id);
    assert_int_equal(rpc_response_decode(&response, API_INIT_WRITER, &p->arena, &message, NULL),
                     ERR_OK);
    assert_int_equal(message.writer_id, writer_id);
}

static void assert_none(struct pair *p)
{
    struct rpc_response response;
    bool found = true;

    assert_int_equal(rpc_client_next(p->client, &response, &found, NULL), ERR_OK);
    assert_false(found);
}

static void test_only_offered_apis_are_sent(void **state)
{
    struct msg_init_writer_request request = {0};
    struct pair *p = *state;
    struct error e;
    int32_t id;

    assert_int_equal(rpc_client_send(p->client, API_INIT_WRITER, &request, &id, &e),
                     ERR_UNSUPPORTED_VERSION);
    assert_string_equal(e.message, "the server offers no version of INIT_WRITER");
    offer(p, API_INIT_WRITER, 7, 9);
    assert_int_equal(rpc_client_send(p->client, API_INIT_WRITER, &request, &id, &e),
                     ERR_UNSUPPORTED_VERSION);
}

static void test_responses_in_any_order(void **state)
{
    struct pair *p = *state;
    int32_t a, b;

    offer(p, API_INIT_WRITER, 0, 5);
    a = send_init_writer(p);
    b = send_init_writer(p);
    assert_int_not_equal(a, b);
    assert_int_equal(rpc_client_inflight(p->client), 2);
    assert_int_equal(rpc_client_flush(p->client, NULL), ERR_OK);
    assert_int_equal(peer_reads(p).id, a);
    assert_int_equal(peer_reads(p).id, b);
    assert_none(p);
    answer_init_writer(p, b, 22);
    answer_init_writer(p, a, 11);
    assert_next_is(p, b, 22);
    assert_next_is(p, a, 11);
    assert_none(p);
    assert_int_equal(rpc_client_inflight(p->client), 0);
}

static void test_response_in_single_bytes(void **state)
{
    struct msg_init_writer_response response = {.writer_id = 1234567};
    struct pair *p = *state;
    struct pieces out;
    int32_t id;

    offer(p, API_INIT_WRITER, 0, 0);
    id = send_init_writer(p);
    pieces_init(&out, &p->arena);
    rpc_frame_response(id, &msg_init_writer_response_desc, &response, &out);
    assert_int_equal(out.count, 1);
    for (size_t i = 0; i < out.len; i++) {
        assert_none(p);
        assert_int_equal(write(p->peer, out.items[0].data + i, 1), 1);
    }
    assert_next_is(p, id, 1234567);
}

/* ---- large messages, both ways at once ---- */

#define LARGE ((size_t)3 << 20)

static struct msg_fetch_log_response large_response(struct pair *p, struct bytes records)
{
    struct msg_pb_fetch_log_resp_for_bucket *bucket =
        arena_new(&p->arena, struct msg_pb_fetch_log_resp_for_bucket);
    struct msg_pb_fetch_log_resp_for_table *table =
        arena_new(&p->arena, struct msg_pb_fetch_log_resp_for_table);

    bucket->records = records;
    bucket->has_records = true;
    table->buckets_resp = bucket;
    table->buckets_resp_count = 1;
    return (struct msg_fetch_log_response){.tables_resp = table, .tables_resp_count = 1};
}

/* Reads two large requests and answers each with as much. */
static void *large_peer(void *context)
{
    struct pair *p = context;

    for (int i = 0; i < 2; i++) {
        struct rpc_request request = peer_reads(p);
        struct msg_produce_log_request message;
        struct msg_fetch_log_response response;

        assert_int_equal(
            rpc_decode(&msg_produce_log_request_desc, request.body, &p->arena, &message, NULL),
            ERR_OK);
        response = large_response(p, message.buckets_req[0].records);
        peer_answers(p, request.id, API_FETCH_LOG, &response);
    }
    return NULL;
}

static struct bytes noise(struct arena *a, size_t len)
{
    uint8_t *data = arena_alloc(a, len);

    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    return bytes_of(data, len);
}

static void test_large_frames_both_ways(void **state)
{
    struct pair *p = *state;
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct bytes records = noise(&a, LARGE);
    struct msg_pb_produce_log_req_for_bucket bucket = {.records = records};
    struct msg_produce_log_request request = {
        .acks = -1, .timeout_ms = 1, .buckets_req = &bucket, .buckets_req_count = 1};
    unsigned seen = 0;
    pthread_t thread;
    int32_t id;

    offer(p, API_PRODUCE_LOG, 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, large_peer, p), 0);
    assert_int_equal(rpc_client_send(p->client, API_PRODUCE_LOG, &request, &id, NULL), ERR_OK);
    assert_int_equal(rpc_client_send(p->client, API_PRODUCE_LOG, &request, &id, NULL), ERR_OK);
    while (seen < 2) {
        struct msg_fetch_log_response message;
        struct rpc_response response;
        bool found;

        assert_int_equal(rpc_clients_wait(&p->client, 1, PATIENCE_US, NULL), ERR_OK);
        assert_int_equal(rpc_client_next(p->client, &response, &found, NULL), ERR_OK);
        if (found) {
            assert_int_equal(rpc_response_decode(&response, API_FETCH_LOG, &a, &message, NULL),
                             ERR_OK);
            assert_true(bytes_equal(message.tables_resp[0].buckets_resp[0].records, records));
            seen++;
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* ---- failures ---- */

static struct rpc_call init_writer_call(const struct msg_init_writer_request *request,
                                        int64_t timeout_us)
{
    return (struct rpc_call){.key = API_INIT_WRITER, .request = request, .timeout_us = timeout_us};
}

static void test_failed_request(void **state)
{
    struct error failure = {.code = ERR_AUTHORIZATION, .message = "not you"};
    struct msg_init_writer_response message;
    struct msg_init_writer_request request = {0};
    struct rpc_call call = init_writer_call(&request, PATIENCE_US);
    struct pair *p = *state;
    struct pieces out;
    struct error e;

    offer(p, API_INIT_WRITER, 0, 0);
    pieces_init(&out, &p->arena);
    rpc_frame_failure(1, &failure, &out);
    peer_writes(p, &out);
    assert_int_equal(rpc_client_call(p->client, &call, &p->arena, &message, &e), ERR_AUTHORIZATION);
    assert_non_null(strstr(e.message, "not you"));
    answer_init_writer(p, 2, 5);
    assert_int_equal(rpc_client_call(p->client, &call, &p->arena, &message, &e), ERR_OK);
    assert_int_equal(message.writer_id, 5);
}

static void test_failed_connection(void **state)
{
    struct error failure = {.code = ERR_NETWORK, .message = "enough of you"};
    struct rpc_response response;
    struct pair *p = *state;
    struct pieces out;
    struct error e;
    bool found;

    pieces_init(&out, &p->arena);
    rpc_frame_fatal(&failure, &out);
    peer_writes(p, &out);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rpc_client_next(p->client, &response, &found, &e), ERR_NETWORK);
        assert_non_null(strstr(e.message, "enough of you"));
    }
    assert_int_equal(rpc_client_flush(p->client, NULL), ERR_NETWORK);
}

static void test_call_runs_out_of_time(void **state)
{
    struct msg_init_writer_response message;
    struct msg_init_writer_request request = {0};
    struct rpc_call call = init_writer_call(&request, SECOND_US / 50);
    struct pair *p = *state;
    struct error e;
    int64_t before;
    int32_t id;

    offer(p, API_INIT_WRITER, 0, 0);
    before = clock_mono_us();
    assert_int_equal(rpc_client_call(p->client, &call, &p->arena, &message, &e),
                     ERR_REQUEST_TIME_OUT);
    assert_true(clock_mono_us() - before >= SECOND_US / 50);
    assert_string_equal(e.message, "INIT_WRITER: no response in time");
    assert_int_equal(rpc_client_send(p->client, API_INIT_WRITER, &request, &id, NULL),
                     ERR_REQUEST_TIME_OUT);
}

static void test_garbage_ends_the_connection(void **state)
{
    struct rpc_response response;
    struct pair *p = *state;
    bool found;

    assert_int_equal(write(p->peer, "\xff\xff\xff\xff rubbish", 12), 12);
    assert_int_equal(rpc_client_next(p->client, &response, &found, NULL), ERR_CORRUPT_MESSAGE);
    assert_int_equal(rpc_client_next(p->client, &response, &found, NULL), ERR_CORRUPT_MESSAGE);
}

static void test_nobody_listens(void **state)
{
    struct rpc_client *c = NULL;

    (void)state;
    assert_int_equal(rpc_client_open("127.0.0.1", 1, &c, NULL), ERR_NETWORK);
    assert_int_equal(rpc_client_open("no host name", 1, &c, NULL), ERR_INVALID_ARGUMENT);
    assert_null(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_only_offered_apis_are_sent),
        TEST(test_responses_in_any_order),
        TEST(test_response_in_single_bytes),
        TEST(test_large_frames_both_ways),
        TEST(test_failed_request),
        TEST(test_failed_connection),
        TEST(test_call_runs_out_of_time),
        TEST(test_garbage_ends_the_connection),
        TEST(test_nobody_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
