/* eider tables and eider describe: what a cluster has, over the Fluss protocol. */
#include "cmd.h"
#include "flag.h"
#include "tool_client.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/terminal.h"
#include "shell/shell.h"

#define SERVER_DEFAULT "127.0.0.1:9123"
#define INT8_OID       20
#define TEXT_OID       25
#define COLUMNS_MAX    8

#define COMMON_USAGE                                                                               \
    "  --server HOST:PORT  any server of the cluster (default " SERVER_DEFAULT ")\n"               \
    "  --format NAME       box, markdown, csv, json, jsonl or arrow (default box)\n"               \
    "  -h, --help          print this\n"

static const char tables_usage[] =
    "usage: eider tables [DATABASE] [--server HOST:PORT] [--format NAME]\n"
    "\n"
    "Lists the tables of all databases or of one: their kind, buckets, partitions.\n"
    "\n" COMMON_USAGE;

static const char describe_usage[] =
    "usage: eider describe DATABASE.TABLE [--server HOST:PORT] [--format NAME] [--buckets]\n"
    "\n"
    "Columns, keys and options of a table, and of each bucket the leader, the first offset that "
    "is\n"
    "still there and the next one. With another format than box the columns only, or with "
    "--buckets\n"
    "the buckets only.\n"
    "\n"
    "  --buckets           the buckets only\n" COMMON_USAGE;

struct tables_args {
    const char *command;
    const char *usage;
    const char *name; /* NULL: none */
    struct place place;
    enum output_format format;
    bool buckets;
    bool help;
};

/* A table that is being shown: cells are texts, NULL is NULL. */
struct shown {
    struct output output;
    struct output_options options;
    struct sink sink;
    struct client_column columns[COLUMNS_MAX];
    size_t count;
};

/* ---- arguments ---- */

static enum errcode parse_word(int argc, char **argv, int *at, struct tables_args *a,
                               struct error *e)
{
    const char *word = argv[*at];
    const char *server = flag_value("--server", argc, argv, at);
    const char *format = server == NULL ? flag_value("--format", argc, argv, at) : NULL;

    if (server != NULL) {
        return place_parse(server, "--server", &a->place, e);
    }
    if (format != NULL) {
        return output_format_parse(format, &a->format)
                   ? ERR_OK
                   : error_set(e, ERR_INVALID_ARGUMENT, "--format: found \"%.40s\", expected %s",
                               format, output_format_names);
    }
    if (strcmp(word, "--buckets") == 0 && a->usage == describe_usage) {
        a->buckets = true;
    } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        a->help = true;
    } else if (word[0] == '-' || a->name != NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "found \"%.80s\", expected what 'eider %s --help' lists", word,
                         a->command);
    } else {
        a->name = word;
    }
    return ERR_OK;
}

static enum errcode parse(int argc, char **argv, struct tables_args *a, struct error *e)
{
    TRY(place_parse(SERVER_DEFAULT, "--server", &a->place, e));
    for (int at = 1; at < argc && !a->help; at++) {
        TRY(parse_word(argc, argv, &at, a, e));
    }
    if (!a->help && a->name == NULL && a->usage == describe_usage) {
        return error_set(e, ERR_INVALID_ARGUMENT, "expected DATABASE.TABLE");
    }
    return ERR_OK;
}

/* ---- showing ---- */

/* names: the first `numbers` of them from the end are numbers. */
static void shown_begin(struct shown *s, const struct tables_args *a, const char *const *names,
                        size_t count, size_t numbers)
{
    ASSERT(count <= COLUMNS_MAX);
    s->options = (struct output_options){
        .format = a->format, .bare = true, .width = terminal_columns(STDOUT_FILENO)};
    s->options.bare = a->format == OUTPUT_BOX;
    s->output = (struct output){.options = &s->options, .sink = &s->sink};
    s->count = count;
    sink_init(&s->sink, STDOUT_FILENO);
    for (size_t i = 0; i < count; i++) {
        s->columns[i] = (struct client_column){
            .name = names[i], .type = i + numbers >= count ? INT8_OID : TEXT_OID, .modifier = -1};
    }
    output_begin(&s->output, s->columns, count);
}

