/* A server inside of this process for a tool that reads a data directory: SQL without any listener, and
 * nothing that SQL could change. Thread: main. */
#ifndef CMD_INSIDE_H
#define CMD_INSIDE_H

#include "server.h"

struct inside {
    struct arena arena;
    struct server_config config;
    struct server *server; /* NULL: not started */
};

/* Starts it over a directory that a server has used, which another one must not use at the moment. A
 * start recovers what a crash left, as every start does. ret stays where it is.
 * ERR_INVALID_ARGUMENT: no data directory, or it is in use. */
MUST_USE enum errcode inside_start(const char *data_dir, struct inside *ret, struct error *e);
/* Stops it; accepts one that was not started. */
void inside_stop(struct inside *in);
/* A connection to it; for struct client_options, context: the struct inside. */
MUST_USE enum errcode inside_dial(void *context, int *ret_fd, struct error *e);

#endif
