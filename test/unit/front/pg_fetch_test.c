#include "../../support/unit.h"
#include "front/pg_fetch.h"

static struct arena arena;

static struct pg_command of(const char *text)
{
    struct pg_command c = {.kind = PG_NOTHING};

    assert_true(pg_fetch_parse(bytes_str(text), &arena, &c));
    return c;
}

static void check_fetch(const char *text, const char *name, uint64_t rows, bool moves)
{
    struct pg_command c = of(text);

    assert_int_equal(c.kind, PG_FETCH);
    assert_string_equal(c.name, name);
    assert_true(c.rows == rows);
    assert_int_equal(c.moves, moves);
}

static void check_refused(const char *text, const char *state)
{
    struct pg_command c = of(text);

    assert_int_equal(c.kind, PG_REFUSED);
    assert_string_equal(c.name, state);
}

static void declarations(void **state)
{
    struct pg_command c =
        of("DECLARE \"C \"\"x\" BINARY INSENSITIVE NO SCROLL CURSOR WITH HOLD FOR select 1");

    (void)state;
    assert_int_equal(c.kind, PG_DECLARE);
    assert_string_equal(c.name, "C \"x");
    assert_string_equal(c.value, " select 1");
    assert_true(c.binary && c.hold);
    c = of("declare /* a */ Abc asensitive cursor without hold for\nwith x as (select 2) from x");
    assert_string_equal(c.name, "abc");
    assert_string_equal(c.value, "\nwith x as (select 2) from x");
    assert_false(c.binary || c.hold);
    assert_string_equal(of("declare cursor cursor for values (1)").name, "cursor");
    check_refused("declare c scroll cursor for select 1", "0A000");
    check_refused("declare c no cursor for select 1", "42601");
    check_refused("declare c cursor with for select 1", "42601");
    check_refused("declare c cursor select 1", "42601");
    check_refused("declare c odd cursor for select 1", "42601");
    check_refused("declare 1 cursor for select 1", "42601");
    check_refused("declare", "42601");
    arena_fini(&arena);
}

static void fetches(void **state)
{
    (void)state;
    check_fetch("fetch c", "c", 1, false);
    check_fetch("FETCH NEXT FROM c", "c", 1, false);
    check_fetch("fetch from c", "c", 1, false);
    check_fetch("fetch forward in C", "c", 1, false);
    check_fetch("fetch FORWARD 100 FROM \"_C\"", "_C", 100, false);
    check_fetch("fetch 7 c", "c", 7, false);
    check_fetch("fetch all in c", "c", UINT64_MAX, false);
    check_fetch("move forward all c", "c", UINT64_MAX, true);
    check_fetch("MOVE 3 FROM c", "c", 3, true);
    check_fetch("fetch next", "next", 1, false);
    check_fetch("fetch prior", "prior", 1, false);
    check_refused("fetch prior from c", "55000");
    check_refused("fetch backward 5 from c", "55000");
    check_refused("fetch -1 c", "55000");
    check_refused("move forward -2 c", "55000");
    check_refused("fetch 0 c", "55000");
    check_refused("fetch first from c", "0A000");
    check_refused("move absolute 3 from c", "0A000");
    check_refused("fetch 1.5 from c", "42601");
    check_refused("fetch 99999999999999999999 from c", "42601");
    check_refused("fetch 1 from c d", "42601");
    check_refused("fetch 1 from", "42601");
    check_refused("fetch", "42601");
    arena_fini(&arena);
}

static void the_end(void **state)
{
    struct pg_command c = of("close \"A b\"");

    (void)state;
    assert_int_equal(c.kind, PG_CLOSE);
    assert_string_equal(c.name, "A b");
    assert_null(of("CLOSE ALL").name);
    check_refused("close", "42601");
    check_refused("close a b", "42601");
    assert_false(pg_fetch_parse(bytes_str("select 1"), &arena, &c));
    assert_false(pg_fetch_parse(bytes_str(""), &arena, &c));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations),
        cmocka_unit_test(fetches),
        cmocka_unit_test(the_end),
    };

    return cmocka_run_group_tests_name("front/pg_fetch", tests, NULL, NULL);
}
