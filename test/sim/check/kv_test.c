#include "handmade.h"

struct run {
    struct history h;
    struct verdict v;
};

static bool run(struct run *r)
{
    struct history_view place = made_place(&r->h);

    return check_kv(&r->h, &place, &r->v);
}

/* A put that is under way; ends with history_end. */
static struct op *begin_put(struct history *h, int64_t key, int64_t v)
{
    return made_put(h, OP_OPEN, key, v);
}

static void lookups_of_the_last_put_are_good(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_get(&r.h, 5, 0);
    (void)made_put(&r.h, OP_OK, 5, 1);
    (void)made_get(&r.h, 5, 1);
    (void)made_get(&r.h, 6, 0);
    (void)made_delete(&r.h, OP_OK, 5);
    (void)made_get(&r.h, 5, 0);
    assert_true(run(&r));
    history_fini(&r.h);
}

static void a_stale_lookup_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_put(&r.h, OP_OK, 5, 1);
    (void)made_put(&r.h, OP_OK, 5, 2);
    (void)made_get(&r.h, 5, 1);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void a_lost_put_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_put(&r.h, OP_OK, 5, 1);
    (void)made_get(&r.h, 5, 0);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void a_value_that_is_seen_stays(void **state)
{
    struct run r = {0};
    struct op *put;

    (void)state;
    (void)made_put(&r.h, OP_OK, 5, 1);
    put = begin_put(&r.h, 5, 2);
    (void)made_get(&r.h, 5, 2);
    (void)made_get(&r.h, 5, 1); /* shown before it was durable, and taken back */
    history_end(&r.h, put, OP_UNKNOWN, 0);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void puts_at_one_time_may_have_any_order(void **state)
{
    struct run r = {0};
    struct op *a;
    struct op *b;

    (void)state;
    a = begin_put(&r.h, 5, 1);
    b = begin_put(&r.h, 5, 2);
    history_end(&r.h, b, OP_OK, 0);
    history_end(&r.h, a, OP_OK, 0);
    (void)made_get(&r.h, 5, 2);
    assert_true(run(&r));
    history_fini(&r.h);
}

static void what_is_unknown_may_happen_late_or_never(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_put(&r.h, OP_UNKNOWN, 5, 1);
    (void)made_put(&r.h, OP_UNKNOWN, 5, 9);
    (void)made_put(&r.h, OP_OK, 5, 2);
    (void)made_get(&r.h, 5, 2);
    (void)made_get(&r.h, 5, 1);
    assert_true(run(&r));
    (void)made_get(&r.h, 5, 2); /* it cannot have happened twice */
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void what_was_refused_must_not_be_seen(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_put(&r.h, OP_FAILED, 5, 1);
    (void)made_get(&r.h, 5, 1);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void partial_updates_keep_the_other_columns(void **state)
{
    struct run r = {0};
    struct op *op;

    (void)state;
    (void)made_put(&r.h, OP_OK, 5, 1);
    made_put(&r.h, OP_OK, 5, 2)->put.mask = 2;
    op = made_get(&r.h, 5, 1);
    op->get.values.v[1] = 2;
    assert_true(run(&r));
    op->get.values.v[2] = 2;
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void engine(struct run *r, enum engine e)
{
    for (size_t i = 0; i < r->h.count; i++) {
        r->h.ops[i]->engine = e;
    }
}

static void merge_engines_have_rules_of_their_own(void **state)
{
    struct run r = {0};
    struct op *get;

    (void)state;
    (void)made_put(&r.h, OP_OK, 5, 3);
    (void)made_put(&r.h, OP_OK, 5, 2);
    get = made_get(&r.h, 5, 3);
    engine(&r, ENGINE_FIRST_ROW);
    assert_true(run(&r));
    engine(&r, ENGINE_VERSIONED);
    assert_true(run(&r));
    get->get.values = (struct values){.v = {2, 5, 2}};
    engine(&r, ENGINE_SUM);
    assert_true(run(&r));
    get->get.values.v[1] = 7; /* one was added twice */
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_of_the_last_put_are_good),
        cmocka_unit_test(a_stale_lookup_is_bad),
        cmocka_unit_test(a_lost_put_is_bad),
        cmocka_unit_test(a_value_that_is_seen_stays),
        cmocka_unit_test(puts_at_one_time_may_have_any_order),
        cmocka_unit_test(what_is_unknown_may_happen_late_or_never),
        cmocka_unit_test(what_was_refused_must_not_be_seen),
        cmocka_unit_test(partial_updates_keep_the_other_columns),
        cmocka_unit_test(merge_engines_have_rules_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
