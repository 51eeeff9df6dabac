#include "../../support/sql_prune.h"

static void only_what_is_certain(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    const struct predicate *good = sql_leaf(q, "A", FILTER_EQUAL, "1");
    const struct predicate *bad = sql_leaf(q, "a", FILTER_EQUAL, "1.5");
    const struct predicate *other = sql_leaf(q, "zzz", FILTER_EQUAL, "1");
    struct prune *p = sql_prune(q, t, false, sql_join(q, FILTER_AND, good, bad));

    assert_int_equal(p->where->kind, FILTER_LEAF);
    assert_int_equal(p->where->column, 0);
    prune_free(p);
    p = sql_prune(q, t, false, sql_join(q, FILTER_OR, good, other));
    assert_null(p->where);
    prune_free(p);
    p = sql_prune(q, t, true, sql_leaf(q, "_offset", FILTER_EQUAL, "1"));
    assert_null(p->where);
    prune_free(p);
    p = sql_prune(q, t, false, NULL);
    assert_null(p->where);
    prune_free(p);
}

static void tuples_are_products(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "t", STORE_PLAIN);
    const uint32_t columns[] = {0, 1};
    struct operand two[] = {{.kind = OPERAND_NUMBER, .number = 1},
                            {.kind = OPERAND_NUMBER, .number = 2}};
    const struct predicate in = {
        .function = FILTER_IN, .column = "a", .operands = two, .operand_count = 2};
    struct prune *p =
        sql_prune(q, t, false, sql_join(q, FILTER_AND, &in, sql_leaf(q, "b", FILTER_EQUAL, "x")));
    struct prune_tuples tuples;

    assert_true(prune_tuples(p->where, columns, 2, &p->arena, &tuples));
    assert_int_equal(tuples.count, 2);
    assert_int_equal(tuples.values[0].integer, 1);
    assert_int_equal(tuples.values[2].integer, 2);
    assert_true(bytes_equal_str(tuples.values[3].bytes, "x"));
    prune_free(p);
    p = sql_prune(q, t, false, &in);
    assert_false(prune_tuples(p->where, columns, 2, &p->arena, &tuples));
    prune_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(only_what_is_certain),
                                       SQL_TEST(tuples_are_products)};

    return cmocka_run_group_tests_name("sql/prune_tree", tests, NULL, NULL);
}
