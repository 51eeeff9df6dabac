#include "session.h"

#include "progress.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/utf8.h"
#include "io/clock.h"
#include "io/terminal.h"

/* One statement under way. */
struct running {
    struct shell *session;
    struct bytes statement;
    struct client_column *columns;
    size_t count;
    struct arena row;
    struct progress progress;
    bool failed;
    bool copied; /* to us: what comes out is the data alone */
};

/* ---- errors ---- */

/* The line of the statement with the position in it, and a caret below. */
static void print_place(struct bytes statement, int32_t position)
{
    size_t at = 0;
    size_t from;
    size_t to;
    int column = 0;

    for (int32_t i = 1; i < position && at < statement.len; i++) {
        size_t len = utf8_next(bytes_slice(statement, at, statement.len - at), NULL);

        at += len == 0 ? 1 : len;
    }
    for (from = at; from > 0 && statement.data[from - 1] != '\n'; from--) {
        column += (statement.data[from - 1] & 0xc0) != 0x80; /* characters, not bytes */
    }
    for (to = at; to < statement.len && statement.data[to] != '\n'; to++) {
    }
    fprintf(stderr, "  %.*s\n  %*s^\n", (int)(to - from), (const char *)statement.data + from,
            column, "");
}

static void print_problem(const struct client_problem *p, struct bytes statement)
{
    fprintf(stderr, "%s %s: %s\n", p->severity, p->state, p->message);
    if (p->position > 0) {
        print_place(statement, p->position);
    }
    if (p->detail != NULL) {
        fprintf(stderr, "DETAIL: %s\n", p->detail);
    }
    if (p->hint != NULL) {
        fprintf(stderr, "HINT: %s\n", p->hint);
    }
}

/* ---- COPY FROM STDIN ---- */

static enum errcode send_line(struct shell *s, struct bytes line, bool *ret_end, struct error *e)
{
    *ret_end = bytes_equal_str(line, "\\.") || bytes_equal_str(line, "\\.\r");
    if (*ret_end) {
        return client_copy_end(s->client, NULL, e);
    }
    TRY(client_copy(s->client, line, e));
    return client_copy(s->client, bytes_str("\n"), e);
}

static bool is_blank(struct bytes line)
{
    size_t len = 0;

    while (len < line.len && (line.data[len] == ' ' || line.data[len] == '\r')) {
        len++;
    }
    return len == line.len;
}

/* Lines of the script up to \. or its end. */
static enum errcode send_copy(struct shell *s, struct error *e)
{
    struct bytes line;
    bool end = false;

    if (s->script == NULL) {
        return client_copy_end(s->client, "there is no input to copy from", e);
    }
    if (script_line(s->script, &line) &&
        !is_blank(line)) { /* else the end of the statement's own */
        TRY(send_line(s, line, &end, e));
    }
    while (!end) {
        while (!end && script_line(s->script, &line)) {
            TRY(send_line(s, line, &end, e));
        }
        if (!end && (s->more == NULL || !s->more(s))) {
            return client_copy_end(s->client, NULL, e);
        }
    }
    return ERR_OK;
}

/* ---- results ---- */

static void begin_result(struct running *r)
{
    struct shell *s = r->session;

    s->look.width = s->out.file == NULL ? terminal_columns(STDOUT_FILENO) : 0;
    output_begin(&s->output, r->columns, r->count);
}

static enum errcode on_row(struct running *r, const struct client_event *event, struct error *e)
{
    struct client_cell *cells;
    size_t count;

    if (client_cancelled(r->session->client)) {
        return ERR_OK; /* what was on its way */
    }
    if (r->progress.until_rows) {
        progress_clear(&r->progress);
    }
    arena_reset(&r->row);
    TRY(client_cells(event, &r->row, &cells, &count, e));
    if (r->columns == NULL || count != r->count) {
        return error_set(e, ERR_CORRUPT_MESSAGE, "a row does not fit its description");
    }
    output_row(&r->session->output, cells);
    return ERR_OK;
}

