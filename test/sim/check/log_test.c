#include "handmade.h"

static const int64_t FOUR[][2] = {{1, 0}, {1, 1}, {1, 2}, {1, 3}};

struct run {
    struct history h;
    struct verdict v;
};

static bool run(struct run *r)
{
    struct history_view place = made_place(&r->h);
    struct merged merged;

    return check_offsets(&r->h, &place, &HANDMADE_RULES, &merged, &r->v) &&
           check_log(&r->h, &place, &merged, &HANDMADE_RULES, &r->v);
}

static void rows_that_are_there_once_are_good(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_OK, 1, 0, 0);
    (void)made_append(&r.h, OP_UNKNOWN, 1, 2, 0); /* happened */
    (void)made_append(&r.h, OP_UNKNOWN, 1, 4, 0); /* did not */
    (void)made_append(&r.h, OP_FAILED, 2, 0, 0);
    (void)made_read(&r.h, 0, 4, FOUR, 4);
    assert_true(run(&r));
    history_fini(&r.h);
}

static void a_lost_row_is_bad(void **state)
{
    static const int64_t others[][2] = {{2, 0}, {2, 1}};
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_OK, 1, 0, 0);
    (void)made_append(&r.h, OP_OK, 2, 0, 0); /* the same place twice */
    (void)made_read(&r.h, 0, 2, others, 2);
    expect_bad(run(&r), &r.v, "row 0 was acknowledged and is lost");
    history_fini(&r.h);
}

static void a_doubled_row_is_bad(void **state)
{
    static const int64_t twice[][2] = {{1, 0}, {1, 1}, {1, 0}, {1, 1}};
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_OK, 1, 0, 0);
    (void)made_read(&r.h, 0, 4, twice, 4);
    expect_bad(run(&r), &r.v, "twice");
    history_fini(&r.h);
}

static void a_row_that_nobody_sent_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_OK, 1, 0, 0);
    (void)made_read(&r.h, 0, 3, FOUR, 3);
    expect_bad(run(&r), &r.v, "nobody sent");
    history_fini(&r.h);
}

static void a_row_before_it_was_sent_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_read(&r.h, 0, 2, FOUR, 2);
    (void)made_append(&r.h, OP_UNKNOWN, 1, 0, 0);
    expect_bad(run(&r), &r.v, "nobody sent");
    history_fini(&r.h);
}

static void a_refused_row_that_is_there_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_FAILED, 1, 0, 0);
    (void)made_read(&r.h, 0, 2, FOUR, 2);
    expect_bad(run(&r), &r.v, "refused");
    history_fini(&r.h);
}

static void another_place_than_answered_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_OK, 1, 0, 0);
    (void)made_append(&r.h, OP_OK, 1, 2, 1);
    (void)made_read(&r.h, 0, 4, FOUR, 4);
    expect_bad(run(&r), &r.v, "at offset 2, not 1 as answered");
    history_fini(&r.h);
}

static void another_order_is_bad(void **state)
{
    static const int64_t late[][2] = {{1, 2}, {1, 3}, {1, 0}, {1, 1}};
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_UNKNOWN, 1, 0, 0);
    (void)made_append(&r.h, OP_UNKNOWN, 1, 2, 0);
    (void)made_read(&r.h, 0, 4, late, 4);
    expect_bad(run(&r), &r.v, "where row 0 is next");
    history_fini(&r.h);
}

static void a_hole_in_a_writers_rows_is_bad(void **state)
{
    static const int64_t hole[][2] = {{1, 0}, {1, 1}, {1, 4}, {1, 5}};
    struct run r = {0};

    (void)state;
    for (int64_t first = 0; first < 6; first += 2) {
        (void)made_append(&r.h, OP_UNKNOWN, 1, first, 0);
    }
    (void)made_read(&r.h, 0, 4, hole, 4);
    expect_bad(run(&r), &r.v, "where row 2 is next");
    history_fini(&r.h);
}

static void without_idempotence_any_order_is_good(void **state)
{
    static const int64_t late[][2] = {{1, 2}, {1, 3}, {1, 0}, {1, 1}};
    struct run r = {0};

    (void)state;
    made_append(&r.h, OP_OK, 1, 0, 2)->append.idempotent = false;
    made_append(&r.h, OP_OK, 1, 2, 0)->append.idempotent = false;
    (void)made_read(&r.h, 0, 4, late, 4);
    assert_true(run(&r));
    history_fini(&r.h);
}

static void what_was_acknowledged_in_memory_may_be_lost(void **state)
{
    struct run r = {0};

    (void)state;
    made_append(&r.h, OP_OK, 1, 0, 0)->append.durable = false;
    assert_true(run(&r));
    history_fini(&r.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_are_there_once_are_good),
        cmocka_unit_test(a_lost_row_is_bad),
        cmocka_unit_test(a_doubled_row_is_bad),
        cmocka_unit_test(a_row_that_nobody_sent_is_bad),
        cmocka_unit_test(a_row_before_it_was_sent_is_bad),
        cmocka_unit_test(a_refused_row_that_is_there_is_bad),
        cmocka_unit_test(another_place_than_answered_is_bad),
        cmocka_unit_test(another_order_is_bad),
        cmocka_unit_test(a_hole_in_a_writers_rows_is_bad),
        cmocka_unit_test(without_idempotence_any_order_is_good),
        cmocka_unit_test(what_was_acknowledged_in_memory_may_be_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
