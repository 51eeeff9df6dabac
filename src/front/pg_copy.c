/* COPY: data from and to the client. See pg_state.h. */
#include "pg_state.h"

#include <stdio.h>

/* CopyInResponse 'G' or CopyOutResponse 'H': everything is text, or nothing is. */
static void put_response(const struct sql_statement *sql, uint8_t type, struct buffer *out)
{
    size_t start = pg_begin(out, type);
    size_t count = sql_copy_columns(sql);
    uint8_t format = sql_copy_is_binary(sql) ? 1 : 0;

    buffer_u8(out, format);
    pg_put_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        pg_put_u16(out, format);
    }
    pg_end(out, start);
}

/* ---- to the client ---- */

/* A message of its own in text; as PostgreSQL does it, and psycopg relies on, part of the first one in
 * binary. */
void pg_copy_out_begin(const struct sql_statement *sql, struct buffer *out)
{
    size_t start;

    put_response(sql, 'H', out);
    start = pg_begin(out, 'd');
    if (!sql_copy_is_binary(sql) && sql_copy_header(sql, out)) {
        pg_end(out, start);
    } else {
        out->len = start - 1; /* no message at all */
    }
}

static size_t begin_data(const struct pg_portal *p, struct buffer *out)
{
    size_t start = pg_begin(out, 'd');

    if (p->sent == 0 && sql_copy_is_binary(p->statement->sql)) {
        (void)sql_copy_header(p->statement->sql, out);
    }
    return start;
}

void pg_copy_out_row(const struct pg_portal *p, struct buffer *out)
{
    size_t start = begin_data(p, out);

    sql_copy_row(p->result, p->row, out);
    pg_end(out, start);
}

void pg_copy_out_end(const struct pg_portal *p, struct buffer *out)
{
    size_t start = begin_data(p, out);

    if (sql_copy_trailer(p->statement->sql, out)) {
        pg_end(out, start);
    } else {
        out->len = start - 1;
    }
    pg_put_empty(out, 'c');
}

/* ---- from the client ---- */

bool pg_copy_in_begin(struct pg_session *s, struct pg_statement *st, struct buffer *out,
                      struct sql_error *e)
{
    pg_close_open(s);
    atomic_store(&s->interruptible, s->sql);
    if (!sql_copy_begin(st->sql, &s->copy, e)) {
        return false;
    }
    st->refs++;
    s->copy_statement = st;
    put_response(st->sql, 'G', out);
    return true;
}

void pg_copy_in_end(struct pg_session *s)
{
    sql_copy_free(TAKE(s->copy));
    if (s->copy_statement != NULL) {
        pg_statement_unref(TAKE(s->copy_statement));
    }
}

static bool copy_failed(struct bytes body, struct sql_error *e)
{
    struct reader r = reader_of(body);
    char text[400];

    (void)snprintf(text, sizeof text, "COPY from stdin failed: %s", pg_text(&r));
    return pg_failed(e, "57014", text);
}

static bool copy_done(struct pg_session *s, struct buffer *out, struct sql_error *e)
{
    char tag[SQL_TAG_MAX];

    if (!sql_copy_end(s->copy, e)) {
        return false;
    }
    sql_tag(s->copy_statement->sql, 0, tag);
    pg_put_complete(out, tag);
    pg_copy_in_end(s);
    return true;
}

bool pg_on_copy(struct pg_session *s, const struct pg_message *m, struct buffer *out,
                struct sql_error *e)
{
    bool right = true;

    switch (m->type) {
    case 'd':
        right = sql_copy_feed(s->copy, m->body, e);
        break;
    case 'c':
        right = copy_done(s, out, e);
        break;
    case 'f':
        right = copy_failed(m->body, e);
        break;
    case 'H': /* these have no meaning meanwhile */
    case 'S':
        break;
    default:
        right = pg_failed(e, "08P01", "a message that does not belong into COPY");
    }
    if (!right) {
        sql_copy_explain(s->copy, e);
        pg_copy_in_end(s);
    }
    return right;
}
