/* eider sql: the arguments of the SQL shell (src/shell). */
#include "cmd.h"
#include "inside.h"
#include "place.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/stream.h"
#include "io/terminal.h"
#include "shell/shell.h"

#define SERVER_DEFAULT "127.0.0.1:5433"
#define COMMANDS_MAX   256

static const char usage[] =
    "usage: eider sql [--server HOST:PORT] [-d DATABASE] [-c SQL]... [-f FILE] [OPTIONS]\n"
    "       eider sql --data-dir DIR [-d DATABASE] [-c SQL]... [-f FILE] [OPTIONS]\n"
    "\n"
    "Asks a server in SQL, over its PostgreSQL listener. Without -c and -f the statements come "
    "from\n"
    "standard input; on a terminal that is a shell, \\? there lists its commands.\n"
    "\n"
    "  --server HOST:PORT   the listener (default " SERVER_DEFAULT ")\n"
    "  --data-dir DIR       read this data directory instead, which no server uses at the moment\n"
    "  -d, --database NAME  whose tables need no qualification (default fluss)\n"
    "  -c, --command SQL    run this and end; may be repeated\n"
    "  -f, --file FILE      run this script and end\n"
    "  --format NAME        box, markdown, csv, json, jsonl or arrow (default box)\n"
    "  --timing             tell how long each statement took\n"
    "  --bare               no header of CSV, no count of rows\n"
    "  -h, --help           print this\n"
    "\n"
    "Exit code 0: fine; 1: a statement of -c failed; 2: wrong usage, no connection, or it was "
    "lost;\n"
    "3: a script was ended by an error.\n";

struct sql_args {
    struct shell_options shell;
    struct place place;
    const char *data_dir; /* NULL: a server is asked */
    const char *commands[COMMANDS_MAX];
    bool help;
};

/* A connection to the place. */
static enum errcode dial(void *context, int *ret_fd, struct error *e)
{
    const struct place *place = context;

    return socket_connect(place->host, place->port, ret_fd, e);
}

/* ---- words ---- */

static enum errcode set_command(struct sql_args *a, const char *value, struct error *e)
{
    if (a->shell.command_count == COMMANDS_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "-c: at most %d of them", COMMANDS_MAX);
    }
    a->commands[a->shell.command_count++] = value;
    return ERR_OK;
}

static enum errcode set_format(struct sql_args *a, const char *value, struct error *e)
{
    if (!output_format_parse(value, &a->shell.format)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "--format: found \"%.40s\", expected %s", value,
                         output_format_names);
    }
    return ERR_OK;
}

static enum errcode set_server(struct sql_args *a, const char *value, struct error *e)
{
    return place_parse(value, "--server", &a->place, e);
}

static enum errcode set_data_dir(struct sql_args *a, const char *value, struct error *e)
{
    (void)e;
    a->data_dir = value;
    return ERR_OK;
}

static enum errcode set_database(struct sql_args *a, const char *value, struct error *e)
{
    (void)e;
    a->shell.client.database = value;
    return ERR_OK;
}

static enum errcode set_file(struct sql_args *a, const char *value, struct error *e)
{
    (void)e;
    a->shell.script = value;
    return ERR_OK;
}

static const struct {
    const char *flag;
    enum errcode (*set)(struct sql_args *a, const char *value, struct error *e);
} flags[] = {
    {"--data-dir", set_data_dir}, {"--server", set_server},   {"--database", set_database},
    {"-d", set_database},         {"--command", set_command}, {"-c", set_command},
    {"--file", set_file},         {"-f", set_file},           {"--format", set_format},
};

static bool read_switch(struct sql_args *a, const char *word)
{
    const struct {
        const char *name;
        bool *value;
    } switches[] = {
        {"--timing", &a->shell.timing},
        {"--bare", &a->shell.bare},
        {"--help", &a->help},
        {"-h", &a->help},
    };

    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        if (strcmp(switches[i].name, word) == 0) {
            *switches[i].value = true;
            return true;
        }
    }
    return false;
}

/* A word that is a flag with its value, inside of it or in the next one. */
static enum errcode read_flag(struct sql_args *a, int argc, char **argv, int *at, struct error *e)
{
    const char *word = argv[*at];

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        size_t len = strlen(flags[i].flag);

        if (strcmp(word, flags[i].flag) == 0) {
            if (*at + 1 == argc) {
                return error_set(e, ERR_INVALID_ARGUMENT, "%s: expected a value after it", word);
            }
            return flags[i].set(a, argv[++*at], e);
        }
        if (strncmp(word, flags[i].flag, len) == 0 && word[1] == '-' && word[len] == '=') {
            return flags[i].set(a, word + len + 1, e);
        }
    }
    return error_set(e, ERR_INVALID_ARGUMENT,
                     "found \"%.80s\", expected a flag that 'eider sql --help' lists", word);
}

static enum errcode parse(int argc, char **argv, struct sql_args *a, struct error *e)
{
    TRY(place_parse(SERVER_DEFAULT, "--server", &a->place, e));
    a->shell.commands = a->commands;
    a->shell.client.database = "fluss";
    for (int at = 1; at < argc && !a->help; at++) {
        if (!read_switch(a, argv[at])) {
            TRY(read_flag(a, argc, argv, &at, e));
        }
    }
    return ERR_OK;
}

/* With a server of our own, which ends with it. */
static int run_inside(struct sql_args *a)
{
    struct inside inside;
    struct error e;
    int code = SHELL_USAGE;

    a->shell.interrupt =
        interrupt_open(); /* before its threads are, so that none of them takes one */
    a->shell.place = a->data_dir;
    a->shell.client.dial = inside_dial;
    a->shell.client.context = &inside;
    if (inside_start(a->data_dir, &inside, &e) == ERR_OK) {
        code = shell_run(&a->shell);
    } else {
        fprintf(stderr, "eider sql: %s\n", e.message);
    }
    inside_stop(&inside);
    return code;
}

int cmd_sql(int argc, char **argv)
{
    struct sql_args args = {.help = false};
    const char *user = getenv("USER");
    struct error e;

    if (parse(argc, argv, &args, &e) != ERR_OK) {
        fprintf(stderr, "eider sql: %s\n", e.message);
        return SHELL_USAGE;
    }
    if (args.help) {
        printf("%s", usage);
        return SHELL_FINE;
    }
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) { /* widths of characters */
        (void)setlocale(LC_CTYPE, "");
    }
    args.shell.client.user = user != NULL && user[0] != '\0' ? user : "eider";
    if (args.data_dir != NULL) {
        return run_inside(&args);
    }
    args.shell.interrupt = -1;
    args.shell.place = args.place.text;
    args.shell.client.dial = dial;
    args.shell.client.context = &args.place;
    return shell_run(&args.shell);
}
