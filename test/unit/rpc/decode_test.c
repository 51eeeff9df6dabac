/* Decoding from bytes written by hand; test/protocol compares all messages with another protobuf. */
#include "../../support/unit.h"
#include "rpc/codec.h"
#include "rpc/messages.h"

#define BODY(literal) bytes_of(literal, sizeof(literal) - 1)

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

static void assert_refused(struct arena *a, const struct msg_desc *desc, struct bytes body,
                           const char *text)
{
    OWNED(arena_fini) struct arena own = ARENA_INIT;
    struct error e = {0};
    void *message = arena_alloc(&own, desc->size);

    assert_int_equal(rpc_decode(desc, body, a, message, &e), ERR_CORRUPT_MESSAGE);
    assert_int_equal(e.code, ERR_CORRUPT_MESSAGE);
    assert_string_equal(e.message, text);
}

static void produce_request(void **state)
{
    static const uint8_t body[] = "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" /* acks -1 */
                                  "\x10\x07\x18\xb0\xea\x01"                     /* 7, 30000 */
                                  "\x22\x07\x10\x03\x1a\x03"
                                  "abc"
                                  "\x22\x06\x08\x05\x10\x04\x1a\x00";
    struct msg_produce_log_request m;
    struct error e;

    assert_int_equal(
        rpc_decode(&msg_produce_log_request_desc, bytes_of(body, sizeof body - 1), *state, &m, &e),
        ERR_OK);
    assert_int_equal(m.acks, -1);
    assert_int_equal(m.table_id, 7);
    assert_int_equal(m.timeout_ms, 30000);
    assert_int_equal(m.buckets_req_count, 2);
    assert_int_equal(m.buckets_req[0].bucket_id, 3);
    assert_false(m.buckets_req[0].has_partition_id);
    assert_true(bytes_equal_str(m.buckets_req[0].records, "abc"));
    assert_ptr_equal(m.buckets_req[0].records.data, body + 23); /* not copied */
    assert_null(m.buckets_req[0].records_pieces);
    assert_true(m.buckets_req[1].has_partition_id);
    assert_int_equal(m.buckets_req[1].partition_id, 5);
    assert_int_equal(m.buckets_req[1].records.len, 0);
}

static void empty_message(void **state)
{
    struct msg_get_cluster_health_request m;

    assert_int_equal(
        rpc_decode(&msg_get_cluster_health_request_desc, BYTES_EMPTY, *state, &m, NULL), ERR_OK);
    assert_int_equal(
        rpc_decode(&msg_get_cluster_health_request_desc, BODY("\x08\x01"), *state, &m, NULL),
        ERR_OK);
}

static void numbers_of_every_type(void **state)
{
    struct msg_pb_literal_value m;

    assert_int_equal(rpc_decode(&msg_pb_literal_value_desc,
                                BODY("\x08\x05\x10\x01\x18\x01\x35\x00\x00\xc0\x3f"
                                     "\x39\x00\x00\x00\x00\x00\x00\x04\xc0\x42\x03\xe2\x82\xac"),
                                *state, &m, NULL),
                     ERR_OK);
    assert_true(m.is_null && m.has_boolean_value && m.boolean_value);
    assert_true(m.has_float_value && m.float_value > 1.49F && m.float_value < 1.51F);
    assert_true(m.has_double_value && m.double_value < -2.49 && m.double_value > -2.51);
    assert_true(m.has_string_value && bytes_equal_str(m.string_value, "\xe2\x82\xac"));
    assert_false(m.has_int_value || m.has_binary_value);
}

static void repeated_numbers_packed_and_not(void **state)
{
    /* one alone, a run of two, an empty run, one alone */
    struct bytes body = BODY("\x18\x01\x1a\x03\x02\xac\x02\x1a\x00\x18\x04");
    struct msg_metadata_request m;

    assert_int_equal(rpc_decode(&msg_metadata_request_desc, body, *state, &m, NULL), ERR_OK);
    assert_int_equal(m.partitions_id_count, 4);
    assert_int_equal(m.partitions_id[0], 1);
    assert_int_equal(m.partitions_id[1], 2);
    assert_int_equal(m.partitions_id[2], 300);
    assert_int_equal(m.partitions_id[3], 4);
}

static void arrays_may_interleave(void **state)
{
    struct bytes body = BODY("\x0a\x01"
                             "a"
                             "\x12\x05\x0a\x01x\x10\x01"
                             "\x0a\x01"
                             "b");
    struct msg_list_databases_response m;
    struct error e;

    assert_int_equal(rpc_decode(&msg_list_databases_response_desc, body, *state, &m, &e),
                     ERR_CORRUPT_MESSAGE);
    assert_string_equal(e.message, "PbDatabaseSummary.table_count: required, but missing");
    body = BODY("\x0a\x01"
                "a"
                "\x12\x07\x0a\x01x\x10\x01\x18\x02"
                "\x0a\x01"
                "b");
    assert_int_equal(rpc_decode(&msg_list_databases_response_desc, body, *state, &m, &e), ERR_OK);
    assert_int_equal(m.database_name_count, 2);
    assert_true(bytes_equal_str(m.database_name[1], "b"));
    assert_int_equal(m.database_summary_count, 1);
    assert_int_equal(m.database_summary[0].table_count, 2);
}

