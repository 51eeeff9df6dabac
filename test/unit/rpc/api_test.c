/* The API table: complete, without gaps, and honest about what is served. */
#include "../../support/unit.h"
#include "rpc/api.h"

static void keys_have_no_gaps(void **state)
{
    (void)state;
    for (size_t i = 0; i < rpc_api_count(); i++) {
        const struct rpc_api *api = rpc_api_at(i);

        assert_int_equal(api->key, 1000 + i);
        assert_ptr_equal(rpc_api_find((int16_t)api->key), api);
        assert_true(api->request->size > 0 && api->response->size > 0);
        assert_true(api->served == (api->version_min <= api->version_max));
    }
}

static void unknown_keys(void **state)
{
    (void)state;
    assert_null(rpc_api_find(INT16_MIN));
    assert_null(rpc_api_find(-1));
    assert_null(rpc_api_find(999));
    assert_null(rpc_api_find((int16_t)(1000 + rpc_api_count())));
    assert_null(rpc_api_find(INT16_MAX));
}

static void one_entry(void **state)
{
    const struct rpc_api *api = rpc_api_find(API_FETCH_LOG);

    (void)state;
    assert_int_equal(API_FETCH_LOG, 1015);
    assert_string_equal(api->name, "FETCH_LOG");
    assert_ptr_equal(api->request, &msg_fetch_log_request_desc);
    assert_ptr_equal(api->response, &msg_fetch_log_response_desc);
    assert_true(api->served);
}

static void only_served_apis_are_advertised(void **state)
{
    OWNED(arena_fini) struct arena a = ARENA_INIT;
    struct msg_api_versions_response m;
    size_t served = 0;

    (void)state;
    rpc_api_versions(&a, &m);
    assert_false(m.has_server_type);
    for (size_t i = 0; i < rpc_api_count(); i++) {
        served += rpc_api_at(i)->served;
    }
    assert_int_equal(m.api_versions_count, served);
    for (size_t i = 0; i < m.api_versions_count; i++) {
        const struct rpc_api *api = rpc_api_find((int16_t)m.api_versions[i].api_key);

        assert_true(api->served);
        assert_int_equal(m.api_versions[i].min_version, api->version_min);
        assert_int_equal(m.api_versions[i].max_version, api->version_max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_no_gaps),
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(one_entry),
        cmocka_unit_test(only_served_apis_are_advertised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
