#include "../../support/sql_store.h"

#define VIEWS "select view_name from duckdb_views() where schema_name = 'fluss' order by 1"

static void relations_follow_the_catalog(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, VIEWS, "");
    (void)store_create_table(q->store, "b", STORE_PLAIN);
    (void)store_create_table(q->store, "a", STORE_KV(""));
    sql_expect(q, VIEWS, "a;a$binlog;a$changelog;b;b$changelog");
    store_drop_table(q->store, "a");
    (void)store_create_table(q->store, "c", STORE_PLAIN);
    sql_expect(q, VIEWS, "b;b$changelog;c;c$changelog");
    store_drop_table(q->store, "b");
    (void)store_create_table(q->store, "b", STORE_KV(""));
    sql_expect(q, VIEWS, "b;b$binlog;b$changelog;c;c$changelog");
    sql_expect(q, "select count(*) from b", "0");
}

static void names_in_another_case_are_left_out(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct bucket_id id = bucket_of(store_create_table(q->store, "T", STORE_PLAIN), 0);

    sql_append(q, id, 0, 2);
    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_expect(q, "select count(*) from t", "2");
    store_drop_table(q->store, "t");
    sql_expect(q, "select count(*) from t", "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(relations_follow_the_catalog),
        SQL_TEST(names_in_another_case_are_left_out),
    };

    return cmocka_run_group_tests_name("sql/relations", tests, NULL, NULL);
}
