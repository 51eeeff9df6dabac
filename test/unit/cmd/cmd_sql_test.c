#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../support/unit.h"
#include "base/check.h"
#include "cmd/cmd.h"

/* The exit code of a command line; what it prints goes nowhere. */
static int sql(const char *words)
{
    char line[256];
    char *rest = line;
    char *argv[16];
    int argc = 0;
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    int code;

    (void)snprintf(line, sizeof line, "sql%s%s", words[0] == '\0' ? "" : " ", words);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        argv[argc++] = word;
    }
    (void)fflush(stdout);
    assert_non_null(freopen("/dev/null", "w", stdout));
    assert_non_null(freopen("/dev/null", "w", stderr));
    code = cmd_sql(argc, argv);
    (void)fflush(stdout);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    (void)close(out);
    (void)close(err);
    return code;
}

static void usage_errors_exit_with_two(void **state)
{
    static const char *const wrong[] = {
        "word",         "--server nowhere", "--server", "-c",         "--format xml",
        "--format=xml", "--what",           "-cx",      "--timing=1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(sql(wrong[i]), 2);
    }
    assert_int_equal(sql("--help"), 0);
    assert_int_equal(sql("-d x --timing --format=csv -h"), 0);
}

static void nobody_listens_exits_with_two(void **state)
{
    (void)state;
    assert_int_equal(sql("--server=127.0.0.1:1 -c select"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_errors_exit_with_two),
        cmocka_unit_test(nobody_listens_exits_with_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
