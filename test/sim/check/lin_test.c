#include "lin.h"

#include "../../support/unit.h"

/* A register with values 0..3, which can also be absent (4). */
enum access_kind { WRITE, READ, SWAP, ADD, REMOVE };

struct access {
    enum access_kind kind;
    int64_t value;
    int64_t to; /* SWAP: from `value` */
};

#define ABSENT 4

static bool step(const void *data, struct lin_state *state)
{
    const struct access *a = data;
    int64_t *v = &state->v[0];

    switch (a->kind) {
    case READ:
        return *v == a->value;
    case SWAP:
        if (*v != a->value) {
            return false;
        }
        *v = a->to;
        return true;
    case ADD: /* to what is there */
        *v = *v == ABSENT ? ABSENT : (*v + a->value) % ABSENT;
        return true;
    case WRITE:
    case REMOVE:
        break;
    }
    *v = a->kind == WRITE ? a->value : ABSENT;
    return true;
}

static enum lin_result check(const struct lin_op *ops, size_t count, const void **stuck)
{
    return lin_check(ops, count, (struct lin_state){{0}}, step, stuck);
}

static struct lin_op made(const struct access *a, uint64_t begun, uint64_t ended)
{
    return (struct lin_op){.data = a, .begun = begun, .ended = ended, .reads = a->kind == READ};
}

static struct lin_op maybe(const struct access *a, uint64_t begun, uint64_t ended, int alike)
{
    return (struct lin_op){
        .data = a, .begun = begun, .ended = ended, .alike = alike, .maybe = true};
}

/* ---- made by hand ---- */

static void nothing_is_linearizable(void **state)
{
    (void)state;
    assert_int_equal(check(NULL, 0, NULL), LIN_YES);
}

static void orders_are_searched(void **state)
{
    static const struct access a[] = {{WRITE, 1, 0}, {WRITE, 2, 0}, {READ, 2, 0}, {READ, 1, 0}};
    /* all at one time, then the reads one after the other */
    const struct lin_op together[] = {made(&a[0], 0, 10), made(&a[1], 1, 11), made(&a[2], 2, 3),
                                      made(&a[3], 4, 5)};
    const struct lin_op apart[] = {made(&a[0], 0, 1), made(&a[1], 2, 3), made(&a[2], 4, 5),
                                   made(&a[3], 6, 7)};
    const void *stuck = NULL;

    (void)state;
    assert_int_equal(check(together, 4, NULL), LIN_YES);
    assert_int_equal(check(apart, 4, &stuck), LIN_NO);
    assert_ptr_equal(stuck, &a[3]);
}

static void the_unknown_may_be_used_or_not(void **state)
{
    static const struct access a[] = {{WRITE, 1, 0}, {WRITE, 2, 0}, {READ, 2, 0}, {READ, 1, 0}};
    const struct lin_op used[] = {maybe(&a[0], 0, UINT64_MAX, 0), made(&a[1], 2, 3),
                                  made(&a[2], 4, 5), made(&a[3], 6, 7)};

    (void)state;
    assert_int_equal(check(used, 4, NULL), LIN_YES);
    assert_int_equal(check(used, 3, NULL), LIN_YES);
}

static void the_unknown_takes_effect_until_its_end_and_once(void **state)
{
    static const struct access a[] = {
        {WRITE, 1, 0}, {WRITE, 2, 0}, {READ, 1, 0}, {WRITE, 2, 0}, {READ, 1, 0}};
    struct lin_op ops[] = {maybe(&a[0], 0, 6, 7), made(&a[1], 2, 3), made(&a[2], 7, 8),
                           made(&a[3], 9, 10), made(&a[4], 11, 12)};
    const void *stuck = NULL;

    (void)state;
    assert_int_equal(check(ops, 3, NULL), LIN_YES); /* between 3 and 6 */
    assert_int_equal(check(ops, 5, &stuck), LIN_NO);
    assert_ptr_equal(stuck, &a[4]);
    ops[0].ended = UINT64_MAX;
    assert_int_equal(check(ops, 5, NULL), LIN_NO);
    ops[0].ended = 1;
    assert_int_equal(check(ops, 3, NULL), LIN_NO);
    ops[0].ended = 2; /* at one moment with the beginning of the other */
    assert_int_equal(check(ops, 3, NULL), LIN_YES);
}

/* Two of one effect: the one that dies soon has to do for the first read, so that the other is left. */
static void of_one_effect_the_sooner_one_is_taken(void **state)
{
    static const struct access a[] = {{WRITE, 1, 0}, {READ, 1, 0}, {WRITE, 2, 0}};
    const struct lin_op ops[] = {maybe(&a[0], 0, UINT64_MAX, 7),
                                 maybe(&a[0], 1, 5, 7),
                                 made(&a[1], 2, 3),
                                 made(&a[2], 6, 7),
                                 made(&a[1], 8, 9),
                                 made(&a[2], 10, 11),
                                 made(&a[1], 12, 13)};

    (void)state;
    assert_int_equal(check(ops, 5, NULL), LIN_YES);
    assert_int_equal(check(ops, 7, NULL), LIN_NO);
}

