/* From options to the plain values a server is started with. */
#ifndef CMD_SERVER_CONFIG_H
#define CMD_SERVER_CONFIG_H

#include "args.h"
#include "server.h"

/* Everything lives in the arena. ERR_INVALID_ARGUMENT names the option. */
MUST_USE enum errcode server_config_make(const struct server_args *args, struct arena *arena,
                                         struct server_config *ret, struct error *e);

#endif
