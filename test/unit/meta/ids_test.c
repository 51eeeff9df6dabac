#include "world.h"

static enum errcode take(struct world *w, int64_t table_id, int32_t column_id, int64_t count,
                         int64_t *ret)
{
    struct meta_allocate_ids job = {.job.kind = META_ALLOCATE_IDS,
                                    .table_id = table_id,
                                    .column_id = column_id,
                                    .count = count,
                                    .first = -1};
    enum errcode code = world_run(w, &job.job);

    *ret = job.first;
    return code;
}

static int64_t taken(struct world *w, int64_t table_id, int32_t column_id, int64_t count)
{
    int64_t first;

    assert_int_equal(take(w, table_id, column_id, count, &first), ERR_OK);
    return first;
}

static void numbers_begin_at_one_and_never_repeat(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "a", KEYED_TABLE, false), ERR_OK);
    assert_int_equal(create_table(w, "fluss", "b", KEYED_TABLE, false), ERR_OK);
    assert_int_equal(taken(w, 0, 1, 100), 1);
    assert_int_equal(taken(w, 0, 1, 5), 101);
    assert_int_equal(taken(w, 1, 1, 7), 1); /* of another table */
    assert_int_equal(taken(w, 0, 2, 7), 1); /* of another column */
    world_restart(w);
    assert_int_equal(taken(w, 0, 1, 1), 106);
    assert_int_equal(taken(w, 1, 1, 1), 8);
}

static void they_go_with_the_table(void **state)
{
    struct world *w = *state;
    int64_t first;

    assert_int_equal(create_table(w, "fluss", "a", KEYED_TABLE, false), ERR_OK);
    assert_int_equal(taken(w, 0, 1, 100), 1);
    assert_int_equal(drop_table(w, "fluss", "a", false), ERR_OK);
    assert_int_equal(take(w, 0, 1, 100, &first), ERR_TABLE_NOT_EXIST);
    assert_int_equal(create_table(w, "fluss", "a", KEYED_TABLE, false), ERR_OK);
    assert_int_equal(taken(w, 1, 1, 100), 1);
}

static void they_end(void **state)
{
    struct world *w = *state;
    int64_t first;

    assert_int_equal(create_table(w, "fluss", "a", KEYED_TABLE, false), ERR_OK);
    assert_int_equal(taken(w, 0, 1, INT64_MAX - 1), 1);
    assert_int_equal(taken(w, 0, 1, 1), INT64_MAX);
    assert_int_equal(take(w, 0, 1, 1, &first), ERR_UNKNOWN_SERVER_ERROR);
    assert_non_null(strstr(w->error.message, "fluss.a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(numbers_begin_at_one_and_never_repeat),
        WORLD_TEST(they_go_with_the_table),
        WORLD_TEST(they_end),
    };

    return RUN_TESTS(tests);
}
