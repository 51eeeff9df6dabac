#include "pg_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "sql/dialect.h"
#include "sql/pg_setting.h"

struct pg_session *pg_session_new(struct sql_engine *engine, struct pg_key key)
{
    struct pg_session *s = mem_new(struct pg_session);

    s->engine = engine;
    s->key = key;
    s->first = true;
    s->status = 'I';
    list_init(&s->statements);
    list_init(&s->portals);
    pg_cursor_init(s);
    pg_tail_init(s);
    s->settings = mem_zalloc(pg_settings_len * sizeof *s->settings);
    return s;
}

void pg_session_free(struct pg_session *s)
{
    if (s == NULL) {
        return;
    }
    pg_copy_in_end(s);
    pg_portal_free(s, TAKE(s->simple_portal));
    pg_portals_free(s);
    pg_cursors_close(s);
    pg_portal_drop(TAKE(s->spare));
    LIST_FOR_EACH(it, &s->statements)
    {
        pg_statement_forget(s, container_of(it, struct pg_statement, link));
    }
    pg_tail_fini(s);
    pg_cursor_fini(s);
    sql_session_close(s->sql);
    for (size_t i = 0; i < pg_settings_len; i++) {
        free(s->settings[i]);
    }
    free(s->settings);
    free(s->query);
    free(s);
}

/* ---- errors ---- */

static void explain_interrupt(struct pg_session *s, struct sql_error *e)
{
    static const char *const words[] = {
        [PG_INTERRUPT_USER] = "canceling statement due to user request",
        [PG_INTERRUPT_TIMEOUT] = "canceling statement due to statement timeout",
        [PG_INTERRUPT_STOP] = "the server is stopping",
    };
    int why = atomic_load(&s->interrupt);
    char hint[sizeof e->hint]; /* how many rows are written, maybe */

    if (why != PG_INTERRUPT_STOP) { /* which is for good */
        (void)atomic_compare_exchange_strong(&s->interrupt, &why, PG_INTERRUPT_NONE);
    }
    if (strcmp(e->state, "57014") == 0 && why != PG_INTERRUPT_NONE) {
        memcpy(hint, e->hint, sizeof hint);
        pg_failed(e, why == PG_INTERRUPT_STOP ? "57P01" : "57014", words[why]);
        memcpy(e->hint, hint, sizeof hint);
    }
}

/* Tells the client; what follows is skipped as the protocol says. */
static void report(struct pg_session *s, struct sql_error *e, struct buffer *out)
{
    explain_interrupt(s, e);
    pg_put_failure(out,
                   &(struct pg_error){.state = e->state,
                                      .message = e->message,
                                      .hint = e->hint,
                                      .position = e->position == 0 ? 0 : e->position + s->before});
    s->before = 0;
    s->status = s->status == 'I' ? 'I' : 'E';
    if (s->simple) {
        s->simple = false;
        pg_portal_free(s, TAKE(s->simple_portal));
        pg_put_ready(out, s->status);
    } else {
        s->skipping = true;
    }
}

static enum pg_step fatal(struct pg_session *s, const char *state, const char *message,
                          struct buffer *out)
{
    pg_put_error(out, 'E', state, message);
    s->ended = true;
    return PG_ENDS;
}

/* ---- settings ---- */

const char *pg_setting(const struct pg_session *s, const char *name)
{
    int i = pg_setting_find(name);

    ASSERT(i >= 0);
    return s->settings[i] != NULL ? s->settings[i] : pg_settings[i].value;
}

bool pg_set(struct pg_session *s, const struct pg_command *c, struct buffer *out,
            struct sql_error *e)
{
    int i = pg_setting_find(c->name);
    const char *value = c->value;
    int64_t ms;

    if (i < 0) {
        return strchr(c->name, '.') != NULL ? true
                                            : pg_failed(e, "42704", "there is no such setting");
    }
    if (strcmp(pg_settings[i].name, "client_encoding") == 0 && value != NULL &&
        strcasecmp(value, "utf8") != 0 && strcasecmp(value, "utf-8") != 0 &&
        strcasecmp(value, "unicode") != 0) {
        return pg_failed(e, "22023", "the only encoding is UTF8");
    }
    if (!pg_settings[i].settable) {
        return true;
    }
    if (strcmp(pg_settings[i].name, "statement_timeout") == 0 && value != NULL &&
        !pg_timeout_parse(value, &ms)) {
        return pg_failed(e, "22023",
                         "statement_timeout is a number of milliseconds, or with a unit");
    }
    if (strcmp(pg_settings[i].name, "search_path") == 0 &&
        !sql_session_path(s->sql, value == NULL ? "fluss" : value, e)) {
        return false;
    }
    free(s->settings[i]);
    s->settings[i] = value == NULL ? NULL : mem_strdup(value);
    if (pg_settings[i].reported) {
        pg_put_parameter(out, pg_settings[i].name, pg_setting(s, pg_settings[i].name));
    }
    return true;
}