static void many_operations_at_one_time_end(void **state)
{
    struct access a[40];
    struct lin_op ops[41];
    static const struct access read = {READ, -1, 0};

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        a[i] = (struct access){WRITE, (int64_t)(i % 4), 0};
        ops[i] = made(&a[i], i, 1000 + i);
    }
    ops[40] = made(&read, 100, 101);
    assert_int_not_equal(check(ops, 41, NULL), LIN_YES);
}

/* ---- against all orders ---- */

#define SMALL_OPS    7
#define SMALL_VALUES 5
#define SMALL_TIMES  12

struct small {
    struct access a[SMALL_OPS];
    struct lin_op ops[SMALL_OPS];
    size_t count;
};

/* Sets of operations, with the value they led to: each is looked at once. */
struct orders {
    bool seen[1 << SMALL_OPS][SMALL_VALUES];
    struct {
        unsigned set;
        int64_t value;
    } todo[(1 << SMALL_OPS) * SMALL_VALUES];
    size_t count;
};

static void reach(struct orders *o, unsigned set, int64_t value)
{
    if (!o->seen[set][value]) {
        o->seen[set][value] = true;
        o->todo[o->count].set = set;
        o->todo[o->count++].value = value;
    }
}

/* Whether operation i may come next: nothing that has to come ended before it began, and it did not
 * end before something began that has come. */
static bool may_follow(const struct small *s, unsigned set, size_t i)
{
    for (size_t j = 0; j < s->count; j++) {
        bool in = (set >> j & 1) != 0;

        if (in ? s->ops[i].ended < s->ops[j].begun
               : !s->ops[j].maybe && s->ops[j].ended < s->ops[i].begun) {
            return false;
        }
    }
    return (set >> i & 1) == 0;
}

static bool complete(const struct small *s, unsigned set)
{
    bool all = true;

    for (size_t i = 0; i < s->count; i++) {
        all = all && (s->ops[i].maybe || (set >> i & 1) != 0);
    }
    return all;
}

/* Every order of every subset, without any cleverness. */
static bool some_order(const struct small *s)
{
    struct orders o = {0};

    reach(&o, 0, 0);
    for (size_t at = 0; at < o.count; at++) {
        if (complete(s, o.todo[at].set)) {
            return true;
        }
        for (size_t i = 0; i < s->count; i++) {
            struct lin_state state = {{o.todo[at].value}};

            if (may_follow(s, o.todo[at].set, i) && step(s->ops[i].data, &state)) {
                reach(&o, o.todo[at].set | 1u << i, state.v[0]);
            }
        }
    }
    return false;
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % below;
}

static struct lin_op draw_op(struct access *a, uint64_t *seed)
{
    uint64_t begun = draw(seed, SMALL_TIMES);
    struct lin_op op;

    a->kind = (enum access_kind)draw(seed, 5);
    a->kind = draw(seed, 3) == 0 ? READ : a->kind;
    a->value = (int64_t)draw(seed, a->kind == READ ? SMALL_VALUES : 2);
    a->to = (int64_t)draw(seed, SMALL_VALUES);
    op = made(a, begun, begun + draw(seed, 6));
    if (a->kind != READ && draw(seed, 2) == 0) {
        op.maybe = true;
        op.alike = draw(seed, 4) == 0 ? 0
                                      : 1 + (int)a->kind + 5 * (int)a->value +
                                            (a->kind == SWAP ? 10 * (int)(1 + a->to) : 0);
    }
    if (a->kind != READ && draw(seed, 3) == 0) { /* the server's death, or never */
        op.ended = draw(seed, 2) == 0 ? UINT64_MAX : begun < 8 ? 8 : SMALL_TIMES;
    }
    return op;
}

static void the_answer_is_that_of_all_orders(void **state)
{
    uint64_t seed = 1;
    size_t good = 0;

    (void)state;
    for (size_t round = 0; round < 30000; round++) {
        struct small s = {.count = 1 + draw(&seed, SMALL_OPS)};
        const void *stuck = NULL;
        bool expected;

        for (size_t i = 0; i < s.count; i++) {
            s.ops[i] = draw_op(&s.a[i], &seed);
        }
        expected = some_order(&s);
        if (check(s.ops, s.count, &stuck) != (expected ? LIN_YES : LIN_NO)) {
            print_error("round %zu: %s\n", round, expected ? "there is an order" : "there is none");
            fail();
        }
        assert_true(expected == (stuck == NULL));
        good += expected;
    }
    assert_in_range(good, 5000, 25000); /* both are common */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_linearizable),
        cmocka_unit_test(orders_are_searched),
        cmocka_unit_test(the_unknown_may_be_used_or_not),
        cmocka_unit_test(the_unknown_takes_effect_until_its_end_and_once),
        cmocka_unit_test(of_one_effect_the_sooner_one_is_taken),
        cmocka_unit_test(many_operations_at_one_time_end),
        cmocka_unit_test(the_answer_is_that_of_all_orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
