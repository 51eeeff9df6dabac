#include <stdlib.h>

#include "../../support/pg_fake.h"
#include "shell/shell.h"

static const char *const rows[] = {"1", NULL};

static int run(struct pg_fake *fake, struct shell_options options)
{
    int code;

    options.client = fake_options(fake);
    options.place = "here:1";
    options.interrupt = -1;
    code = shell_run(&options);
    fake_fini(fake);
    return code;
}

static void exit_codes_tell_what_failed(void **state)
{
    static const char *const commands[] = {"select 1; \\q", "never"};
    struct pg_fake fake;

    (void)state;
    fake_greets(&fake);
    fake_answers(&fake, "n", 23, rows);
    assert_int_equal(run(&fake, (struct shell_options){.commands = commands, .command_count = 2}),
                     SHELL_FINE);
    fake_greets(&fake);
    fake_fails(&fake);
    assert_int_equal(run(&fake, (struct shell_options){.commands = commands, .command_count = 2}),
                     SHELL_FAILED);
    fake_greets(&fake);
    fake_says(&fake, '!', "", 0);
    fake_says(&fake, 'D', "\0\0", 2);
    assert_int_equal(run(&fake, (struct shell_options){.commands = commands, .command_count = 1}),
                     SHELL_USAGE);
    fake = (struct pg_fake){.dials = 0};
    assert_int_equal(run(&fake, (struct shell_options){.commands = commands, .command_count = 1}),
                     SHELL_USAGE);
}

static void a_script_stops_at_the_first_error(void **state)
{
    static const char text[] = "select 1;\nselect 2;\n";
    char path[] = "/tmp/scriptXXXXXX";
    struct pg_fake fake;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    fake_greets(&fake);
    fake_answers(&fake, "n", 23, rows);
    fake_answers(&fake, "n", 23, rows);
    assert_int_equal(run(&fake, (struct shell_options){.script = path}), SHELL_FINE);
    fake_greets(&fake);
    fake_fails(&fake);
    assert_int_equal(run(&fake, (struct shell_options){.script = path}), SHELL_STOPPED);
    fake_greets(&fake);
    assert_int_equal(run(&fake, (struct shell_options){.script = "/proc/no/such"}), SHELL_STOPPED);
    (void)close(fd);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_tell_what_failed),
        cmocka_unit_test(a_script_stops_at_the_first_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
