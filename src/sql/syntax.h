/* Inside sql/: the syntax tree of a query, as DuckDB writes it in JSON, and changes of the text at places
 * that it names. Thread: any, but that of the session for syntax_ask.
 */
#ifndef SQL_SYNTAX_H
#define SQL_SYNTAX_H

#include "dialect.h"
#include "session.h"

#include "format/json.h"

#define SYNTAX_DEPTH_MAX 96

/* The document of a query, appended to out. ERR_INVALID_ARGUMENT: it is none. */
MUST_USE enum errcode syntax_ask(struct sql_session *s, struct bytes query, struct buffer *out,
                                 struct error *e);
/* The one statement of a document; NULL: it is none, or there are several. All lies in the arena. */
const struct json *syntax_statement(struct bytes json, struct arena *arena);

/* A member, of what may be nothing. */
const struct json *syntax_find(const struct json *object, const char *key);
/* "": there is none. */
const char *syntax_text(const struct json *object, const char *key);
bool syntax_is(const struct json *object, const char *key, const char *text);
/* NULL: there is none. */
const struct json *syntax_list(const struct json *object, const char *key);
/* Absent, null, or without elements. */
bool syntax_is_empty(const struct json *object, const char *key);

/* EXPLAIN [ANALYZE] in front of the text is taken off. */
void syntax_skip_explain(struct bytes *text);

/* ---- changes of a text ---- */

struct edit {
    struct edit *next;
    size_t from; /* [from, to) becomes the text */
    size_t to;
    const char *text;
};

struct edits {
    struct arena *arena;
    struct edit *first; /* by place; of one place, in the order they were added */
};

/* The text is borrowed. One that is there already counts once. */
void edits_add(struct edits *edits, size_t from, size_t to, const char *text);
/* Appends to out, with a 0 byte behind; false: places overlap, or are none. */
MUST_USE bool edits_apply(const struct edits *edits, struct bytes text, struct buffer *out);

#endif
