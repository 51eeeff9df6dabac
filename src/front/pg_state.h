/* Inside front/: the state of a PostgreSQL session, and what pg_session.c and pg_extended.c share of
 * it. Functions that return false have told *e why. Thread: that of the step. */
#ifndef FRONT_PG_STATE_H
#define FRONT_PG_STATE_H

#include "pg_command.h"
#include "pg_session.h"

#include <stdatomic.h>

#include "base/list.h"
#include "io/shard.h"
#include "sql/value.h"

#define PG_OUT_MAX ((size_t)256 << 10) /* of one step, then it is sent */

/* A session of SQL beside that of the connection, so that others can ask while its rows are read. Once made
 * they stay until the connection ends, since it may be interrupted at any time. */
struct pg_apart {
    struct list link; /* of pg_session's apart, while nobody has it */
    struct list *home;
    struct sql_session *sql;
};

struct pg_statement {
    struct list link;
    char *name;
    unsigned refs; /* its name, and portals */
    struct arena arena;
    struct pg_command command;
    struct sql_statement *sql;      /* of a query */
    struct sql_statement *declared; /* of DECLARE: the cursor's query, prepared by `apart` */
    struct pg_apart *apart;
    bool empty;
};

struct pg_portal {
    struct list link;
    const char *name;
    struct pg_statement *statement; /* a reference */
    struct arena arena;
    struct sql_parameter *parameters;
    int16_t *formats; /* by column; 1: binary */
    size_t format_count;
    struct sql_statement *sql; /* whose rows it gives; NULL: none */
    struct pg_portal *from;    /* has the result: itself, or of FETCH, while it runs, the cursor */
    struct sql_result *result; /* begun and not at its end */
    size_t rows;               /* of its chunk */
    size_t row;                /* the next one */
    uint64_t sent;             /* rows, by this Execute */
    uint64_t limit;            /* of this Execute; 0: all */
    uint64_t left;             /* rows, of all Executes; of FETCH */
    bool cursor;
    bool kept; /* a cursor WITH HOLD whose transaction has ended well */
    bool done;
    bool lost; /* another statement came in between */
};

/* A query that does not end (sql.h), while it waits for rows: on the shard of the quick steps. */
struct pg_tail {
    struct sql_watch *watch;     /* NULL: there is none */
    struct sql_lookup_wait wait; /* to be called when waiting is over */
    struct timer timer;          /* looks at what nobody tells; runs only while waiting */
    bool waiting;
    bool fired;          /* the watch: there may be rows */
    bool ticked;         /* the timer, once since the last step */
    bool woken;          /* the last step was for rows that may be there */
    uint64_t sent;       /* rows before that */
    uint64_t version;    /* of the catalog that the last step had */
    int64_t deadline_us; /* of the statement; 0: none */
};

struct pg_session {
    struct sql_engine *engine;
    struct pg_key key;
    struct pg_key cancel;
    struct sql_session *sql; /* NULL: before the start */
    bool first;              /* nothing but requests for encryption was taken */
    uint8_t status;          /* 'I', 'T', 'E' */
    bool wrote;              /* in the transaction that is open */
    bool skipping;           /* until Sync */
    bool ended;
    struct list statements;
    struct list portals; /* also cursors */
    struct pg_portal
        *spare;         /* one that was freed, for the next, with memory; NULL: there is none */
    struct list apart;  /* struct pg_apart that nobody has */
    size_t apart_count; /* of all */
    size_t statement_count;
    struct pg_portal *open;              /* has a result; NULL: none */
    struct pg_portal *running;           /* sends rows; NULL: none */
    struct sql_copy_in *copy;            /* data of the client go there; NULL: there is no COPY */
    struct pg_statement *copy_statement; /* a reference */
    bool simple;                         /* for a Query, of which `rest` is left */
    struct pg_portal *simple_portal;
    char *query; /* heap */
    struct bytes rest;
    size_t before;   /* characters of the Query in front of the statement under way */
    char **settings; /* heap, by pg_settings; NULL: as there */
    _Atomic(struct sql_session *)
        interruptible; /* at work, sql or one apart, for others; NULL: before the start */
    atomic_int interrupt;
    bool looked_up;      /* the Execute that is next: its lookup is done */
    struct shard *owner; /* of the last row that was looked up */
    unsigned owner_count;
    struct pg_tail tail;
};

bool pg_failed(struct sql_error *e, const char *state, const char *message);

/* ---- pg_session.c ---- */

const char *pg_setting(const struct pg_session *s, const char *name);
bool pg_set(struct pg_session *s, const struct pg_command *c, struct buffer *out,
            struct sql_error *e);

/* ---- pg_extended.c ---- */

/* Prepares a statement without a name, of which `text` is one. One reference. */
bool pg_statement_make(struct pg_session *s, struct bytes text, const struct sql_source *types,
                       struct pg_statement **ret, struct sql_error *e);
