#include "client.h"

#include <stdlib.h>

#include "check/check.h"

#define CLIENTS_MAX 24
#define LOOK_US     100000 /* between two looks at whether all is over */

#define BUSY_US_MIN  INT64_C(200000)
#define BUSY_US_MAX  INT64_C(4000000)
#define QUIET_US_MIN INT64_C(2000000)
#define QUIET_US_MAX INT64_C(40000000)
#define NEVER_QUIET  16 /* one life in so many */

struct workload {
    struct load load;
    struct client *clients[CLIENTS_MAX];
    size_t count;
    struct client *last;
    struct world_event look;
    struct prng prng;
    struct world_event pace;
    int64_t quiet_us_max; /* 0: clients never rest */
};

static void add(struct workload *l, struct client *(*new_client)(struct load *, uint32_t),
                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ASSERT(l->count < CLIENTS_MAX);
        l->clients[l->count] = new_client(&l->load, (uint32_t)l->count + 1);
        l->count++;
    }
}

static struct client *first_admin(struct load *load, uint32_t number)
{
    return admin_new(load, number, true);
}

static struct client *other_admin(struct load *load, uint32_t number)
{
    return admin_new(load, number, false);
}

static void on_look(struct world_event *ev)
{
    struct workload *l = container_of(ev, struct workload, look);

    for (size_t i = 0; i < l->count; i++) {
        if (!l->clients[i]->idle(l->clients[i])) {
            world_schedule(l->load.world, &l->look, LOOK_US);
            return;
        }
    }
    l->load.settled = true;
    client_after(l->last, 0);
}

/* From quiet to busy and back; those who think over something quiet are woken. */
static void on_pace(struct world_event *ev)
{
    struct workload *l = container_of(ev, struct workload, pace);
    struct load *load = &l->load;

    load->quiet = !load->quiet;
    world_schedule(load->world, ev,
                   load->quiet ? prng_between(&l->prng, 0, l->quiet_us_max)
                               : prng_skewed(&l->prng, BUSY_US_MIN, BUSY_US_MAX));
    for (size_t i = 0; !load->quiet && i < l->count; i++) {
        client_think(l->clients[i]);
    }
}

static void set_pace(struct workload *l)
{
    l->prng = world_prng(l->load.world, "pace");
    world_event_init(&l->pace, on_pace);
    if (prng_below(&l->prng, NEVER_QUIET) > 0) {
        l->quiet_us_max = prng_between(&l->prng, QUIET_US_MIN, QUIET_US_MAX);
        world_schedule(l->load.world, &l->pace, prng_skewed(&l->prng, BUSY_US_MIN, BUSY_US_MAX));
    }
}

struct workload *workload_new(struct world *w)
{
    struct workload *l = mem_new(struct workload);
    struct prng prng = world_prng(w, "workload");

    l->load.world = w;
    history_init(&l->load.history);
    l->load.table_count = (size_t)prng_between(&prng, 2, LOAD_TABLES_MAX);
    for (size_t i = 0; i < l->load.table_count; i++) {
        l->load.tables[i] = table_new(&prng, (unsigned)i);
    }
    add(l, first_admin, 1);
    add(l, other_admin, prng_below(&prng, 2));
    add(l, writer_new, (size_t)prng_between(&prng, 2, 7));
    add(l, reader_new, (size_t)prng_between(&prng, 1, 4));
    add(l, looker_new, (size_t)prng_between(&prng, 1, 3));
    l->last = last_new(&l->load, (uint32_t)l->count + 1);
    world_event_init(&l->look, on_look);
    set_pace(l);
    return l;
}

void workload_finish(struct workload *l)
{
    l->load.finishing = true;
    l->load.quiet = false;
    world_cancel(l->load.world, &l->pace);
    for (size_t i = 0; i < l->count; i++) {
        client_after(l->clients[i], 0);
    }
    world_schedule(l->load.world, &l->look, LOOK_US);
}

void workload_server_died(struct workload *l) { history_death(&l->load.history); }

void workload_decay(struct workload *l, const struct decay *decay)
{
    history_decay(&l->load.history, decay);
}

void workload_hear(struct workload *l, const char *line) { history_hear(&l->load.history, line); }

bool workload_done(const struct workload *l) { return l->load.settled && l->last->idle(l->last); }

void workload_check(struct workload *l)
{
    struct load *load = &l->load;
    struct check_rules rules = {.complete = workload_done(l)};
    struct verdict *v = &load->verdict;
    bool good = !v->bad && check_all(&load->history, &rules, v);

    if (good && !workload_done(l)) {
        good = check_live(&load->history, v) && verdict_bad(v, "live", "the last reader hangs");
    }
    if (!good) {
        trace_violation(world_trace(load->world), v->checker, "%s", v->message);
    }
}

void workload_free(struct workload *l)
{
    world_cancel(l->load.world, &l->look);
    world_cancel(l->load.world, &l->pace);
    for (size_t i = 0; i < l->count; i++) {
        l->clients[i]->free(l->clients[i]);
    }
    l->last->free(l->last);
    for (size_t i = 0; i < l->load.table_count; i++) {
        table_free(l->load.tables[i]);
    }
    history_fini(&l->load.history);
    free(l);
}

struct workload_stats workload_stats(const struct workload *l) { return l->load.stats; }
