/* Encoding: what is copied, what is referred to, what is moved, and that sizes come true. */
#include "../../support/unit.h"
#include "rpc/codec.h"
#include "rpc/messages.h"

static int setup(void **state)
{
    static struct arena arena;

    arena_init(&arena);
    *state = &arena;
    return 0;
}

static int teardown(void **state)
{
    arena_fini(*state);
    return 0;
}

/* All pieces as one run; files cannot be read here and count as '.'. */
static struct bytes flat(struct arena *a, const struct pieces *p)
{
    uint8_t *data = arena_alloc(a, p->len);
    size_t at = 0;

    for (size_t i = 0; i < p->count; at += p->items[i++].len) {
        if (p->items[i].data == NULL) {
            memset(data + at, '.', p->items[i].len);
        } else {
            memcpy(data + at, p->items[i].data, p->items[i].len);
        }
    }
    assert_int_equal(at, p->len);
    return bytes_of(data, at);
}

static void assert_encodes(struct arena *a, const struct msg_desc *desc, const void *message,
                           const void *expected, size_t len)
{
    struct pieces out;

    pieces_init(&out, a);
    assert_int_equal(rpc_encoded_size(desc, message), len);
    rpc_encode(desc, message, &out);
    assert_int_equal(out.len, len);
    assert_memory_equal(flat(a, &out).data, expected, len);
}

