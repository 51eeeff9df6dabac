/* The client side of the PostgreSQL protocol, version 3: simple queries, one at a time, and cancel.
 *
 *   client_query     sends a statement
 *   client_next      what the server says, until CLIENT_READY
 *
 * While client_next waits it looks after the interrupt descriptor: an interrupt becomes a request to
 * cancel, over a connection of its own. After an error (ERR_NETWORK, ERR_CORRUPT_MESSAGE) the
 * connection is of no further use. Thread: main.
 */
#ifndef SHELL_CLIENT_H
#define SHELL_CLIENT_H

#include "base/arena.h"
#include "base/error.h"

#define CLIENT_MESSAGE_MAX ((size_t)1 << 30) /* a larger one ends the connection */
#define CLIENT_TICK_US     200000

struct client;

struct client_options {
    /* A connected, non-blocking socket; also for requests to cancel. */
    enum errcode (*dial)(void *context, int *ret_fd, struct error *e);
    void *context;
    const char *user;
    const char *database;
};

enum client_kind {
    CLIENT_COLUMNS,
    CLIENT_ROW,
    CLIENT_COMPLETE, /* tag */
    CLIENT_EMPTY,
    CLIENT_ERROR, /* problem */
    CLIENT_NOTICE,
    CLIENT_READY,
    CLIENT_COPY_IN, /* the server wants client_copy */
    CLIENT_COPY_OUT,
    CLIENT_COPY_DATA, /* body */
    CLIENT_COPY_END,
    CLIENT_TICK, /* nothing has come for CLIENT_TICK_US */
};

struct client_column {
    const char *name;
    uint32_t type;    /* OID */
    int32_t modifier; /* of the type; -1: none */
};

struct client_cell {
    struct bytes text;
    bool null;
};

/* Fields of an error or notice; NULL: it has none of the kind. */
struct client_problem {
    const char *severity;
    const char *state;
    const char *message;
    const char *detail;
    const char *hint;
    int32_t position; /* of a character in the statement, from 1; 0: none */
};

/* Borrowed until the next call. */
struct client_event {
    enum client_kind kind;
    struct bytes body;
    const char *tag;
    struct client_problem problem;
};

/* Connects and starts a session. Texts in options live as long as the client. What the server refuses is
 * ERR_AUTHENTICATE with its message. */
MUST_USE enum errcode client_open(const struct client_options *options, struct client **ret,
                                  struct error *e);
/* Says goodbye; accepts NULL. */
void client_close(struct client *c);
/* interrupt: of io/terminal.h; -1: none. */
void client_watch(struct client *c, int interrupt);
/* The value of a setting that the server reported; NULL: none. */
const char *client_setting(const struct client *c, const char *name);

MUST_USE enum errcode client_query(struct client *c, struct bytes statement, struct error *e);
MUST_USE enum errcode client_next(struct client *c, struct client_event *ret, struct error *e);
/* The current statement was asked to end by an interrupt. */
bool client_cancelled(const struct client *c);
/* Bytes of answers to the current statement. */
uint64_t client_received(const struct client *c);

/* The columns of CLIENT_COLUMNS and the cells of CLIENT_ROW, in the arena. */
MUST_USE enum errcode client_columns(const struct client_event *event, struct arena *arena,
                                     struct client_column **ret, size_t *ret_count,
                                     struct error *e);
MUST_USE enum errcode client_cells(const struct client_event *event, struct arena *arena,
                                   struct client_cell **ret, size_t *ret_count, struct error *e);

/* A part of what CLIENT_COPY_IN wants. */
MUST_USE enum errcode client_copy(struct client *c, struct bytes data, struct error *e);
/* Its end; why: NULL, or the reason to give up. */
MUST_USE enum errcode client_copy_end(struct client *c, const char *why, struct error *e);

#endif
