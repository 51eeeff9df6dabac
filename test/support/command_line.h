/* The exit code of a command line; what it prints goes nowhere. */
#ifndef TEST_SUPPORT_COMMAND_LINE_H
#define TEST_SUPPORT_COMMAND_LINE_H

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"

/* words: separated by one space each; the first is the name of the command. */
static inline int exit_code(int (*command)(int argc, char **argv), const char *words)
{
    char line[512];
    char *rest = line;
    char *argv[32];
    int argc = 0;
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    int code;

    (void)snprintf(line, sizeof line, "%s", words);
    for (char *word; argc < 32 && (word = strsep(&rest, " ")) != NULL;) {
        argv[argc++] = word;
    }
    (void)fflush(stdout);
    assert_non_null(freopen("/dev/null", "w", stdout));
    assert_non_null(freopen("/dev/null", "w", stderr));
    code = command(argc, argv);
    (void)fflush(stdout);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    (void)close(out);
    (void)close(err);
    return code;
}

#endif
