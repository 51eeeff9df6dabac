/* Cursors: portals that DECLARE has made, and FETCH reads. See pg_state.h.
 *
 * DuckDB keeps one result open per connection, so each cursor has a session of SQL of its own: what the
 * client asks between two FETCHes does not touch it. Its rows are as of DECLARE, and are computed as they
 * are fetched, so that those WITH HOLD need no more than to be kept when the transaction ends. */
#include "pg_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define APART_MAX 100

void pg_cursor_init(struct pg_session *s) { list_init(&s->apart); }

void pg_cursor_fini(struct pg_session *s)
{
    LIST_FOR_EACH(it, &s->apart)
    {
        struct pg_apart *a = container_of(it, struct pg_apart, link);

        list_remove(it);
        sql_session_close(a->sql);
        free(a);
    }
}

static bool take_apart(struct pg_session *s, struct pg_apart **ret, struct sql_error *e)
{
    struct pg_apart *a;

    if (!list_empty(&s->apart)) {
        a = container_of(list_pop_front(&s->apart), struct pg_apart, link);
    } else if (s->apart_count == APART_MAX) {
        return pg_failed(e, "53400", "the session has too many cursors");
    } else {
        struct sql_session *sql = NULL;

        if (!sql_session_beside(s->sql, &sql, e)) {
            return false;
        }
        a = mem_new(struct pg_apart);
        a->home = &s->apart;
        a->sql = sql;
        list_init(&a->link);
        s->apart_count++;
    }
    *ret = a;
    return true;
}

void pg_apart_give(struct pg_apart *a)
{
    if (a != NULL) {
        list_push_back(a->home, &a->link);
    }
}

/* It knows the tables that the session knows now. */
static bool adapt(struct pg_session *s, const struct pg_apart *a, struct sql_error *e)
{
    sql_session_view_as(a->sql, s->sql);
    return sql_session_path_as(a->sql, s->sql, e);
}

/* ---- DECLARE ---- */

/* Characters of the statement in front of the query. */
static size_t in_front(const struct pg_statement *st, struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len - strlen(st->command.value); i++) {
        count += (text.data[i] & 0xc0) != 0x80;
    }
    return count;
}

bool pg_declare_prepare(struct pg_session *s, struct pg_statement *st, struct bytes text,
                        const struct sql_source *types, struct sql_error *e)
{
    struct sql_source source = *types;

    if (!take_apart(s, &st->apart, e) || !adapt(s, st->apart, e)) {
        return false;
    }
    source.text = st->command.value;
    atomic_store(&s->interruptible, st->apart->sql);
    if (!sql_prepare(st->apart->sql, &source, &st->declared, e)) {
        e->position += e->position > 0 ? in_front(st, text) : 0;
        return false;
    }
    if (sql_is_write(st->declared) || sql_copy_kind(st->declared) != SQL_COPY_NONE) {
        return pg_failed(e, "42601", "a cursor is of a query");
    }
    return true;
}

static bool may_declare(struct pg_session *s, const struct pg_command *c, struct sql_error *e)
{
    if (s->status != 'T' && !c->hold) {
        (void)pg_failed(e, "25P01", "DECLARE CURSOR can only be used in transaction blocks");
        (void)snprintf(e->hint, sizeof e->hint, "WITH HOLD there are cursors outside of them.");
        return false;
    }
    return pg_portal_find(s, c->name) == NULL
               ? true
               : pg_failed(e, "42P03", "there is a cursor of this name already");
}

bool pg_declare(struct pg_session *s, const struct pg_portal *p, struct buffer *out,
                struct sql_error *e)
{
    struct pg_statement *st = p->statement;
    const struct pg_command *c = &st->command;
    struct pg_portal *cursor;

    if (!may_declare(s, c, e) || !adapt(s, st->apart, e)) {
        return false;
    }
    cursor = pg_portal_new(s, st, c->name);
    cursor->cursor = true;
    cursor->sql = st->declared;
    list_push_back(&s->portals, &cursor->link);
    pg_asks(s, st->apart->sql);
    if (!sql_execute(st->declared, p->parameters, &cursor->result, e)) {
        pg_portal_free(s, cursor);
        return false;
    }
    cursor->kept = c->hold && s->status != 'T';
    pg_put_complete(out, c->tag);
    return true;
}

/* ---- the others ---- */

struct pg_portal *pg_cursor_find(struct pg_session *s, const char *name)
{
    struct pg_portal *p = pg_portal_find(s, name);

    return p != NULL && p->cursor ? p : NULL;
}

static bool no_cursor(const char *name, struct sql_error *e)
{
    (void)pg_failed(e, "34000", "");
    (void)snprintf(e->message, sizeof e->message, "cursor \"%.200s\" does not exist", name);
    return false;
}

bool pg_fetch(struct pg_session *s, struct pg_portal *p, struct sql_error *e)
{
    const struct pg_command *c = &p->statement->command;
    struct pg_portal *cursor = pg_cursor_find(s, c->name);

    if (cursor == NULL) {
        return no_cursor(c->name, e);
    }
    if (!c->moves && sql_column_count(cursor->sql) != p->format_count) {
        return pg_failed(e, "0A000", "the cursor has become another one: prepare FETCH again");
    }
    if (p->from == p) {
        p->left = c->rows;
    }
    for (size_t i = 0; cursor->statement->command.binary && i < p->format_count; i++) {
        p->formats[i] = 1;
    }
    p->from = cursor;
    pg_asks(s, cursor->statement->apart->sql);
    return true;
}

void pg_fetch_tag(const struct pg_portal *p, struct buffer *out)
{
    char tag[32];

    (void)snprintf(tag, sizeof tag, "%s %" PRIu64, p->statement->command.moves ? "MOVE" : "FETCH",
                   p->sent);
    pg_put_complete(out, tag);
}

bool pg_close_cursor(struct pg_session *s, const struct pg_command *c, struct buffer *out,
                     struct sql_error *e)
{
    struct pg_portal *cursor = c->name == NULL ? NULL : pg_cursor_find(s, c->name);

    if (c->name != NULL && cursor == NULL) {
        return no_cursor(c->name, e);
    }
    if (c->name == NULL) {
        pg_cursors_close(s);
    }
    pg_portal_free(s, cursor);
    pg_put_complete(out, c->tag);
    return true;
}

void pg_cursors_close(struct pg_session *s)
{
    LIST_FOR_EACH(it, &s->portals)
    {
        struct pg_portal *p = container_of(it, struct pg_portal, link);

        if (p->cursor) {
            pg_portal_free(s, p);
        }
    }
}

void pg_cursors_end(struct pg_session *s, bool commits)
{
    LIST_FOR_EACH(it, &s->portals)
    {
        struct pg_portal *p = container_of(it, struct pg_portal, link);

        if (p->cursor && !p->kept && !(commits && p->statement->command.hold)) {
            pg_portal_free(s, p);
        } else if (p->cursor) {
            p->kept = true;
        }
    }
}
