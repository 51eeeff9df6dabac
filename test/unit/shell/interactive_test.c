#include <stdio.h>
#include <stdlib.h>

#include "../../support/shell_state.h"
#include "shell/interactive.h"

static void types(const char *text)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fds[1]);
    assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    (void)close(fds[0]);
    clearerr(stdin);
}

static void a_person_goes_on_after_an_error(void **state)
{
    static const char *const rows[] = {"1", NULL};
    struct shell_state t;

    (void)state;
    fake_greets(&t.fake);
    fake_fails(&t.fake);
    fake_answers(&t.fake, "n", 23, rows);
    fake_answers(&t.fake, "m", 23, rows);
    state_begin(&t);
    types("wrong\n;\nselect\n 1; select 2;\n\\q\nnever;\n");
    assert_int_equal(interactive_run(&t.shell), SHELL_FINE);
    assert_string_equal(caught(&t.shell.out), "n\n1\nm\n1\n");
    assert_null(strstr(state_sent(&t), "never"));
    state_end(&t);
}

static void the_end_of_input_ends_it(void **state)
{
    struct shell_state t;

    (void)state;
    fake_greets(&t.fake);
    state_begin(&t);
    types("select 1");
    assert_int_equal(interactive_run(&t.shell), SHELL_FINE);
    state_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_goes_on_after_an_error),
        cmocka_unit_test(the_end_of_input_ends_it),
    };

    (void)setenv("EIDER_HISTORY", "", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
