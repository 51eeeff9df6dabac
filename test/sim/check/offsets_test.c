#include "handmade.h"

static const int64_t FOUR[][2] = {{1, 0}, {1, 1}, {1, 2}, {1, 3}};

struct run {
    struct history h;
    struct merged merged;
    struct verdict v;
};

static bool run_with(struct run *r, struct check_rules rules)
{
    struct history_view place = made_place(&r->h);

    return check_offsets(&r->h, &place, &rules, &r->merged, &r->v);
}

static bool run(struct run *r) { return run_with(r, HANDMADE_RULES); }

static void readers_that_agree_are_good(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_OK, 1, 0, 0);
    (void)made_read(&r.h, 0, 2, FOUR, 2);
    (void)made_append(&r.h, OP_OK, 1, 2, 2);
    (void)made_read(&r.h, 1, 4, FOUR + 1, 3);
    (void)made_read(&r.h, 4, 4, NULL, 0);
    assert_true(run(&r));
    assert_int_equal(r.merged.end, 4);
    assert_int_equal(r.merged.rows[3]->values.v[1], 3);
    history_fini(&r.h);
}

static void an_offset_that_changes_is_bad(void **state)
{
    static const int64_t other[][2] = {{1, 0}, {2, 0}};
    struct run r = {0};

    (void)state;
    (void)made_read(&r.h, 0, 2, FOUR, 2);
    (void)made_read(&r.h, 0, 2, other, 2);
    expect_bad(run(&r), &r.v, "offset 1 changed");
    history_fini(&r.h);
}

static void a_gap_is_bad(void **state)
{
    struct run r = {0};
    struct row *rows;
    struct op *op;

    (void)state;
    op = made_read(&r.h, 0, 4, FOUR, 3);
    rows = (struct row *)(uintptr_t)op->read.rows;
    rows[2].offset = 3;
    expect_bad(run(&r), &r.v, "offset 3 follows 1");
    history_fini(&r.h);
}

static void a_read_that_begins_late_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    made_read(&r.h, 1, 4, FOUR, 3)->read.from = 0;
    expect_bad(run(&r), &r.v, "offset 1 follows 0");
    history_fini(&r.h);
}

static void a_row_above_the_high_watermark_is_bad(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_read(&r.h, 0, 3, FOUR, 4);
    expect_bad(run(&r), &r.v, "above the high watermark");
    history_fini(&r.h);
}

static void a_log_that_gets_shorter_is_bad(void **state)
{
    struct run r = {0};
    struct op *op;

    (void)state;
    (void)made_read(&r.h, 0, 4, FOUR, 4);
    op = made_op(&r.h, OP_END, OP_OK);
    op->end.offset = 3;
    expect_bad(run(&r), &r.v, "got shorter");
    history_fini(&r.h);
}

static void an_answer_that_was_on_its_way_may_be_old(void **state)
{
    struct run r = {0};
    struct op *early = history_begin(&r.h, OP_END, 2, 0);

    (void)state;
    early->place = (struct place){.table = 7, .partition = -1};
    (void)made_read(&r.h, 0, 4, FOUR, 4);
    early->end.offset = 1;
    history_end(&r.h, early, OP_OK, 0);
    assert_true(run(&r));
    history_fini(&r.h);
}

static void an_acknowledged_end_must_stay_readable(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_read(&r.h, 0, 4, FOUR, 4);
    (void)made_append(&r.h, OP_OK, 1, 4, 4);
    made_read(&r.h, 5, 0, NULL, 0)->status = OP_FAILED;
    expect_bad(run(&r), &r.v, "out of range");
    history_fini(&r.h);
}

static void a_promised_offset_that_nobody_read_is_bad_in_the_end(void **state)
{
    struct run r = {0};

    (void)state;
    (void)made_append(&r.h, OP_OK, 1, 0, 0);
    assert_true(run_with(&r, (struct check_rules){0}));
    expect_bad(run(&r), &r.v, "never read");
    history_fini(&r.h);
}

static void what_decayed_may_be_missing_but_not_wrong(void **state)
{
    const struct decay lost = {
        .place = {.table = 7, .partition = -1}, .from = 2, .end = 3, .dir = "/data/t-7/log-0"};
    struct run r = {0};
    struct row *rows;
    struct op *op;

    (void)state;
    op = made_read(&r.h, 0, 4, FOUR, 3);
    rows = (struct row *)(uintptr_t)op->read.rows;
    rows[2].offset = 3;
    (void)made_append(&r.h, OP_OK, 1, 2, 2); /* of offsets 2 and 3 */
    history_decay(&r.h, &lost);
    history_hear(&r.h, "/data/t-7/log-0/0.log: offsets 2 to 2 are lost");
    assert_true(run(&r));
    rows[1].damaged = true;
    expect_bad(run(&r), &r.v, "nobody wrote");
    rows[1].damaged = false;
    r.h.decays[0].end = 2; /* another was hit */
    r.v = (struct verdict){0};
    expect_bad(run(&r), &r.v, "follows");
    r.h.decays[0].end = 3;
    r.h.decays[0].reported = false; /* lost without a word */
    r.v = (struct verdict){0};
    expect_bad(run(&r), &r.v, "follows");
    history_fini(&r.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_that_agree_are_good),
        cmocka_unit_test(an_offset_that_changes_is_bad),
        cmocka_unit_test(a_gap_is_bad),
        cmocka_unit_test(a_read_that_begins_late_is_bad),
        cmocka_unit_test(a_row_above_the_high_watermark_is_bad),
        cmocka_unit_test(a_log_that_gets_shorter_is_bad),
        cmocka_unit_test(an_answer_that_was_on_its_way_may_be_old),
        cmocka_unit_test(an_acknowledged_end_must_stay_readable),
        cmocka_unit_test(a_promised_offset_that_nobody_read_is_bad_in_the_end),
        cmocka_unit_test(what_decayed_may_be_missing_but_not_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
