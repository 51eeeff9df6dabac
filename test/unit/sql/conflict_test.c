#include "../../support/sql_store.h"
#include "sql/conflict.h"

static void where_it_is(void **state)
{
    static const struct {
        const char *text;
        const char *clause; /* NULL: there is none */
    } cases[] = {
        {"insert into t values (1) on conflict do nothing", "do nothing"},
        {"insert into t values ('on conflict do') On /* x */ Conflict (a) do update",
         "(a) do update"},
        {"insert into t select 1 on conflict on constraint c do nothing",
         "on constraint c do nothing"},
        {"insert into t select 1 from a join b on conflict = 1", NULL},
        {"insert into t select (select 1 on conflict do nothing)", NULL},
        {"insert into t values (1)", NULL},
        {"", NULL},
    };
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes text = bytes_str(cases[i].text);
        size_t at = 0;

        assert_int_equal(conflict_split(&text, &arena, &at), cases[i].clause != NULL);
        if (cases[i].clause != NULL) {
            assert_string_equal(cases[i].text + at, cases[i].clause);
            assert_true(text.len < at);
        } else {
            assert_int_equal(text.len, strlen(cases[i].text));
        }
    }
}

static void rows_take_the_place(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "create table k (a int, b text, c bigint, primary key (a))", "");
    sql_expect(q,
               "insert into k values (1, 'x', 1), (2, 'y', 2) on conflict (a) do update set b = "
               "excluded.b, c = excluded.c",
               "");
    sql_expect(
        q,
        "insert into k (c, a) values (7, 1), (8, 3) on conflict (A) do update set c = EXCLUDED.c",
        "");
    sql_expect(q,
               "insert into k select 2, 'z', 9 on conflict on constraint k_pkey do update set b = "
               "excluded.b, \"c\" = excluded.\"c\", a = excluded.a returning a, b",
               "2|z");
    sql_expect(q, "select * from k order by a", "1|x|7;2|z|9;3|null|8");
}

static void first_rows_stay(void **state)
{
    struct sql_store *q = sql_ready(state);

    sql_expect(
        q, "create table f (a int primary key, b text) with ('table.merge-engine' = 'first_row')",
        "");
    sql_expect(q, "insert into f values (1, 'x'), (2, 'y') on conflict do nothing", "");
    sql_expect(q, "insert into f values (1, 'other'), (3, 'z') on conflict (a) do nothing", "");
    sql_expect(q, "select * from f order by a", "1|x;2|y;3|z");
    sql_refuse(q, "insert into f values (1, 'x') on conflict (a) do update set b = excluded.b",
               "0A000");
    sql_expect(q, "create table l (a int)", "");
    sql_expect(q, "insert into l values (1) on conflict do nothing", "");
    sql_refuse(q, "insert into l values (1) on conflict (a) do nothing", "42P10");
}

static void what_is_refused(void **state)
{
    static const char *const cases[][2] = {
        {"(a) do nothing", "0A000"},
        {"do nothing", "0A000"},
        {"do update set b = excluded.b", "42601"},
        {"(a) do update set b = excluded.b", "0A000"}, /* c is inserted, too */
        {"(a) do update set b = excluded.b, c = excluded.c where true", "0A000"},
        {"(a) where b > '' do nothing", "0A000"},
        {"(a) do update set b = 'x', c = excluded.c", "0A000"},
        {"(a) do update set b = excluded.b || 'x', c = excluded.c", "0A000"},
        {"(a) do update set c = k.c + excluded.c", "0A000"},
        {"(a) do update set c = excluded.b", "0A000"},
        {"(a) do update set (b, c) = (excluded.b, excluded.c)", "0A000"},
        {"(a) do update set d = excluded.d", "42703"},
        {"(b) do nothing", "42P10"},
        {"(a, b) do nothing", "42P10"},
        {"(nix) do nothing", "42703"},
        {"(a) do", "42601"},
        {"(a) do update b = 1", "42601"},
        {"(a) do update set", "42601"},
        {"on constraint other do nothing", "42704"},
        {"(a", "42601"},
    };
    struct sql_store *q = sql_ready(state);

    sql_expect(q, "create table k (a int, b text, c bigint, primary key (a))", "");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        sql_refuse(q,
                   arena_printf(&q->store->arena, "insert into k values (1, 'x', 1) on conflict %s",
                                cases[i][0]),
                   cases[i][1]);
    }
    sql_refuse(q, "insert into k values (1, 'x', 1) on conflict (a) do update set d = excluded.d",
               "42703");
    assert_int_equal(q->error.position, 64);
    sql_refuse(q, "update k set b = 'x' on conflict do nothing", "42601");
    sql_expect(q, "select count(*) from k", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_it_is),
        SQL_TEST(rows_take_the_place),
        SQL_TEST(first_rows_stay),
        SQL_TEST(what_is_refused),
    };

    return cmocka_run_group_tests_name("sql/conflict", tests, NULL, NULL);
}
