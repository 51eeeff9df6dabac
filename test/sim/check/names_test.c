#include "handmade.h"

struct run {
    struct history h;
    struct verdict v;
};

static struct op *name_op(struct run *r, enum op_kind kind, enum op_status status)
{
    struct op *op = made_op(&r->h, kind, status);

    op->name.name = "db.t";
    return op;
}

/* id 0: it does not exist. */
static void describe(struct run *r, int64_t id, int64_t columns)
{
    struct op *op = name_op(r, OP_DESCRIBE, OP_OK);

    op->name.exists = id != 0;
    op->name.id = id;
    op->name.columns = columns;
}

static bool run(struct run *r) { return check_names(&r->h, &r->v); }

static void a_life_of_a_table_is_good(void **state)
{
    struct run r = {0};

    (void)state;
    describe(&r, 0, 0);
    (void)name_op(&r, OP_CREATE, OP_OK);
    describe(&r, 3, 4);
    name_op(&r, OP_CREATE, OP_FAILED)->name.exists = true;
    (void)name_op(&r, OP_ALTER, OP_OK);
    describe(&r, 3, 5);
    (void)name_op(&r, OP_DROP, OP_OK);
    (void)name_op(&r, OP_DROP, OP_FAILED);
    describe(&r, 0, 0);
    (void)name_op(&r, OP_CREATE, OP_UNKNOWN);
    describe(&r, 5, 4);
    assert_true(run(&r));
    history_fini(&r.h);
}

static void a_created_table_that_goes_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    describe(&r, 0, 0);
    expect_bad(run(&r), &r.v, "db.t: no order");
    history_fini(&r.h);
}

static void a_dropped_table_that_comes_back_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    (void)name_op(&r, OP_DROP, OP_OK);
    describe(&r, 3, 4);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void another_id_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    describe(&r, 3, 4);
    describe(&r, 4, 4);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void an_id_that_is_used_again_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    describe(&r, 3, 4);
    (void)name_op(&r, OP_DROP, OP_OK);
    (void)name_op(&r, OP_CREATE, OP_OK);
    describe(&r, 3, 4);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void a_column_that_is_forgotten_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    describe(&r, 3, 4);
    (void)name_op(&r, OP_ALTER, OP_OK);
    describe(&r, 3, 4);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void a_refusal_that_is_wrong_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    name_op(&r, OP_CREATE, OP_FAILED)->name.exists = true;
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void epochs_rise_with_every_start(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    describe(&r, 3, 4);
    r.h.ops[1]->name.epoch = 5;
    history_death(&r.h);
    describe(&r, 3, 4);
    r.h.ops[2]->name.epoch = 6;
    assert_true(run(&r));
    r.h.ops[2]->name.epoch = 5;
    expect_bad(run(&r), &r.v, "epoch 5 was 5 before");
    history_fini(&r.h);
}

static void what_died_with_the_server_cannot_happen_later(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_UNKNOWN);
    history_death(&r.h);
    describe(&r, 0, 0);
    assert_true(run(&r));
    describe(&r, 3, 4);
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

static void columns_that_were_never_there_are_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    (void)name_op(&r, OP_ALTER, OP_OK);
    (void)name_op(&r, OP_ALTER, OP_OK);
    describe(&r, 3, 2); /* it had none at first */
    expect_bad(run(&r), &r.v, "no order");
    history_fini(&r.h);
}

/* A disk is full for long: what changes something has no answer, everything else is answered. */
static void long_unknown(struct run *r, size_t count)
{
    static const enum op_kind kinds[] = {OP_CREATE, OP_ALTER, OP_DROP};

    for (size_t i = 0; i < count; i++) {
        struct op *open = name_op(r, OP_DROP, OP_OPEN); /* over the next ones */

        (void)name_op(r, kinds[i % 3], OP_UNKNOWN);
        describe(r, 3, 4);
        name_op(r, OP_CREATE, OP_FAILED)->name.exists = true;
        history_end(&r->h, open, OP_UNKNOWN, 0);
    }
}

static void what_is_unknown_for_long_is_decided(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    long_unknown(&r, 2000); /* 667 of them add a column */
    describe(&r, 0, 0);
    describe(&r, 5, 4);
    describe(&r, 5, 4 + 600);
    (void)name_op(&r, OP_DROP, OP_OK);
    for (int64_t id = 6; id < 46; id++) {
        describe(&r, 0, 0);
        describe(&r, id, 1);
    }
    describe(&r, 45, 1 + 67);
    assert_true(run(&r));
    describe(&r, 45, 1 + 68);
    expect_bad(run(&r), &r.v, "69 columns");
    history_fini(&r.h);
}

static void what_is_unknown_for_long_does_not_excuse(void **state)
{
    struct run r = {0};

    (void)state;
    (void)name_op(&r, OP_CREATE, OP_OK);
    long_unknown(&r, 2000);
    describe(&r, 5, 4);
    history_death(&r.h);
    describe(&r, 5, 4);
    assert_true(run(&r));
    describe(&r, 0, 0); /* all who could drop it are dead */
    expect_bad(run(&r), &r.v, "does not exist, id 0");
    history_fini(&r.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_of_a_table_is_good),
        cmocka_unit_test(a_created_table_that_goes_is_bad),
        cmocka_unit_test(a_dropped_table_that_comes_back_is_bad),
        cmocka_unit_test(another_id_is_bad),
        cmocka_unit_test(an_id_that_is_used_again_is_bad),
        cmocka_unit_test(a_column_that_is_forgotten_is_bad),
        cmocka_unit_test(a_refusal_that_is_wrong_is_bad),
        cmocka_unit_test(epochs_rise_with_every_start),
        cmocka_unit_test(what_died_with_the_server_cannot_happen_later),
        cmocka_unit_test(columns_that_were_never_there_are_bad),
        cmocka_unit_test(what_is_unknown_for_long_is_decided),
        cmocka_unit_test(what_is_unknown_for_long_does_not_excuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
