#include "../../support/unit.h"
#include "shell/script.h"

static void expect(struct script *s, bool last, enum script_item item, const char *text)
{
    struct bytes got = BYTES_EMPTY;

    assert_int_equal(script_take(s, last, &got), item);
    if (text != NULL) {
        assert_true(bytes_equal_str(got, text));
    }
}

static void statements_end_with_semicolons(void **state)
{
    struct script s = {.start = 0};

    (void)state;
    script_add(&s, bytes_str("select 1; select ';' -- ;\n"));
    expect(&s, false, SCRIPT_STATEMENT, "select 1");
    expect(&s, false, SCRIPT_NOTHING, NULL);
    assert_false(script_empty(&s));
    script_add(&s, bytes_str(", $$;$$;;\n"));
    expect(&s, false, SCRIPT_STATEMENT, "select ';' -- ;\n, $$;$$");
    expect(&s, false, SCRIPT_NOTHING, NULL);
    assert_true(script_empty(&s));
    script_add(&s, bytes_str("last /* ; */"));
    expect(&s, false, SCRIPT_NOTHING, NULL);
    expect(&s, true, SCRIPT_STATEMENT, "last /* ; */");
    expect(&s, true, SCRIPT_NOTHING, NULL);
    script_fini(&s);
}

static void commands_are_lines(void **state)
{
    struct script s = {.start = 0};

    (void)state;
    script_add(&s, bytes_str("-- about it\n  \\d t;\nselect '\n\\q\n';\\timing"));
    expect(&s, false, SCRIPT_COMMAND, "d t;");
    expect(&s, false, SCRIPT_STATEMENT, "select '\n\\q\n'");
    expect(&s, true, SCRIPT_COMMAND, "timing");
    expect(&s, true, SCRIPT_NOTHING, NULL);
    script_fini(&s);
}

static void an_open_comment_waits_for_its_end(void **state)
{
    struct script s = {.start = 0};

    (void)state;
    script_add(&s, bytes_str("/* ;\n"));
    expect(&s, false, SCRIPT_NOTHING, NULL);
    script_add(&s, bytes_str("; */ select 2;"));
    expect(&s, false, SCRIPT_STATEMENT, "select 2");
    script_fini(&s);
}

static void lines_of_data_are_taken_as_they_are(void **state)
{
    struct script s = {.start = 0};
    struct bytes line;

    (void)state;
    script_add(&s, bytes_str("copy t from stdin;\n1;\\x\n\\.\nselect 1;"));
    expect(&s, false, SCRIPT_STATEMENT, "copy t from stdin");
    assert_true(script_line(&s, &line));
    assert_true(bytes_equal_str(line, ""));
    assert_true(script_line(&s, &line));
    assert_true(bytes_equal_str(line, "1;\\x"));
    assert_true(script_line(&s, &line));
    assert_true(bytes_equal_str(line, "\\."));
    expect(&s, false, SCRIPT_STATEMENT, "select 1");
    assert_false(script_line(&s, &line));
    script_clear(&s);
    assert_true(script_empty(&s));
    script_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_end_with_semicolons),
        cmocka_unit_test(commands_are_lines),
        cmocka_unit_test(an_open_comment_waits_for_its_end),
        cmocka_unit_test(lines_of_data_are_taken_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
