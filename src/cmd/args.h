/* The command line of `eider server`.
 *
 * Options come from, each overriding the one before: the defaults, the file of --config, -D, the
 * flags. The only side effect is that file's being read. Thread: any.
 */
#ifndef CMD_ARGS_H
#define CMD_ARGS_H

#include "options.h"

struct server_args {
    struct options *options; /* complete and checked, the flags included */
    bool help;               /* print args_server_usage, exit 0; nothing else is set */
    bool ephemeral;          /* temporary data, removed at exit */
    const char *data_dir;    /* as given; NULL exactly when ephemeral */
    const char *config_path; /* NULL: no file */
};

/* What `eider server --help` prints. */
extern const char args_server_usage[];

/* argv[0] is the word "server" itself. Results live in the arena or are argv's. Every error is one
 * of usage (exit code 2), checked listeners included; the message says what to do. */
MUST_USE enum errcode args_parse(int argc, char **argv, struct arena *arena,
                                 struct server_args *ret, struct error *e);

#endif
