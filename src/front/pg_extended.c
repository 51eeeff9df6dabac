/* Prepared statements and portals: Parse, Bind, Describe, Execute, Close, and what a simple query
 * shares with them. */
#include "pg_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql/dialect.h"
#include "sql/pg_array.h"
#include "sql/pg_parameter.h"
#include "sql/pg_setting.h"

#define STATEMENTS_MAX 10000

/* ---- statements and portals ---- */

void pg_statement_unref(struct pg_statement *st)
{
    if (--st->refs == 0) {
        sql_statement_free(st->sql);
        sql_statement_free(st->declared);
        pg_apart_give(st->apart);
        arena_fini(&st->arena);
        free(st->name);
        free(st);
    }
}

struct pg_statement *pg_statement_find(struct pg_session *s, const char *name)
{
    LIST_FOR_EACH(it, &s->statements)
    {
        struct pg_statement *st = container_of(it, struct pg_statement, link);

        if (strcmp(st->name, name) == 0) {
            return st;
        }
    }
    return NULL;
}

void pg_statement_forget(struct pg_session *s, struct pg_statement *st)
{
    if (st != NULL) {
        list_remove(&st->link);
        s->statement_count--;
        pg_statement_unref(st);
    }
}

struct pg_portal *pg_portal_find(struct pg_session *s, const char *name)
{
    LIST_FOR_EACH(it, &s->portals)
    {
        struct pg_portal *p = container_of(it, struct pg_portal, link);

        if (strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

/* DuckDB keeps one result open per connection. */
void pg_close_open(struct pg_session *s)
{
    if (s->open != NULL) {
        pg_tail_end(s);
        sql_result_free(TAKE(s->open->result));
        s->open->lost = true;
        s->open = NULL;
    }
}

void pg_portal_free(struct pg_session *s, struct pg_portal *p)
{
    if (p == NULL) {
        return;
    }
    if (s->open == p) {
        pg_close_open(s);
    }
    sql_result_free(p->result); /* of a cursor */
    if (s->running == p) {
        s->running = NULL;
    }
    list_remove(&p->link);
    pg_statement_unref(p->statement);
    if (s->spare != NULL) {
        pg_portal_drop(p);
        return;
    }
    arena_reset(&p->arena);
    *p = (struct pg_portal){.arena = p->arena};
    s->spare = p;
}

void pg_portal_drop(struct pg_portal *p)
{
    if (p != NULL) {
        arena_fini(&p->arena);
        free(p);
    }
}

void pg_portals_free(struct pg_session *s)
{
    LIST_FOR_EACH(it, &s->portals)
    {
        struct pg_portal *p = container_of(it, struct pg_portal, link);

        if (!p->cursor) {
            pg_portal_free(s, p);
        }
    }
}

const struct sql_statement *pg_statement_asks(const struct pg_statement *st)
{
    return st->sql != NULL ? st->sql : st->declared;
}

struct sql_statement *pg_statement_shows(struct pg_session *s, const struct pg_statement *st)
{
    const struct pg_portal *cursor = NULL;

    if (st->command.kind == PG_FETCH && !st->command.moves) {
        cursor = pg_cursor_find(s, st->command.name);
    }
    return cursor != NULL ? cursor->sql : st->sql;
}

void pg_asks(struct pg_session *s, struct sql_session *sql)
{
    atomic_store(&s->interrupt, PG_INTERRUPT_NONE);
    atomic_store(&s->interruptible, sql);
}

bool pg_failed(struct sql_error *e, const char *state, const char *message)
{
    return sql_fail(e, state, message);
}

/* ---- preparing ---- */

static bool prepare_query(struct pg_session *s, struct pg_statement *st, const char *text,
                          const struct sql_source *types, struct sql_error *e)
{
    struct sql_source source = *types;

    source.text = text;
    pg_close_open(s);
    atomic_store(&s->interruptible, s->sql);
    return sql_prepare(s->sql, &source, &st->sql, e);
}

/* SHOW as a query. */
static const char *show_text(struct pg_session *s, struct pg_statement *st)
{
    const char *value = pg_setting(s, st->command.name);
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;

    buffer_bytes(&text, bytes_str("SELECT '"));
    for (; *value != '\0'; value++) {
        if (*value == '\'') {
            buffer_u8(&text, '\'');
        }
        buffer_u8(&text, (uint8_t)*value);
    }
    buffer_bytes(&text, bytes_str("' AS \""));
    buffer_bytes(&text, bytes_str(pg_settings[pg_setting_find(st->command.name)].name));
    buffer_u8(&text, '"');
    return arena_strndup(&st->arena, text.data, text.len);
}

/* One reference. text: of one statement, maybe of none. */
bool pg_statement_make(struct pg_session *s, struct bytes text, const struct sql_source *types,
                       struct pg_statement **ret, struct sql_error *e)
{
    struct pg_statement *st = mem_new(struct pg_statement);
    struct bytes one;
    bool right = true;

    st->name = mem_strdup("");
    st->refs = 1;
    list_init(&st->link);
    st->empty = !dialect_split(&text, &one);
    if (!st->empty) {
        st->command = pg_command_of(one, &st->arena);
        if (s->status == 'E' && st->command.kind != PG_COMMIT && st->command.kind != PG_ROLLBACK) {
            right =
                pg_failed(e, "25P02", "the transaction has failed: nothing is done until it ends");
        } else if (st->command.kind == PG_QUERY || st->command.kind == PG_SHOW) {
            const char *query = st->command.kind == PG_SHOW
                                    ? show_text(s, st)
                                    : arena_strndup(&st->arena, one.data, one.len);

            right = prepare_query(s, st, query, types, e);
        } else if (st->command.kind == PG_DECLARE) {
            right = pg_declare_prepare(s, st, one, types, e);
        } else if (st->command.kind == PG_REFUSED) {
            right = pg_failed(e, st->command.name, st->command.value);
        }
    }
    if (!right) {
        pg_statement_unref(st);
        return false;
    }
    *ret = st;
    return true;
}

bool pg_on_parse(struct pg_session *s, struct bytes body, struct buffer *out, struct sql_error *e)
{
    struct reader r = reader_of(body);
    const char *name = pg_text(&r);
    struct bytes text = bytes_str(pg_text(&r));
    uint16_t count = reader_u16be(&r);
    uint32_t *types;
    struct pg_statement *st = NULL;
    struct bytes one;
    struct bytes rest = text;
    bool made;

    if (r.failed || r.rest.len / 4 < count) {
        return pg_failed(e, "08P01", "a Parse message is malformed");
    }
    if (*name != '\0' && pg_statement_find(s, name) != NULL) {
        return pg_failed(e, "42P05", "there is a prepared statement of this name already");
    }
    if (s->statement_count >= STATEMENTS_MAX) {
        return pg_failed(e, "53400", "the session has too many prepared statements");
    }
    if (dialect_split(&rest, &one) && dialect_split(&rest, &one)) {
        return pg_failed(e, "42601", "a prepared statement has one command only");
    }
    types = mem_zalloc(((size_t)count + 1) * sizeof *types);
    for (uint16_t i = 0; i < count; i++) {
        types[i] = reader_u32be(&r);
    }
    pg_statement_forget(s, pg_statement_find(s, name));
    made = pg_statement_make(s, text, &(struct sql_source){.types = types, .type_count = count},
                             &st, e);
    free(types);
    if (!made) {
        return false;
    }
    free(st->name);
    st->name = mem_strdup(name);
    list_push_back(&s->statements, &st->link);
    s->statement_count++;
    pg_put_empty(out, '1');
    return true;
}

/* ---- binding ---- */

struct pg_portal *pg_portal_new(struct pg_session *s, struct pg_statement *st, const char *name)
{
    struct pg_portal *p = s->spare != NULL ? TAKE(s->spare) : mem_new(struct pg_portal);
    const struct sql_statement *asks = pg_statement_asks(st);
    const struct sql_statement *shows = pg_statement_shows(s, st);

    p->name = arena_strndup(&p->arena, name, strlen(name));
    p->statement = st;
    st->refs++;
    list_init(&p->link);
    p->sql = st->sql;
    p->from = p;
    p->left = UINT64_MAX;
    if (shows != NULL) {
        p->format_count = sql_column_count(shows);
        p->formats = arena_array(&p->arena, p->format_count + 1, sizeof *p->formats);
    }
    if (asks != NULL) {
        p->parameters =
            arena_array(&p->arena, sql_parameter_count(asks) + 1, sizeof *p->parameters);
    }
    return p;
}

/* Formats of `count` values from a list that has none, one for all, or one for each. */
static bool take_formats(struct reader *r, int16_t *formats, size_t count, struct sql_error *e)
{
    uint16_t given = reader_u16be(r);
    int16_t one = 0;

    for (uint16_t i = 0; i < given; i++) {
        int16_t format = reader_i16be(r);

        if (format != 0 && format != 1) {
            return pg_failed(e, "08P01", "a format is neither text nor binary");
        }
        one = format;
        if (given > 1 && i < count) {
            formats[i] = format;
        }
    }
    if (r->failed || (given > 1 && given != count)) {
        return pg_failed(e, "08P01", "a Bind message has another number of formats than of values");
    }
    for (size_t i = 0; given == 1 && i < count; i++) {
        formats[i] = one;
    }
    return true;
}

static bool take_parameter(struct pg_portal *p, size_t i, struct bytes value, bool binary,
                           struct sql_error *e)
{
    uint32_t oid = sql_parameter_type(pg_statement_asks(p->statement), i);
    struct error why;
    enum errcode code = ERR_OK;

    value = arena_copy(&p->arena, value);
    if (pg_array_element(oid) != 0) {
        code = binary ? pg_array_of_binary(oid, value, &p->arena, &value, &why)
                      : pg_array_of_text(value, &p->arena, &value, &why);
    } else if (binary) {
        code = pg_parameter_text(oid, value, &p->arena, &value, &why);
    } else if (oid == PG_OID_BYTEA) {
        code = pg_parameter_hex(value, &p->arena, &value, &why);
    }
    if (code != ERR_OK) {
        return pg_failed(e, code == ERR_CORRUPT_MESSAGE ? "22P03" : "0A000", why.message);
    }
    p->parameters[i].text = value;
    return true;
}

static bool take_parameters(struct pg_portal *p, struct reader *r, struct sql_error *e)
{
    const struct sql_statement *asks = pg_statement_asks(p->statement);
    size_t expected = asks == NULL ? 0 : sql_parameter_count(asks);
    int16_t *formats = arena_array(&p->arena, expected + 1, sizeof *formats);
    uint16_t count;

    if (!take_formats(r, formats, expected, e)) {
        return false;
    }
    count = reader_u16be(r);
    if (r->failed || count != expected) {
        return pg_failed(e, "08P01",
                         "a Bind message has another number of parameters than expected");
    }
    for (uint16_t i = 0; i < count; i++) {
        struct bytes value = pg_value(r, &p->parameters[i].null);

        if (r->failed) {
            return pg_failed(e, "08P01", "a Bind message is cut short");
        }
        if (!p->parameters[i].null && !take_parameter(p, i, value, formats[i] == 1, e)) {
            return false;
        }
    }
    return true;
}

bool pg_on_bind(struct pg_session *s, struct bytes body, struct buffer *out, struct sql_error *e)
{
    struct reader r = reader_of(body);
    const char *name = pg_text(&r);
    struct pg_statement *st = pg_statement_find(s, pg_text(&r));
    struct pg_portal *p;

    if (r.failed) {
        return pg_failed(e, "08P01", "a Bind message is malformed");
    }
    if (st == NULL) {
        return pg_failed(e, "26000", "there is no such prepared statement");
    }
    if (*name != '\0' && pg_portal_find(s, name) != NULL) {
        return pg_failed(e, "42P03", "there is a portal of this name already");
    }
    pg_portal_free(s, pg_portal_find(s, name));
    p = pg_portal_new(s, st, name);
    list_push_back(&s->portals, &p->link);
    if (!take_parameters(p, &r, e) || !take_formats(&r, p->formats, p->format_count, e)) {
        pg_portal_free(s, p);
        return false;
    }
    pg_put_empty(out, '2');
    return true;
}

/* ---- describing ---- */

void pg_put_columns(const struct sql_statement *sql, const int16_t *formats, struct buffer *out)
{
    size_t start;

    if (sql == NULL || sql_column_count(sql) == 0) {
        pg_put_empty(out, 'n');
        return;
    }
    start = pg_begin(out, 'T');
    pg_put_u16(out, (uint16_t)sql_column_count(sql));
    for (size_t i = 0; i < sql_column_count(sql); i++) {
        const struct sql_type *type = sql_column_type(sql, i);

        pg_put_text(out, sql_column_name(sql, i));
        pg_put_u32(out, 0); /* of no table */
        pg_put_u16(out, 0);
        pg_put_u32(out, type->oid);
        pg_put_u16(out, (uint16_t)value_type_size(type));
        pg_put_u32(out, (uint32_t)value_type_modifier(type));
        pg_put_u16(out, formats == NULL ? 0 : (uint16_t)formats[i]);
    }
    pg_end(out, start);
}

static void put_parameters(const struct sql_statement *sql, struct buffer *out)
{
    size_t start = pg_begin(out, 't');
    size_t count = sql == NULL ? 0 : sql_parameter_count(sql);

    pg_put_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        uint32_t oid = sql_parameter_type(sql, i);

        pg_put_u32(out, oid != 0 ? oid : 25);
    }
    pg_end(out, start);
}

bool pg_on_describe(struct pg_session *s, struct bytes body, struct buffer *out,
                    struct sql_error *e)
{
    struct reader r = reader_of(body);
    uint8_t what = reader_u8(&r);
    const char *name = pg_text(&r);

    if (r.failed || (what != 'S' && what != 'P')) {
        return pg_failed(e, "08P01", "a Describe message is malformed");
    }
    if (what == 'S') {
        const struct pg_statement *st = pg_statement_find(s, name);

        if (st == NULL) {
            return pg_failed(e, "26000", "there is no such prepared statement");
        }
        put_parameters(pg_statement_asks(st), out);
        pg_put_columns(pg_statement_shows(s, st), NULL, out);
    } else {
        const struct pg_portal *p = pg_portal_find(s, name);

        if (p == NULL) {
            return pg_failed(e, "34000", "there is no such portal");
        }
        pg_put_columns(p->cursor ? p->sql : pg_statement_shows(s, p->statement), p->formats, out);
    }
    return true;
}

/* ---- executing ---- */

/* Writes take effect at once, so one that is to be taken back cannot be. */
static bool refuse_rollback(struct sql_error *e)
{
    (void)pg_failed(e, "0A000", "what the transaction has written stays: nothing is rolled back");
    (void)snprintf(e->hint, sizeof e->hint,
                   "Each statement takes effect when it is answered. The transaction has ended.");
    return false;
}

static bool run_transaction(struct pg_session *s, const struct pg_command *c, struct buffer *out,
                            struct sql_error *e)
{
    bool aborts = c->kind == PG_ROLLBACK || (c->kind == PG_COMMIT && s->status == 'E');
    bool wrote = s->wrote;

    if (c->kind == PG_BEGIN && s->status == 'T') {
        pg_put_error(out, 'N', "25001", "there is already a transaction in progress");
    } else if (c->kind != PG_BEGIN && s->status == 'I') {
        pg_put_error(out, 'N', "25P01", "there is no transaction in progress");
    }
    s->wrote = c->kind == PG_BEGIN && s->wrote;
    s->status = c->kind == PG_BEGIN ? 'T' : 'I';
    if (c->kind != PG_BEGIN) {
        pg_cursors_end(s, !aborts);
    }
    if (aborts && wrote) {
        return refuse_rollback(e);
    }
    pg_put_complete(out, aborts ? "ROLLBACK" : c->tag);
    return true;
}

static bool run_command(struct pg_session *s, struct pg_statement *st, struct buffer *out,
                        struct sql_error *e)
{
    const struct pg_command *c = &st->command;

    switch (c->kind) {
    case PG_BEGIN:
    case PG_COMMIT:
    case PG_ROLLBACK:
        return run_transaction(s, c, out, e);
    case PG_ROLLBACK_TO:
        if (s->wrote) {
            return refuse_rollback(e);
        }
        break;
    case PG_SET:
        pg_close_open(s);
        if (!pg_set(s, c, out, e)) {
            return false;
        }
        break;
    case PG_DEALLOCATE:
        if (strcmp(c->tag, "DISCARD ALL") == 0) {
            pg_cursors_close(s);
        }
        LIST_FOR_EACH(it, &s->statements)
        {
            struct pg_statement *other = container_of(it, struct pg_statement, link);

            if (other != st && (c->name == NULL || strcmp(c->name, other->name) == 0)) {
                pg_statement_forget(s, other);
            }
        }
        break;
    case PG_CLOSE:
        return pg_close_cursor(s, c, out, e);
    case PG_QUERY:
    case PG_SHOW:
    case PG_DECLARE:
    case PG_FETCH:
    case PG_REFUSED:
    case PG_NOTHING:
        break;
    }
    pg_put_complete(out, c->tag);
    return true;
}

static void put_row(const struct pg_portal *p, struct buffer *out)
{
    const struct pg_portal *from = p->from;
    size_t count = sql_column_count(from->sql);
    size_t start = pg_begin(out, 'D');

    pg_put_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        size_t at = out->len;
        bool there;

        pg_put_u32(out, UINT32_MAX);
        there = p->formats[i] == 1 ? sql_result_binary(from->result, from->row, i, out)
                                   : sql_result_text(from->result, from->row, i, out);
        if (there) {
            put_u32be(out->data + at, (uint32_t)(out->len - at - 4));
        }
    }
    pg_end(out, start);
}

static void put_tag(const struct pg_portal *p, struct buffer *out)
{
    char tag[SQL_TAG_MAX];

    if (p->from != p) {
        pg_fetch_tag(p, out);
        return;
    }
    sql_tag(p->sql, p->sent, tag);
    pg_put_complete(out, p->statement->command.kind == PG_SHOW ? "SHOW" : tag);
}

static void close_result(struct pg_session *s, struct pg_portal *p)
{
    if (s->open == p) {
        pg_close_open(s);
    } else { /* of a cursor */
        sql_result_free(TAKE(p->result));
    }
}

/* Between two FETCHes nothing is waited for. */
static void stop_watching(struct pg_session *s, const struct pg_portal *p)
{
    if (p->from != p) {
        pg_tail_end(s);
    }
}

/* The next chunk. */
static bool next_rows(struct pg_session *s, struct pg_portal *p, struct sql_error *e)
{
    bool stop = sql_is_tail(p->sql) && pg_tail_stops(s);

    if (p->cursor) {
        sql_session_view_as(p->statement->apart->sql, s->sql);
    }
    p->row = 0;
    p->rows = 0;
    if (stop || !sql_result_next(p->result, &p->rows, e)) {
        p->done = true;
        close_result(s, p);
        return stop ? pg_failed(e, "57014", "the query was interrupted") : false;
    }
    p->done = p->rows == 0 && !sql_result_waits(p->result);
    return true;
}

/* A row that is in front. */
static void send_row(struct pg_portal *p, struct buffer *out)
{
    if (sql_copy_kind(p->from->sql) == SQL_COPY_TO) {
        pg_copy_out_row(p, out);
    } else if (!p->statement->command.moves) {
        put_row(p, out);
    }
    p->from->row++;
    p->sent++;
    p->left--;
}

/* Rows until there is enough to send; *ret_more: it goes on with the next step. */
bool pg_run_rows(struct pg_session *s, struct pg_portal *p, struct buffer *out, bool *ret_more,
                 struct sql_error *e)
{
    struct pg_portal *from = p->from;

