#include <stdio.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "shell/edit.h"

static void matches_share_their_start(void **state)
{
    static const char *const items[] = {"select", "SELECTED", "selects"};
    struct edit_matches m = {.items = items, .count = 3, .typed = 3};

    (void)state;
    assert_int_equal(edit_common(&m), 6);
    m.count = 1;
    assert_int_equal(edit_common(&m), 6);
    m.typed = 7;
    m.count = 3;
    assert_int_equal(edit_common(&m), 7);
}

static void no_matches(void *context, struct bytes before, struct arena *arena,
                       struct edit_matches *ret)
{
    (void)context;
    (void)before;
    (void)arena;
    (void)ret;
}

static void lines_are_read_up_to_the_end(void **state)
{
    static const char text[] = "one\ntwo\n";
    struct edit_options options = {.complete = no_matches};
    struct edit *e;
    struct bytes line;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, sizeof text - 1), (ssize_t)sizeof text - 1);
    (void)close(fds[1]);
    assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    (void)close(fds[0]);
    e = edit_new(&options);
    assert_int_equal(edit_line(e, "> ", &line), EDIT_LINE);
    assert_true(bytes_equal_str(line, "one\n"));
    edit_remember(e, line);
    edit_remember(e, bytes_str(" \n"));
    assert_int_equal(edit_line(e, "> ", &line), EDIT_LINE);
    assert_true(bytes_equal_str(line, "two\n"));
    assert_int_equal(edit_line(e, "> ", &line), EDIT_END);
    edit_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_share_their_start),
        cmocka_unit_test(lines_are_read_up_to_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
