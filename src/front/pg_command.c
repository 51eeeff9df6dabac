#include "pg_command.h"

#include "pg_fetch.h"

#include <stdlib.h>

#include "sql/pg_setting.h"

bool pg_timeout_parse(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}};
    char *end;
    long long number = strtoll(text, &end, 10);

    end += strspn(end, " ");
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (end != text && strcmp(end, units[i].unit) == 0 && number >= 0 && number <= INT32_MAX) {
            *ret_ms = number * units[i].ms;
            return true;
        }
    }
    return false;
}

const char *pg_command_plain(const struct token *t, struct arena *arena)
{
    struct bytes b = t->text;
    char *text;
    size_t len = 0;

    if ((t->kind != TOKEN_QUOTED && t->kind != TOKEN_STRING) || b.len < 2) {
        return arena_strndup(arena, b.data, b.len);
    }
    text = arena_alloc(arena, b.len);
    for (size_t i = 1; i + 1 < b.len; i++) {
        text[len++] = (char)b.data[i];
        i += b.data[i] == b.data[0] && b.data[i + 1] == b.data[0];
    }
    text[len] = '\0';
    return text;
}

static const char *trimmed(struct bytes text, struct arena *arena)
{
    while (text.len > 0 && strchr(" \t\r\n", text.data[0]) != NULL) {
        text = bytes_slice(text, 1, text.len - 1);
    }
    while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]) != NULL) {
        text.len--;
    }
    return arena_strndup(arena, text.data, text.len);
}

/* SET [SESSION | LOCAL] name {TO | =} value, SET TIME ZONE value, SET TRANSACTION ... */
static struct pg_command set_of(struct bytes rest, struct arena *arena)
{
    struct pg_command c = {.kind = PG_NOTHING, .tag = "SET"};
    struct token t = token_next_solid(&rest);
    struct bytes value;

    if (token_is(&t, "session") || token_is(&t, "local")) {
        t = token_next_solid(&rest);
    }
    if (token_is(&t, "transaction") || token_is(&t, "characteristics") || token_is(&t, "time") ||
        token_is(&t, "names") || t.kind == TOKEN_END) {
        return c;
    }
    c.name = pg_command_plain(&t, arena);
    t = token_next_solid(&rest);
    if (t.kind == TOKEN_END || (!token_is(&t, "to") && !bytes_equal_str(t.text, "="))) {
        return c;
    }
    value = rest;
    t = token_next_solid(&rest);
    c.kind = PG_SET;
    if (token_is(&t, "default")) {
        return c;
    }
    /* a list keeps its commas and quotes, a single value loses its quotes */
    c.value = token_next_solid(&rest).kind == TOKEN_END ? pg_command_plain(&t, arena)
                                                        : trimmed(value, arena);
    return c;
}

static struct pg_command show_of(struct bytes rest, struct arena *arena)
{
    static const char *const isolation[] = {"transaction", "isolation", "level"};
    struct bytes all = rest;
    struct token t = token_next_solid(&rest);
    const char *name = pg_command_plain(&t, arena);

    if (dialect_starts(all, isolation, 3)) {
        name = "transaction_isolation";
    } else if (token_next_solid(&rest).kind != TOKEN_END || pg_setting_find(name) < 0) {
        return (struct pg_command){.kind = PG_QUERY};
    }
    return (struct pg_command){.kind = PG_SHOW, .tag = "SHOW", .name = name};
}

static struct pg_command reset_of(struct bytes rest, struct arena *arena)
{
    struct token t = token_next_solid(&rest);

    if (token_is(&t, "all") || t.kind == TOKEN_END) {
        return (struct pg_command){.kind = PG_NOTHING, .tag = "RESET"};
    }
    return (struct pg_command){.kind = PG_SET, .tag = "RESET", .name = pg_command_plain(&t, arena)};
}

static struct pg_command deallocate_of(struct bytes rest, struct arena *arena)
{
    struct pg_command c = {.kind = PG_DEALLOCATE, .tag = "DEALLOCATE"};
    struct token t = token_next_solid(&rest);

    if (token_is(&t, "prepare")) {
        t = token_next_solid(&rest);
    }
    if (t.kind == TOKEN_WORD && token_is(&t, "all")) {
        c.tag = "DEALLOCATE ALL";
    } else {
        c.name = pg_command_plain(&t, arena);
    }
    return c;
}

struct pg_command pg_command_of(struct bytes statement, struct arena *arena)
{
    static const struct {
        const char *word;
        enum pg_command_kind kind;
        const char *tag;
    } words[] = {
        {"begin", PG_BEGIN, "BEGIN"},
        {"start", PG_BEGIN, "START TRANSACTION"},
        {"commit", PG_COMMIT, "COMMIT"},
        {"end", PG_COMMIT, "COMMIT"},
        {"rollback", PG_ROLLBACK, "ROLLBACK"},
        {"abort", PG_ROLLBACK, "ROLLBACK"},
        {"savepoint", PG_NOTHING, "SAVEPOINT"},
        {"release", PG_NOTHING, "RELEASE"},
        {"discard", PG_DEALLOCATE, "DISCARD ALL"},
        {"unlisten", PG_NOTHING, "UNLISTEN"},
    };
    struct bytes rest = statement;
    struct token first = token_next_solid(&rest);
    struct token second;
    struct bytes behind = rest;
    struct pg_command c;

    if (pg_fetch_parse(statement, arena, &c)) {
        return c;
    }
    if (token_is(&first, "set")) {
        return set_of(rest, arena);
    }
    if (token_is(&first, "show")) {
        return show_of(rest, arena);
    }
    if (token_is(&first, "reset")) {
        return reset_of(rest, arena);
    }
    if (token_is(&first, "deallocate")) {
        return deallocate_of(rest, arena);
    }
    second = token_next_solid(&behind);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (token_is(&first, words[i].word)) {
            bool to = words[i].kind == PG_ROLLBACK && token_is(&second, "to");

            return (struct pg_command){.kind = to ? PG_ROLLBACK_TO : words[i].kind,
                                       .tag = words[i].tag};
        }
    }
    return (struct pg_command){.kind = PG_QUERY};
}
