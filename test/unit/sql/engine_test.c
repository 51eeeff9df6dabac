#include "../../support/sql_store.h"

static void nothing_is_loaded_before_the_first_session(void **state)
{
    struct sql_store *q = *state;

    sql_engine_free(q->engine); /* as it was made */
    q->engine = sql_engine_new(&(struct sql_options){.library = "/nowhere/lib.so"}, &q->world);
    if (duckdb_load(NULL, NULL) == ERR_OK) {
        skip(); /* the process has it, whatever this engine is told */
    }
    assert_false(
        sql_session_open(q->engine, meta_current(q->store->meta), "", &q->session, &q->error));
    assert_string_equal(q->error.state, "58000");
}

static void sessions_have_a_path_of_their_own(void **state)
{
    struct sql_store *q = sql_ready(state);
    struct sql_session *other = NULL;

    assert_true(
        sql_session_open(q->engine, meta_current(q->store->meta), "no such", &other, &q->error));
    sql_expect(q, "select current_schema()", "fluss");
    assert_true(sql_session_path(q->session, "\"fluss\", pg_catalog", &q->error));
    assert_true(sql_session_path(q->session, "", &q->error));
    sql_expect(q, "select current_schema()", "eider_pg");
    assert_false(sql_session_path(q->session, "missing", &q->error));
    assert_string_equal(q->error.state, "3F000");
    sql_session_close(other);
}

static void an_interrupt_without_a_statement_does_nothing(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_interrupt(q->session);
    sql_expect(q, "select sum(x) from range(1000) r(x)", "499500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQL_TEST(nothing_is_loaded_before_the_first_session),
        SQL_TEST(sessions_have_a_path_of_their_own),
        SQL_TEST(an_interrupt_without_a_statement_does_nothing),
    };

    return cmocka_run_group_tests_name("sql/engine", tests, NULL, NULL);
}
