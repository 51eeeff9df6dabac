#include "client.h"

#include <stdlib.h>

#include "base/units.h"
#include "front/pg_message.h"
#include "io/blocking.h"
#include "io/stream.h"
#include "io/terminal.h"

#define RECEIVE_MIN ((size_t)64 << 10)
#define HEAD_SIZE   5

struct client {
    struct client_options options;
    int fd;
    int interrupt; /* -1: none */
    struct buffer in;
    size_t start; /* of what was not taken, in `in` */
    struct buffer out;
    size_t sent;
    uint32_t key[2]; /* for cancelling */
    bool cancelled;
    uint64_t received;
    struct arena settings; /* names and values in turn */
    struct setting *newest;
    struct arena event; /* of the last client_next */
};

struct setting {
    struct setting *older;
    const char *name;
    const char *value;
};

/* ---- bytes ---- */

static enum errcode flush_some(struct client *c, struct error *e)
{
    while (c->sent < c->out.len) {
        struct bytes rest = bytes_of(c->out.data + c->sent, c->out.len - c->sent);
        size_t len = 0;

        TRY(socket_send_runs(c->fd, &rest, 1, &len, e));
        if (len == 0) {
            return ERR_OK;
        }
        c->sent += len;
    }
    c->sent = 0;
    buffer_clear(&c->out);
    return ERR_OK;
}

static enum errcode receive_some(struct client *c, size_t *ret, struct error *e)
{
    size_t have = c->in.len - c->start;
    uint8_t *room;

    if (c->start > 0) {
        memmove(c->in.data, c->in.data + c->start, have);
        c->in.len = have;
        c->start = 0;
    }
    room = buffer_room(&c->in, RECEIVE_MIN);
    c->in.len = have;
    TRY(socket_recv_some(c->fd, room, RECEIVE_MIN, ret, e));
    c->in.len += *ret;
    c->received += *ret;
    return ERR_OK;
}

/* Best effort: a statement that goes on after all is only slow to end. */
static void cancel(struct client *c)
{
    uint8_t message[16] = {0};
    struct bytes run = bytes_of(message, sizeof message);
    struct error e;
    size_t len;
    int fd;

    put_u32be(message, sizeof message);
    put_u32be(message + 4, PG_CANCEL);
    put_u32be(message + 8, c->key[0]);
    put_u32be(message + 12, c->key[1]);
    c->cancelled = true;
    if (c->options.dial(c->options.context, &fd, &e) == ERR_OK) {
        char end;

        if (socket_send_runs(fd, &run, 1, &len, &e) == ERR_OK) {
            struct socket_interest item = {.fd = fd};

            socket_wait(&item, 1, CLIENT_TICK_US); /* the server hangs up when it has read it */
            IGNORE(socket_recv_some(fd, &end, sizeof end, &len, &e));
        }
        socket_close(fd);
    }
}

/* Until something can be done; *ret false: nothing for a tick. */
static enum errcode await(struct client *c, bool *ret, struct error *e)
{
    struct socket_interest items[2] = {{.fd = c->fd}, {.fd = c->interrupt}};

    TRY(flush_some(c, e));
    items[0].want_write = c->out.len > 0;
    socket_wait(items, c->interrupt < 0 ? 1 : 2, CLIENT_TICK_US);
    if (items[1].ready && interrupt_take(c->interrupt)) {
        cancel(c);
    }
    *ret = items[0].ready || items[1].ready;
    return ERR_OK;
}

/* ---- messages ---- */

/* The next whole message: its type, and its body until more is received. *ret_type 0: a tick. */
static enum errcode next_message(struct client *c, uint8_t *ret_type, struct bytes *ret,
                                 struct error *e)
{
    for (;;) {
        size_t have = c->in.len - c->start;
        const uint8_t *head = c->in.data + c->start;
        size_t got = 0;
        bool some = false;

        if (have >= HEAD_SIZE) {
            size_t len = get_u32be(head + 1);

            if (len < 4 || len > CLIENT_MESSAGE_MAX) {
                return error_set(e, ERR_CORRUPT_MESSAGE,
                                 "the server does not speak the PostgreSQL protocol");
            }
            if (have > len) {
                *ret_type = head[0];
                *ret = bytes_of(head + HEAD_SIZE, len - 4);
                c->start += len + 1;
                return ERR_OK;
            }
        }
        TRY(await(c, &some, e));
        TRY(receive_some(c, &got, e));
        if (!some && got == 0) {
            *ret_type = 0;
            return ERR_OK;
        }
    }
}