int64_t pg_session_timeout_ms(const struct pg_session *s)
{
    int64_t ms = 0;

    return pg_timeout_parse(pg_setting(s, "statement_timeout"), &ms) ? ms : 0;
}

bool pg_session_running(const struct pg_session *s) { return s->running != NULL; }

void pg_session_interrupt(struct pg_session *s, enum pg_interrupt why)
{
    struct sql_session *sql = atomic_load(&s->interruptible);

    atomic_store(&s->interrupt, (int)why);
    if (sql != NULL) {
        sql_interrupt(sql);
    }
    pg_tail_interrupted(s);
}

struct pg_key pg_session_cancel(const struct pg_session *s) { return s->cancel; }

/* ---- the start ---- */

static void greet(struct pg_session *s, struct buffer *out)
{
    size_t start = pg_begin(out, 'R');

    pg_put_u32(out, 0); /* AuthenticationOk */
    pg_end(out, start);
    for (size_t i = 0; i < pg_settings_len; i++) {
        if (pg_settings[i].reported) {
            pg_put_parameter(out, pg_settings[i].name, pg_setting(s, pg_settings[i].name));
        }
    }
    start = pg_begin(out, 'K');
    pg_put_u32(out, s->key.pid);
    pg_put_u32(out, s->key.secret);
    pg_end(out, start);
    pg_put_ready(out, s->status);
}

static enum pg_step start_session(struct pg_session *s, struct meta_view *view,
                                  const struct pg_message *m, struct buffer *out)
{
    struct reader r = reader_of(m->body);
    const char *database = "";
    struct sql_error e;

    while (r.rest.len > 0 && r.rest.data[0] != 0 && !r.failed) {
        const char *name = pg_text(&r);
        const char *value = pg_text(&r);
        int i = pg_setting_find(name);

        if (strcmp(name, "database") == 0) {
            database = value;
        } else if (i >= 0 && pg_settings[i].settable && s->settings[i] == NULL &&
                   strcmp(name, "search_path") != 0) {
            s->settings[i] = mem_strdup(value);
        }
    }
    if (r.failed) {
        return fatal(s, "08P01", "the startup message is malformed", out);
    }
    if (!sql_session_open(s->engine, view, database, &s->sql, &e)) {
        return fatal(s, e.state, e.message, out);
    }
    atomic_store(&s->interruptible, s->sql);
    greet(s, out);
    s->first = false;
    return PG_WANTS_INPUT;
}

static enum pg_step first_message(struct pg_session *s, struct meta_view *view,
                                  const struct pg_message *m, struct buffer *out)
{
    struct reader r = reader_of(m->body);

    switch (m->code) {
    case PG_SSL:
    case PG_GSSENC:
        buffer_u8(out, 'N');
        return PG_WANTS_INPUT;
    case PG_CANCEL:
        s->cancel.pid = reader_u32be(&r);
        s->cancel.secret = reader_u32be(&r);
        s->ended = true;
        return r.failed ? PG_ENDS : PG_CANCELS;
    case PG_PROTOCOL_3:
        return start_session(s, view, m, out);
    default:
        if (m->code >> 16 == 3) { /* a later minor version: ours is told */
            size_t start = pg_begin(out, 'v');

            pg_put_u32(out, 0);
            pg_put_u32(out, 0);
            pg_end(out, start);
            return start_session(s, view, m, out);
        }
        return fatal(s, "0A000", "only version 3 of the protocol is spoken", out);
    }
}

/* ---- simple queries ---- */

static void on_query(struct pg_session *s, struct bytes body, struct buffer *out)
{
    struct reader r = reader_of(body);
    const char *text = pg_text(&r);
    struct bytes rest;
    struct bytes one;
    struct sql_error e;

    s->simple = true;
    if (r.failed) {
        pg_failed(&e, "08P01", "a Query message is malformed");
        report(s, &e, out);
        return;
    }
    free(s->query);
    s->query = mem_strdup(text);
    s->rest = bytes_str(s->query);
    rest = s->rest;
    if (!dialect_split(&rest, &one)) {
        pg_put_empty(out, 'I');
    }
}

static size_t characters(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += (text.data[i] & 0xc0) != 0x80;
    }
    return count;
}