#define ASSERT_ENCODES(a, name, message, literal)                                                  \
    assert_encodes(a, &msg_##name##_desc, message, literal, sizeof(literal) - 1)

static void absent_and_zero(void **state)
{
    struct msg_error_response error = {0};
    struct msg_metadata_request metadata = {0};

    ASSERT_ENCODES(*state, error_response, &error, "\x08\x00"); /* required, so written */
    error.has_error_message = true;
    ASSERT_ENCODES(*state, error_response, &error, "\x08\x00\x12\x00");
    ASSERT_ENCODES(*state, metadata_request, &metadata, "");
}

static void numbers(void **state)
{
    int32_t ids[] = {1, -1, 300};
    struct msg_pb_bucket_metadata bucket = {
        .bucket_id = -1,
        .leader_id = 0,
        .has_leader_id = true,
        .replica_id = ids,
        .replica_id_count = 3,
    };
    struct msg_pb_literal_value literal = {
        .literal_type = 5,
        .is_null = true,
        .float_value = 1.5F,
        .has_float_value = true,
        .double_value = -2.5,
        .has_double_value = true,
    };
    int64_t tables[] = {7, 8};
    struct msg_lake_tiering_heartbeat_request heartbeat = {
        .force_finished_tables = tables,
        .force_finished_tables_count = 2,
    };

    ASSERT_ENCODES(*state, pb_bucket_metadata, &bucket,
                   "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x00"
                   "\x1a\x0d\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xac\x02");
    ASSERT_ENCODES(*state, pb_literal_value, &literal,
                   "\x08\x05\x10\x01\x35\x00\x00\xc0\x3f"
                   "\x39\x00\x00\x00\x00\x00\x00\x04\xc0");
    ASSERT_ENCODES(*state, lake_tiering_heartbeat_request, &heartbeat, "\x28\x07\x28\x08");
}

static void nested(void **state)
{
    struct msg_pb_server_node nodes[2] = {
        {.node_id = 1, .host = bytes_str("a"), .port = 2},
        {.node_id = 3,
         .host = bytes_str("bc"),
         .port = 4,
         .rack = bytes_str("r"),
         .has_rack = true},
    };
    struct msg_metadata_response m = {
        .coordinator_server = &nodes[0],
        .tablet_servers = nodes,
        .tablet_servers_count = 2,
    };

    ASSERT_ENCODES(*state, metadata_response, &m,
                   "\x0a\x07\x08\x01\x12\x01"
                   "a\x18\x02"
                   "\x12\x07\x08\x01\x12\x01"
                   "a\x18\x02"
                   "\x12\x0b\x08\x03\x12\x02"
                   "bc\x18\x04\x2a\x01r");
}

/* More nested messages than the first list of lengths holds. */
static void many_nested(void **state)
{
    struct msg_pb_value values[200] = {0};
    struct msg_pb_lookup_resp_for_bucket bucket = {.values = values, .values_count = 200};
    struct msg_lookup_response m = {.buckets_resp = &bucket, .buckets_resp_count = 1};
    struct msg_lookup_response again;
    struct pieces out;

    for (size_t i = 0; i < 200; i++) {
        values[i].has_values = i % 2 == 0;
        values[i].values = bytes_str("a value");
    }
    pieces_init(&out, *state);
    rpc_encode(&msg_lookup_response_desc, &m, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.len, rpc_encoded_size(&msg_lookup_response_desc, &m));
    assert_int_equal(
        rpc_decode(&msg_lookup_response_desc, flat(*state, &out), *state, &again, NULL), ERR_OK);
    assert_int_equal(again.buckets_resp[0].values_count, 200);
    assert_true(bytes_equal_str(again.buckets_resp[0].values[198].values, "a value"));
    assert_false(again.buckets_resp[0].values[199].has_values);
}

static void large_bytes_are_referred_to(void **state)
{
    static const uint8_t large[RPC_INLINE_MAX];
    struct msg_limit_scan_response m = {
        .records = bytes_of(large, sizeof large),
        .has_records = true,
    };
    struct pieces out;

    pieces_init(&out, *state);
    rpc_encode(&msg_limit_scan_response_desc, &m, &out);
    assert_int_equal(out.count, 2);
    assert_ptr_equal(out.items[1].data, large);
    assert_null(out.items[1].owner);
    m.records.len--;
    pieces_init(&out, *state);
    rpc_encode(&msg_limit_scan_response_desc, &m, &out);
    assert_int_equal(out.count, 1);
}

static void pieces_are_moved(void **state)
{
    struct chunk *chunk = chunk_new(10);
    struct pieces records;
    struct pieces out;
    struct msg_pb_fetch_log_resp_for_bucket buckets[2] = {
        {.bucket_id = 1,
         .records_pieces = &records,
         .min_retain_offset = 5,
         .has_min_retain_offset = true},
        {.bucket_id = 2, .records = bytes_str("xy"), .has_records = true},
    };
    struct msg_pb_fetch_log_resp_for_table table = {.buckets_resp = buckets,
                                                    .buckets_resp_count = 2};

    memcpy(chunk->data, "0123456789", 10);
    pieces_init(&records, *state);
    pieces_add_chunk(&records, chunk, bytes_of(chunk->data, 10));
    pieces_add_file(&records, NULL, 77, 3);
    pieces_init(&out, *state);
    assert_int_equal(rpc_encoded_size(&msg_pb_fetch_log_resp_for_table_desc, &table), 31);
    rpc_encode(&msg_pb_fetch_log_resp_for_table_desc, &table, &out);
    assert_int_equal(records.count, 0);
    assert_int_equal(out.count, 4);
    assert_ptr_equal(out.items[1].owner, chunk);
    assert_int_equal(out.items[2].file_offset, 77);
    assert_int_equal(out.len, 31);
    assert_memory_equal(flat(*state, &out).data,
                        "\x08\x00\x12\x13\x10\x01\x42\x0d"
                        "0123456789...\x50\x05\x12\x06\x10\x02\x42\x02xy",
                        31);
    chunk_unref(out.items[1].owner);
}

/* "Present but empty", which an idle fetch must answer. */
static void empty_pieces_are_present(void **state)
{
    struct pieces none;
    struct msg_limit_scan_response m = {.records_pieces = &none};

    pieces_init(&none, *state);
    ASSERT_ENCODES(*state, limit_scan_response, &m, "\x22\x00");
}

static void after_a_head(void **state)
{
    struct msg_init_writer_response m = {.writer_id = 9};
    struct pieces out;
    uint8_t *head;

    pieces_init(&out, *state);
    pieces_add_bytes(&out, bytes_str("before"));
    head = rpc_encode_after(3, &msg_init_writer_response_desc, &m, &out);
    memcpy(head, "abc", 3);
    assert_int_equal(out.count, 2);
    assert_true(bytes_equal_str(flat(*state, &out), "beforeabc\x08\x09"));
}

static void error_texts(void **state)
{
    struct error e;
    struct bytes text;

    (void)error_set(&e, ERR_TABLE_NOT_EXIST, "%s", error_text(ERR_TABLE_NOT_EXIST));
    assert_false(rpc_error_text(&e, *state, &text));
    (void)error_set(&e, ERR_TABLE_NOT_EXIST, "no table \xe2\x82\xac, \xff\xe2\x82");
    assert_true(rpc_error_text(&e, *state, &text));
    assert_true(bytes_equal_str(text, "no table \xe2\x82\xac, ???"));
    e.message[0] = '\0';
    assert_false(rpc_error_text(&e, *state, &text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(absent_and_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(nested, setup, teardown),
        cmocka_unit_test_setup_teardown(many_nested, setup, teardown),
        cmocka_unit_test_setup_teardown(large_bytes_are_referred_to, setup, teardown),
        cmocka_unit_test_setup_teardown(pieces_are_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_pieces_are_present, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_head, setup, teardown),
        cmocka_unit_test_setup_teardown(error_texts, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
