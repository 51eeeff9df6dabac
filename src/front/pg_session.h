/* A connection of the PostgreSQL protocol, without its socket: bytes in, bytes out.
 *
 * A step takes what messages there are and answers them, and stops early when there is enough to
 * send; a query goes on with the next step. So a client that does not read costs no thread. BEGIN,
 * COMMIT, SET and others that change nothing here are answered here, everything else is a query.
 * Thread: one at a time, a pool's: a step waits for its query; but for quick steps.
 */
#ifndef FRONT_PG_SESSION_H
#define FRONT_PG_SESSION_H

#include "pg_message.h"

#include "sql/sql.h"

struct pg_session;

struct pg_key {
    uint32_t pid; /* never 0 */
    uint32_t secret;
};

enum pg_step {
    PG_WANTS_INPUT,
    PG_HAS_MORE, /* send, then step again */
    PG_ENDS,     /* send, then close */
    PG_CANCELS,  /* the same; and `cancel` is to be ended */
    /* of a quick step only: */
    PG_LOOKS_UP, /* a quick step again when that is done; or when a query without end may have rows */
    PG_NEEDS_STEP, /* a step in a pool is next */
};

/* Messages that wait behind one that is not done yet: beyond that no more of them are taken from the
 * client, and a query that does not end is ended (54000). */
#define PG_AHEAD_MAX ((size_t)64 << 10)

struct pg_session *pg_session_new(struct sql_engine *engine, struct pg_key key);
void pg_session_free(struct pg_session *s); /* accepts NULL */

/* Takes messages off the front of `in`, appends answers to `out`. view: the catalog. */
enum pg_step pg_session_step(struct pg_session *s, struct meta_view *view, struct buffer *in,
                             struct buffer *out);
/* The same on a shard, as long as nothing but rows by their keys is asked for (sql.h), for which nobody
 * has to wait; what is left in `in` takes a step. Here a query that does not end waits for rows, too, so
 * that it holds no thread: a step that finds none has more. pg_quick.c, pg_tail.c */
enum pg_step pg_session_quick(struct pg_session *s, struct meta_view *view, struct buffer *in,
                              struct buffer *out, const struct sql_lookup_wait *wait);
/* After PG_CANCELS. */
struct pg_key pg_session_cancel(const struct pg_session *s);

/* Between steps. Of a query; 0: none. */
int64_t pg_session_timeout_ms(const struct pg_session *s);
bool pg_session_running(const struct pg_session *s);

/* The shard that has the rows that were asked for by key, the last *ret_count times in a row. NULL: there
 * is none, or something is bound to the shard of the quick steps for now. */
struct shard *pg_session_owner(const struct pg_session *s, unsigned *ret_count);

/* Ends the query under way; PG_INTERRUPT_STOP also those that follow, and the session. Thread: the
 * shard of the quick steps, also during a step. */
enum pg_interrupt { PG_INTERRUPT_NONE, PG_INTERRUPT_USER, PG_INTERRUPT_TIMEOUT, PG_INTERRUPT_STOP };
void pg_session_interrupt(struct pg_session *s, enum pg_interrupt why);

#endif
