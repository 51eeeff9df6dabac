/* Inside sql/: a cursor over the tokens of a statement that DuckDB does not read, for its parsers.
 *
 * What fails has told *e why, with the position of the token in front: functions that return false
 * are to be left at once. Names without quotes are folded to lower case, as PostgreSQL does. Texts lie
 * in the arena. Thread: any.
 */
#ifndef SQL_PARSE_H
#define SQL_PARSE_H

#include "dialect.h"
#include "sql.h"

#include "base/arena.h"

struct parse {
    struct bytes text; /* all of it */
    struct bytes rest; /* behind the token in front */
    struct token token;
    struct arena *arena;
    struct sql_error *e;
};

void parse_init(struct parse *p, struct bytes text, struct arena *arena, struct sql_error *e);
void parse_next(struct parse *p);

/* Where the token in front begins. */
size_t parse_offset(const struct parse *p);
/* The position of a byte as clients count, in characters from 1. */
size_t parse_position(struct bytes text, size_t offset);

/* These take the token in front if it is this one. Words are in any case and without quotes. */
bool parse_word(struct parse *p, const char *word);
bool parse_words(struct parse *p, const char *first, const char *second);
bool parse_byte(struct parse *p, char c);
/* Whether it is in front; nothing is taken. */
bool parse_at_word(const struct parse *p, const char *word);
bool parse_at_byte(const struct parse *p, char c);
bool parse_at_end(const struct parse *p);
/* 1 of an opening bracket of any kind, -1 of a closing one, else 0. */
int parse_bracket(const struct token *t);

/* Always false: 42601, and what was expected. */
bool parse_expected(struct parse *p, const char *what);
bool parse_failed(struct parse *p, const char *state, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Adds a hint to what has just failed. */
bool parse_hint(struct parse *p, const char *hint);

MUST_USE bool parse_need_word(struct parse *p, const char *word);
MUST_USE bool parse_need_byte(struct parse *p, char c);
MUST_USE bool parse_need_end(struct parse *p);
MUST_USE bool parse_name(struct parse *p, const char **ret);
MUST_USE bool parse_string(struct parse *p, const char **ret);
MUST_USE bool parse_integer(struct parse *p, int32_t *ret);
/* "(a, b)" */
struct parse_names {
    const char **items;
    size_t count;
};
MUST_USE bool parse_name_list(struct parse *p, struct parse_names *ret);

/* What a table or database is called by. */
struct sql_name {
    const char *database; /* NULL: of the search path */
    const char *name;
    bool exact; /* the name was quoted: its case counts */
    size_t position;
};
/* [catalog .] [database .] name */
MUST_USE bool parse_table(struct parse *p, struct sql_name *ret);

/* The next place in an array of the arena that grows by doubling; zeroed. */
void *parse_grow(struct arena *arena, void *items, size_t *count, size_t size);

#endif