    *ret_more = false;
    while (!from->done && p->left > 0) {
        if (p->limit > 0 && p->sent == p->limit) {
            stop_watching(s, p);
            pg_put_empty(out, 's');
            return true;
        }
        if (out->len >= PG_OUT_MAX) {
            *ret_more = true;
            return true;
        }
        if (from->row < from->rows) {
            send_row(p, out);
            continue;
        }
        if (!next_rows(s, from, e)) {
            stop_watching(s, p);
            return false;
        }
        if (sql_result_waits(from->result)) {
            *ret_more = true;
            return true;
        }
    }
    stop_watching(s, p);
    if (from->done) {
        close_result(s, from);
    }
    if (sql_copy_kind(from->sql) == SQL_COPY_TO) {
        pg_copy_out_end(p, out);
    }
    put_tag(p, out);
    return true;
}

/* Also a write that fails may have written something. */
static void note_write(struct pg_session *s, const struct pg_portal *p, struct buffer *out)
{
    if (s->status == 'T' && !s->wrote && sql_is_write(p->statement->sql)) {
        pg_put_error(out, 'N', "01000", "writes take effect at once: nothing is rolled back");
        s->wrote = true;
    }
}

static bool run_query(struct pg_session *s, struct pg_portal *p, struct buffer *out,
                      struct sql_error *e)
{
    if (p->lost && !p->done) {
        return pg_failed(e, "34000", "the portal was closed by a later statement of the session");
    }
    if (p->result == NULL && !p->done) {
        pg_close_open(s);
        pg_asks(s, s->sql);
        note_write(s, p, out);
        if (!sql_execute(p->statement->sql, p->parameters, &p->result, e)) {
            p->done = true;
            return false;
        }
        s->open = p;
        pg_tail_begin(s);
        if (sql_copy_kind(p->statement->sql) == SQL_COPY_TO) {
            p->limit = 0; /* COPY has no portions */
            pg_copy_out_begin(p->statement->sql, out);
        }
    }
    p->sent = 0;
    s->running = p;
    return true;
}

static bool run_cursor(struct pg_session *s, struct pg_portal *p, struct buffer *out,
                       struct sql_error *e)
{
    if (p->statement->command.kind == PG_DECLARE) {
        return p->cursor ? pg_failed(e, "0A000", "a cursor is read by FETCH")
                         : pg_declare(s, p, out, e);
    }
    if (!pg_fetch(s, p, e)) {
        return false;
    }
    pg_tail_begin(s);
    p->sent = 0;
    s->running = p;
    return true;
}

bool pg_run_portal(struct pg_session *s, struct pg_portal *p, struct buffer *out,
                   struct sql_error *e)
{
    struct pg_statement *st = p->statement;

