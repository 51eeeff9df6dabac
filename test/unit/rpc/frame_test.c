/* Frames, byte for byte as in the protocol's description. */
#include "../../support/unit.h"
#include "rpc/api.h"
#include "rpc/frame.h"

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

#define ASSERT_ONE_PIECE(pieces, literal)                                                          \
    do {                                                                                           \
        assert_int_equal((pieces)->count, 1);                                                      \
        assert_int_equal((pieces)->len, sizeof(literal) - 1);                                      \
        assert_memory_equal((pieces)->items[0].data, literal, sizeof(literal) - 1);                \
    } while (0)

#define FRAME(literal) bytes_of(literal, sizeof(literal) - 1)

static void request(void **state)
{
    struct msg_api_versions_request m = {
        .client_software_name = bytes_str("fluss"),
        .client_software_version = bytes_str("0.1.0"),
    };
    struct rpc_request header = {.api_key = API_API_VERSIONS};
    struct rpc_request parsed;
    struct pieces out;

    pieces_init(&out, *state);
    rpc_frame_request(&header, &msg_api_versions_request_desc, &m, &out);
    ASSERT_ONE_PIECE(&out, "\x00\x00\x00\x16\x03\xe8\x00\x00\x00\x00\x00\x00\x0a\x05"
                           "fluss\x12\x05"
                           "0.1.0");
    assert_int_equal(rpc_request_parse(bytes_of(out.items[0].data + 4, out.len - 4), &parsed, NULL),
                     ERR_OK);
    assert_int_equal(parsed.api_key, 1000);
    assert_int_equal(parsed.body.len, 14);
}

static void request_header(void **state)
{
    struct rpc_request r;
    struct error e;

    (void)state;
    assert_int_equal(rpc_request_parse(FRAME("\x03\xf6\x00\x01\x7f\xff\xff\xff"), &r, &e), ERR_OK);
    assert_int_equal(r.api_key, 1014);
    assert_int_equal(r.api_version, 1);
    assert_int_equal(r.id, INT32_MAX);
    assert_int_equal(r.body.len, 0);
    assert_int_equal(rpc_request_parse(FRAME("\x03\xf6\x00\x01\x7f\xff\xff"), &r, &e),
                     ERR_CORRUPT_MESSAGE);
    assert_string_equal(e.message, "request of 7 bytes has no whole header");
}

static void responses(void **state)
{
    struct msg_create_table_response empty = {0};
    struct rpc_response parsed;
    struct error e = {.code = ERR_TABLE_NOT_EXIST};
    struct pieces out;

    pieces_init(&out, *state);
    rpc_frame_response(5, &msg_create_table_response_desc, &empty, &out);
    ASSERT_ONE_PIECE(&out, "\x00\x00\x00\x05\x00\x00\x00\x00\x05");

    pieces_init(&out, *state);
    rpc_frame_failure(5, &e, &out);
    ASSERT_ONE_PIECE(&out, "\x00\x00\x00\x07\x01\x00\x00\x00\x05\x08\x07");
    assert_int_equal(
        rpc_response_parse(bytes_of(out.items[0].data + 4, out.len - 4), &parsed, NULL), ERR_OK);
    assert_int_equal(parsed.type, RPC_FAILURE);
    assert_int_equal(parsed.id, 5);
    assert_int_equal(rpc_response_error(parsed.body, &e), ERR_TABLE_NOT_EXIST);
    assert_string_equal(e.message, error_text(ERR_TABLE_NOT_EXIST));

    (void)error_set(&e, ERR_UNKNOWN_SERVER_ERROR, "why");
    pieces_init(&out, *state);
    rpc_frame_fatal(&e, &out);
    ASSERT_ONE_PIECE(&out,
                     "\x00\x00\x00\x11\x02\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x03"
                     "why");
    assert_int_equal(
        rpc_response_parse(bytes_of(out.items[0].data + 4, out.len - 4), &parsed, NULL), ERR_OK);
    assert_int_equal(parsed.type, RPC_FATAL);
    assert_int_equal(rpc_response_error(parsed.body, &e), ERR_UNKNOWN_SERVER_ERROR);
    assert_string_equal(e.message, "why");
}

static void response_with_payload(void **state)
{
    static const uint8_t records[8192];
    struct msg_limit_scan_response m = {
        .records = bytes_of(records, sizeof records),
        .has_records = true,
    };
    struct pieces out;

    pieces_init(&out, *state);
    rpc_frame_response(1, &msg_limit_scan_response_desc, &m, &out);
    assert_int_equal(out.count, 2);
    assert_memory_equal(out.items[0].data, "\x00\x00\x20\x08\x00\x00\x00\x00\x01\x22\x80\x40", 12);
    assert_ptr_equal(out.items[1].data, records);
}

static void broken_responses(void **state)
{
    struct rpc_response r;
    struct error e;
    size_t length = 0;

    (void)state;
    assert_int_equal(rpc_response_parse(FRAME("\x03\x00\x00\x00\x05"), &r, &e),
                     ERR_CORRUPT_MESSAGE);
    assert_int_equal(rpc_response_parse(FRAME("\x00\x00\x00\x00"), &r, &e), ERR_CORRUPT_MESSAGE);
    assert_int_equal(rpc_response_parse(BYTES_EMPTY, &r, &e), ERR_CORRUPT_MESSAGE);
    assert_int_equal(rpc_response_error(FRAME("\x12\x00"), &e), ERR_CORRUPT_MESSAGE);
    assert_int_equal(rpc_response_error(FRAME("\x08\x00"), &e), ERR_UNKNOWN_SERVER_ERROR);

    assert_int_equal(rpc_response_length((const uint8_t *)"\x00\x00\x00\x05", 5, &length, &e),
                     ERR_OK);
    assert_int_equal(length, 5);
    assert_int_equal(rpc_response_length((const uint8_t *)"\x00\x00\x00\x06", 5, &length, &e),
                     ERR_CORRUPT_MESSAGE);
    assert_int_equal(rpc_response_length((const uint8_t *)"\x00\x00\x00\x00", 5, &length, &e),
                     ERR_CORRUPT_MESSAGE);
    assert_int_equal(rpc_response_length((const uint8_t *)"\xff\xff\xff\xff", 5, &length, &e),
                     ERR_CORRUPT_MESSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(request, setup, teardown),
        cmocka_unit_test(request_header),
        cmocka_unit_test_setup_teardown(responses, setup, teardown),
        cmocka_unit_test_setup_teardown(response_with_payload, setup, teardown),
        cmocka_unit_test(broken_responses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
