#include <locale.h>
#include <stdlib.h>

#include "../../support/results.h"

static const uint32_t types[] = {23, 25};

static void numbers_stand_at_the_right(void **state)
{
    static const struct output_options o = {.format = OUTPUT_BOX};
    static const char *const texts[] = {"n", "t", "1", "x", "-10", NULL};

    (void)state;
    assert_string_equal(shown(&o, types, 2, texts, 2), "┌─────┬──────┐\n"
                                                       "│   n │ t    │\n"
                                                       "├─────┼──────┤\n"
                                                       "│   1 │ x    │\n"
                                                       "│ -10 │ NULL │\n"
                                                       "└─────┴──────┘\n"
                                                       "(2 rows)\n");
}

static void a_terminal_cuts_what_is_wide(void **state)
{
    static const struct output_options o = {.format = OUTPUT_BOX, .width = 20, .bare = true};
    static const char *const texts[] = {
        "n", "t", "1", "a text of 23 characters", "2", "漢字漢字漢字漢字"};

    (void)state;
    assert_string_equal(shown(&o, types, 2, texts, 2), "┌───┬──────────────┐\n"
                                                       "│ n │ t            │\n"
                                                       "├───┼──────────────┤\n"
                                                       "│ 1 │ a text of 2… │\n"
                                                       "│ 2 │ 漢字漢字漢…  │\n"
                                                       "└───┴──────────────┘\n");
}

static void what_cannot_fit_stands_below_each_other(void **state)
{
    static const struct output_options o = {.format = OUTPUT_BOX, .width = 20};
    static const struct output_options expanded = {.format = OUTPUT_BOX, .expanded = true};
    static const char *const texts[] = {"name", "a longer name", "twelve chars", "another text"};
    static const uint32_t strings[] = {25, 25};

    (void)state;
    assert_string_equal(shown(&expanded, strings, 2, texts, 1), "─[ 1 ]────────────────────\n"
                                                                "name          │ twelve chars\n"
                                                                "a longer name │ another text\n"
                                                                "(1 row)\n");
    assert_non_null(strstr(shown(&o, strings, 2, texts, 1), "─[ 1 ]─"));
}

static void control_characters_are_shown_not_sent(void **state)
{
    static const struct output_options o = {.format = OUTPUT_BOX, .bare = true};
    static const char *const texts[] = {"t", "a\nb\t\033[31m\xff\xc2\x9b"};
    static const uint32_t text = 25;
    const char *got = shown(&o, &text, 1, texts, 1);

    (void)state;
    assert_non_null(strstr(got, "│ a\\nb\\t\\x1b[31m\\xff\\xc2\\x9b │"));
    assert_null(strchr(got, '\033'));
}

static void many_rows_stream(void **state)
{
    static const struct output_options o = {.format = OUTPUT_BOX};
    static const char *texts[1 + 1500];
    static const uint32_t number = 23;
    const char *got;

    (void)state;
    texts[0] = "n";
    for (size_t i = 1; i <= 1500; i++) {
        texts[i] = i == 1500 ? "1234567" : "5";
    }
    got = shown(&o, &number, 1, texts, 1500);
    assert_non_null(strstr(got, "│ 1234567 │\n└───┘\n(1500 rows)\n"));
}

static void a_result_that_goes_on_is_settled(void **state)
{
    static const struct output_options o = {.format = OUTPUT_BOX};
    struct client_column column = {.name = "n", .type = 23};
    struct client_cell cell = {.text = bytes_str("1")};
    struct sink sink;
    struct output out = {.options = &o, .sink = &sink};

    (void)state;
    caught_begin(&sink);
    output_begin(&out, &column, 1);
    output_row(&out, &cell);
    output_settle(&out);
    assert_string_equal(caught(&sink), "┌───┐\n│ n │\n├───┤\n│ 1 │\n");
    output_row(&out, &cell);
    output_settle(&out);
    assert_string_equal(caught(&sink), "│ 1 │\n");
    output_end(&out);
    assert_string_equal(caught(&sink), "└───┘\n(2 rows)\n");
    caught_end(&sink);
    arena_fini(&out.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_at_the_right),
        cmocka_unit_test(a_terminal_cuts_what_is_wide),
        cmocka_unit_test(what_cannot_fit_stands_below_each_other),
        cmocka_unit_test(control_characters_are_shown_not_sent),
        cmocka_unit_test(many_rows_stream),
        cmocka_unit_test(a_result_that_goes_on_is_settled),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