static const char *copy_text(struct client *c, const char *text)
{
    return arena_strndup(&c->event, text, strlen(text));
}

static void read_problem(struct client *c, struct bytes body, struct client_problem *ret)
{
    struct reader r = reader_of(body);

    *ret = (struct client_problem){.severity = "ERROR", .state = "XX000", .message = ""};
    for (uint8_t field = reader_u8(&r); field != 0 && !r.failed; field = reader_u8(&r)) {
        const char *text = copy_text(c, pg_text(&r));
        const char **target = field == 'V'   ? &ret->severity
                              : field == 'C' ? &ret->state
                              : field == 'M' ? &ret->message
                              : field == 'D' ? &ret->detail
                              : field == 'H' ? &ret->hint
                                             : NULL;

        if (target != NULL) {
            *target = text;
        } else if (field == 'P') {
            IGNORE(units_parse_i32(text, &ret->position, NULL));
        }
    }
}

static void read_setting(struct client *c, struct bytes body)
{
    struct reader r = reader_of(body);
    struct setting *s = arena_new(&c->settings, struct setting);
    const char *name = pg_text(&r);
    const char *value = pg_text(&r);

    s->name = arena_strndup(&c->settings, name, strlen(name));
    s->value = arena_strndup(&c->settings, value, strlen(value));
    s->older = c->newest;
    c->newest = s;
}

const char *client_setting(const struct client *c, const char *name)
{
    for (const struct setting *s = c->newest; s != NULL; s = s->older) {
        if (text_equal_ignore_case(s->name, name)) {
            return s->value;
        }
    }
    return NULL;
}

/* What there is no event for. */
static enum errcode take_silently(struct client *c, uint8_t type, struct bytes body,
                                  struct error *e)
{
    struct reader r = reader_of(body);

    if (type == 'S') {
        read_setting(c, body);
    } else if (type == 'K') {
        c->key[0] = reader_u32be(&r);
        c->key[1] = reader_u32be(&r);
    } else if (type == 'R' && reader_u32be(&r) != 0) {
        return error_set(e, ERR_AUTHENTICATE, "the server wants a password, which eider has not");
    }
    return ERR_OK;
}

/* -1: none. */
static int kind_of(uint8_t type)
{
    static const struct {
        uint8_t type;
        enum client_kind kind;
    } kinds[] = {
        {'T', CLIENT_COLUMNS},   {'D', CLIENT_ROW},      {'C', CLIENT_COMPLETE},
        {'I', CLIENT_EMPTY},     {'E', CLIENT_ERROR},    {'N', CLIENT_NOTICE},
        {'Z', CLIENT_READY},     {'G', CLIENT_COPY_IN},  {'H', CLIENT_COPY_OUT},
        {'d', CLIENT_COPY_DATA}, {'c', CLIENT_COPY_END},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].type == type) {
            return (int)kinds[i].kind;
        }
    }
    return -1;
}

enum errcode client_next(struct client *c, struct client_event *ret, struct error *e)
{
    struct client_event event = {.kind = CLIENT_TICK};
    uint8_t type = 0;
    int kind = -1;

    arena_reset(&c->event);
    do {
        TRY(next_message(c, &type, &event.body, e));
        if (type == 0) {
            *ret = (struct client_event){.kind = CLIENT_TICK};
            return ERR_OK;
        }
        kind = kind_of(type);
        if (kind < 0) {
            TRY(take_silently(c, type, event.body, e));
        }
    } while (kind < 0);
    event.kind = (enum client_kind)kind;
    if (type == 'C') {
        struct reader r = reader_of(event.body);

        event.tag = copy_text(c, pg_text(&r));
    } else if (type == 'E' || type == 'N') {
        read_problem(c, event.body, &event.problem);
    }
    *ret = event;
    return ERR_OK;
}

bool client_cancelled(const struct client *c) { return c->cancelled; }
uint64_t client_received(const struct client *c) { return c->received; }

static enum errcode malformed(const char *what, struct error *e)
{
    return error_set(e, ERR_CORRUPT_MESSAGE, "the server sent a malformed %s", what);
}

enum errcode client_columns(const struct client_event *event, struct arena *arena,
                            struct client_column **ret, size_t *ret_count, struct error *e)
{
    struct reader r = reader_of(event->body);
    size_t count = reader_u16be(&r);
    struct client_column *columns = arena_array(arena, count, sizeof *columns);