/* The next statement of a Query, or its end. */
static void simple_next(struct pg_session *s, struct buffer *out)
{
    static const struct sql_source untyped = {0};
    struct pg_statement *st = NULL;
    struct bytes one;
    struct sql_error e;
    bool right;

    pg_portal_free(s, TAKE(s->simple_portal));
    s->before = 0;
    if (!dialect_split(&s->rest, &one)) {
        s->simple = false;
        pg_put_ready(out, s->status);
        return;
    }
    s->before = characters(bytes_of(s->query, (size_t)((const char *)one.data - s->query)));
    right = pg_statement_make(s, one, &untyped, &st, &e);
    if (right) {
        const struct sql_statement *asks = pg_statement_asks(st);
        const struct sql_statement *shows = pg_statement_shows(s, st);

        s->simple_portal = pg_portal_new(s, st, "");
        pg_statement_unref(st);
        right = asks == NULL || sql_parameter_count(asks) == 0
                    ? true
                    : pg_failed(&e, "42P02", "a simple query has no parameters");
        if (right && shows != NULL && sql_column_count(shows) > 0) {
            pg_put_columns(shows, s->simple_portal->formats, out);
        }
        right = right && pg_run_portal(s, s->simple_portal, out, &e);
    }
    if (!right) {
        report(s, &e, out);
    }
}

/* ---- messages ---- */

static bool extended(struct pg_session *s, const struct pg_message *m, struct buffer *out,
                     struct sql_error *e)
{
    switch (m->type) {
    case 'P':
        return pg_on_parse(s, m->body, out, e);
    case 'B':
        return pg_on_bind(s, m->body, out, e);
    case 'D':
        return pg_on_describe(s, m->body, out, e);
    case 'E':
        return pg_on_execute(s, m->body, out, e);
    case 'C':
        return pg_on_close(s, m->body, out, e);
    case 'H': /* Flush: a step's answers leave anyway */
        return true;
    case 'd': /* COPY that nobody asked for */
    case 'c':
    case 'f':
        return true;
    case 'F':
        return pg_failed(e, "0A000", "function calls are not served");
    default:
        return pg_failed(e, "08P01", "a message has a type that is not known");
    }
}

static enum pg_step on_message(struct pg_session *s, const struct pg_message *m, struct buffer *out)
{
    struct sql_error e;

    if (m->type == 'X') {
        s->ended = true;
        return PG_ENDS;
    }
    if (s->copy != NULL) {
        if (!pg_on_copy(s, m, out, &e)) {
            report(s, &e, out);
        }
        return PG_WANTS_INPUT;
    }
    if (m->type == 'S') {
        s->skipping = false;
        if (s->status == 'I') {
            pg_portals_free(s);
        }
        pg_put_ready(out, s->status);
    } else if (s->skipping) {
        return PG_WANTS_INPUT;
    } else if (m->type == 'Q') {
        on_query(s, m->body, out);
    } else if (!extended(s, m, out, &e)) {
        report(s, &e, out);
    }
    return PG_WANTS_INPUT;
}

static void go_on(struct pg_session *s, struct buffer *out)
{
    struct pg_portal *p = TAKE(s->running);
    struct sql_error e;
    bool more = false;

    if (!pg_run_rows(s, p, out, &more, &e)) {
        report(s, &e, out);
    } else if (more) {
        s->running = p;
    }
}

static void drop_taken(struct buffer *in, struct bytes rest)
{
    if (rest.len > 0) {
        memmove(in->data, rest.data, rest.len);
    }
    in->len = rest.len;
}

enum pg_step pg_session_step(struct pg_session *s, struct meta_view *view, struct buffer *in,
                             struct buffer *out)
{
    struct bytes rest = buffer_view(in);
    enum pg_step step = s->ended ? PG_ENDS : PG_WANTS_INPUT;
    struct pg_message m;

    if (s->sql != NULL) {
        sql_session_view(s->sql, view);
        s->tail.version = view->version;
    }
    while (step == PG_WANTS_INPUT) {
        enum pg_taken taken;

        if (atomic_load(&s->interrupt) == PG_INTERRUPT_STOP) {
            step = fatal(s, "57P01", "the server is stopping", out);
        } else if (out->len >= PG_OUT_MAX) {
            step = PG_HAS_MORE;
        } else if (s->running != NULL) {
            go_on(s, out);
            step = pg_tail_waits(s) ? PG_HAS_MORE : step;
        } else if (s->simple && s->copy == NULL) {
            simple_next(s, out);
        } else {
            taken = pg_take(&rest, s->first, &m);
            if (taken == PG_INCOMPLETE) {
                break;
            }
            step = taken == PG_MALFORMED
                       ? fatal(s, "08P01", "a message has an impossible length", out)
                   : s->first ? first_message(s, view, &m, out)
                              : on_message(s, &m, out);
        }
    }
    drop_taken(in, rest);
    return step;
}
