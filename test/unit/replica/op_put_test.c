#include "../../support/kv_store.h"

static int setup(void **state)
{
    struct store *s = store_new(1);

    store_open_sets(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_free(*state);
    return 0;
}

static struct bucket_id table_of(struct store *s, const char *json)
{
    return bucket_of(store_create_table(s, "t", json), 0);
}

static void a_row_is_put_replaced_and_removed(void **state)
{
    struct store *s = *state;
    struct bucket_id id = table_of(s, STORE_KV(""));

    assert_int_equal(store_put(s, id, 7, "one"), 1); /* +I */
    assert_string_equal(store_get(s, id, 7, KV_SIGHT_SHOWN), "one");
    assert_int_equal(store_put(s, id, 7, "two"), 3); /* -U +U */
    assert_string_equal(store_get(s, id, 7, KV_SIGHT_SHOWN), "two");
    assert_int_equal(store_remove(s, id, 7), 4);
    assert_null(store_get(s, id, 7, KV_SIGHT_SHOWN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_is_put_replaced_and_removed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