    for (size_t i = 0; i < count; i++) {
        const char *name = pg_text(&r);

        columns[i].name = arena_strndup(arena, name, strlen(name));
        (void)reader_bytes(&r, 6); /* table and column, which nobody asks for */
        columns[i].type = reader_u32be(&r);
        (void)reader_bytes(&r, 2);
        columns[i].modifier = reader_i32be(&r);
        (void)reader_bytes(&r, 2);
    }
    if (r.failed) {
        return malformed("RowDescription", e);
    }
    *ret = columns;
    *ret_count = count;
    return ERR_OK;
}

enum errcode client_cells(const struct client_event *event, struct arena *arena,
                          struct client_cell **ret, size_t *ret_count, struct error *e)
{
    struct reader r = reader_of(event->body);
    size_t count = reader_u16be(&r);
    struct client_cell *cells = arena_array(arena, count, sizeof *cells);

    for (size_t i = 0; i < count; i++) {
        cells[i].text = pg_value(&r, &cells[i].null);
    }
    if (r.failed) {
        return malformed("DataRow", e);
    }
    *ret = cells;
    *ret_count = count;
    return ERR_OK;
}

/* ---- statements ---- */

enum errcode client_query(struct client *c, struct bytes statement, struct error *e)
{
    size_t start = pg_begin(&c->out, 'Q');

    buffer_bytes(&c->out, statement);
    buffer_u8(&c->out, 0);
    pg_end(&c->out, start);
    c->cancelled = false;
    c->received = 0;
    if (c->interrupt >= 0) {
        (void)interrupt_take(c->interrupt); /* meant for something that is over */
    }
    return flush_some(c, e);
}

/* What is queued leaves before there is more. */
static enum errcode flush_all(struct client *c, struct error *e)
{
    bool some;

    TRY(flush_some(c, e));
    while (c->out.len > 0) {
        TRY(await(c, &some, e));
    }
    return ERR_OK;
}

enum errcode client_copy(struct client *c, struct bytes data, struct error *e)
{
    size_t start = pg_begin(&c->out, 'd');

    buffer_bytes(&c->out, data);
    pg_end(&c->out, start);
    return c->out.len < RECEIVE_MIN ? ERR_OK : flush_all(c, e);
}

enum errcode client_copy_end(struct client *c, const char *why, struct error *e)
{
    size_t start = pg_begin(&c->out, why == NULL ? 'c' : 'f');

    if (why != NULL) {
        pg_put_text(&c->out, why);
    }
    pg_end(&c->out, start);
    return flush_all(c, e);
}

/* ---- life ---- */

static enum errcode start_session(struct client *c, struct error *e)
{
    const char *const words[] = {
        "user",  c->options.user,   "database", c->options.database, "application_name",
        "eider", "client_encoding", "UTF8"};
    struct client_event event;
    size_t start;

    start = c->out.len;
    (void)buffer_room(&c->out, 4);
    pg_put_u32(&c->out, PG_PROTOCOL_3);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        pg_put_text(&c->out, words[i]);
    }
    buffer_u8(&c->out, 0);
    pg_end(&c->out, start);
    do {
        TRY(client_next(c, &event, e));
        if (event.kind == CLIENT_ERROR) {
            return error_set(e, ERR_AUTHENTICATE, "%s", event.problem.message);
        }
    } while (event.kind != CLIENT_READY);
    return ERR_OK;
}

enum errcode client_open(const struct client_options *options, struct client **ret, struct error *e)
{
    struct client *c = mem_new(struct client);
    enum errcode code;

    c->options = *options;
    c->fd = -1;
    c->interrupt = -1;
    buffer_reserve(&c->in, RECEIVE_MIN);
    code = options->dial(options->context, &c->fd, e);
    if (code == ERR_OK) {
        code = start_session(c, e);
    }
    if (code != ERR_OK) {
        client_close(c);
        return code;
    }
    *ret = c;
    return ERR_OK;
}

void client_watch(struct client *c, int interrupt) { c->interrupt = interrupt; }

void client_close(struct client *c)
{
    struct error e;

    if (c == NULL) {
        return;
    }
    if (c->fd >= 0) {
        pg_put_empty(&c->out, 'X');
        IGNORE(flush_some(c, &e));
        socket_close(c->fd);
    }
    buffer_fini(&c->in);
    buffer_fini(&c->out);
    arena_fini(&c->settings);
    arena_fini(&c->event);
    free(c);
}
