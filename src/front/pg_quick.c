/* Steps on a shard: Bind, Describe, Execute and Sync of statements that ask for a row by its key. What
 * fails here, or is something else, stays in the input, and a step in the pool finds it there. */
#include "pg_state.h"

#include <limits.h>

/* The result that is open can be closed without waiting. */
static bool closes_at_once(const struct pg_session *s)
{
    return s->open == NULL || s->open->result == NULL || sql_is_lookup(s->open->result);
}

static bool may_be_quick(struct pg_session *s)
{
    return s->sql != NULL && !s->ended && !s->skipping && !s->simple && s->running == NULL &&
           s->copy == NULL && s->status != 'E' && closes_at_once(s) &&
           atomic_load(&s->interrupt) != PG_INTERRUPT_STOP;
}

static bool quick_bind(struct pg_session *s, struct bytes body, struct buffer *out)
{
    struct reader r = reader_of(body);
    const struct pg_statement *st;
    struct sql_error ignored;

    (void)pg_text(&r);
    st = pg_statement_find(s, pg_text(&r));
    return !r.failed && st != NULL && st->sql != NULL && sql_has_lookup(st->sql) &&
           pg_on_bind(s, body, out, &ignored);
}

/* The portal's row is there. */
static enum pg_step give_row(struct pg_session *s, struct pg_portal *p, struct buffer *out)
{
    struct sql_error e;
    bool more = false;

    pg_close_open(s);
    if (!sql_lookup_finish(p->statement->sql, &p->result)) {
        return PG_NEEDS_STEP;
    }
    s->open = p;
    p->limit = 0;
    p->sent = 0;
    if (!pg_run_rows(s, p, out, &more, &e)) {
        return PG_NEEDS_STEP;
    }
    if (more) {
        s->running = p;
        return PG_HAS_MORE;
    }
    return PG_WANTS_INPUT;
}

static void note_owner(struct pg_session *s, struct shard *owner)
{
    s->owner_count = owner != s->owner           ? 1
                     : s->owner_count < UINT_MAX ? s->owner_count + 1
                                                 : UINT_MAX;
    s->owner = owner;
}

struct shard *pg_session_owner(const struct pg_session *s, unsigned *ret_count)
{
    *ret_count = s->owner_count;
    return s->open != NULL || s->running != NULL || s->tail.watch != NULL ? NULL : s->owner;
}

static enum pg_step start_lookup(struct pg_session *s, struct pg_portal *p, struct buffer *out,
                                 const struct sql_lookup_wait *wait)
{
    enum sql_lookup_step step = sql_lookup_start(p->statement->sql, p->parameters, wait);

    if (step == SQL_LOOKUP_NONE) {
        return PG_NEEDS_STEP;
    }
    note_owner(s, sql_lookup_shard(p->statement->sql));
    if (step == SQL_LOOKUP_READY) {
        return give_row(s, p, out);
    }
    s->looked_up = true;
    return PG_LOOKS_UP;
}

/* PG_WANTS_INPUT: it is done with. */
static enum pg_step quick_execute(struct pg_session *s, struct bytes body, struct buffer *out,
                                  const struct sql_lookup_wait *wait)
{
    struct reader r = reader_of(body);
    struct pg_portal *p = pg_portal_find(s, pg_text(&r));
    int32_t limit = reader_i32be(&r);

    if (s->looked_up) {
        s->looked_up = false;
        return p == NULL ? PG_NEEDS_STEP : give_row(s, p, out);
    }
    if (r.failed || limit > 0 || p == NULL || p->done || p->lost || p->result != NULL ||
        p->statement->sql == NULL || !sql_has_lookup(p->statement->sql)) {
        return PG_NEEDS_STEP;
    }
    return start_lookup(s, p, out, wait);
}

static enum pg_step quick_message(struct pg_session *s, const struct pg_message *m,
                                  struct buffer *out, const struct sql_lookup_wait *wait)
{
    struct sql_error ignored;
    size_t before = out->len;

    switch (m->type) {
    case 'B':
        return quick_bind(s, m->body, out) ? PG_WANTS_INPUT : PG_NEEDS_STEP;
    case 'D':
        if (pg_on_describe(s, m->body, out, &ignored)) {
            return PG_WANTS_INPUT;
        }
        out->len = before;
        return PG_NEEDS_STEP;
    case 'E':
        return quick_execute(s, m->body, out, wait);
    case 'S':
        if (s->status == 'I') {
            pg_portals_free(s);
        }
        pg_put_ready(out, s->status);
        return PG_WANTS_INPUT;
    default:
        return PG_NEEDS_STEP;
    }
}

enum pg_step pg_session_quick(struct pg_session *s, struct meta_view *view, struct buffer *in,
                              struct buffer *out, const struct sql_lookup_wait *wait)
{
    struct bytes rest = buffer_view(in);
    enum pg_step step = PG_WANTS_INPUT;
    struct pg_message m;

    if (pg_tail_waits(s) && in->len > PG_AHEAD_MAX) {
        pg_put_error(out, 'E', "54000", "too much was sent while a query was running");
        s->ended = true;
        return PG_ENDS;
    }
    if (pg_tail_waits(s)) {
        return pg_tail_wait(s, view, wait);
    }
    if (!may_be_quick(s)) {
        s->looked_up = false;
        return PG_NEEDS_STEP;
    }
    sql_session_view(s->sql, view);
    while (step == PG_WANTS_INPUT) {
        struct bytes next = rest;
        enum pg_taken taken = pg_take(&next, false, &m);

        if (taken == PG_INCOMPLETE) {
            break;
        }
        if (out->len >= PG_OUT_MAX) {
            step = PG_HAS_MORE;
            break;
        }
        step = taken == PG_MESSAGE ? quick_message(s, &m, out, wait) : PG_NEEDS_STEP;
        if (step == PG_WANTS_INPUT || step == PG_HAS_MORE) {
            rest = next;
        }
    }
    if (rest.len > 0) {
        memmove(in->data, rest.data, rest.len);
    }
    in->len = rest.len;
    return step;
}
