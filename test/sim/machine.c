/* The machine: the real server with a configuration drawn from the seed, its start, stop and crash. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "cmd/server_config.h"

#define DATA_DIR "/data"
/* 2026-01-01: any time will do that is not 0. */
#define WALL_MS INT64_C(1767225600000)
/* How often a thread loses the processor at an operation of the disk, per million, and how long. */
#define PREEMPT        100000
#define PREEMPT_US_MAX 2000
#define TURN_US_MAX    20
#define DIAG_LINE      1000
/* Of the state of a bucket, before it goes to the disk. */
#define SPILL_BYTES_MIN 200
#define SPILL_BYTES_MAX (64 << 10)

/* ---- what the server says ---- */

static void diag_write(const char *line, size_t len)
{
    static const size_t stamp = sizeof "2026-01-31T12:00:00.123Z"; /* virtual time stands before */
    size_t from = len > stamp ? stamp : 0;
    const struct machine *m = &world_here()->machine;

    trace_line(world_here()->trace, "server", "%.*s", (int)(len - from - 1), line + from);
    if (m->said != NULL) {
        char text[DIAG_LINE];

        (void)snprintf(text, sizeof text, "%.*s", (int)(len - from - 1), line + from);
        m->said(m->said_context, text);
    }
}

void world_on_diag(struct world *w, void (*said)(void *context, const char *line), void *context)
{
    w->machine.said = said;
    w->machine.said_context = context;
}

static int64_t diag_wall_ms(void) { return 0; }

void machine_init(struct world *w)
{
    const struct diag_sink sink = {
        .level = DIAG_INFO, .wall_ms = diag_wall_ms, .write = diag_write};

    diag_configure(&sink);
    w->machine.random = world_prng(w, "machine");
    w->machine.wall_base_ms = WALL_MS + prng_between(&w->machine.random, 0, 86400000);
}

void machine_fini(struct world *w)
{
    if (w->machine.arena != NULL) {
        arena_fini(w->machine.arena);
        free(w->machine.arena);
    }
}

/* ---- the configuration ---- */

static void set(struct options *o, const char *key, const char *value)
{
    struct error e;

    if (options_set(o, bytes_str(key), bytes_str(value), "sim", &e) != ERR_OK) {
        check_failed(__FILE__, __LINE__, e.message);
    }
}

/* One of `count` values. */
static void draw(struct world *w, struct options *o, const char *key, const char *const *values,
                 size_t count)
{
    set(o, key, values[prng_below(&w->machine.random, count)]);
}

