#include "../../support/sql_prune.h"

static void places_of_rows(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    struct batch_header h = {.base_offset = 100, .last_offset_delta = 9, .record_count = 10};
    struct prune *p =
        sql_prune(q, t, false,
                  sql_join(q, FILTER_AND, sql_leaf(q, "_offset", FILTER_GREATER_OR_EQUAL, "109"),
                           sql_leaf(q, "_bucket", FILTER_EQUAL, "2")));

    assert_int_equal(p->first_offset, 109);
    assert_true(p->end_offset == INT64_MAX);
    assert_true(prune_keeps_header(p, &h));
    h.last_offset_delta = 8;
    assert_false(prune_keeps_header(p, &h));
    assert_true(prune_keeps_bucket(p, 2));
    assert_false(prune_keeps_bucket(p, 1));
    assert_null(p->filter);
    prune_free(p);

    p = sql_prune(q, t, false,
                  sql_join(q, FILTER_OR, sql_leaf(q, "_offset", FILTER_EQUAL, "5"),
                           sql_leaf(q, "_offset", FILTER_LESS, "3")));
    assert_true(p->first_offset == INT64_MIN);
    assert_int_equal(p->end_offset, 6);
    prune_free(p);

    h.commit_timestamp = 86400000;
    p = sql_prune(q, t, false, sql_leaf(q, "_TIMESTAMP", FILTER_LESS, "1970-01-02"));
    assert_true(prune_keeps_header(p, &h)); /* to the millisecond, and no closer */
    h.commit_timestamp++;
    assert_false(prune_keeps_header(p, &h));
    prune_free(p);
}

static void values_of_partitions(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "p", STORE_TABLE("\"b\"", "1", ""));
    struct prune *p;

    (void)store_create_partition(q->store, "p", "x");
    (void)store_create_partition(q->store, "p", "y");
    p = sql_prune(q, t, false,
                  sql_join(q, FILTER_AND, sql_leaf(q, "b", FILTER_GREATER, "x"),
                           sql_leaf(q, "a", FILTER_EQUAL, "1")));
    for (size_t i = 0; i < 2; i++) {
        const struct meta_partition *partition = sql_table(q, t)->partitions->by_name[i];

        assert_int_equal(prune_keeps_partition(p, partition), strcmp(partition->name, "y") == 0);
    }
    assert_non_null(p->filter);
    prune_free(p);
}

static const struct predicate *about_null(struct sql_store *q, const char *column,
                                          enum filter_function function)
{
    struct predicate *p = sql_leaf(q, column, function, "");

    p->operand_count = 0;
    return p;
}

/* What says nothing about a range, or about a value that is known, leaves nothing out for it. */
static void what_bounds_nothing(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "p", STORE_TABLE("\"b\"", "1", ""));
    const struct meta_partition *x;
    struct batch_header h = {.base_offset = 5, .record_count = 1};
    struct prune *p;

    (void)store_create_partition(q->store, "p", "x");
    x = sql_table(q, t)->partitions->by_name[0];
    p = sql_prune(q, t, false, sql_leaf(q, "_offset", FILTER_NOT_EQUAL, "5"));
    assert_true(p->first_offset == INT64_MIN && p->end_offset == INT64_MAX);
    assert_true(prune_keeps_header(p, &h));
    assert_true(prune_keeps_statistics(p, &h, BYTES_EMPTY));
    prune_free(p);

    p = sql_prune(q, t, false, about_null(q, "b", FILTER_IS_NULL)); /* it is the partition's */
    assert_false(prune_keeps_partition(p, x));
    prune_free(p);
    p = sql_prune(q, t, false, about_null(q, "b", FILTER_IS_NOT_NULL));
    assert_true(prune_keeps_partition(p, x));
    prune_free(p);

    p = sql_prune(q, t, false, sql_leaf(q, "a", FILTER_EQUAL, "5"));
    assert_non_null(p->filter);
    assert_true(prune_keeps_partition(p, x));
    assert_true(prune_keeps_statistics(p, &h, BYTES_EMPTY)); /* there are none */
    prune_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(places_of_rows), SQL_TEST(values_of_partitions),
                                       SQL_TEST(what_bounds_nothing)};

    return cmocka_run_group_tests_name("sql/prune", tests, NULL, NULL);
}
