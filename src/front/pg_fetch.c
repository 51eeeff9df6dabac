#include "pg_fetch.h"

#include <ctype.h>
#include <stdlib.h>

#include "sql/dialect.h"

struct fetch {
    struct token token; /* in front */
    struct bytes rest;  /* behind it */
    struct arena *arena;
};

static void next(struct fetch *f) { f->token = token_next_solid(&f->rest); }

static bool at(const struct fetch *f, const char *word)
{
    return f->token.kind == TOKEN_WORD && token_is(&f->token, word);
}

static bool take(struct fetch *f, const char *word)
{
    bool there = at(f, word);

    if (there) {
        next(f);
    }
    return there;
}

static struct pg_command refused(const char *state, const char *message)
{
    return (struct pg_command){.kind = PG_REFUSED, .tag = "", .name = state, .value = message};
}

static struct pg_command wrong(const char *message) { return refused("42601", message); }

/* As it is, or in lower case where it has no quotes; NULL: there is none in front. */
static const char *take_name(struct fetch *f)
{
    const char *name = NULL;

    if (f->token.kind == TOKEN_QUOTED) {
        name = pg_command_plain(&f->token, f->arena);
    } else if (f->token.kind == TOKEN_WORD) {
        char *lower = arena_strndup(f->arena, f->token.text.data, f->token.text.len);

        for (char *c = lower; *c != '\0'; c++) {
            *c = (char)tolower((unsigned char)*c);
        }
        name = lower;
    }
    next(f);
    return name;
}

static bool has_ended(const struct fetch *f) { return f->token.kind == TOKEN_END; }

/* ---- DECLARE ---- */

static struct pg_command declare(struct fetch *f)
{
    static const char form[] = "the form is DECLARE name CURSOR FOR query";
    struct pg_command c = {.kind = PG_DECLARE, .tag = "DECLARE CURSOR", .name = take_name(f)};
    bool back = false;

    while (!at(f, "cursor") && !has_ended(f)) {
        if (take(f, "no")) {
            if (!take(f, "scroll")) {
                return wrong(form);
            }
        } else if (take(f, "scroll")) {
            back = true;
        } else if (take(f, "binary")) {
            c.binary = true;
        } else if (!take(f, "insensitive") && !take(f, "asensitive")) {
            return wrong(form);
        }
    }
    next(f);
    if (take(f, "with")) {
        c.hold = true;
    }
    if (((c.hold || take(f, "without")) && !take(f, "hold")) || !at(f, "for") || c.name == NULL) {
        return wrong(form);
    }
    c.value = arena_strndup(f->arena, f->rest.data, f->rest.len);
    return back ? refused("0A000", "cursors go forward only: SCROLL is not served") : c;
}

/* ---- FETCH and MOVE ---- */

/* "[-] n" in front; false: there is none. */
static bool take_count(struct fetch *f, bool *ret_back, uint64_t *ret)
{
    struct fetch ahead = *f;
    const char *digits;
    char *end;

    *ret_back = ahead.token.kind == TOKEN_OTHER && bytes_equal_str(ahead.token.text, "-");
    if (*ret_back) {
        next(&ahead);
    }
    if (ahead.token.kind != TOKEN_NUMBER || ahead.token.text.len > 18) {
        return false;
    }
    digits = arena_strndup(f->arena, ahead.token.text.data, ahead.token.text.len);
    *ret = strtoull(digits, &end, 10);
    if (*end != '\0') {
        return false;
    }
    next(&ahead);
    *f = ahead;
    return true;
}

static bool is_other_way(const struct fetch *f)
{
    static const char *const ways[] = {"first", "last", "absolute", "relative"};

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (at(f, ways[i])) {
            return true;
        }
    }
    return false;
}

static bool is_last_word(const struct fetch *f)
{
    struct bytes rest = f->rest;

    return token_next_solid(&rest).kind == TOKEN_END;
}

static struct pg_command fetch(struct fetch *f, bool moves)
{
    struct pg_command c = {.kind = PG_FETCH, .tag = "", .moves = moves, .rows = 1};
    bool back = false;
    bool counted;

    if (!is_last_word(f)) { /* which is the name, whatever it is */
        if (is_other_way(f)) {
            return refused("0A000", "cursors are read by numbers of rows forward only");
        }
        if (at(f, "prior") || at(f, "backward")) {
            return refused("55000", "cursor can only scan forward");
        }
        if (!take(f, "next")) {
            (void)take(f, "forward");
            counted = take_count(f, &back, &c.rows);
            if (!counted && take(f, "all")) {
                c.rows = UINT64_MAX;
            }
        }
        if (!take(f, "from")) {
            (void)take(f, "in");
        }
    }
    c.name = take_name(f);
    if (c.name == NULL || !has_ended(f)) {
        return wrong("the form is FETCH [FORWARD] [number | ALL] FROM name");
    }
    return back || c.rows == 0 ? refused("55000", "cursor can only scan forward") : c;
}

/* ---- all of them ---- */

static struct pg_command close_of(struct fetch *f)
{
    struct pg_command c = {.kind = PG_CLOSE, .tag = "CLOSE CURSOR"};

    if (take(f, "all")) {
        c.tag = "CLOSE CURSOR ALL";
    } else {
        c.name = take_name(f);
        if (c.name == NULL) {
            return wrong("the form is CLOSE name");
        }
    }
    return has_ended(f) ? c : wrong("the form is CLOSE name");
}

bool pg_fetch_parse(struct bytes statement, struct arena *arena, struct pg_command *ret)
{
    struct fetch f = {.rest = statement, .arena = arena};

    next(&f);
    if (take(&f, "declare")) {
        *ret = declare(&f);
    } else if (at(&f, "fetch") || at(&f, "move")) {
        bool moves = at(&f, "move");

        next(&f);
        *ret = fetch(&f, moves);
    } else if (take(&f, "close")) {
        *ret = close_of(&f);
    } else {
        return false;
    }
    return true;
}
