/* SQL over the tables of this server: queries run by DuckDB inside the process, over files and states
 * as they are at the start of a statement.
 *
 * A session is one client's. Its statements are prepared, executed, and give rows in chunks, whose
 * values are written as PostgreSQL writes them (value.h). What changes tables or the catalog becomes the
 * operations and jobs that requests of Fluss clients become, and is durable when sql_execute has
 * succeeded. Nothing outside of the server's tables can be read or written. Errors have the SQLSTATE
 * that PostgreSQL has for them.
 * Thread: sessions: one at a time, and not a shard's, since it waits; sql_interrupt any.
 */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include "cut.h"

struct sql_options {
    const char *library;   /* of DuckDB; NULL: found by itself (duckdb.h) */
    uint64_t memory_bytes; /* of all queries together */
    uint64_t
        cache_bytes;  /* beside that: of decompressed columns (column_cache.h); 0: none is kept */
    unsigned threads; /* of all queries together */
    bool read_only;   /* what would change something is refused: 25006 */
    const char *spool_dir; /* where files of COPY are while they are needed */
    uint64_t spool_bytes;  /* of all of them together */
};

struct sql_error {
    char state[6];
    char message[1500];
    char hint[200];  /* may be empty */
    size_t position; /* of a character in the text of the statement, from 1; 0: none */
};

/* Fills it in, without hint and position. Always false, so that `return sql_fail(...)` reads well. */
bool sql_fail(struct sql_error *e, const char *state, const char *message);

struct sql_engine;
struct sql_session;
struct sql_statement;
struct sql_result;
struct sql_type; /* value.h */

/* Costs nothing until the first session. world is copied, what it points to must outlive the engine. */
struct sql_engine *sql_engine_new(const struct sql_options *options, const struct sql_world *world);
/* After the last session. Accepts NULL. */
void sql_engine_free(struct sql_engine *engine);

/* database: the one whose tables need no qualification, if there is one of that name; else "fluss".
 * The session keeps a reference to the view. */
MUST_USE bool sql_session_open(struct sql_engine *engine, struct meta_view *view,
                               const char *database, struct sql_session **ret, struct sql_error *e);
/* Its statements and results must be closed. Accepts NULL. */
void sql_session_close(struct sql_session *s);
/* What the catalog is for the statements that follow. */
void sql_session_view(struct sql_session *s, struct meta_view *view);
/* Databases and schemas, by commas, whose tables need no qualification. */
MUST_USE bool sql_session_path(struct sql_session *s, const char *path, struct sql_error *e);
/* Another one with the same view and path, for statements beside those of this one. */
MUST_USE bool sql_session_beside(const struct sql_session *s, struct sql_session **ret,
                                 struct sql_error *e);
/* They become those of the other. Path: not while a result is open. */
void sql_session_view_as(struct sql_session *s, const struct sql_session *other);
MUST_USE bool sql_session_path_as(struct sql_session *s, const struct sql_session *other,
                                  struct sql_error *e);
/* Ends the statement that is running, if one is: 57014. */
void sql_interrupt(struct sql_session *s);

/* ---- statements ---- */

/* One statement, without a semicolon. types: object ids of PostgreSQL for the first parameters, 0:
 * to be found out. */
struct sql_source {
    const char *text;
    const uint32_t *types;
    size_t type_count;
};
MUST_USE bool sql_prepare(struct sql_session *s, const struct sql_source *source,
                          struct sql_statement **ret, struct sql_error *e);
void sql_statement_free(struct sql_statement *st); /* accepts NULL */
size_t sql_parameter_count(const struct sql_statement *st);
uint32_t sql_parameter_type(const struct sql_statement *st, size_t index);
size_t sql_column_count(const struct sql_statement *st);
const char *sql_column_name(const struct sql_statement *st, size_t index);
const struct sql_type *sql_column_type(const struct sql_statement *st, size_t index);
bool sql_is_explain(const struct sql_statement *st);
/* Whether it changes something: none of it can be taken back. */
bool sql_is_write(const struct sql_statement *st);
/* What the client is told at the end: "SELECT 7". rows: what it was sent. */
#define SQL_TAG_MAX 48
void sql_tag(const struct sql_statement *st, uint64_t rows, char ret[static SQL_TAG_MAX]);

