#include "scenario.h"

#include "rot.h"

#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000)

#define LOAD_US_MIN    (10 * SECOND)
#define LOAD_US_MAX    (150 * SECOND)
#define QUIET_US_MAX   (15 * SECOND) /* between two troubles */
#define RESTART_US_MAX (5 * SECOND)
/* When nothing is wrong any more: until the server serves, and until all is read. */
#define HEAL_US_MAX   (120 * SECOND)
#define FINISH_US_MAX (300 * SECOND)
#define STOP_US_MAX   (60 * SECOND)
#define STEP_US       (SECOND / 4)
/* How far ahead a crash may be planned, in operations of the disk. */
#define CRASH_OPERATIONS_MAX 600
/* One life in so many has decay, with so many hits at most. */
#define ROT_ONE_IN 2
#define ROT_MAX    12

struct scenario {
    struct world *world;
    struct workload *load;
    struct prng random;
    struct world_event trouble;
    struct world_event restart;
    bool kills; /* this seed has crashes of the process, power cuts, ... */
    bool cuts;
    bool stops;
    bool healing;
    struct prng rot;
    uint64_t rot_left; /* hits to come */
    uint64_t starts_wanted;
    struct world_faults faults; /* the worst of this seed; 0: this kind never happens */
    struct scenario_result result;
};

/* ---- faults ---- */

/* Per million; a kind is left out of half of the seeds. */
static uint32_t worst(struct scenario *s, int64_t max)
{
    return prng_below(&s->random, 2) == 0 ? 0 : (uint32_t)prng_skewed(&s->random, 1, max);
}

static void draw_worst(struct scenario *s)
{
    s->kills = prng_below(&s->random, 4) != 0;
    s->cuts = prng_below(&s->random, 4) != 0;
    s->stops = prng_below(&s->random, 2) != 0;
    s->faults = (struct world_faults){
        .disk = {.read_error = worst(s, 5000),
                 .write_error = worst(s, 5000),
                 .sync_error = worst(s, 10000),
                 .no_space = worst(s, 2000),
                 .name_error = worst(s, 5000),
                 .stall = worst(s, 20000),
                 .no_space_us_max = 20 * SECOND,
                 .stall_us_max = 10 * SECOND,
                 .cold = worst(s, 100000),
                 .bad_forever = worst(s, 300000)},
        .net = {.delay_us_min = prng_skewed(&s->random, 20, 2000),
                .cut = worst(s, 5000),
                .half_open = worst(s, 2000),
                .stall = worst(s, 10000),
                .stall_us_max = 20 * SECOND,
                .dribble = worst(s, 20000),
                .refuse = worst(s, 100000)},
        .clock_jump = worst(s, 1000),
        .clock_jump_ms_max = 7200000,
        .pause = worst(s, 1000),
        .pause_us_max = 5 * SECOND,
    };
    s->faults.net.delay_us_max = s->faults.net.delay_us_min * prng_skewed(&s->random, 2, 200);
}

/* Each kind may rest for a while, whatever the others do. */
static void rest(struct scenario *s, uint32_t *chance)
{
    if (prng_below(&s->random, 2) == 0) {
        *chance = 0;
    }
}

static void draw_faults(struct scenario *s)
{
    struct world_faults f = s->faults;
    uint32_t *chances[] = {
        &f.disk.read_error,  &f.disk.write_error,
        &f.disk.sync_error,  &f.disk.no_space,
        &f.disk.name_error,  &f.disk.stall,
        &f.disk.bad_forever, &f.net.cut,
        &f.net.half_open,    &f.net.stall,
        &f.net.dribble,      &f.net.refuse,
        &f.clock_jump,       &f.pause,
        &f.disk.cold,
    };

    for (size_t i = 0; i < ARRAY_LEN(chances); i++) {
        rest(s, chances[i]);
    }
    world_set_faults(s->world, &f);
}

static void no_faults(struct scenario *s)
{
    const struct world_faults f = {.net = {.delay_us_min = 20, .delay_us_max = 500}};

    world_set_faults(s->world, &f);
}

/* ---- trouble ---- */

static void machine_changed(void *context, enum machine_state now, const char *why)
{
    struct scenario *s = context;

    (void)why;
    s->result.starts += now == MACHINE_STARTING;
    if (now == MACHINE_OFF) {
        if (s->load != NULL) {
            workload_server_died(s->load);
        }
        world_schedule(s->world, &s->restart,
                       prng_skewed(&s->random, 1000, s->healing ? 2000 : RESTART_US_MAX));
    }
}

static void decay(struct scenario *s, bool hidden)
{
    if (s->rot_left > 0 && s->load != NULL && prng_below(&s->rot, 2) == 0 &&
        rot_strike(s->world, s->load, &s->rot, hidden)) {
        s->rot_left--;
        s->result.decays++;
    }
}

/* An operator who does at once what the server asks for: a full disk may keep it from noting that a
 * sync has failed, and only the page cache knows then. */
