#include "../../support/shell_state.h"
#include "shell/command.h"

static enum session_result command(struct shell_state *t, const char *text)
{
    return command_run(&t->shell, bytes_str(text));
}

static void begin(struct shell_state *t, size_t answers)
{
    static const char *const rows[] = {NULL};

    fake_greets(&t->fake);
    for (size_t i = 0; i < answers; i++) {
        fake_answers(&t->fake, "n", 23, rows);
    }
    state_begin(t);
    (void)state_sent(t);
}

static void relations_are_asked_for(void **state)
{
    struct shell_state t;
    const char *sent;

    (void)state;
    begin(&t, 5);
    assert_int_equal(command(&t, "d a.b ; "), SESSION_FINE);
    assert_non_null(strstr(state_sent(&t), "DESCRIBE a.b "));
    assert_int_equal(command(&t, "dt d?.x*_'\\y"), SESSION_FINE);
    sent = state_sent(&t);
    assert_non_null(strstr(sent, "table_schema ILIKE 'd_' ESCAPE"));
    assert_non_null(strstr(sent, "table_name ILIKE 'x%\\_''\\\\y' ESCAPE"));
    assert_int_equal(command(&t, "d"), SESSION_FINE);
    assert_non_null(strstr(state_sent(&t), "[$](changelog|binlog)$"));
    assert_int_equal(command(&t, "dn"), SESSION_FINE);
    assert_non_null(strstr(state_sent(&t), "schemata"));
    assert_int_equal(command(&t, "l"), SESSION_FINE);
    assert_non_null(strstr(state_sent(&t), "pg_database"));
    state_end(&t);
}

static void switches_switch(void **state)
{
    struct shell_state t;

    (void)state;
    begin(&t, 0);
    assert_int_equal(command(&t, "timing"), SESSION_FINE);
    assert_true(t.shell.timing);
    assert_int_equal(command(&t, "timing on"), SESSION_FINE);
    assert_true(t.shell.timing);
    assert_int_equal(command(&t, "timing maybe"), SESSION_FAILED);
    assert_int_equal(command(&t, "x"), SESSION_FINE);
    assert_true(t.shell.look.expanded);
    assert_int_equal(command(&t, "x off"), SESSION_FINE);
    assert_false(t.shell.look.expanded);
    assert_int_equal(command(&t, "format jsonl"), SESSION_FINE);
    assert_int_equal(t.shell.look.format, OUTPUT_JSONL);
    assert_int_equal(command(&t, "format xml"), SESSION_FAILED);
    assert_int_equal(command(&t, "q"), SESSION_FINE);
    assert_true(t.shell.quit);
    state_end(&t);
}

static void the_rest(void **state)
{
    struct shell_state t;

    (void)state;
    begin(&t, 0);
    assert_int_equal(command(&t, "echo  two words"), SESSION_FINE);
    assert_string_equal(caught(&t.shell.out), "two words\n");
    assert_int_equal(command(&t, "?"), SESSION_FINE);
    assert_non_null(strstr(caught(&t.shell.out), "\\timing [on|off]"));
    assert_int_equal(command(&t, "nothing"), SESSION_FAILED);
    assert_int_equal(command(&t, "o /proc/no/such"), SESSION_FAILED);
    assert_int_equal(command(&t, "i"), SESSION_FAILED);
    assert_int_equal(command(&t, "i /proc/no/such"), SESSION_FAILED);
    assert_int_equal(command(&t, "c other"), SESSION_FINE);
    assert_string_equal(t.shell.dialled.database, "other");
    assert_int_equal(t.fake.dials, 2);
    state_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_are_asked_for),
        cmocka_unit_test(switches_switch),
        cmocka_unit_test(the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
