/* Inside sql/: SELECT … FROM TAIL('db.t'), a query that has no end: its rows are those that are appended
 * to a log, or to the changelog of a primary-key table, while it runs.
 *
 * The query is run again and again, each time over what has been added since: an increment, from the place
 * in each bucket where the last one ended up to the high watermark. That is right for queries whose rows
 * depend on one row of the log each; all others are refused. Between increments nothing is held but the
 * places, of the buckets only that WHERE leaves in. Thread: that of the session.
 */
#ifndef SQL_TAIL_H
#define SQL_TAIL_H

#include "predicate.h"
#include "session.h"

#include "format/json.h"

struct sql_result;
struct sql_statement;

enum tail_from { TAIL_LATEST, TAIL_EARLIEST, TAIL_OFFSET, TAIL_TIME };

struct tail {
    int64_t table_id;
    int32_t schema_id; /* rows have its columns, whatever the table gets */
    bool keyed;
    const char *name;  /* "db.t" */
    const char *probe; /* a column of it, as the query calls it: in SQL */
    enum tail_from from;
    int64_t at; /* offset, or milliseconds since 1970 */
    bool limited;
    struct operand limit; /* of rows, when limited */
};

/* Whether a part of FROM is one. */
bool tail_is(const struct json *from);
/* Whether there is one anywhere in a text that is a query. */
bool tail_is_mentioned(struct bytes text);
/* The query of a statement that mentions one. *ret lies in the arena; NULL: there is none after all. False:
 * 0A000 if it is more than rows of a TAIL, or what is wrong with its arguments. */
MUST_USE bool tail_parse(struct sql_session *s, const struct json *query, struct arena *arena,
                         const struct tail **ret, struct sql_error *e);
/* The text with one more column, appended to out: it cannot be bound if there is an aggregate. */
void tail_probe(const struct tail *tail, struct bytes text, struct buffer *out);

/* ---- running ---- */

struct tail_run {
    const struct sql_statement *statement;
    const struct tail *tail;
    struct sql_parameter *parameters; /* a copy: what WHERE leaves out is found anew each time */
    struct arena arena;
    struct sql_places places; /* where the next increment begins */
    uint64_t left;            /* rows */
    bool waits;               /* there is nothing for now */
};

MUST_USE bool tail_run_new(const struct sql_statement *st, const struct sql_parameter *parameters,
                           struct tail_run **ret, struct sql_error *e);
void tail_run_free(struct tail_run *run); /* accepts NULL */
/* Takes what has been added as the cut of the statement, and moves on; *ret_found false: nothing. */
MUST_USE bool tail_advance(struct tail_run *run, struct sql_session *s, bool *ret_found,
                           struct sql_error *e);

#endif
