#include "complete.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define NAMES                                                                                      \
    "SELECT schema_name FROM information_schema.schemata WHERE catalog_name = current_database() " \
    "UNION SELECT table_name FROM information_schema.tables WHERE table_catalog = "                \
    "current_database() UNION SELECT column_name FROM information_schema.columns WHERE "           \
    "table_catalog = current_database()"
#define MATCHES_MAX 1000

static const char *const keywords[] = {
    "ALTER",       "AND",      "AS",        "ASC",    "BETWEEN", "BY",       "CASE",    "CAST",
    "COLUMN",      "COPY",     "COUNT",     "CREATE", "CROSS",   "DATABASE", "DELETE",  "DESC",
    "DESCRIBE",    "DISTINCT", "DROP",      "ELSE",   "END",     "EXISTS",   "EXPLAIN", "FALSE",
    "FROM",        "FULL",     "GROUP",     "HAVING", "ILIKE",   "IN",       "INNER",   "INSERT",
    "INTERVAL",    "INTO",     "IS",        "JOIN",   "KEY",     "LEFT",     "LIKE",    "LIMIT",
    "NOT",         "NULL",     "OFFSET",    "ON",     "OR",      "ORDER",    "OVER",    "PARTITION",
    "PARTITIONED", "PRIMARY",  "QUALIFY",   "RIGHT",  "SCHEMA",  "SELECT",   "SET",     "SHOW",
    "STDIN",       "SUM",      "SUMMARIZE", "TABLE",  "TABLES",  "THEN",     "TO",      "TRUE",
    "UNION",       "UPDATE",   "USING",     "VALUES", "VIEW",    "WHEN",     "WHERE",   "WINDOW",
    "WITH",
};

void complete_fini(struct complete *c)
{
    arena_fini(&c->arena);
    *c = (struct complete){.count = 0};
}

static int by_name(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

void complete_set(struct complete *c, const char **names, size_t count)
{
    if (count > 0) {
        qsort(names, count, sizeof *names, by_name);
    }
    c->names = names;
    c->count = count;
    c->fresh = true;
}

/* Names that are not what an unquoted word says. */
static const char *quoted(const char *name, struct arena *arena)
{
    bool plain = !isdigit((unsigned char)name[0]) && name[0] != '\0';

    for (const char *p = name; *p != '\0'; p++) {
        plain = plain && (isalnum((unsigned char)*p) || *p == '_');
    }
    return arena_printf(arena, plain ? "%s" : "\"%s\"", name);
}

static enum errcode collect(struct complete *c, struct client *client, const char **names,
                            size_t *count, struct error *e)
{
    OWNED(arena_fini) struct arena row = ARENA_INIT;
    struct client_event event;
    struct client_cell *cells;
    size_t columns;

    TRY(client_query(client, bytes_str(NAMES), e));
    do {
        TRY(client_next(client, &event, e));
        if (event.kind == CLIENT_ROW && *count < COMPLETE_NAMES_MAX) {
            TRY(client_cells(&event, &row, &cells, &columns, e));
            if (columns == 1 && !cells[0].null) {
                names[(*count)++] =
                    quoted(arena_strndup(&row, cells[0].text.data, cells[0].text.len), &c->arena);
            }
            arena_reset(&row);
        }
    } while (event.kind != CLIENT_READY);
    return ERR_OK;
}

enum errcode complete_refresh(struct complete *c, struct client *client, struct error *e)
{
    const char **names;
    size_t count = 0;

    if (c->fresh) {
        return ERR_OK;
    }
    complete_fini(c);
    names = arena_array(&c->arena, COMPLETE_NAMES_MAX, sizeof *names);
    TRY(collect(c, client, names, &count, e));
    complete_set(c, names, count);
    return ERR_OK;
}

/* ---- finding ---- */

static bool is_word(uint8_t c) { return isalnum(c) || c == '_' || c == '$' || c >= 0x80; }

static struct bytes last_word(struct bytes before)
{
    size_t from = before.len;

    while (from > 0 && is_word(before.data[from - 1])) {
        from--;
    }
    if (from > 0 && before.data[from - 1] == '"') {
        from--;
    }
    return bytes_slice(before, from, before.len - from);
}

/* A word in quotes matches quoted names only; another one names with and without. */
static bool starts(const char *name, struct bytes word)
{
    size_t skip = name[0] == '"' && word.len > 0 && word.data[0] != '"' ? 1 : 0;

    return strncasecmp(name + skip, (const char *)word.data, word.len) == 0 &&
           strlen(name) >= skip + word.len;
}

/* A keyword in the letters of what is typed. */
static const char *in_case_of(struct bytes word, const char *keyword, struct arena *arena)
{
    char *text = arena_strndup(arena, keyword, strlen(keyword));

    if (word.len > 0 && islower(word.data[word.len - 1])) {
        for (char *p = text; *p != '\0'; p++) {
            *p = (char)tolower((unsigned char)*p);
        }
    }
    return text;
}

void complete_find(const struct complete *c, struct bytes before, struct arena *arena,
                   struct edit_matches *ret)
{
    const char **items = arena_array(arena, MATCHES_MAX, sizeof *items);
    struct bytes word = last_word(before);
    bool qualified = word.len < before.len && before.data[before.len - word.len - 1] == '.';
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(keywords) && !qualified && word.len > 0; i++) {
        if (starts(keywords[i], word)) {
            items[count++] = in_case_of(word, keywords[i], arena);
        }
    }
    for (size_t i = 0; i < c->count && count < MATCHES_MAX; i++) {
        if (starts(c->names[i], word)) {
            items[count++] = c->names[i];
        }
    }
    qsort(items, count, sizeof *items, by_name);
    *ret = (struct edit_matches){.items = items, .count = count, .typed = word.len};
}
