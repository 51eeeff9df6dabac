#include "../../support/node.h"

static void unknown_versions_are_refused(void **state)
{
    struct test_node *n = *state;

    for (size_t i = 0; i < rpc_api_count(); i++) {
        const struct rpc_api *api = rpc_api_at(i);
        int16_t bad[] = {-1, INT16_MIN, INT16_MAX, (int16_t)(api->version_max + 1)};

        for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
            if (api->served && bad[k] >= api->version_min && bad[k] <= api->version_max) {
                continue;
            }
            assert_int_equal(node_wait(node_start_bytes(n, 0, api->key, bad[k], BYTES_EMPTY), NULL),
                             ERR_UNSUPPORTED_VERSION);
            assert_non_null(strstr(n->error.message, api->name));
        }
        if (!api->served) {
            assert_int_equal(node_wait(node_start_bytes(n, 0, api->key, 0, BYTES_EMPTY), NULL),
                             ERR_UNSUPPORTED_VERSION);
        }
    }
}

/* Every API that is offered answers, whatever the body is. */
static void every_served_api_answers_garbage(void **state)
{
    struct test_node *n = *state;
    uint8_t garbage[64];
    uint32_t seed = 1;

    for (size_t i = 0; i < rpc_api_count(); i++) {
        const struct rpc_api *api = rpc_api_at(i);

        for (size_t len = 0; api->served && len < sizeof garbage; len += 7) {
            for (size_t k = 0; k < len; k++) {
                seed = seed * 1664525u + 1013904223u;
                garbage[k] = (uint8_t)(seed >> 24);
            }
            (void)node_wait(node_start_bytes(n, (unsigned)(len % STORE_SHARDS), api->key,
                                             api->version_max, bytes_of(garbage, len)),
                            NULL);
        }
    }
}

static void bodies_that_are_no_message_are_refused(void **state)
{
    struct test_node *n = *state;
    struct bytes cut = bytes_str("\x0a\x7f");

    assert_int_equal(node_wait(node_start_bytes(n, 0, API_GET_TABLE_INFO, 0, cut), NULL),
                     ERR_CORRUPT_MESSAGE);
    assert_int_equal(node_wait(node_start_bytes(n, 0, API_GET_TABLE_INFO, 0, BYTES_EMPTY), NULL),
                     ERR_CORRUPT_MESSAGE); /* a required field is missing */
}

/* Responses refer to long texts of the catalog instead of copying them; the catalog may change
 * before they are sent. */
static void answers_outlive_the_catalog_they_are_from(void **state)
{
    struct test_node *n = *state;
    char *text = arena_zalloc(&n->arena, 20001);
    struct msg_get_table_info_request m = {.table_path = node_path("t")};
    struct msg_get_table_info_response *r = NULL;
    struct node_call *c;

    memset(text, 'x', 20000);
    (void)store_create_table(
        n->store, "t",
        arena_printf(&n->arena,
                     "{\"version\":1,\"schema\":{\"version\":1,\"columns\":[{\"name\":\"a\","
                     "\"data_type\":{\"type\":\"INTEGER\"},\"id\":0}],\"highest_field_id\":0},"
                     "\"comment\":\"%s\",\"partition_key\":[],\"bucket_count\":1,\"properties\":{},"
                     "\"custom_properties\":{}}",
                     text));
    c = node_start(n, 1, API_GET_TABLE_INFO, &m);
    while (!node_answered(c)) {
        thread_sleep_us(100);
    }
    store_drop_table(n->store, "t");
    assert_int_equal(node_wait(c, (void **)&r), ERR_OK);
    assert_true(r->table_json.len > 20000);
    assert_non_null(memmem(r->table_json.data, r->table_json.len, text, 20000));
}

static void a_request_that_was_never_dispatched_is_freed(void **state)
{
    struct request r = {0};

    (void)state;
    request_init(&r);
    (void)arena_alloc(&r.arena, 100);
    r.frame = chunk_new(10);
    request_fini(&r);
    request_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(unknown_versions_are_refused),
        NODE_TEST(every_served_api_answers_garbage),
        NODE_TEST(bodies_that_are_no_message_are_refused),
        NODE_TEST(answers_outlive_the_catalog_they_are_from),
        cmocka_unit_test(a_request_that_was_never_dispatched_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