static void end_result(struct running *r, const char *tag)
{
    struct shell *s = r->session;

    if (r->columns != NULL) {
        if (tag != NULL || s->output.rows > 0 || s->look.format != OUTPUT_BOX) {
            output_end(&s->output); /* else there is nothing to close but an empty box */
        }
        r->columns = NULL;
    } else if (tag != NULL && s->look.format == OUTPUT_BOX && !s->look.bare && !r->copied) {
        sink_printf(&s->out, "%s\n", tag);
    }
    r->copied = false;
}

static enum errcode on_event(struct running *r, const struct client_event *event, struct error *e)
{
    struct shell *s = r->session;

    switch (event->kind) {
    case CLIENT_COLUMNS:
        TRY(client_columns(event, &s->arena, &r->columns, &r->count, e));
        begin_result(r);
        return ERR_OK;
    case CLIENT_ROW:
        return on_row(r, event, e);
    case CLIENT_COMPLETE:
        end_result(r, event->tag);
        return ERR_OK;
    case CLIENT_ERROR:
        r->failed = true;
        if (r->columns != NULL) {
            end_result(r, NULL);
        }
        sink_flush(&s->out);
        progress_clear(&r->progress);
        print_problem(&event->problem, r->statement);
        return ERR_OK;
    case CLIENT_NOTICE:
        progress_clear(&r->progress);
        print_problem(&event->problem, r->statement);
        return ERR_OK;
    case CLIENT_COPY_IN:
        return send_copy(s, e);
    case CLIENT_COPY_DATA:
        sink_bytes(&s->out, event->body);
        return ERR_OK;
    case CLIENT_COPY_OUT:
        r->copied = true;
        return ERR_OK;
    case CLIENT_COPY_END:
    case CLIENT_EMPTY:
    case CLIENT_READY:
    case CLIENT_TICK:
        break;
    }
    return ERR_OK;
}

static enum errcode follow(struct running *r, struct error *e)
{
    struct shell *s = r->session;
    struct client_event event;

    TRY(client_query(s->client, r->statement, e));
    do {
        TRY(client_next(s->client, &event, e));
        TRY(on_event(r, &event, e));
        if (s->out.failed) {
            return error_set(e, ERR_LOG_STORAGE, "%s",
                             s->out.error.os_errno == EPIPE ? "" : s->out.error.message);
        }
        progress_step(&r->progress, s->output.rows, client_received(s->client));
    } while (event.kind != CLIENT_READY);
    return ERR_OK;
}

enum session_result shell_statement(struct shell *s, struct bytes statement)
{
    struct running r = {.session = s, .statement = statement};
    int64_t started_us = clock_mono_us();
    struct error e;
    enum errcode code;

    arena_reset(&s->arena);
    s->output.rows = 0;
    /* results on the terminal say themselves that they go on */
    progress_start(&r.progress, terminal_is(STDERR_FILENO) ? stderr : NULL,
                   s->out.file == NULL && terminal_is(STDOUT_FILENO));
    code = follow(&r, &e);
    progress_clear(&r.progress);
    output_drop(&s->output);
    arena_fini(&r.row);
    sink_flush(&s->out);
    if (code != ERR_OK) {
        if (e.message[0] != '\0') {
            fprintf(stderr, "eider sql: %s\n", e.message);
        }
        return SESSION_LOST;
    }
    if (s->timing) {
        fprintf(stderr, "Time: %.1f ms\n", (double)(clock_mono_us() - started_us) / 1000);
    }
    return r.failed ? SESSION_FAILED : SESSION_FINE;
}

enum session_result shell_ask(struct shell *s, const char *fmt, ...)
{
    char text[4096];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text) {
        fprintf(stderr, "eider sql: the name is too long\n");
        return SESSION_FAILED;
    }
    return shell_statement(s, bytes_of(text, (size_t)len));
}

enum errcode shell_connect(struct shell *s, const char *database, struct error *e)
{
    struct client_options dialled = s->options->client;
    struct client *client = NULL;

    dialled.database = arena_strndup(&s->names, database, strlen(database));
    TRY(client_open(&dialled, &client, e));
    client_close(s->client);
    s->dialled = dialled;
    s->client = client;
    client_watch(client, s->interrupt);
    return ERR_OK;
}