static void hear(void *context, const char *line)
{
    struct scenario *s = context;

    if (strstr(line, "restart the machine") != NULL) {
        s->result.crashes++;
        world_crash(s->world, CRASH_POWER, 1);
    }
    if (s->load != NULL) {
        workload_hear(s->load, line);
    }
}

static void restart(struct world_event *ev)
{
    struct scenario *s = container_of(ev, struct scenario, restart);

    decay(s, false);
    world_start(s->world);
}

static void crash(struct scenario *s, enum crash how)
{
    unsigned operations = prng_below(&s->random, 4) == 0
                              ? 0
                              : (unsigned)prng_skewed(&s->random, 1, CRASH_OPERATIONS_MAX);

    s->result.crashes++;
    world_crash(s->world, how, operations);
}

static void trouble(struct world_event *ev)
{
    struct scenario *s = container_of(ev, struct scenario, trouble);

    decay(s, true);
    switch (prng_below(&s->random, 5)) {
    case 0:
        if (s->kills) {
            crash(s, CRASH_KILL);
        }
        break;
    case 1:
    case 2:
        if (s->cuts) {
            crash(s, CRASH_POWER);
        }
        break;
    case 3:
        if (s->stops && world_machine(s->world) == MACHINE_SERVING) {
            world_stop(s->world);
        }
        break;
    default:
        draw_faults(s);
        break;
    }
    world_schedule(s->world, ev, prng_skewed(&s->random, 1000, QUIET_US_MAX));
}

/* ---- the phases ---- */

static bool serving(const struct scenario *s) { return world_machine(s->world) == MACHINE_SERVING; }

static bool serves_again(const struct scenario *s)
{
    return serving(s) && s->result.starts >= s->starts_wanted;
}

static bool is_done(const struct scenario *s) { return workload_done(s->load); }

/* Runs until it is so; false: not within that time. */
static bool run_until(struct scenario *s, bool (*reached)(const struct scenario *s), int64_t max_us)
{
    int64_t end_us = world_now_us(s->world) + max_us;

    while (!reached(s) && world_now_us(s->world) < end_us) {
        world_run(s->world, world_now_us(s->world) + STEP_US);
    }
    return reached(s);
}

static void hangs(struct scenario *s, const char *what)
{
    trace_violation(world_trace(s->world), "world", "%s", what);
}

/* What was refused after a failed sync stays so until a restart: that belongs to healing. */
static bool heal(struct scenario *s)
{
    world_cancel(s->world, &s->trouble);
    no_faults(s);
    trace_line(world_trace(s->world), "world", "everything heals");
    s->healing = true;
    world_crash(s->world, prng_below(&s->random, 2) == 0 ? CRASH_KILL : CRASH_POWER, 0);
    if (!run_until(s, serving, HEAL_US_MAX)) {
        hangs(s, "the server does not serve again");
        return false;
    }
    return true;
}

/* A clean stop and a start from it. */
static bool stop_once(struct scenario *s)
{
    s->starts_wanted = s->result.starts + 1;
    world_stop(s->world);
    if (!run_until(s, serves_again, STOP_US_MAX)) {
        hangs(s, "the server does not stop and start again");
        return false;
    }
    return true;
}

static void play(struct scenario *s)
{
    int64_t load_us = prng_skewed(&s->random, LOAD_US_MIN, LOAD_US_MAX);

    world_start(s->world);
    s->load = workload_new(s->world);
    world_schedule(s->world, &s->trouble, prng_skewed(&s->random, 1000, QUIET_US_MAX));
    world_run(s->world, load_us);
    if (!heal(s) || !stop_once(s)) {
        return;
    }
    workload_finish(s->load);
    if (!run_until(s, is_done, FINISH_US_MAX)) {
        hangs(s, "the clients do not come to an end");
    }
    workload_check(s->load);
}

struct scenario_result scenario_run(const struct world_options *options)
{
    struct scenario *s = mem_new(struct scenario);
    struct scenario_result result;

    s->world = world_new(options);
    s->random = world_prng(s->world, "scenario");
    s->rot = world_prng(s->world, "rot");
    if (prng_below(&s->rot, ROT_ONE_IN) == 0) {
        s->rot_left = (uint64_t)prng_between(&s->rot, 1, ROT_MAX);
    }
    world_event_init(&s->trouble, trouble);
    world_event_init(&s->restart, restart);
    draw_worst(s);
    no_faults(s);
    world_on_machine(s->world, machine_changed, s);
    world_on_diag(s->world, hear, s);
    play(s);
    s->result.simulated_us = world_now_us(s->world);
    s->result.stats = workload_stats(s->load);
    s->result.hash = trace_hash(world_trace(s->world));
    s->result.violations = trace_violations(world_trace(s->world));
    result = s->result;
    workload_free(s->load);
    world_free(s->world);
    free(s);
    return result;
}
