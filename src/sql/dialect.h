/* The text of statements: tokens as PostgreSQL cuts them, and the few places where what its clients
 * write is not what DuckDB reads.
 *
 *   pg_catalog.x             x: ours (pg_catalog.h) are found before DuckDB's
 *   OPERATOR(pg_catalog.=)   =
 *   COLLATE pg_catalog.default   nothing
 *   $1                       CAST($1 AS type), when its type is known
 *   information_schema.x     ours (pg_information.h)
 *   'x'::regclass            a look-up by name; so with regtype, regproc, regnamespace
 *   ::oid                    ::UINTEGER, which is an oid to clients (value.h)
 *   '{a,b}'::text[]          '[a,b]'::text[]
 *   json_build_object        json_object, and so on
 * Thread: any.
 */
#ifndef SQL_DIALECT_H
#define SQL_DIALECT_H

#include "base/buffer.h"

enum token_kind {
    TOKEN_END,
    TOKEN_SPACE, /* and comments */
    TOKEN_WORD,
    TOKEN_QUOTED, /* "name" */
    TOKEN_STRING, /* 'x', E'x', $x$x$x$ */
    TOKEN_NUMBER,
    TOKEN_PARAMETER, /* $1 */
    TOKEN_SEMICOLON,
    TOKEN_OTHER, /* one byte */
};

struct token {
    enum token_kind kind;
    struct bytes text;
};

/* Takes the next token off the text; what is not closed reaches to the end. */
struct token token_next(struct bytes *text);
/* The same without space. */
struct token token_next_solid(struct bytes *text);
/* A word or quoted name of these letters, in any case. */
bool token_is(const struct token *t, const char *word);

/* Takes the first statement off the text, without its semicolon; false: nothing but space is left. */
bool dialect_split(struct bytes *text, struct bytes *ret);
/* The n-th word, from 0, is this one, in any case. */
bool dialect_starts(struct bytes statement, const char *const *words, size_t count);

/* Of parameters whose type is 0, that to which the text casts them ($1::date), if it is a known one, and
 * bigint in range($1, 10) and generate_series. */
void dialect_parameter_types(struct bytes statement, uint32_t *types, size_t count);
/* casts: by parameter, from $1 on; NULL entries: none. Appends to out, with a 0 byte behind. */
void dialect_rewrite(struct bytes statement, const char *const *casts, size_t count,
                     struct buffer *out);
/* The same with a null, which DuckDB does not see before it runs, in the places of the parameters; those
 * without a cast are text. */
void dialect_rewrite_nulls(struct bytes statement, const char *const *casts, size_t count,
                           struct buffer *out);

#endif
