/* The SQL shell: a person, a script or a command line on one side, a server on the other.
 *
 * What it is given comes from one of three: the texts of -c, a script, or a terminal. Results go to
 * standard output, everything else to standard error. Thread: main.
 */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include "client.h"
#include "output.h"

enum shell_exit {
    SHELL_FINE = 0,
    SHELL_FAILED = 1,  /* a statement of -c, or of a person: none of these */
    SHELL_USAGE = 2,   /* or no server */
    SHELL_STOPPED = 3, /* a script, by an error */
};

struct shell_options {
    struct client_options client;
    const char *place;           /* what is connected to, for people */
    const char *const *commands; /* of -c, in order */
    size_t command_count;
    const char *script; /* of -f; NULL: none */
    int interrupt;      /* of io/terminal.h; -1: opened when there is a connection */
    enum output_format format;
    bool timing;
    bool bare;
};

/* Runs to the end; the exit code. */
int shell_run(const struct shell_options *options);

#endif
