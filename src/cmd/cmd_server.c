/* eider server: start, say that it serves, wait for a signal, stop. */
#include "cmd.h"
#include "server_config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/diag.h"
#include "format/json.h"
#include "io/clock.h"

static void configure_diag(const struct options *o)
{
    struct diag_sink sink = {
        .level = DIAG_INFO,
        .json = strcmp(options_string(o, "log.format"), "json") == 0,
    };

    diag_configure(&sink);
}

/* Segments and connections each take a descriptor. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            diag_warn("server", "the limit of open files stays at %llu",
                      (unsigned long long)limit.rlim_cur);
        }
    }
}

/* Blocked in all threads from here on; only the main thread takes them, by sigwait. */
static void block_signals(sigset_t *set)
{
    (void)signal(SIGPIPE, SIG_IGN); /* sendfile to a peer that is gone */
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, set, NULL); /* there is one thread yet, the others inherit it */
}

/* One line on stdout, for whoever started us. */
static void announce(const struct server *s)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct node_listener *first = &s->listeners[0];
    bool ipv6 = strchr(first->host, ':') != NULL;
    struct json_writer w;
    struct bytes text;

    json_writer_init(&w, &arena);
    json_write_object(&w);
    json_write_string_member(
        &w, "address", arena_printf(&arena, ipv6 ? "[%s]:%u" : "%s:%u", first->host, first->port));
    if (s->sql_listener_count > 0) {
        const struct node_listener *sql = &s->sql_listeners[0];

        json_write_string_member(&w, "postgres",
                                 arena_printf(&arena,
                                              strchr(sql->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
                                              sql->host, sql->port));
    }
    json_write_int_member(&w, "pid", getpid());
    json_write_string_member(&w, "data_dir", s->data_dir);
    json_write_string_member(&w, "durability", s->config->replicas.sync ? "fsync" : "os");
    json_write_int_member(&w, "shards", s->node.shard_count);
    json_write_string_member(&w, "version", EIDER_VERSION);
    json_write_end(&w);
    text = json_writer_text(&w);
    printf("%.*s\n", (int)text.len, (const char *)text.data);
    (void)fflush(stdout);
}

static void warn_without_effect(const struct options *o, struct arena *arena)
{
    size_t count;
    const char *const *keys = options_without_effect(o, arena, &count);

    for (size_t i = 0; i < count; i++) {
        diag_warn("server", "option %s is accepted and has no effect in this version", keys[i]);
    }
}

static int run(const struct server_args *args, struct arena *arena)
{
    struct server_config config;
    struct server *server = NULL;
    int64_t started_us = clock_mono_us();
    sigset_t signals;
    struct error e;
    int received;

    if (server_config_make(args, arena, &config, &e) != ERR_OK) {
        fprintf(stderr, "eider server: %s\n", e.message);
        return 2;
    }
    configure_diag(args->options);
    warn_without_effect(args->options, arena);
    raise_descriptor_limit();
    mem_keep_freed();
    block_signals(&signals);
    if (server_start(&config, &server, &e) != ERR_OK) {
        diag_error("server", "cannot start: %s", e.message);
        return 1;
    }
    announce(server);
    diag_info("server", "serving on %s:%u after %lld ms, data in %s, durability %s, %u shards",
              server->listeners[0].host, server->listeners[0].port,
              (long long)((clock_mono_us() - started_us) / 1000), server->data_dir,
              config.replicas.sync ? "fsync" : "os", server->node.shard_count);
    (void)sigwait(&signals, &received);
    diag_info("server", "stopping on %s", strsignal(received));
    diag_info("server", "stopped %s", server_stop(server) ? "cleanly" : "uncleanly");
    return 0;
}

int cmd_server(int argc, char **argv)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct server_args args;
    struct error e;

    if (args_parse(argc, argv, &arena, &args, &e) != ERR_OK) {
        fprintf(stderr, "eider server: %s\n", e.message);
        return 2;
    }
    if (args.help) {
        printf("%s", args_server_usage);
        return 0;
    }
    return run(&args, &arena);
}

int cmd_config(int argc, char **argv)
{
    if (argc == 1) {
        options_describe(stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--json") == 0) {
        options_describe_json(stdout);
        return 0;
    }
    fprintf(stderr, "usage: eider config [--json]\n");
    return 2;
}
