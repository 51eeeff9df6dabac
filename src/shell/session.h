/* Inside shell/: the state of a shell, and running one statement. Thread: main. */
#ifndef SHELL_SESSION_H
#define SHELL_SESSION_H

#include "script.h"
#include "shell.h"

#define SESSION_DEPTH_MAX 16 /* scripts that run scripts */

struct shell {
    const struct shell_options *options;
    struct client_options dialled; /* of the client: the database changes */
    struct client *client;
    struct sink out;
    struct output output;
    struct output_options look;
    struct arena arena; /* of one statement */
    struct arena names; /* the database's */
    bool timing;
    bool quit;
    unsigned depth;                /* of scripts */
    struct script *script;         /* that runs: data of COPY comes from it */
    bool (*more)(struct shell *s); /* adds a line to the script; false: it has ended */
    void *more_context;
    int interrupt;
};

enum session_result {
    SESSION_FINE,
    SESSION_FAILED, /* the statement, and that has been said */
    SESSION_LOST,   /* the connection, or where results go, and that has been said */
};

/* Sends it and shows the answer. */
enum session_result shell_statement(struct shell *s, struct bytes statement);
/* The same for statements of our own, printf-like. */
enum session_result shell_ask(struct shell *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Runs the next item of the script, if it is whole; last: nothing follows. shell.c. */
enum session_result shell_item(struct shell *s, struct script *script, bool last, bool *ret_some);
/* Runs a script. shell.c. */
enum session_result shell_file(struct shell *s, const char *path);
/* Connects; again when it was connected. */
MUST_USE enum errcode shell_connect(struct shell *s, const char *database, struct error *e);

#endif
