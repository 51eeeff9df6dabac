#include "../../support/unit.h"
#include "meta/store.h"

static const struct store_op *seen;
static size_t seen_count;

static enum errcode remember(struct store *s, const struct store_op *ops, size_t count,
                             struct error *e)
{
    (void)s;
    (void)e;
    seen = ops;
    seen_count = count;
    return ERR_OK;
}

static void a_batch_keeps_its_order(void **state)
{
    static const struct store_impl impl = {.multi = remember};
    struct store s = {.impl = &impl};
    struct arena arena = ARENA_INIT;
    struct store_batch b;

    (void)state;
    store_batch_init(&b, &arena);
    for (int i = 0; i < 40; i++) {
        store_batch_create(&b, arena_printf(&arena, "/n/%d", i), bytes_str("x"));
    }
    store_batch_set(&b, "/s", bytes_str("y"));
    store_batch_delete_tree(&b, "/d");
    assert_int_equal(store_batch_commit(&s, &b, NULL), ERR_OK);
    assert_int_equal(seen_count, 42);
    assert_string_equal(seen[39].path, "/n/39");
    assert_int_equal(seen[40].kind, STORE_SET);
    assert_int_equal(seen[40].version, STORE_VERSION_ANY);
    assert_true(seen[41].recursive);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_batch_keeps_its_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