static void shown_row(struct shown *s, const char *const *texts)
{
    struct client_cell cells[COLUMNS_MAX];

    for (size_t i = 0; i < s->count; i++) {
        cells[i] = (struct client_cell){
            .null = texts[i] == NULL, .text = texts[i] == NULL ? BYTES_EMPTY : bytes_str(texts[i])};
    }
    output_row(&s->output, cells);
}

static void shown_end(struct shown *s)
{
    output_end(&s->output);
    sink_fini(&s->sink);
    arena_fini(&s->output.arena);
}

/* ---- tables ---- */

static enum errcode list_database(struct tool_client *t, const char *database, struct shown *to,
                                  struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list tables;

    TRY(tool_tables(t, database, &arena, &tables, e));
    for (size_t i = 0; i < tables.count; i++) {
        OWNED(tool_table_fini) struct tool_table table = {.id = -1};
        enum errcode code = tool_table_get(t, database, tables.items[i], &arena, &table, e);

        if (code == ERR_TABLE_NOT_EXIST) {
            continue; /* dropped meanwhile */
        }
        if (code != ERR_OK) {
            return code;
        }
        shown_row(to, (const char *const[]){
                          database, tables.items[i],
                          table_has_primary_key(table.descriptor) ? "primary key" : "log",
                          arena_printf(&arena, "%" PRId64, table.id),
                          arena_printf(&arena, "%u", table.descriptor->def.schema->count),
                          arena_printf(&arena, "%" PRId32, table.descriptor->def.bucket_count),
                          table_is_partitioned(table.descriptor)
                              ? arena_printf(&arena, "%zu", table.partition_count)
                              : NULL});
    }
    return ERR_OK;
}

static enum errcode tables_show(const struct tables_args *a, struct tool_client *t, struct error *e)
{
    static const char *const names[] = {"database", "table",   "kind",      "id",
                                        "columns",  "buckets", "partitions"};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct text_list databases = {.items = &a->name, .count = 1};
    enum errcode code = ERR_OK;
    struct shown s;

    if (a->name == NULL) {
        TRY(tool_databases(t, &arena, &databases, e));
    }
    shown_begin(&s, a, names, ARRAY_LEN(names), 4);
    for (size_t i = 0; i < databases.count && code == ERR_OK; i++) {
        code = list_database(t, databases.items[i], &s, e);
    }
    shown_end(&s);
    return code;
}

/* ---- describe ---- */

static void show_columns(const struct tables_args *a, const struct tool_table *table)
{
    static const char *const names[] = {"column", "type", "key", "comment"};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct table_def *def = &table->descriptor->def;
    struct shown s;

    shown_begin(&s, a, names, ARRAY_LEN(names), 0);
    for (uint32_t i = 0; i < def->schema->count; i++) {
        const struct schema_column *c = &def->schema->columns[i];
        bool primary = schema_is_primary_key(def->schema, i);
        bool partition = text_list_contains(def->partition_keys, c->name);
        bool bucket = text_list_contains(def->bucket_keys, c->name);
        char *key = arena_printf(&arena, "%s%s%s", primary ? ", primary" : "",
                                 bucket ? ", bucket" : "", partition ? ", partition" : "");

        shown_row(&s, (const char *const[]){c->name,
                                            arena_printf(&arena, "%s", type_text(c->type).text),
                                            key[0] == '\0' ? NULL : key + 2, c->comment});
    }
    shown_end(&s);
}

static enum errcode show_buckets(const struct tables_args *a, const struct tool_table *table,
                                 struct error *e)
{
    static const char *const names[] = {"partition", "bucket", "leader", "first offset",
                                        "next offset"};
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    int64_t *first = arena_array(&arena, table->bucket_count, sizeof *first);
    int64_t *next = arena_array(&arena, table->bucket_count, sizeof *next);
    struct shown s;

