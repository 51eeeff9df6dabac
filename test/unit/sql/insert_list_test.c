#include "../../support/sql_store.h"
#include "sql/insert_list.h"

/* What becomes of a query whose rows go into (b text, a int, c bigint). */
static const char *made(const struct meta_table *table, const char *query, struct arena *arena)
{
    static const int32_t columns[] = {1, 0, 2};
    struct dml dml = {.table = table, .columns = columns, .column_count = 3, .query = query};

    insert_list_cast(&dml, arena);
    return dml.query;
}

static void items_that_are_parameters(void **state)
{
    static const struct {
        const char *from;
        const char *to;
    } cases[] = {
        {"select $1, $2, $3", "select $1::VARCHAR, $2::INTEGER, $3::BIGINT"},
        {"SELECT ALL $1 AS x, f($2, 1), $3 FROM r",
         "SELECT ALL $1::VARCHAR AS x, f($2, 1), $3::BIGINT FROM r"},
        {"select 'x', $2 + 1, $1::date", "select 'x', $2 + 1, $1::date"},
        {"select $1, t.*, $3", "select $1::VARCHAR, t.*, $3"},
        {"select unnest($1), $2", "select unnest($1), $2"},
        {"select $1, $2, $3, $4", "select $1::VARCHAR, $2::INTEGER, "
                                  "$3::BIGINT, $4"},
        {"select $1 where a = $2", "select $1::VARCHAR where a = $2"},
        {"select distinct $1, 2, 3", "select distinct $1, 2, 3"},
        {"select $1, 1, 2 union all select $2, 3, 4", "select $1, 1, 2 union all select $2, 3, 4"},
        {"select ($1), (select $2 union select 2), $3",
         "select ($1), (select $2 union select 2), $3::BIGINT"},
        {"with q as (select $1) select * from q", "with q as (select $1) select * from q"},
        {"values ($1, $2, $3)", "values ($1, $2, $3)"},
        {"select $1,", "select $1::VARCHAR,"},
        {"select", "select"},
        {"", ""},
    };
    struct sql_store *q = *state;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t id = store_create_table(q->store, "t", STORE_PLAIN);
    const struct meta_table *table = meta_view_table_by_id(meta_current(q->store->meta), id);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_string_equal(made(table, cases[i].from, &arena), cases[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(items_that_are_parameters)};

    return cmocka_run_group_tests_name("sql/insert_list", tests, NULL, NULL);
}
