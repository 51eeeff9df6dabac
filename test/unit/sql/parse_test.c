#include "parsing.h"

static struct parse parse_of(const char *text)
{
    struct parse p;

    parse_init(&p, bytes_str(text), &arena, &failure);
    return p;
}

static void names_without_quotes_are_folded(void **state)
{
    struct parse p = parse_of("Name \"Na\"\"me\" \"\"");
    const char *name;

    (void)state;
    assert_true(parse_name(&p, &name));
    assert_string_equal(name, "name");
    assert_true(parse_name(&p, &name));
    assert_string_equal(name, "Na\"me");
    assert_false(parse_name(&p, &name));
    assert_string_equal(failure.state, "42601");
    assert_int_equal(failure.position, 15);
}

static void check_string(const char *text, const char *expected)
{
    struct parse p = parse_of(text);
    const char *value;

    assert_int_equal(parse_string(&p, &value), expected != NULL);
    if (expected != NULL) {
        assert_string_equal(value, expected);
    }
}

static void texts_lose_their_quotes(void **state)
{
    (void)state;
    check_string("'it''s'", "it's");
    check_string("''", "");
    check_string("e'a\\n\\'b''c\\\\'", "a\n'b'c\\");
    check_string("$x$ 'a' $x$", " 'a' ");
    check_string("$$$$", "");
    check_string("'open", NULL);
    check_string("'", NULL);
    check_string("$x$ open", NULL);
    check_string("e'open", NULL);
    check_string("x'00'", NULL);
    check_string("a", NULL);
}

static void numbers_are_whole(void **state)
{
    struct parse p = parse_of("12 2147483648");
    int32_t number;

    (void)state;
    assert_true(parse_integer(&p, &number));
    assert_int_equal(number, 12);
    assert_false(parse_integer(&p, &number));
    p = parse_of("1.5");
    assert_false(parse_integer(&p, &number));
    p = parse_of("99999999999999999999999");
    assert_false(parse_integer(&p, &number));
}

static void positions_count_characters(void **state)
{
    struct parse p = parse_of("'\xc3\xa4\xc3\xb6' oops");
    const char *text;

    (void)state;
    assert_true(parse_string(&p, &text));
    assert_false(parse_need_byte(&p, '('));
    assert_int_equal(failure.position, 6);
    assert_string_equal(failure.message, "syntax error at or near \"oops\": expected \"(\"");
    parse_next(&p);
    assert_false(parse_need_word(&p, "buckets"));
    assert_string_equal(failure.message, "syntax error at end of input: BUCKETS is missing");
    assert_true(parse_need_end(&p));
}

static void tables_have_up_to_three_names(void **state)
{
    struct parse p = parse_of("t d.\"T\" eider.d.t other.d.t a.b.c.d");
    struct sql_name name;

    (void)state;
    assert_true(parse_table(&p, &name));
    assert_null(name.database);
    assert_false(name.exact);
    assert_true(parse_table(&p, &name));
    assert_string_equal(name.database, "d");
    assert_string_equal(name.name, "T");
    assert_true(name.exact);
    assert_int_equal(name.position, 3);
    assert_true(parse_table(&p, &name));
    assert_string_equal(name.database, "d");
    assert_false(parse_table(&p, &name));
    assert_false(parse_table(&p, &name));
}

static void lists_of_names(void **state)
{
    struct parse p = parse_of("(a, \"B\", c) if not exists (a,)");
    struct parse_names names;

    (void)state;
    assert_true(parse_name_list(&p, &names));
    assert_int_equal(names.count, 3);
    assert_string_equal(names.items[1], "B");
    assert_false(parse_words(&p, "if", "exists"));
    assert_true(parse_words(&p, "if", "not"));
    assert_true(parse_word(&p, "EXISTS"));
    assert_false(parse_name_list(&p, &names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_without_quotes_are_folded),
        cmocka_unit_test(texts_lose_their_quotes),
        cmocka_unit_test(numbers_are_whole),
        cmocka_unit_test(positions_count_characters),
        cmocka_unit_test(tables_have_up_to_three_names),
        cmocka_unit_test(lists_of_names),
    };

    return cmocka_run_group_tests_name("sql/parse", tests, NULL, teardown);
}
