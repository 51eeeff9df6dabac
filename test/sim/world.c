#include "inside.h"

#include <stdlib.h>

#define HEAP_MIN 64

static struct world *the_world; /* io/ has no argument that leads to it */

struct world *world_here(void)
{
    ASSERT(the_world != NULL);
    return the_world;
}

struct world *world_new(const struct world_options *options)
{
    struct world *w = mem_new(struct world);

    ASSERT(the_world == NULL);
    the_world = w;
    w->seed = options->seed;
    w->roots = (struct prng){.state = options->seed * UINT64_C(0x9e3779b97f4a7c15)};
    w->random = world_prng(w, "world");
    w->trace = trace_new(options->out, options->trace);
    trace_set_seed(w->trace, w->seed);
    w->disk = disk_new(world_prng(w, "disk"), w->trace);
    list_init(&w->tasks);
    net_init(&w->net, w);
    machine_init(w);
    return w;
}

void world_free(struct world *w)
{
    tasks_fini(w);
    net_fini(&w->net);
    machine_fini(w);
    disk_free(w->disk);
    trace_free(w->trace);
    free(w->heap);
    free(w);
    the_world = NULL;
}

void world_set_faults(struct world *w, const struct world_faults *faults)
{
    w->faults = *faults;
    disk_set_faults(w->disk, &faults->disk);
}

int64_t world_now_us(const struct world *w) { return w->now_us; }

struct trace *world_trace(struct world *w) { return w->trace; }

struct disk *world_disk(struct world *w) { return w->disk; }

struct prng world_prng(const struct world *w, const char *name)
{
    return prng_split(&w->roots, name);
}

/* ---- events: a binary heap ---- */

static bool before(const struct world_event *a, const struct world_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->number < b->number;
}

static void heap_place(struct world *w, size_t i, struct world_event *ev)
{
    w->heap[i] = ev;
    ev->heap_index = i;
}

static void heap_up(struct world *w, size_t i, struct world_event *ev)
{
    while (i > 1 && before(ev, w->heap[i / 2])) {
        heap_place(w, i, w->heap[i / 2]);
        i /= 2;
    }
    heap_place(w, i, ev);
}

static void heap_down(struct world *w, size_t i, struct world_event *ev)
{
    for (;;) {
        size_t child = 2 * i;

        if (child > w->heap_count) {
            break;
        }
        if (child < w->heap_count && before(w->heap[child + 1], w->heap[child])) {
            child++;
        }
        if (before(ev, w->heap[child])) {
            break;
        }
        heap_place(w, i, w->heap[child]);
        i = child;
    }
    heap_place(w, i, ev);
}

void world_event_init(struct world_event *ev, void (*fire)(struct world_event *ev))
{
    *ev = (struct world_event){.fire = fire};
}

void world_cancel(struct world *w, struct world_event *ev)
{
    size_t i = ev->heap_index;
    struct world_event *last;

    if (i == 0) {
        return;
    }
    ev->heap_index = 0;
    last = w->heap[w->heap_count--];
    if (last == ev) {
        return;
    }
    if (before(last, ev)) {
        heap_up(w, i, last);
    } else {
        heap_down(w, i, last);
    }
}

void world_schedule(struct world *w, struct world_event *ev, int64_t delay_us)
{
    world_cancel(w, ev);
    if (w->heap_count + 2 > w->heap_cap) {
        w->heap_cap = w->heap_cap == 0 ? HEAP_MIN : w->heap_cap * 2;
        w->heap = mem_realloc(w->heap, w->heap_cap * sizeof *w->heap);
    }
    ev->at_us = w->now_us + (delay_us > 0 ? delay_us : 0);
    ev->number = ++w->scheduled;
    heap_up(w, ++w->heap_count, ev);
}

/* ---- time ---- */

static void set_now(struct world *w, int64_t now_us)
{
    w->now_us = now_us;
    trace_at(w->trace, now_us);
    disk_at(w->disk, now_us);
}

bool world_skip(struct world *w, int64_t delay_us)
{
    int64_t at_us = w->now_us + delay_us;

    if (at_us > w->until_us || (w->heap_count > 0 && w->heap[1]->at_us <= at_us)) {
        return false;
    }
    set_now(w, at_us);
    return true;
}

void world_run(struct world *w, int64_t until_us)
{
    w->until_us = until_us;
    while (w->heap_count > 0 && w->heap[1]->at_us <= until_us) {
        struct world_event *ev = w->heap[1];

        world_cancel(w, ev);
        set_now(w, ev->at_us);
        ev->fire(ev);
    }
    set_now(w, until_us);
}
