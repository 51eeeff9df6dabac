#include "../../support/unit.h"
#include "front/pg_command.h"

static void check(const char *text, enum pg_command_kind kind, const char *name, const char *value)
{
    struct arena arena = ARENA_INIT;
    struct pg_command c = pg_command_of(bytes_str(text), &arena);

    assert_int_equal(c.kind, kind);
    assert_true(kind == PG_QUERY || c.tag != NULL);
    if (name != NULL) {
        assert_string_equal(c.name, name);
    }
    if (value != NULL) {
        assert_string_equal(c.value, value);
    }
    arena_fini(&arena);
}

static void statements_without_a_query(void **state)
{
    (void)state;
    check("BEGIN", PG_BEGIN, NULL, NULL);
    check("start transaction read only", PG_BEGIN, NULL, NULL);
    check(" /* x */ Commit", PG_COMMIT, NULL, NULL);
    check("ROLLBACK", PG_ROLLBACK, NULL, NULL);
    check("rollback to savepoint a", PG_ROLLBACK_TO, NULL, NULL);
    check("set x to 'y'", PG_SET, "x", "y");
    check("SET SESSION x = 5", PG_SET, "x", "5");
    check("set search_path to a, \"b\" ", PG_SET, "search_path", "a, \"b\"");
    check("set x to default", PG_SET, "x", NULL);
    check("reset x", PG_SET, "x", NULL);
    check("reset all", PG_NOTHING, NULL, NULL);
    check("set transaction isolation level serializable", PG_NOTHING, NULL, NULL);
    check("show server_version", PG_SHOW, "server_version", NULL);
    check("show transaction isolation level", PG_SHOW, "transaction_isolation", NULL);
    check("deallocate prepare \"a b\"", PG_DEALLOCATE, "a b", NULL);
    check("discard all", PG_DEALLOCATE, NULL, NULL);
    check("show tables", PG_QUERY, NULL, NULL);
    check("select 1", PG_QUERY, NULL, NULL);
    check("", PG_QUERY, NULL, NULL);
    check("set", PG_NOTHING, NULL, NULL);
}

static void timeouts(void **state)
{
    int64_t ms = -1;

    (void)state;
    assert_true(pg_timeout_parse("0", &ms) && ms == 0);
    assert_true(pg_timeout_parse("1500", &ms) && ms == 1500);
    assert_true(pg_timeout_parse("2 s", &ms) && ms == 2000);
    assert_true(pg_timeout_parse("1min", &ms) && ms == 60000);
    assert_false(pg_timeout_parse("", &ms));
    assert_false(pg_timeout_parse("-1", &ms));
    assert_false(pg_timeout_parse("5 parsecs", &ms));
    assert_false(pg_timeout_parse("99999999999999999999", &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_without_a_query),
        cmocka_unit_test(timeouts),
    };

    return cmocka_run_group_tests_name("front/pg_command", tests, NULL, NULL);
}
