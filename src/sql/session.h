/* Inside sql/: one instance of DuckDB for the server, and its sessions, each a connection of DuckDB
 * with what its statement under way reads.
 *
 * The instance is made when the first session is opened. Its catalog (a schema per database, a view
 * per relation, relations.h) follows the server's: a statement first brings it up to the view it was
 * given. Locks guard what DuckDB calls back from threads of its own.
 */
#ifndef SQL_SESSION_H
#define SQL_SESSION_H

#include "cut.h"
#include "duckdb.h"
#include "sql.h"

#include "base/list.h"
#include "base/map.h"
#include "io/lock.h"

struct relation;     /* relations.c */
struct copy_reader;  /* copy_reader.h */
struct column_cache; /* column_cache.h */

struct sql_engine {
    struct sql_options options;
    struct sql_world world;
    struct lock
        lock; /* of all that follows, but for what is constant once open; not in callbacks */
    bool open;
    struct duckdb duckdb;
    void *db;
    struct lock sessions_lock; /* of sessions alone; nothing of DuckDB is called under it */
    struct map sessions;       /* id of the connection -> struct sql_session */
    struct sql_session *owner; /* defines the relations */
    uint64_t view_version;     /* they are as of this view */
    struct relation *relations;
    size_t relation_count;
    char **schemas;
    size_t schema_count;
    struct column_cache *cache; /* constant once open; NULL: the options want none */
    void *files; /* the instance that sees files of COPY (parquet.h); NULL: none is open */
    _Atomic uint64_t spooled; /* bytes in them */
    struct map writings;      /* number -> struct parquet_writing; also under sessions_lock */
    uint64_t writing_last;
};

struct session_cut {
    struct list link;
    struct sql_cut *cut;
};

struct sql_session {
    struct sql_engine *engine;
    void *connection;
    uint64_t id;
    struct meta_view *view;          /* a reference: what the statement under way is about */
    struct meta_view *next_view;     /* a reference: and the next one */
    struct lock lock;                /* of cuts: scans begin on threads of DuckDB, too */
    struct list cuts;                /* of the statement under way */
    struct sql_statement *preparing; /* is told the tables that it names; NULL: none */
    bool counts;                     /* its plan depends on how many rows they have */
    char **path;                     /* heap: databases whose tables need no qualification */
    size_t path_count;
    struct copy_reader *incoming; /* rows of COPY that are being cast; NULL: none */
    struct lock second_lock;      /* of second alone; DuckDB is only interrupted under it */
    void *second;                 /* a connection that is at work for it, too; NULL: none */
};

/* The cut of the table that the statement under way reads, a reference; made at the first call. */
MUST_USE enum errcode session_take_cut(struct sql_session *s, const struct meta_table *table,
                                       bool current, struct sql_cut **ret, struct error *e);
/* It is to be there, without what is left out, which is taken over; NULL: nothing. */
MUST_USE enum errcode session_make_cut(struct sql_session *s, const struct meta_table *table,
                                       bool current, struct prune *prune, struct error *e);
/* A statement that is being prepared names the table. */
void session_note_table(struct sql_session *s, const struct meta_table *table, bool current);
struct tail;
/* A statement that is being prepared is one over TAIL; copied. */
void session_note_tail(struct sql_session *s, const struct tail *tail);
/* A new statement begins. */
void session_cuts_clear(struct sql_session *s);
/* No statement is under way: next_view becomes the view. */
void session_adopt_view(struct sql_session *s);
/* The same, and brings the relations up to it. */
void session_refresh(struct sql_session *s);
/* An interrupt of the session is one of this connection, too; NULL: no longer. */
void session_second(struct sql_session *s, void *connection);
/* A further instance of DuckDB, without extensions and without temporary files. */
MUST_USE enum errcode engine_open_instance(unsigned threads, uint64_t memory_bytes, void **ret,
                                           struct error *e);
/* By the id of its connection; NULL: there is none. */
struct sql_session *engine_session(struct sql_engine *engine, uint64_t id);
/* Runs a statement of ours. ERR_INVALID_ARGUMENT with the words of DuckDB. */
MUST_USE enum errcode session_run(struct sql_session *s, const char *text, struct error *e);
/* The same for a query of one text, appended to out. */
MUST_USE enum errcode session_ask(struct sql_session *s, const char *text, struct buffer *out,
                                  struct error *e);

#endif
