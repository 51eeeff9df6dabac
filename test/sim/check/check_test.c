#include "handmade.h"

static const int64_t FOUR[][2] = {{1, 0}, {1, 1}, {1, 2}, {1, 3}};

static void places_are_checked_one_by_one(void **state)
{
    struct history h = {0};
    struct verdict v = {0};

    (void)state;
    (void)made_append(&h, OP_OK, 1, 0, 0);
    (void)made_read(&h, 0, 2, FOUR, 2);
    made_append(&h, OP_OK, 1, 0, 0)->place.bucket = 1;
    made_read(&h, 0, 2, FOUR, 2)->place.bucket = 1;
    assert_true(check_all(&h, &HANDMADE_RULES, &v));
    made_append(&h, OP_OK, 1, 2, 2)->place.bucket = 1;
    assert_false(check_all(&h, &HANDMADE_RULES, &v));
    assert_string_equal(v.checker, "offsets");
    history_fini(&h);
}

static void tables_with_keys_are_checked_as_such(void **state)
{
    struct history h = {0};
    struct verdict v = {0};

    (void)state;
    (void)made_put(&h, OP_OK, 5, 1);
    (void)made_get(&h, 5, 2);
    expect_bad(check_all(&h, &(struct check_rules){0}, &v), &v, "no order");
    assert_string_equal(v.checker, "kv");
    history_fini(&h);
}

static void what_is_still_open_is_not_alive(void **state)
{
    struct history h = {0};
    struct verdict v = {0};

    (void)state;
    (void)made_append(&h, OP_UNKNOWN, 1, 0, 0);
    assert_true(check_live(&h, &v));
    (void)made_append(&h, OP_OPEN, 1, 2, 0);
    expect_bad(check_live(&h, &v), &v, "still not done");
    history_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_checked_one_by_one),
        cmocka_unit_test(tables_with_keys_are_checked_as_such),
        cmocka_unit_test(what_is_still_open_is_not_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
