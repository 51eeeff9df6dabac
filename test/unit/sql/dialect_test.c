#include "../../support/unit.h"
#include "sql/dialect.h"

static void check_rewritten(const char *text, const char *expected)
{
    static const char *const casts[] = {"BIGINT", NULL};
    struct buffer out = BUFFER_INIT;

    dialect_rewrite(bytes_str(text), casts, 2, &out);
    assert_string_equal((char *)out.data, expected);
    buffer_fini(&out);
}

static void what_clients_of_postgresql_write(void **state)
{
    (void)state;
    check_rewritten("select 1", "select 1");
    check_rewritten("", "");
    check_rewritten("a pg_catalog.b", "a b");
    check_rewritten("'pg_catalog.b' \"pg_catalog\" . c", "'pg_catalog.b'  c");
    check_rewritten("x OPERATOR(pg_catalog.~) 'a' COLLATE pg_catalog.default", "x ~ 'a' ");
    check_rewritten("x operator(other.~) y", "x operator(other.~) y");
    check_rewritten("$1 + $2 + $3 + $99999999999", "CAST($1 AS BIGINT) + $2 + $3 + $99999999999");
    check_rewritten("'$1' $a$ $1 $a$ -- $1", "'$1' $a$ $1 $a$ -- $1");
}

static void check_split(const char *text, const char *const *expected)
{
    struct bytes rest = bytes_str(text);
    struct bytes one;

    while (dialect_split(&rest, &one)) {
        assert_non_null(*expected);
        assert_true(bytes_equal_str(one, *expected++));
    }
    assert_null(*expected);
}

static void statements_end_at_semicolons(void **state)
{
    (void)state;
    check_split("", (const char *[]){NULL});
    check_split(" ; /* ; */ -- ;", (const char *[]){NULL});
    check_split("a; b", (const char *[]){"a", " b", NULL});
    check_split(
        "a ';' \";\" $$;$$ $x$;$y$;$x$ E'\\';' /* /* ; */ ; */;;b;",
        (const char *[]){"a ';' \";\" $$;$$ $x$;$y$;$x$ E'\\';' /* /* ; */ ; */", "b", NULL});
    check_split("a 'not closed; b", (const char *[]){"a 'not closed; b", NULL});
    check_split("a -- b\r; c", (const char *[]){"a -- b\r", " c", NULL});
}

static void words_in_any_case(void **state)
{
    static const char *const words[] = {"explain", "analyze"};

    (void)state;
    assert_true(dialect_starts(bytes_str(" EXPLAIN /* x */ Analyze select"), words, 2));
    assert_false(dialect_starts(bytes_str("explain select"), words, 2));
    assert_false(dialect_starts(bytes_str(""), words, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_clients_of_postgresql_write),
        cmocka_unit_test(statements_end_at_semicolons),
        cmocka_unit_test(words_in_any_case),
    };

    return cmocka_run_group_tests_name("sql/dialect", tests, NULL, NULL);
}