#define DRAW(w, o, key, ...)                                                                       \
    draw(w, o, key, (const char *const[]){__VA_ARGS__},                                            \
         ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

/* Sizes are small, so that files end and memory is full within seconds; what an operator may change
 * between two starts does change. */
static void configure(struct world *w, struct server_config *ret)
{
    struct arena *arena = w->machine.arena;
    struct options *o = options_new(arena);
    struct server_args args = {.options = o, .data_dir = DATA_DIR};
    struct error e;

    DRAW(w, o, "eider.shards", "1", "2", "3");
    DRAW(w, o, "log.segment.file-size", "4kb", "32kb", "256kb", "4mb");
    DRAW(w, o, "log.index.interval-size", "1b", "256b", "4kb");
    DRAW(w, o, "log.index.file-size", "128b", "10mb");
    DRAW(w, o, "log.replica.high-watermark.checkpoint-interval", "200ms", "5s");
    DRAW(w, o, "log.flush.offset.checkpoint-interval", "1s", "60s");
    DRAW(w, o, "eider.kv.memory", "8mb", "64mb");
    DRAW(w, o, "kv.snapshot.interval", "1s", "10s", "10min");
    DRAW(w, o, "kv.snapshot.num-retained", "1", "2");
    set(o, "eider.memory.budget", "64mb");
    set(o, "log.durability", "fsync");
    set(o, "postgres.listeners", "none"); /* DuckDB has threads of its own */
    ASSERT(options_check(o, &e) == ERR_OK);
    ASSERT(server_config_make(&args, arena, ret, &e) == ERR_OK);
    ret->kv.in_memory = true;
    ret->kv.spill_bytes = (size_t)prng_skewed(&w->machine.random, SPILL_BYTES_MIN, SPILL_BYTES_MAX);
}

/* ---- life ---- */

enum machine_state world_machine(const struct world *w) { return w->machine.state; }

void world_on_machine(struct world *w,
                      void (*changed)(void *context, enum machine_state now, const char *why),
                      void *context)
{
    w->machine.changed = changed;
    w->machine.context = context;
}

static void move(struct world *w, enum machine_state state, const char *why)
{
    static const char *const names[] = {"off", "starting", "serving", "stopping"};

    w->machine.state = state;
    trace_line(w->trace, "world", "the server is %s%s%s", names[state], why == NULL ? "" : ": ",
               why == NULL ? "" : why);
    if (w->machine.changed != NULL) {
        w->machine.changed(w->machine.context, state, why);
    }
}

static void machine_main(void *arg)
{
    struct world *w = arg;
    struct server_config *config = arena_new(w->machine.arena, struct server_config);
    struct server *server = NULL;
    struct error e;

    configure(w, config);
    if (server_start(config, &server, &e) != ERR_OK) {
        w->machine.main = NULL;
        move(w, MACHINE_OFF, e.message);
        return;
    }
    move(w, MACHINE_SERVING, NULL);
    while (!w->machine.stop_wanted) {
        task_wait(INT64_MAX);
    }
    move(w, MACHINE_STOPPING, NULL);
    (void)server_stop(server);
    w->machine.main = NULL;
    move(w, MACHINE_OFF, NULL);
}

void world_start(struct world *w)
{
    ASSERT(w->machine.state == MACHINE_OFF);
    tasks_kill(w); /* the main one of the last run has ended, but is still there */
    machine_fini(w);
    w->machine.arena = mem_new(struct arena);
    w->machine.stop_wanted = false;
    move(w, MACHINE_STARTING, NULL);
    w->machine.main = task_start("main", machine_main, w);
}

void world_stop(struct world *w)
{
    ASSERT(w->machine.state == MACHINE_SERVING);
    w->machine.stop_wanted = true;
    task_wake(w->machine.main);
}

/* ---- crashes ---- */

void world_crash_now(struct world *w)
{
    bool calm = w->machine.crash_how == CRASH_KILL;

    w->machine.crash_now = false;
    w->machine.crash_countdown = 0;
    if (w->machine.state == MACHINE_OFF) {
        return;
    }
    w->machine.main = NULL;
    tasks_kill(w);
    net_machine_gone(&w->net, !calm);
    disk_crash(w->disk, calm);
    move(w, MACHINE_OFF, calm ? "killed" : "power cut");
}

void world_crash(struct world *w, enum crash how, unsigned operations)
{
    w->machine.crash_how = how;
    w->machine.crash_countdown = operations;
    if (operations == 0) {
        ASSERT(w->running == NULL);
        world_crash_now(w);
    }
}

void machine_operation(struct world *w, int64_t device_us_max)
{
    const struct disk_faults *f = &w->faults.disk;

    if (w->running == NULL) {
        return; /* what the world itself does */
    }
    if (w->machine.crash_countdown > 0 && --w->machine.crash_countdown == 0) {
        task_crash();
    }
    if (f->stall > 0 && prng_chance(&w->random, f->stall)) {
        int64_t us = prng_skewed(&w->random, 0, f->stall_us_max);

        trace_line(w->trace, "disk", "%s waits %lld us", task_name(w->running), (long long)us);
        task_sleep(us);
    } else if (device_us_max > 0) {
        task_sleep(prng_skewed(&w->random, 20, device_us_max));
    } else if (prng_chance(&w->random, PREEMPT)) {
        task_sleep(prng_skewed(&w->random, 1, PREEMPT_US_MAX));
    }
}

void machine_turn(struct world *w)
{
    const struct world_faults *f = &w->faults;

    if (f->clock_jump > 0 && prng_chance(&w->random, f->clock_jump)) {
        int64_t ms = prng_skewed(&w->random, 0, f->clock_jump_ms_max);

        w->machine.wall_base_ms += prng_below(&w->random, 2) == 0 ? ms : -ms;
        trace_line(w->trace, "world", "wall time jumps by %lld ms", (long long)ms);
    }
    if (f->pause > 0 && prng_chance(&w->random, f->pause)) {
        task_sleep(prng_skewed(&w->random, 0, f->pause_us_max));
    } else {
        task_sleep(prng_between(&w->random, 1, TURN_US_MAX));
    }
}

int64_t machine_wall_ms(struct world *w) { return w->machine.wall_base_ms + w->now_us / 1000; }