    TRY(tool_offsets(table, (struct tool_where){.type = TOOL_EARLIEST}, first, e));
    TRY(tool_offsets(table, (struct tool_where){.type = TOOL_LATEST}, next, e));
    shown_begin(&s, a, names, ARRAY_LEN(names), 4);
    for (size_t i = 0; i < table->bucket_count; i++) {
        const struct tool_bucket *b = &table->buckets[i];
        const int64_t numbers[] = {b->bucket, b->leader, first[i], next[i]};
        const char *texts[5] = {b->partition};

        for (size_t k = 0; k < ARRAY_LEN(numbers); k++) {
            texts[k + 1] = numbers[k] < 0 ? NULL : arena_printf(&arena, "%" PRId64, numbers[k]);
        }
        shown_row(&s, texts);
    }
    shown_end(&s);
    return ERR_OK;
}

static void print_options(const struct text_map *options, const char *what)
{
    for (size_t i = 0; i < options->count; i++) {
        printf("%s %s = %s\n", what, options->items[i].key, options->items[i].value);
    }
}

static void print_head(const char *name, const struct tool_table *table, struct arena *arena)
{
    const struct table_def *def = &table->descriptor->def;
    time_t seconds = (time_t)(table->created_ms / 1000);
    struct tm when;
    char text[32] = "";

    if (gmtime_r(&seconds, &when) != NULL) {
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &when);
    }
    printf("%s: a %s, id %" PRId64 ", schema %" PRId32 ", created %s\n", name,
           table_has_primary_key(table->descriptor) ? "table with a primary key" : "log table",
           table->id, table->schema_id, text);
    if (def->comment != NULL) {
        printf("%s\n", def->comment);
    }
    printf("%" PRId32 " bucket%s", def->bucket_count, def->bucket_count == 1 ? "" : "s");
    if (def->bucket_keys.count > 0) {
        printf(" by %s", text_list_text(def->bucket_keys, arena));
    }
    if (def->partition_keys.count > 0) {
        printf(", %zu partition%s by %s", table->partition_count,
               table->partition_count == 1 ? "" : "s", text_list_text(def->partition_keys, arena));
    }
    printf("\n");
    print_options(&def->properties, "option");
    print_options(&def->custom_properties, "custom option");
    (void)fflush(stdout);
}

static enum errcode describe_show(const struct tables_args *a, struct tool_client *t,
                                  struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(tool_table_fini) struct tool_table table = {.id = -1};
    const char *database;
    const char *name;

    TRY(tool_path_parse(a->name, &arena, &database, &name, e));
    TRY(tool_table_get(t, database, name, &arena, &table, e));
    if (!a->buckets) {
        if (a->format == OUTPUT_BOX) {
            print_head(a->name, &table, &arena);
        }
        show_columns(a, &table);
    }
    return a->buckets || a->format == OUTPUT_BOX ? show_buckets(a, &table, e) : ERR_OK;
}

/* ---- both ---- */

static int run(int argc, char **argv, struct tables_args *a,
               enum errcode (*show)(const struct tables_args *a, struct tool_client *t,
                                    struct error *e))
{
    OWNED(tool_close) struct tool_client t = {.node_count = 0};
    struct error e;
    enum errcode code;

    if (parse(argc, argv, a, &e) != ERR_OK) {
        fprintf(stderr, "eider %s: %s\n", a->command, e.message);
        return 2;
    }
    if (a->help) {
        printf("%s", a->usage);
        return 0;
    }
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters */
    code = tool_open(&a->place, "eider-tables", TOOL_TIMEOUT_US, &t, &e);
    if (code == ERR_OK) {
        code = show(a, &t, &e);
    }
    if (code != ERR_OK) {
        fprintf(stderr, "eider %s: %s\n", a->command, e.message);
    }
    return code == ERR_OK ? 0 : code == ERR_NETWORK || code == ERR_INVALID_ARGUMENT ? 2 : 1;
}

int cmd_tables(int argc, char **argv)
{
    struct tables_args a = {.command = "tables", .usage = tables_usage};

    return run(argc, argv, &a, tables_show);
}

int cmd_describe(int argc, char **argv)
{
    struct tables_args a = {.command = "describe", .usage = describe_usage};

    return run(argc, argv, &a, describe_show);
}