struct sql_parameter {
    bool null;
    struct bytes text; /* as PostgreSQL writes it; of bytea: the bytes */
};
/* Begins; the result of the session's statement before ends with that. */
MUST_USE bool sql_execute(struct sql_statement *st, const struct sql_parameter *parameters,
                          struct sql_result **ret, struct sql_error *e);
/* Rows of the next chunk; 0: that were all. */
MUST_USE bool sql_result_next(struct sql_result *r, size_t *ret_rows, struct sql_error *e);
/* Appends a value of the chunk to out; false: it is null. */
bool sql_result_text(const struct sql_result *r, size_t row, size_t column, struct buffer *out);
bool sql_result_binary(const struct sql_result *r, size_t row, size_t column, struct buffer *out);
void sql_result_free(struct sql_result *r); /* accepts NULL */

/* ---- queries that do not end (tail.h) ---- */

bool sql_is_tail(const struct sql_statement *st);
/* The last call of sql_result_next gave no rows because there are none yet: it is to be called again. */
bool sql_result_waits(const struct sql_result *r);

/* Tells when it is worth to. Thread: the shard it is made for, but where stated. */
struct sql_watch;
struct sql_watch *sql_watch_new(struct sql_session *s, struct shard *shard,
                                void (*fired)(void *context), void *context);
/* `fired` will be called, once: there are rows that the result, which waits, has not given. It may also be
 * called for nothing. Tables that go, and partitions that come, are not noticed. */
void sql_watch_start(struct sql_watch *w, const struct sql_result *r);
/* `fired` is not called any more when it returns. Thread: one that may wait for the shard. Accepts NULL. */
void sql_watch_free(struct sql_watch *w);

/* ---- rows by key, without waiting ---- */

/* Statements that ask for one row of a primary-key table by its key may be answered on a shard. */
bool sql_has_lookup(const struct sql_statement *st);
/* Their results, which can be closed on a shard, too. */
bool sql_is_lookup(const struct sql_result *r);

enum sql_lookup_step {
    SQL_LOOKUP_NONE,  /* it takes sql_execute */
    SQL_LOOKUP_READY, /* to be finished */
    SQL_LOOKUP_WAITS, /* done will be called, on the same shard */
};
struct sql_lookup_wait {
    struct shard *shard; /* the caller's */
    void (*done)(void *context);
    void *context;
};
/* One lookup of a statement at a time; the statement must live until then. Thread: the shard. */
enum sql_lookup_step sql_lookup_start(struct sql_statement *st,
                                      const struct sql_parameter *parameters,
                                      const struct sql_lookup_wait *wait);
/* Where the bucket is that the last lookup went to. */
struct shard *sql_lookup_shard(const struct sql_statement *st);
/* As sql_execute; false: it takes that. */
MUST_USE bool sql_lookup_finish(struct sql_statement *st, struct sql_result **ret);

/* ---- COPY ---- */

enum sql_copy { SQL_COPY_NONE, SQL_COPY_FROM, SQL_COPY_TO };
enum sql_copy sql_copy_kind(const struct sql_statement *st);
/* Of the rows that are copied; sql_column_count is 0. */
size_t sql_copy_columns(const struct sql_statement *st);
/* The data are no text. */
bool sql_copy_is_binary(const struct sql_statement *st);

/* TO: executed as a query, whose rows are then these; of a file of Parquet its pieces. */
void sql_copy_row(const struct sql_result *r, size_t row, struct buffer *out);
/* What is in front of them and behind them; false: there is nothing. */
bool sql_copy_header(const struct sql_statement *st, struct buffer *out);
bool sql_copy_trailer(const struct sql_statement *st, struct buffer *out);

/* FROM: begun in the place of sql_execute, fed with what comes, cut anywhere, and ended: then all rows are
 * on disk, and sql_tag tells how many. After an error nothing more is to be fed. The session runs nothing
 * else meanwhile. */
struct sql_copy_in;
MUST_USE bool sql_copy_begin(struct sql_statement *st, struct sql_copy_in **ret,
                             struct sql_error *e);
MUST_USE bool sql_copy_feed(struct sql_copy_in *c, struct bytes in, struct sql_error *e);
MUST_USE bool sql_copy_end(struct sql_copy_in *c, struct sql_error *e);
/* Adds to an error that ends it from outside how many rows are written. */
void sql_copy_explain(const struct sql_copy_in *c, struct sql_error *e);
void sql_copy_free(struct sql_copy_in *c); /* accepts NULL; rows that are not written are dropped */

#endif
