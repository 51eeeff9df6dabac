#include "../../support/dies.h"
#include "../../support/unit.h"
#include "base/map.h"

#define KEYS 512

static void an_empty_map_has_nothing(void **state)
{
    struct map m;

    (void)state;
    map_init(&m);
    assert_null(map_get(&m, 1));
    assert_null(map_remove(&m, 1));
    MAP_FOR_EACH(slot, &m) { fail(); }
    map_fini(&m);
}

static void put_returns_what_it_replaced(void **state)
{
    struct map m;
    int a;
    int b;

    (void)state;
    map_init(&m);
    assert_null(map_put(&m, 0, &a));
    assert_null(map_put(&m, UINT64_MAX, &b));
    assert_ptr_equal(map_put(&m, 0, &b), &a);
    assert_int_equal(m.count, 2);
    assert_ptr_equal(map_remove(&m, 0), &b);
    assert_null(map_get(&m, 0));
    assert_aborts((void)map_put(&m, 1, NULL));
    map_fini(&m);
}

static void expect_equal(const struct map *m, char *const *model)
{
    size_t count = 0;

    for (uint64_t key = 0; key < KEYS; key++) {
        assert_ptr_equal(map_get(m, key), model[key]);
        count += model[key] != NULL;
    }
    assert_int_equal(m->count, count);
    MAP_FOR_EACH(slot, m)
    {
        assert_ptr_equal(slot->value, model[slot->key]);
        count--;
    }
    assert_int_equal(count, 0);
}

/* Long runs of puts and removes against an array: shifting back after a delete is where
 * open addressing goes wrong. */
static void random_operations_agree_with_an_array(void **state)
{
    static char values[KEYS];
    char *model[KEYS] = {0};
    struct map m;
    uint64_t seed = 42;

    (void)state;
    map_init(&m);
    for (int step = 0; step < 40000; step++) {
        uint64_t key;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        key = (seed >> 40) % KEYS;
        if ((seed >> 60) % 2 == 0) {
            assert_ptr_equal(map_put(&m, key, &values[key]), model[key]);
            model[key] = &values[key];
        } else {
            assert_ptr_equal(map_remove(&m, key), model[key]);
            model[key] = NULL;
        }
        if (step % 1000 == 0) {
            expect_equal(&m, model);
        }
    }
    expect_equal(&m, model);
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(put_returns_what_it_replaced),
        cmocka_unit_test(random_operations_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
