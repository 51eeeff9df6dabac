#include "../../support/shell_state.h"

static void a_result_is_shown(void **state)
{
    static const char *const rows[] = {"1", "2", NULL};
    struct shell_state t;

    (void)state;
    fake_greets(&t.fake);
    fake_answers(&t.fake, "n", 23, rows);
    fake_answers(&t.fake, "m", 23, rows);
    state_begin(&t);
    assert_int_equal(shell_statement(&t.shell, bytes_str("select 1")), SESSION_FINE);
    assert_string_equal(caught(&t.shell.out), "n\n1\n2\n");
    assert_non_null(strstr(state_sent(&t), "select 1"));
    assert_int_equal(shell_ask(&t.shell, "select %d", 2), SESSION_FINE);
    assert_string_equal(caught(&t.shell.out), "m\n1\n2\n");
    assert_non_null(strstr(state_sent(&t), "select 2"));
    state_end(&t);
}

static void an_error_fails_one_statement(void **state)
{
    static const char *const rows[] = {"1", NULL};
    struct shell_state t;

    (void)state;
    fake_greets(&t.fake);
    fake_fails(&t.fake);
    fake_answers(&t.fake, "n", 23, rows);
    state_begin(&t);
    assert_int_equal(shell_statement(&t.shell, bytes_str("a b")), SESSION_FAILED);
    assert_int_equal(shell_statement(&t.shell, bytes_str("c")), SESSION_FINE);
    assert_string_equal(caught(&t.shell.out), "n\n1\n");
    state_end(&t);
}

static void a_lost_connection_is_told_from_an_error(void **state)
{
    struct shell_state t;

    (void)state;
    fake_greets(&t.fake);
    fake_says(&t.fake, 'D', "\0\0", 2); /* a row of nothing */
    state_begin(&t);
    assert_int_equal(shell_statement(&t.shell, bytes_str("a")), SESSION_LOST);
    state_end(&t);
}

static bool one_more(struct shell *s)
{
    bool *done = s->more_context;

    if (!*done) {
        script_add(s->script, bytes_str("3\n\\.\nrest"));
    }
    *done = !*done;
    return *done;
}

static void data_to_copy_comes_from_the_script(void **state)
{
    struct script script = {.start = 0};
    struct shell_state t;
    const char *sent;
    bool done = false;

    (void)state;
    fake_greets(&t.fake);
    fake_says(&t.fake, 'G', "\0\0\0", 3);
    pg_put_complete(&t.fake.says, "COPY 3");
    pg_put_ready(&t.fake.says, 'I');
    state_begin(&t);
    (void)state_sent(&t);
    script_add(&script, bytes_str("1\n2\n"));
    t.shell.script = &script;
    t.shell.more = one_more;
    t.shell.more_context = &done;
    assert_int_equal(shell_statement(&t.shell, bytes_str("copy")), SESSION_FINE);
    sent = state_sent(&t);
    assert_non_null(strstr(sent, "1"));
    assert_non_null(strstr(sent, "3"));
    assert_non_null(strchr(sent, 'c'));
    assert_null(strstr(sent, "rest"));
    script_fini(&script);
    state_end(&t);
}

/* Nothing is added to it. */
static void data_that_is_copied_comes_out_as_it_is(void **state)
{
    struct shell_state t;

    (void)state;
    fake_greets(&t.fake);
    fake_says(&t.fake, 'H', "\1\0\1\0\1", 5);
    fake_says(&t.fake, 'd', "PAR1\n", 5);
    fake_says(&t.fake, 'd', "\377", 1);
    fake_says(&t.fake, 'c', "", 0);
    pg_put_complete(&t.fake.says, "COPY 3");
    pg_put_ready(&t.fake.says, 'I');
    state_begin(&t);
    t.shell.look.format = OUTPUT_BOX;
    assert_int_equal(shell_statement(&t.shell, bytes_str("copy")), SESSION_FINE);
    assert_string_equal(caught(&t.shell.out), "PAR1\n\377");
    state_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_shown),
        cmocka_unit_test(an_error_fails_one_statement),
        cmocka_unit_test(a_lost_connection_is_told_from_an_error),
        cmocka_unit_test(data_to_copy_comes_from_the_script),
        cmocka_unit_test(data_that_is_copied_comes_out_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
