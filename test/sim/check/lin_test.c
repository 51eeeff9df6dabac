#include "lin.h"

#include "../../support/unit.h"

/* A register: a write of `value`, or a read that saw it. */
struct access {
    bool write;
    int64_t value;
};

static bool step(const void *data, struct lin_state *state)
{
    const struct access *a = data;

    if (a->write) {
        state->v[0] = a->value;
        return true;
    }
    return state->v[0] == a->value;
}

static enum lin_result check(const struct lin_op *ops, size_t count, const void **stuck)
{
    return lin_check(ops, count, (struct lin_state){{0}}, step, stuck);
}

static void nothing_is_linearizable(void **state)
{
    (void)state;
    assert_int_equal(check(NULL, 0, NULL), LIN_YES);
}

static void orders_are_searched(void **state)
{
    static const struct access a[] = {{true, 1}, {true, 2}, {false, 2}, {false, 1}};
    /* all at one time, then the reads one after the other */
    const struct lin_op together[] = {{&a[0], 0, 10, 0, false},
                                      {&a[1], 1, 11, 0, false},
                                      {&a[2], 2, 3, 0, false},
                                      {&a[3], 4, 5, 0, false}};
    const struct lin_op apart[] = {{&a[0], 0, 1, 0, false},
                                   {&a[1], 2, 3, 0, false},
                                   {&a[2], 4, 5, 0, false},
                                   {&a[3], 6, 7, 0, false}};
    const void *stuck = NULL;

    (void)state;
    assert_int_equal(check(together, 4, NULL), LIN_YES);
    assert_int_equal(check(apart, 4, &stuck), LIN_NO);
    assert_ptr_equal(stuck, &a[3]);
}

static void the_unknown_may_be_used_or_not(void **state)
{
    static const struct access a[] = {{true, 1}, {true, 2}, {false, 2}, {false, 1}};
    const struct lin_op used[] = {{&a[0], 0, UINT64_MAX, 0, true},
                                  {&a[1], 2, 3, 0, false},
                                  {&a[2], 4, 5, 0, false},
                                  {&a[3], 6, 7, 0, false}};
    const struct lin_op unused[] = {
        {&a[0], 0, UINT64_MAX, 0, true}, {&a[1], 2, 3, 0, false}, {&a[2], 4, 5, 0, false}};

    (void)state;
    assert_int_equal(check(used, 4, NULL), LIN_YES);
    assert_int_equal(check(unused, 3, NULL), LIN_YES);
}

static void many_operations_at_one_time_end(void **state)
{
    struct access a[40];
    struct lin_op ops[41];
    static const struct access read = {false, -1};

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        a[i] = (struct access){true, (int64_t)(i % 4)};
        ops[i] = (struct lin_op){&a[i], i, 1000 + i, 0, false};
    }
    ops[40] = (struct lin_op){&read, 100, 101, 0, false};
    assert_int_not_equal(check(ops, 41, NULL), LIN_YES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_linearizable),
        cmocka_unit_test(orders_are_searched),
        cmocka_unit_test(the_unknown_may_be_used_or_not),
        cmocka_unit_test(many_operations_at_one_time_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