    if (st->empty) {
        pg_put_empty(out, 'I');
        return true;
    }
    if (s->status == 'E' && st->command.kind != PG_COMMIT && st->command.kind != PG_ROLLBACK) {
        return pg_failed(e, "25P02", "the transaction has failed: nothing is done until it ends");
    }
    if (st->sql != NULL && sql_copy_kind(st->sql) == SQL_COPY_FROM) {
        note_write(s, p, out);
        return pg_copy_in_begin(s, st, out, e);
    }
    if (st->command.kind == PG_DECLARE || st->command.kind == PG_FETCH) {
        return run_cursor(s, p, out, e);
    }
    return st->sql != NULL ? run_query(s, p, out, e) : run_command(s, st, out, e);
}

bool pg_on_execute(struct pg_session *s, struct bytes body, struct buffer *out, struct sql_error *e)
{
    struct reader r = reader_of(body);
    struct pg_portal *p = pg_portal_find(s, pg_text(&r));
    int32_t limit = reader_i32be(&r);

    if (r.failed) {
        return pg_failed(e, "08P01", "an Execute message is malformed");
    }
    if (p == NULL) {
        return pg_failed(e, "34000", "there is no such portal");
    }
    p->limit = limit > 0 ? (uint64_t)limit : 0;
    return pg_run_portal(s, p, out, e);
}

bool pg_on_close(struct pg_session *s, struct bytes body, struct buffer *out, struct sql_error *e)
{
    struct reader r = reader_of(body);
    uint8_t what = reader_u8(&r);
    const char *name = pg_text(&r);

    if (r.failed || (what != 'S' && what != 'P')) {
        return pg_failed(e, "08P01", "a Close message is malformed");
    }
    if (what == 'S') {
        pg_statement_forget(s, pg_statement_find(s, name));
    } else {
        pg_portal_free(s, pg_portal_find(s, name));
    }
    pg_put_empty(out, '3');
    return true;
}
