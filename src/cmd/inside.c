#include "inside.h"

#include "server_config.h"

#include "base/diag.h"
#include "io/blocking.h"

/* What a server does by itself now and then, it does not do here. */
#define NEVER "3650 d"

static enum errcode configure(const char *data_dir, struct inside *in, struct error *e)
{
    char *words[] = {
        "server",
        "--data-dir",
        arena_strndup(&in->arena, data_dir, strlen(data_dir)),
        "-Dlog.retention.check-interval=" NEVER,
        "-Dauto-partition.check.interval=" NEVER,
        "-Dkv.snapshot.interval=" NEVER,
        "-Dpostgres.listeners=none",
    };
    struct server_args args;

    TRY(args_parse((int)ARRAY_LEN(words), words, &in->arena, &args, e));
    TRY(server_config_make(&args, &in->arena, &in->config, e));
    in->config.listener_count = 0;
    in->config.sql_listener_count = 0;
    in->config.sql_private = true;
    in->config.sql.read_only = true;
    return ERR_OK;
}

enum errcode inside_start(const char *data_dir, struct inside *ret, struct error *e)
{
    struct diag_sink quiet = {.level = DIAG_WARN};

    *ret = (struct inside){.server = NULL};
    if (!path_exists(arena_printf(&ret->arena, "%s/.lock", data_dir))) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s: no server has had its data here", data_dir);
    }
    TRY(configure(data_dir, ret, e));
    diag_configure(&quiet);
    return server_start(&ret->config, &ret->server, e);
}

void inside_stop(struct inside *in)
{
    if (in->server != NULL) {
        (void)server_stop(TAKE(in->server)); /* an unclean one says so */
    }
    arena_fini(&in->arena);
}

enum errcode inside_dial(void *context, int *ret_fd, struct error *e)
{
    struct inside *in = context;
    int fds[2];

    TRY(socket_pair(fds, e));
    server_sql_adopt(in->server, fds[1]);
    *ret_fd = fds[0];
    return ERR_OK;
}
