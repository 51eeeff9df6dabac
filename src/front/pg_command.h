/* Statements that are answered without a query. Pure. */
#ifndef FRONT_PG_COMMAND_H
#define FRONT_PG_COMMAND_H

#include "base/arena.h"
#include "sql/dialect.h"

enum pg_command_kind {
    PG_QUERY, /* none of these */
    PG_BEGIN,
    PG_COMMIT,
    PG_ROLLBACK,
    PG_ROLLBACK_TO, /* a savepoint */
    PG_SET,         /* name, value; value NULL: the default */
    PG_SHOW,        /* name */
    PG_DEALLOCATE,  /* name; NULL: all */
    PG_DECLARE,     /* name, value: the query */
    PG_FETCH,       /* name, rows, moves; also MOVE */
    PG_CLOSE,       /* name; NULL: all */
    PG_REFUSED,     /* name: an SQLSTATE, value: the message */
    PG_NOTHING,     /* has no effect here */
};

struct pg_command {
    enum pg_command_kind kind;
    const char *tag; /* of CommandComplete */
    const char *name;
    const char *value;
    uint64_t rows; /* UINT64_MAX: all */
    bool moves;    /* they are not to be seen */
    bool binary;   /* of DECLARE, as what follows */
    bool hold;     /* beyond the transaction */
};

/* Texts lie in the arena. */
struct pg_command pg_command_of(struct bytes statement, struct arena *arena);
/* The name or value a token stands for: without its quotes, and a doubled one inside once. */
const char *pg_command_plain(const struct token *t, struct arena *arena);

/* Milliseconds from a value of statement_timeout: a number, or one with ms, s, min, h. */
MUST_USE bool pg_timeout_parse(const char *text, int64_t *ret_ms);

#endif
