#include "../../support/unit.h"
#include "sql/dialect.h"

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
        cmocka_unit_test(statements_end_at_semicolons),
        cmocka_unit_test(words_in_any_case),
    };

    return cmocka_run_group_tests_name("sql/dialect", tests, NULL, NULL);
}
