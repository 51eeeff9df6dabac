#include "../../support/sql_store.h"
#include "sql/names.h"

static const struct meta_table *find(struct sql_store *q, const char *database, const char *name,
                                     bool exact)
{
    const struct sql_name wanted = {
        .database = database, .name = name, .exact = exact, .position = 3};
    const struct meta_table *table = NULL;

    return names_table(q->session, &wanted, &table, &q->error) ? table : NULL;
}

static void the_case_of_letters(void **state)
{
    struct sql_store *q = sql_ready(state);
    const struct meta_table *t;

    sql_expect(q, "create table \"Upper\" (a int, \"B\" int)", "");
    sql_expect(q, "create schema d", "");
    sql_expect(q, "create table d.t (a int)", "");
    session_adopt_view(q->session);
    t = find(q, NULL, "upper", false);
    assert_non_null(t);
    assert_ptr_equal(t, find(q, "fluss", "Upper", true));
    assert_null(find(q, NULL, "upper", true));
    assert_string_equal(q->error.state, "42P01");
    assert_int_equal(q->error.position, 3);
    assert_null(find(q, NULL, "t", false));
    assert_non_null(find(q, "d", "t", false));
    assert_null(find(q, "nowhere", "t", false));
    assert_string_equal(q->error.state, "3F000");
    assert_int_equal(names_column(meta_table_latest(t)->schema, "b", false), 1);
    assert_int_equal(names_column(meta_table_latest(t)->schema, "b", true), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(the_case_of_letters)};

    return cmocka_run_group_tests_name("sql/names", tests, NULL, NULL);
}
