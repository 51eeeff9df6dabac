/* eider tail: the arguments. */
#include "cmd.h"
#include "follow.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define SERVER_DEFAULT "127.0.0.1:9123"
#define SQL_PORT       5433

static const char usage[] =
    "usage: eider tail DATABASE.TABLE [--from WHERE] [--where CONDITION] [--columns A,B] "
    "[OPTIONS]\n"
    "\n"
    "Follows a table: prints the rows, of a table with a primary key the changes, as they are\n"
    "acknowledged, until Ctrl-C. Rows of one bucket come in order.\n"
    "\n"
    "  --from earliest|latest    where to begin (default latest: with what comes from now on)\n"
    "  --from offset:N           in each bucket\n"
    "  --from time:MS            milliseconds since 1970; or a time of SQL, '2026-11-21 "
    "10:00:00+00'\n"
    "  --where CONDITION         only rows for which this is true, in SQL\n"
    "  --columns A,B             these columns only; also _change_type, _log_offset,\n"
    "                            _commit_timestamp, _bucket\n"
    "  --format NAME             jsonl, csv, markdown or box (default jsonl)\n"
    "  --limit N                 end after N rows\n"
    "  --server HOST:PORT        any server of the cluster (default " SERVER_DEFAULT ")\n"
    "  --sql HOST:PORT           the PostgreSQL listener (default: port 5433 of the same host)\n"
    "  -h, --help                print this\n"
    "\n"
    "Exit code 0: ended by Ctrl-C, by --limit or because nobody reads; 1: an error; 2: wrong "
    "usage\n"
    "or no connection.\n";

struct tail_args {
    struct follow_options follow;
    const char *name;
    bool sql_given;
    bool help;
};

static enum errcode set_from(struct tail_args *a, const char *value, struct error *e)
{
    struct follow_options *f = &a->follow;

    f->from = strcmp(value, "earliest") == 0      ? FOLLOW_EARLIEST
              : strcmp(value, "latest") == 0      ? FOLLOW_LATEST
              : strncmp(value, "offset:", 7) == 0 ? FOLLOW_OFFSET
                                                  : FOLLOW_TIME;
    if (f->from == FOLLOW_OFFSET &&
        (units_parse_i64(value + 7, &f->offset, NULL) != ERR_OK || f->offset < 0)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "--from: found \"%.80s\", expected offset:N",
                         value);
    }
    if (f->from == FOLLOW_TIME && (strncmp(value, "time:", 5) != 0 || value[5] == '\0')) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "--from: found \"%.80s\", expected earliest, latest, offset:N or time:T",
                         value);
    }
    f->time = f->from == FOLLOW_TIME ? value + 5 : NULL;
    return ERR_OK;
}

static enum errcode set_where(struct tail_args *a, const char *value, struct error *e)
{
    (void)e;
    a->follow.where = value;
    return ERR_OK;
}

static enum errcode set_columns(struct tail_args *a, const char *value, struct error *e)
{
    (void)e;
    a->follow.columns = value;
    return ERR_OK;
}

static enum errcode set_format(struct tail_args *a, const char *value, struct error *e)
{
    if (!output_format_parse(value, &a->follow.format) || a->follow.format == OUTPUT_JSON ||
        a->follow.format == OUTPUT_ARROW) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "--format: found \"%.40s\", expected jsonl, csv, markdown or box", value);
    }
    return ERR_OK;
}

static enum errcode set_limit(struct tail_args *a, const char *value, struct error *e)
{
    if (units_parse_i64(value, &a->follow.limit, NULL) != ERR_OK || a->follow.limit < 1) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "--limit: found \"%.40s\", expected a number from 1", value);
    }
    return ERR_OK;
}

static enum errcode set_server(struct tail_args *a, const char *value, struct error *e)
{
    return place_parse(value, "--server", &a->follow.server, e);
}

static enum errcode set_sql(struct tail_args *a, const char *value, struct error *e)
{
    a->sql_given = true;
    return place_parse(value, "--sql", &a->follow.sql, e);
}

static enum errcode read_word(struct tail_args *a, int argc, char **argv, int *at, struct error *e)
{
    static const struct {
        const char *flag;
        enum errcode (*set)(struct tail_args *a, const char *value, struct error *e);
    } flags[] = {
        {"--from", set_from},     {"--where", set_where}, {"--columns", set_columns},
        {"--format", set_format}, {"--limit", set_limit}, {"--server", set_server},
        {"--sql", set_sql},
    };
    const char *word = argv[*at];

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        size_t len = strlen(flags[i].flag);

        if (strcmp(word, flags[i].flag) == 0 && *at + 1 < argc) {
            return flags[i].set(a, argv[++*at], e);
        }
        if (strncmp(word, flags[i].flag, len) == 0 && word[len] == '=') {
            return flags[i].set(a, word + len + 1, e);
        }
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        a->help = true;
    } else if (word[0] == '-' || a->name != NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "found \"%.80s\", expected what 'eider tail --help' lists", word);
    } else {
        a->name = word;
    }
    return ERR_OK;
}

static enum errcode parse(int argc, char **argv, struct tail_args *a, struct arena *arena,
                          struct error *e)
{
    TRY(place_parse(SERVER_DEFAULT, "--server", &a->follow.server, e));
    for (int at = 1; at < argc && !a->help; at++) {
        TRY(read_word(a, argc, argv, &at, e));
    }
    if (a->help) {
        return ERR_OK;
    }
    if (a->name == NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT, "expected DATABASE.TABLE");
    }
    if (!a->sql_given) {
        a->follow.sql = a->follow.server;
        a->follow.sql.port = SQL_PORT;
        (void)snprintf(a->follow.sql.text, sizeof a->follow.sql.text, "%s:%d",
                       a->follow.server.host, SQL_PORT);
    }
    return tool_path_parse(a->name, arena, &a->follow.database, &a->follow.table, e);
}

int cmd_tail(int argc, char **argv)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct tail_args a = {.follow = {.from = FOLLOW_LATEST, .format = OUTPUT_JSONL}};
    struct error e;
    enum errcode code;

    if (parse(argc, argv, &a, &arena, &e) != ERR_OK) {
        fprintf(stderr, "eider tail: %s\n", e.message);
        return 2;
    }
    if (a.help) {
        printf("%s", usage);
        return 0;
    }
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters */
    code = follow(&a.follow, &e);
    if (code != ERR_OK) {
        fprintf(stderr, "eider tail: %s\n", e.message);
    }
    return code == ERR_OK ? 0 : code == ERR_NETWORK || code == ERR_INVALID_ARGUMENT ? 2 : 1;
}
