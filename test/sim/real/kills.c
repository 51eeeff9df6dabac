/* The simulated clients and their checkers against the real program: real time, sockets, disk and
 * RocksDB, and kill -9 in the middle of it.
 *
 *   eider_kills EIDER DIR SEED SECONDS KILLS
 *
 * DIR is made and holds the data and the server's diagnostics. What the clients do is drawn from the
 * seed, but when things happen is up to the machine: a failure does not repeat exactly.
 * Exit: 0 all is well, 1 a promise was broken, 2 wrong usage. */
#include "real.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/blocking.h"
#include "io/file.h"
#include "io/process.h"
#include "io/stream.h"

#define ARGUMENTS   6
#define PORT_CHARS  8
#define DOWN_US_MAX 300000
#define FINISH_US   INT64_C(120000000)

struct order {
    char *program;
    char *dir;
    char port[PORT_CHARS]; /* the same for every server, as clients know it */
    uint64_t seed;
    int64_t load_us;
    int64_t kills;
};

/* A port that is free now. */
static bool choose_port(struct order *o)
{
    uint16_t port = 0;
    struct error e;
    int fd;

    if (socket_listen("127.0.0.1", 0, &fd, &port, &e) != ERR_OK) {
        (void)printf("%s\n", e.message);
        return false;
    }
    socket_close(fd);
    (void)snprintf(o->port, sizeof o->port, "%u", port);
    return true;
}

static bool start_server(const struct order *o, int64_t *ret_pid)
{
    char port[PORT_CHARS];
    char *const argv[] = {o->program, "server", "--data-dir", o->dir,
                          "--port",   port,     "-D",         "postgres.listeners=none",
                          NULL};
    struct error e;

    memcpy(port, o->port, sizeof port);

    if (process_start(argv, ret_pid, &e) != ERR_OK) {
        (void)printf("%s\n", e.message);
        return false;
    }
    return true;
}

/* Diagnostics of the servers go where this program's would. */
static bool keep_diagnostics(const struct order *o)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct error e;

    if (dir_create(o->dir, &e) != ERR_OK) {
        (void)printf("%s\n", e.message);
        return false;
    }
    return freopen(arena_printf(&arena, "%s/server.log", o->dir), "a", stderr) != NULL;
}

/* Kills, spread over the time of the load. */
static bool load(const struct order *o, struct world *w, struct workload *l, int64_t *pid)
{
    struct prng prng = world_prng(w, "kills");

    for (int64_t i = 1; i <= o->kills; i++) {
        world_run(w, o->load_us * i / (o->kills + 1));
        process_end(pid, 1, 0);
        real_settle(w);
        workload_server_died(l);
        thread_sleep_us(prng_between(&prng, 0, DOWN_US_MAX));
        if (!start_server(o, pid)) {
            return false;
        }
    }
    world_run(w, o->load_us);
    return true;
}

static void finish(struct world *w, struct workload *l)
{
    int64_t end_us = world_now_us(w) + FINISH_US;

    workload_finish(l);
    while (!workload_done(l) && world_now_us(w) < end_us) {
        world_run(w, world_now_us(w) + 10000);
    }
    workload_check(l);
}

static int play(const struct order *o, int64_t pid)
{
    struct world *w = real_world_new(o->seed, (uint16_t)strtoul(o->port, NULL, 10));
    struct workload_stats stats;
    struct workload *l;
    size_t violations;
    bool ran;

    l = workload_new(w);
    ran = load(o, w, l, &pid);
    if (ran) {
        finish(w, l);
    }
    process_end(&pid, 1, 10000000);
    violations = trace_violations(world_trace(w));
    stats = workload_stats(l);
    (void)printf("seed %llu: %lld kills; %llu operations, %llu succeeded, %llu without an answer; "
                 "%zu violations\n",
                 (unsigned long long)o->seed, (long long)o->kills,
                 (unsigned long long)stats.started, (unsigned long long)stats.succeeded,
                 (unsigned long long)stats.unknown, violations);
    workload_free(l);
    real_world_free(w);
    return !ran || violations > 0;
}

int main(int argc, char **argv)
{
    struct order order;
    int64_t pid = 0;

    if (argc != ARGUMENTS) {
        (void)fprintf(stderr, "usage: eider_kills EIDER DIR SEED SECONDS KILLS\n");
        return 2;
    }
    order = (struct order){.program = argv[1],
                           .dir = argv[2],
                           .seed = strtoull(argv[3], NULL, 10),
                           .load_us = strtoll(argv[4], NULL, 10) * 1000000,
                           .kills = strtoll(argv[5], NULL, 10)};
    return choose_port(&order) && keep_diagnostics(&order) && start_server(&order, &pid)
               ? play(&order, pid)
               : 1;
}