static void last_value_counts(void **state)
{
    struct bytes body = BODY("\x0a\x04\x08\x01\x12\x00"            /* coordinator without a port */
                             "\x0a\x07\x08\x02\x12\x01h\x18\x03"); /* and one with */
    struct msg_metadata_response m;

    assert_refused(*state, &msg_metadata_response_desc, body,
                   "PbServerNode.port: required, but missing");
    body = BODY("\x0a\x06\x08\x01\x12\x00\x18\x09\x0a\x07\x08\x02\x12\x01h\x18\x03");
    assert_int_equal(rpc_decode(&msg_metadata_response_desc, body, *state, &m, NULL), ERR_OK);
    assert_int_equal(m.coordinator_server->node_id, 2);
    assert_int_equal(m.coordinator_server->port, 3);
}

static void refused(void **state)
{
    const struct msg_desc *desc = &msg_error_response_desc;

    assert_refused(*state, desc, BYTES_EMPTY, "ErrorResponse.error_code: required, but missing");
    assert_refused(*state, desc, BODY("\x0a\x00"), "ErrorResponse.error_code: wrong wire type");
    assert_refused(*state, desc, BODY("\x08"), "ErrorResponse.error_code: the number is cut short");
    assert_refused(*state, desc, BODY("\x08\x01\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                   "ErrorResponse.error_message: its length exceeds the message");
    assert_refused(*state, desc, BODY("\x08\x01\x12\x01\x80"),
                   "ErrorResponse.error_message: not UTF-8");
    assert_refused(*state, desc, BODY("\x02\x00"), "ErrorResponse: malformed field tag");
    assert_refused(*state, desc, BODY("\x80\x80\x80\x80\x10\x00"),
                   "ErrorResponse: malformed field tag"); /* beyond 32 bits */
    assert_refused(*state, desc, BODY("\x23\x24"), "ErrorResponse: malformed unknown field");
    assert_refused(*state, desc, BODY("\x22\x02\x00"), "ErrorResponse: malformed unknown field");
    assert_refused(*state, &msg_metadata_request_desc, BODY("\x1a\x02\x01\x80"),
                   "MetadataRequest.partitions_id: the number is cut short");
    assert_refused(*state, &msg_metadata_request_desc, BODY("\x1a\x05\x01"),
                   "MetadataRequest.partitions_id: its length exceeds the message");
    assert_refused(*state, &msg_metadata_request_desc, BODY("\x08\x01"),
                   "MetadataRequest.table_path: wrong wire type");
}

/* PbPredicate{type 1, compound{function 0, children[PbPredicate...]}}, built from the inside. */
static struct bytes nested_predicate(struct arena *a, size_t levels)
{
    struct writer w = writer_of(arena_alloc(a, 2), 2);

    writer_bytes(&w, BODY("\x08\x00"));
    for (size_t i = 0; i < levels; i++) {
        struct bytes inner = bytes_of(w.data, w.len);
        size_t compound = 2 + 1 + varint64_size(inner.len) + inner.len;
        size_t size = 2 + 1 + varint64_size(compound) + compound;

        w = writer_of(arena_alloc(a, size), size);
        writer_bytes(&w, BODY("\x08\x01\x1a"));
        writer_varint64(&w, compound);
        writer_bytes(&w, BODY("\x08\x00\x12"));
        writer_varint64(&w, inner.len);
        writer_bytes(&w, inner);
    }
    return bytes_of(w.data, w.len);
}

static void nesting_is_limited(void **state)
{
    struct msg_pb_predicate m;
    struct bytes body = nested_predicate(*state, RPC_DEPTH_MAX / 2);

    assert_int_equal(rpc_decode(&msg_pb_predicate_desc, body, *state, &m, NULL), ERR_OK);
    assert_int_equal(m.compound->children_count, 1);
    body = nested_predicate(*state, RPC_DEPTH_MAX / 2 + 1);
    assert_refused(*state, &msg_pb_predicate_desc, body, "PbPredicate.compound: nested too deeply");
}

static void memory_is_limited(void **state)
{
    struct arena *a = *state;
    size_t count = 100000;
    uint8_t *body = arena_alloc(a, 2 * count);
    size_t before;

    for (size_t i = 0; i < count; i++) {
        memcpy(body + 2 * i, "\x0a\x00", 2); /* table paths of 32 bytes from 2 bytes each */
    }
    before = a->total;
    assert_refused(a, &msg_metadata_request_desc, bytes_of(body, 2 * count),
                   "PbTablePath.database_name: required, but missing");
    assert_true(a->total - before <= RPC_MEMORY_FACTOR * 2 * count + RPC_MEMORY_BASE);

    for (size_t i = 0; i < count; i++) {
        memcpy(body + 2 * i, "\x12\x00", 2); /* partition paths: 56 bytes each */
    }
    before = a->total;
    assert_refused(a, &msg_metadata_request_desc, bytes_of(body, 2 * count),
                   "MetadataRequest.partitions_path: the message needs too much memory for its "
                   "length");
    assert_true(a->total - before <= RPC_MEMORY_BASE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(produce_request, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_message, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_of_every_type, setup, teardown),
        cmocka_unit_test_setup_teardown(repeated_numbers_packed_and_not, setup, teardown),
        cmocka_unit_test_setup_teardown(arrays_may_interleave, setup, teardown),
        cmocka_unit_test_setup_teardown(last_value_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nesting_is_limited, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_limited, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
