#include "command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"

/* Relations of the server, without what only its own catalog has. */
#define RELATIONS                                                                                  \
    "FROM information_schema.tables WHERE table_catalog = current_database() AND table_schema "    \
    "NOT IN ('information_schema', 'pg_catalog', 'eider_pg', 'main')"

struct words {
    char text[1024];
    const char *name;
    const char *argument; /* all behind the name; empty: none */
};

typedef enum session_result command_fn(struct shell *s, const char *argument);

static command_fn describe, tables, schemas, databases, timing, expand, turn, include, format,
    connect_to, echo, info, quit, help;

static const struct {
    const char *name;
    command_fn *run;
    const char *usage;
    const char *text;
} commands[] = {
    {"?", help, "", "this list"},
    {"c", connect_to, " DATABASE", "connect to another database"},
    {"conninfo", info, "", "what is connected to"},
    {"d", describe, " [TABLE]", "columns of a table; without a name as \\dt"},
    {"dn", schemas, "", "databases of Fluss, which are schemas here"},
    {"dt", tables, " [PATTERN]", "tables; * and ? in the pattern stand for any characters"},
    {"echo", echo, " TEXT", "write the text to where results go"},
    {"format", format, " NAME", "box, markdown, csv, json, jsonl or arrow"},
    {"i", include, " FILE", "run a script"},
    {"l", databases, "", "databases of the connection"},
    {"o", turn, " [FILE]", "results into the file, or to the terminal again"},
    {"q", quit, "", "quit"},
    {"timing", timing, " [on|off]", "how long statements take"},
    {"x", expand, " [on|off]", "one line per value"},
};

static void split(struct bytes text, struct words *ret)
{
    size_t len = text.len < sizeof ret->text ? text.len : sizeof ret->text - 1;
    char *end;

    memcpy(ret->text, text.data, len);
    ret->text[len] = '\0';
    end = ret->text + strlen(ret->text);
    while (end > ret->text && strchr(" \t\r;", end[-1]) != NULL) {
        *--end = '\0';
    }
    end = ret->text + strcspn(ret->text, " \t");
    ret->name = ret->text;
    ret->argument = end + strspn(end, " \t");
    *end = '\0';
}

enum session_result command_run(struct shell *s, struct bytes text)
{
    struct words words;

    if (text.len >= sizeof words.text) {
        fprintf(stderr, "eider sql: the command is too long\n");
        return SESSION_FAILED;
    }
    split(text, &words);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, words.name) == 0) {
            return commands[i].run(s, words.argument);
        }
    }
    fprintf(stderr, "eider sql: there is no command \\%s; \\? lists them\n", words.name);
    return SESSION_FAILED;
}

/* ---- about relations ---- */

static enum session_result describe(struct shell *s, const char *argument)
{
    if (argument[0] == '\0') {
        return tables(s, argument);
    }
    return shell_ask(s, "DESCRIBE %s", argument);
}

/* [SCHEMA.]NAME with wild cards, as two LIKE patterns in quotes. */
static void pattern_of(const char *text, char *schema, char *name, size_t size)
{
    const char *dot = strchr(text, '.');
    char *targets[2] = {schema, name};
    const char *parts[2] = {dot == NULL ? "*" : text, dot == NULL ? text : dot + 1};
    size_t lens[2] = {dot == NULL ? 1 : (size_t)(dot - text), strlen(parts[1])};

    for (size_t i = 0; i < 2; i++) {
        size_t at = 0;

        for (size_t k = 0; k < lens[i] && at + 3 < size; k++) {
            char c = parts[i][k];

            if (c == '\'' || c == '%' || c == '_' || c == '\\') {
                targets[i][at++] = c == '\'' ? '\'' : '\\';
            }
            targets[i][at++] = (char)(c == '*' ? '%' : c == '?' ? '_' : c);
        }
        targets[i][at] = '\0';
    }
}

static enum session_result tables(struct shell *s, const char *argument)
{
    char schema[600];
    char name[600];

