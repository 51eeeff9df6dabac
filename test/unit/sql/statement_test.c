#include "../../support/sql_store.h"
#include "sql/statement.h"

static void only_queries(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "select 1, 'a', null", "1|a|null");
    sql_refuse(q, "create index x on y (a)", "0A000");
    sql_refuse(q, "vacuum", "25006");
    sql_refuse(q, "set threads = 1", "25006");
    sql_refuse(q, "explain analyze create table x (a int)", "0A000");
    sql_refuse(q, "select 1 -- \r; create schema eider.x; select 2", "42601");
    sql_refuse(q, "select * from read_text('/etc/hostname')", "42501");
    sql_refuse(q, "selec", "42601");
    assert_non_null(sql_ask(q, "explain select 1"));
    assert_non_null(sql_ask(q, "explain analyze select 1"));
}

static void what_is_known_of_them(void **state)
{
    static const struct {
        const char *text;
        bool write;
        enum sql_copy copy;
        const char *tag;
    } cases[] = {
        {"select 1", false, SQL_COPY_NONE, "SELECT 7"},
        {"explain select 1", false, SQL_COPY_NONE, "EXPLAIN"},
        {"show databases", false, SQL_COPY_NONE, "SELECT 7"},
        {"insert into t values (1, 'x', 2)", true, SQL_COPY_NONE, "INSERT 0 0"},
        {"copy t from stdin", true, SQL_COPY_FROM, "COPY 0"},
        {"copy t to stdout", false, SQL_COPY_TO, "COPY 7"},
        {"drop table t", true, SQL_COPY_NONE, "DROP TABLE"},
    };
    struct sql_store *q = sql_ready(state);
    char tag[SQL_TAG_MAX];

    (void)store_create_table(q->store, "t", STORE_PLAIN);
    sql_session_view(q->session, meta_current(q->store->meta));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sql_statement *st = NULL;

        assert_true(
            sql_prepare(q->session, &(struct sql_source){.text = cases[i].text}, &st, &q->error));
        assert_int_equal(sql_is_write(st), cases[i].write);
        assert_int_equal(sql_copy_kind(st), cases[i].copy);
        sql_tag(st, 7, tag);
        assert_string_equal(tag, cases[i].tag);
        sql_statement_free(st);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(only_queries), SQL_TEST(what_is_known_of_them)};

    return cmocka_run_group_tests_name("sql/statement", tests, NULL, NULL);
}
