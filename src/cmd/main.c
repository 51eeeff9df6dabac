/* The program: one subcommand per entry. Exit codes: 0 fine, 1 it failed, 2 wrong usage. */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} commands[] = {
    {"server", cmd_server, "run the server"},
    {"config", cmd_config, "list every option with its default and meaning"},
    {"sql", cmd_sql, "ask a server in SQL: a shell, scripts, single statements"},
    {"tables", cmd_tables, "list the tables of a cluster"},
    {"describe", cmd_describe, "show a table: columns, keys, options, buckets"},
    {"tail", cmd_tail, "follow a table as it is written"},
    {"produce", cmd_produce, "write rows of a file into a table"},
    {"bench", cmd_bench, "measure a server: ours or any that speaks the protocol"},
    {"verify", cmd_verify, "check stored data, of a stopped or a running server"},
    {"version", cmd_version, "print the version"},
};

int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("eider %s\n", EIDER_VERSION);
    return 0;
}

static void usage(FILE *out)
{
    fprintf(out, "usage: eider COMMAND [ARGUMENTS]\n\ncommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].text);
    }
    fprintf(out, "\n'eider COMMAND --help' tells more about a command.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return cmd_version(argc - 1, argv + 1);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "eider: unknown command '%s'\n\n", argv[1]);
    usage(stderr);
    return 2;
}
