#include "handmade.h"

struct change_row {
    int64_t key;
    int64_t v;
    enum change change;
};

struct run {
    struct history h;
    struct verdict v;
};

static void read_changes(struct run *r, const struct change_row *rows, size_t count)
{
    struct op *op = made_read(&r->h, 0, (int64_t)count, NULL, 0);
    struct row *seen = arena_array(&r->h.arena, count + 1, sizeof *seen);

    for (size_t i = 0; i < count; i++) {
        int64_t v = rows[i].v;

        seen[i] = (struct row){.offset = (int64_t)i,
                               .key = rows[i].key,
                               .values = {.v = {v, v, v}},
                               .change = (uint8_t)rows[i].change};
    }
    op->read.rows = seen;
    op->read.count = count;
}

static bool run(struct run *r)
{
    struct history_view place = made_place(&r->h);
    struct merged merged;

    return check_offsets(&r->h, &place, &HANDMADE_RULES, &merged, &r->v) &&
           check_changelog(&r->h, &place, &merged, &HANDMADE_RULES, &r->v);
}

static void a_changelog_of_its_puts_is_good(void **state)
{
    static const struct change_row rows[] = {
        {5, 1, ROW_INSERT}, {0, 0, ROW_NOTHING}, {6, 2, ROW_INSERT},
        {5, 1, ROW_BEFORE}, {5, 3, ROW_AFTER},   {6, 2, ROW_DELETE},
    };
    struct run r = {0};

    (void)state;
    (void)made_put(&r.h, OP_OK, 5, 1);
    (void)made_put(&r.h, OP_OK, 6, 2);
    (void)made_put(&r.h, OP_UNKNOWN, 5, 3);
    (void)made_put(&r.h, OP_UNKNOWN, 5, 4);
    (void)made_delete(&r.h, OP_OK, 6);
    (void)made_delete(&r.h, OP_OK, 6);
    read_changes(&r, rows, ARRAY_LEN(rows));
    made_get(&r.h, 5, 3)->get.last = true;
    made_get(&r.h, 6, 0)->get.last = true;
    assert_true(run(&r));
    history_fini(&r.h);
}

static void expect_bad_rows(const struct change_row *rows, size_t count, const char *what)
{
    struct run r = {0};

    (void)made_put(&r.h, OP_OK, 5, 1);
    (void)made_put(&r.h, OP_OK, 5, 2);
    (void)made_delete(&r.h, OP_UNKNOWN, 5);
    read_changes(&r, rows, count);
    expect_bad(run(&r), &r.v, what);
    history_fini(&r.h);
}

static void an_old_row_that_was_not_there_is_bad(void **state)
{
    static const struct change_row rows[] = {
        {5, 1, ROW_INSERT}, {5, 2, ROW_BEFORE}, {5, 2, ROW_AFTER}};

    (void)state;
    expect_bad_rows(rows, 3, "the old row is another one");
}

static void an_update_without_its_old_row_is_bad(void **state)
{
    static const struct change_row rows[] = {{5, 1, ROW_INSERT}, {5, 2, ROW_AFTER}};

    (void)state;
    expect_bad_rows(rows, 2, "an update is the old row and then the new one");
}

static void a_second_insert_is_bad(void **state)
{
    static const struct change_row rows[] = {{5, 1, ROW_INSERT}, {5, 2, ROW_INSERT}};

    (void)state;
    expect_bad_rows(rows, 2, "inserted twice");
}

static void a_put_that_happens_twice_is_bad(void **state)
{
    static const struct change_row rows[] = {{5, 1, ROW_INSERT},
                                             {5, 1, ROW_BEFORE},
                                             {5, 2, ROW_AFTER},
                                             {5, 2, ROW_BEFORE},
                                             {5, 1, ROW_AFTER}};

    (void)state;
    expect_bad_rows(rows, 5, "no put that is not in the changelog already");
}

static void a_change_that_nobody_asked_for_is_bad(void **state)
{
    static const struct change_row rows[] = {{5, 1, ROW_INSERT}, {6, 1, ROW_INSERT}};

    (void)state;
    expect_bad_rows(rows, 2, "no put");
}

static void a_put_that_is_missing_is_bad(void **state)
{
    static const struct change_row rows[] = {{5, 1, ROW_INSERT}};

    (void)state;
    expect_bad_rows(rows, 1, "not in the changelog");
}

static void a_deleted_row_that_was_another_is_bad(void **state)
{
    static const struct change_row rows[] = {{5, 1, ROW_INSERT}, {5, 2, ROW_DELETE}};

    (void)state;
    expect_bad_rows(rows, 2, "the deleted row is another one");
}

static void state_that_is_not_the_changelog_is_bad(void **state)
{
    static const struct change_row rows[] = {
        {5, 1, ROW_INSERT}, {5, 1, ROW_BEFORE}, {5, 2, ROW_AFTER}};
    struct run r = {0};

    (void)state;
    (void)made_put(&r.h, OP_OK, 5, 1);
    (void)made_put(&r.h, OP_OK, 5, 2);
    read_changes(&r, rows, ARRAY_LEN(rows));
    made_get(&r.h, 5, 1)->get.last = true;
    expect_bad(run(&r), &r.v, "the changelog leaves a row (2");
    history_fini(&r.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changelog_of_its_puts_is_good),
        cmocka_unit_test(an_old_row_that_was_not_there_is_bad),
        cmocka_unit_test(an_update_without_its_old_row_is_bad),
        cmocka_unit_test(a_second_insert_is_bad),
        cmocka_unit_test(a_put_that_happens_twice_is_bad),
        cmocka_unit_test(a_change_that_nobody_asked_for_is_bad),
        cmocka_unit_test(a_put_that_is_missing_is_bad),
        cmocka_unit_test(a_deleted_row_that_was_another_is_bad),
        cmocka_unit_test(state_that_is_not_the_changelog_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