    pattern_of(argument[0] == '\0' ? "*" : argument, schema, name, sizeof name);
    return shell_ask(
        s,
        "SELECT table_schema AS \"database\", table_name AS \"table\" " RELATIONS
        " AND table_schema ILIKE '%s' ESCAPE '\\' AND table_name ILIKE '%s' ESCAPE "
        "'\\' %s ORDER BY ALL",
        schema, name,
        argument[0] == '\0' ? "AND NOT regexp_matches(table_name, '[$](changelog|binlog)$')" : "");
}

static enum session_result schemas(struct shell *s, const char *argument)
{
    (void)argument;
    return shell_ask(s, "SELECT schema_name AS \"database\" FROM information_schema.schemata "
                        "WHERE catalog_name = current_database() AND schema_name NOT IN "
                        "('information_schema', 'pg_catalog', 'eider_pg', 'main') ORDER BY ALL");
}

static enum session_result databases(struct shell *s, const char *argument)
{
    (void)argument;
    return shell_ask(s, "SELECT datname AS \"catalog\" FROM pg_catalog.pg_database ORDER BY ALL");
}

/* ---- about the shell ---- */

/* on, off, or the other of what it is. */
static enum session_result toggle(const char *argument, const char *what, bool *value)
{
    if (argument[0] != '\0' && strcasecmp(argument, "on") != 0 &&
        strcasecmp(argument, "off") != 0) {
        fprintf(stderr, "eider sql: found \"%.80s\", expected on or off\n", argument);
        return SESSION_FAILED;
    }
    *value = argument[0] == '\0' ? !*value : strcasecmp(argument, "on") == 0;
    fprintf(stderr, "%s is %s\n", what, *value ? "on" : "off");
    return SESSION_FINE;
}

static enum session_result timing(struct shell *s, const char *argument)
{
    return toggle(argument, "Timing", &s->timing);
}

static enum session_result expand(struct shell *s, const char *argument)
{
    return toggle(argument, "One line per value", &s->look.expanded);
}

static enum session_result turn(struct shell *s, const char *argument)
{
    struct error e;

    if (sink_turn(&s->out, argument[0] == '\0' ? NULL : argument, &e) != ERR_OK) {
        fprintf(stderr, "eider sql: %s\n", e.message);
        return SESSION_FAILED;
    }
    return SESSION_FINE;
}

static enum session_result include(struct shell *s, const char *argument)
{
    if (argument[0] == '\0') {
        fprintf(stderr, "eider sql: expected the name of a script\n");
        return SESSION_FAILED;
    }
    return shell_file(s, argument);
}

static enum session_result format(struct shell *s, const char *argument)
{
    if (!output_format_parse(argument, &s->look.format)) {
        fprintf(stderr, "eider sql: found \"%.80s\", expected %s\n", argument, output_format_names);
        return SESSION_FAILED;
    }
    return SESSION_FINE;
}

static enum session_result connect_to(struct shell *s, const char *argument)
{
    struct error e;

    if (argument[0] == '\0') {
        return info(s, argument);
    }
    if (shell_connect(s, argument, &e) != ERR_OK) {
        fprintf(stderr, "eider sql: %s: %s; still connected to %s\n", argument, e.message,
                s->dialled.database);
        return SESSION_FAILED;
    }
    return info(s, argument);
}

static enum session_result info(struct shell *s, const char *argument)
{
    (void)argument;
    fprintf(stderr, "Connected to %s, database %s\n", s->options->place, s->dialled.database);
    return SESSION_FINE;
}

static enum session_result echo(struct shell *s, const char *argument)
{
    sink_text(&s->out, argument);
    sink_text(&s->out, "\n");
    sink_flush(&s->out);
    return SESSION_FINE;
}

static enum session_result quit(struct shell *s, const char *argument)
{
    (void)argument;
    s->quit = true;
    return SESSION_FINE;
}

static enum session_result help(struct shell *s, const char *argument)
{
    (void)argument;
    sink_text(&s->out, "A statement ends with a semicolon and may take several lines.\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        char usage[32];

        (void)snprintf(usage, sizeof usage, "\\%s%s", commands[i].name, commands[i].usage);
        sink_printf(&s->out, "  %-19s %s\n", usage, commands[i].text);
    }
    sink_flush(&s->out);
    return SESSION_FINE;
}
