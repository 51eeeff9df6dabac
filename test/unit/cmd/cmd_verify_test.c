#include "running.h"

#include "../../support/command_line.h"

static int verify(struct running *r, const char *words)
{
    return exit_code(cmd_verify, arena_printf(&r->arena, "verify %s", words));
}

static void usage_errors_exit_with_two(void **state)
{
    static const char *const wrong[] = {
        "",
        "a b",
        "--repair --server h:1",
        "--server h:1 dir",
        "--server nowhere",
        "--server h:0",
        "--server",
        "dir --threads 0",
        "dir --threads=many",
        "dir --threadsome",
        "--nothing",
        "/nowhere/at/all",
    };
    struct running *r = *state;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(verify(r, wrong[i]), 2);
    }
    assert_int_equal(verify(r, "--help"), 0);
    assert_int_equal(verify(r, "-h"), 0);
}

static void the_exit_code_says_whether_anything_is_damaged(void **state)
{
    struct running *r = *state;
    const char *server;
    struct error e;

    running_start(r);
    create_table(r, TABLE);
    (void)append(r, find_table(r, TABLE).table_id, 0);
    server = arena_printf(&r->arena, "--server=127.0.0.1:%u", r->server->listeners[0].port);
    assert_int_equal(verify(r, server), 0);
    assert_int_equal(verify(r, r->dir), 2); /* in use */
    assert_true(running_stop(r));
    assert_int_equal(verify(r, server), 2);
    assert_int_equal(verify(r, r->dir), 0);
    assert_int_equal(verify(r, arena_printf(&r->arena, "%s --json --threads=1", r->dir)), 0);
    assert_int_equal(file_replace(PATH_OF(r, "high-watermark-checkpoint"), bytes_str("x"), &e),
                     ERR_OK);
    assert_int_equal(verify(r, r->dir), 1);
    assert_int_equal(verify(r, arena_printf(&r->arena, "%s --repair", r->dir)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(usage_errors_exit_with_two),
        RUNNING_TEST(the_exit_code_says_whether_anything_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
