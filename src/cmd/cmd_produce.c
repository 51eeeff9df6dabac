/* eider produce: the arguments. */
#include "cmd.h"
#include "flag.h"
#include "produce.h"
#include "tool_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SERVER_DEFAULT "127.0.0.1:5433"

static const char usage[] =
    "usage: eider produce DATABASE.TABLE [--format NAME] [--server HOST:PORT] < FILE\n"
    "\n"
    "Writes the rows of a file into a table: objects of JSON, one per line, CSV with a header, or "
    "Parquet.\n"
    "Of a table with a primary key rows replace those with their keys. Columns that are not named "
    "are NULL.\n"
    "\n"
    "  --format NAME        jsonl, csv or parquet (default: jsonl, or parquet if the file is "
    "that)\n"
    "  --server HOST:PORT   the PostgreSQL listener (default " SERVER_DEFAULT ")\n"
    "  -h, --help           print this\n"
    "\n"
    "What does not fit its column ends it; rows before it may have been written, how many is "
    "told.\n"
    "Exit code 0: all is written and durable; 1: not all; 2: wrong usage or no connection.\n";

struct produce_args {
    struct produce_options produce;
    const char *name;
    bool help;
};

static enum errcode parse_format(const char *text, enum produce_format *ret, struct error *e)
{
    static const char *const names[] = {
        [PRODUCE_JSONL] = "jsonl", [PRODUCE_CSV] = "csv", [PRODUCE_PARQUET] = "parquet"};

    for (size_t i = PRODUCE_JSONL; i < ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum produce_format)i;
            return ERR_OK;
        }
    }
    return error_set(e, ERR_INVALID_ARGUMENT,
                     "--format: found \"%.40s\", expected jsonl, csv or parquet", text);
}

static enum errcode parse_word(int argc, char **argv, int *at, struct produce_args *a,
                               struct error *e)
{
    const char *word = argv[*at];
    const char *server = flag_value("--server", argc, argv, at);
    const char *format = server == NULL ? flag_value("--format", argc, argv, at) : NULL;

    if (server != NULL) {
        return place_parse(server, "--server", &a->produce.sql, e);
    }
    if (format != NULL) {
        return parse_format(format, &a->produce.format, e);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        a->help = true;
    } else if (word[0] == '-' || a->name != NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "found \"%.80s\", expected what 'eider produce --help' lists", word);
    } else {
        a->name = word;
    }
    return ERR_OK;
}

static enum errcode parse(int argc, char **argv, struct produce_args *a, struct arena *arena,
                          struct error *e)
{
    TRY(place_parse(SERVER_DEFAULT, "--server", &a->produce.sql, e));
    for (int at = 1; at < argc && !a->help; at++) {
        TRY(parse_word(argc, argv, &at, a, e));
    }
    if (a->help) {
        return ERR_OK;
    }
    return tool_path_parse(a->name == NULL ? "" : a->name, arena, &a->produce.database,
                           &a->produce.table, e);
}

int cmd_produce(int argc, char **argv)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct produce_args a = {.help = false};
    uint64_t rows = 0;
    enum errcode code;
    struct error e;

    if (parse(argc, argv, &a, &arena, &e) != ERR_OK) {
        fprintf(stderr, "eider produce: %s\n", e.message);
        return 2;
    }
    if (a.help) {
        printf("%s", usage);
        return 0;
    }
    code = produce(&a.produce, &rows, &e);
    if (code != ERR_OK) {
        fprintf(stderr, "eider produce: %s\n", e.message);
    }
    fprintf(stderr, "%" PRIu64 " rows written\n", rows);
    return code == ERR_OK ? 0 : code == ERR_NETWORK ? 2 : 1;
}