struct pg_statement *pg_statement_find(struct pg_session *s, const char *name);
struct pg_portal *pg_portal_find(struct pg_session *s, const char *name);
void pg_statement_unref(struct pg_statement *st);
void pg_statement_forget(struct pg_session *s, struct pg_statement *st); /* accepts NULL */
struct pg_portal *pg_portal_new(struct pg_session *s, struct pg_statement *st, const char *name);
void pg_portal_free(struct pg_session *s, struct pg_portal *p); /* accepts NULL */
void pg_portal_drop(struct pg_portal *spare);                   /* accepts NULL */
/* Those that do not outlive a transaction. */
void pg_portals_free(struct pg_session *s);
/* The result that is open ends, for DuckDB keeps one per connection. */
void pg_close_open(struct pg_session *s);
/* What has its parameters; NULL: nothing. */
const struct sql_statement *pg_statement_asks(const struct pg_statement *st);
/* What has the columns that a client sees of it, now; NULL: it has none. */
struct sql_statement *pg_statement_shows(struct pg_session *s, const struct pg_statement *st);
/* What is asked next is asked of this session: it can be interrupted, and has not been. */
void pg_asks(struct pg_session *s, struct sql_session *sql);

void pg_put_columns(const struct sql_statement *sql, const int16_t *formats, struct buffer *out);
/* Begins what the portal is: answered at once, or s->running. */
bool pg_run_portal(struct pg_session *s, struct pg_portal *p, struct buffer *out,
                   struct sql_error *e);
/* Rows until there is enough to send; *ret_more: it goes on with the next step. */
bool pg_run_rows(struct pg_session *s, struct pg_portal *p, struct buffer *out, bool *ret_more,
                 struct sql_error *e);

/* ---- pg_cursor.c ---- */

void pg_cursor_init(struct pg_session *s);
/* After all statements and portals. */
void pg_cursor_fini(struct pg_session *s);
/* Prepares the query of a DECLARE. */
bool pg_declare_prepare(struct pg_session *s, struct pg_statement *st, struct bytes text,
                        const struct sql_source *types, struct sql_error *e);
void pg_apart_give(struct pg_apart *a); /* accepts NULL */
bool pg_declare(struct pg_session *s, const struct pg_portal *p, struct buffer *out,
                struct sql_error *e);
/* Begins a FETCH or MOVE, which then sends rows as a query does. */
bool pg_fetch(struct pg_session *s, struct pg_portal *p, struct sql_error *e);
/* What a FETCH that has ended is told by. */
void pg_fetch_tag(const struct pg_portal *p, struct buffer *out);
bool pg_close_cursor(struct pg_session *s, const struct pg_command *c, struct buffer *out,
                     struct sql_error *e);
/* Cursors at the end of a transaction. */
void pg_cursors_end(struct pg_session *s, bool commits);
void pg_cursors_close(struct pg_session *s);
struct pg_portal *pg_cursor_find(struct pg_session *s, const char *name);

/* ---- pg_copy.c ---- */

void pg_copy_out_begin(const struct sql_statement *sql, struct buffer *out);
void pg_copy_out_row(const struct pg_portal *p, struct buffer *out);
void pg_copy_out_end(const struct pg_portal *p, struct buffer *out);
bool pg_copy_in_begin(struct pg_session *s, struct pg_statement *st, struct buffer *out,
                      struct sql_error *e);
/* Drops what is under way, if something is. */
void pg_copy_in_end(struct pg_session *s);
/* A message while data are awaited; it has ended when s->copy is NULL. */
bool pg_on_copy(struct pg_session *s, const struct pg_message *m, struct buffer *out,
                struct sql_error *e);

/* ---- pg_tail.c ---- */

void pg_tail_init(struct pg_session *s);
/* Not on the shard. */
void pg_tail_fini(struct pg_session *s);
/* The portal that sends rows has none for now. Thread: of a step, or the shard. */
bool pg_tail_waits(const struct pg_session *s);
/* A statement begins, which may be one without end. Thread: of a step. */
void pg_tail_begin(struct pg_session *s);
/* It is interrupted, or its time is over. Thread: of a step, or the shard. */
bool pg_tail_stops(struct pg_session *s);
/* One has ended. Thread: of a step. */
void pg_tail_end(struct pg_session *s);
/* Of a quick step: PG_LOOKS_UP as long as there can be nothing, else PG_NEEDS_STEP. Thread: the shard. */
enum pg_step pg_tail_wait(struct pg_session *s, const struct meta_view *view,
                          const struct sql_lookup_wait *wait);
/* Thread: the shard. */
void pg_tail_interrupted(struct pg_session *s);

/* Messages. */
bool pg_on_parse(struct pg_session *s, struct bytes body, struct buffer *out, struct sql_error *e);
bool pg_on_bind(struct pg_session *s, struct bytes body, struct buffer *out, struct sql_error *e);
bool pg_on_describe(struct pg_session *s, struct bytes body, struct buffer *out,
                    struct sql_error *e);
bool pg_on_execute(struct pg_session *s, struct bytes body, struct buffer *out,
                   struct sql_error *e);
bool pg_on_close(struct pg_session *s, struct bytes body, struct buffer *out, struct sql_error *e);

#endif
