#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#ifdef SIM_ASAN /* the sanitizer follows stacks only when told */
#include <sanitizer/common_interface_defs.h>
#define STACK_BYTES ((size_t)2 << 20)
#else
#define STACK_BYTES                                                 ((size_t)256 << 10)
#define __sanitizer_start_switch_fiber(save, bottom, size)          ((void)(save))
#define __sanitizer_finish_switch_fiber(save, ret_bottom, ret_size) ((void)(save))
#endif

#define START_US_MAX 300 /* until a thread gets going */
#define WAKE_US_MAX  60

struct task {
    struct list link;
    struct world *world;
    struct world_event resume;
    ucontext_t context;
    ucontext_t *back; /* the world's */
    void *stack;
    const void *back_stack; /* for the sanitizer */
    size_t back_size;
    void *fake_stack;
    void (*run)(void *arg);
    void *arg;
    struct shard *shard;
    struct task *joiner;
    bool waiting; /* task_wake may cut it short */
    bool ended;
    char name[24];
};

/* ---- switching ---- */

static void task_leave(struct task *t)
{
    __sanitizer_start_switch_fiber(t->ended ? NULL : &t->fake_stack, t->back_stack, t->back_size);
    ASSERT(swapcontext(&t->context, t->back) == 0);
    __sanitizer_finish_switch_fiber(t->fake_stack, &t->back_stack, &t->back_size);
}

static void task_main(void)
{
    struct task *t = world_here()->running;

    __sanitizer_finish_switch_fiber(NULL, &t->back_stack, &t->back_size);
    t->run(t->arg);
    t->ended = true;
    if (t->joiner != NULL) {
        task_wake(t->joiner);
    }
    task_leave(t);
}

static void task_resume(struct world_event *ev)
{
    struct task *t = container_of(ev, struct task, resume);
    struct world *w = t->world;
    ucontext_t here;
    void *fake_stack = NULL;

    ASSERT(w->running == NULL && !t->ended);
    t->waiting = false;
    t->back = &here;
    w->running = t;
    __sanitizer_start_switch_fiber(&fake_stack, t->stack, STACK_BYTES);
    ASSERT(swapcontext(&here, &t->context) == 0);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
    w->running = NULL;
    if (w->machine.crash_now) {
        world_crash_now(w);
    } else if (t->ended) {
        free(TAKE(t->stack));
    }
}

/* ---- life ---- */

struct task *task_start(const char *name, void (*run)(void *arg), void *arg)
{
    struct world *w = world_here();
    struct task *t = mem_new(struct task);

    t->world = w;
    t->run = run;
    t->arg = arg;
    t->stack = mem_alloc(STACK_BYTES);
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    ASSERT(getcontext(&t->context) == 0);
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&t->context, task_main, 0);
    list_push_back(&w->tasks, &t->link);
    world_event_init(&t->resume, task_resume);
    world_schedule(w, &t->resume, prng_between(&w->random, 1, START_US_MAX));
    return t;
}

struct task *task_current(void) { return world_here()->running; }

const char *task_name(const struct task *t) { return t->name; }

void task_set_shard(struct task *t, struct shard *s) { t->shard = s; }

struct shard *task_shard(const struct task *t) { return t->shard; }

static void task_free(struct task *t)
{
    world_cancel(t->world, &t->resume);
    list_remove(&t->link);
    free(t->stack);
    free(t);
}

void task_join(struct task *t)
{
    t->joiner = t->world->running;
    while (!t->ended) {
        task_wait(INT64_MAX);
    }
    task_free(t);
}

void tasks_kill(struct world *w)
{
    struct list *link;

    while ((link = list_pop_front(&w->tasks)) != NULL) {
        task_free(container_of(link, struct task, link));
    }
}

_Noreturn void task_crash(void)
{
    struct world *w = world_here();

    w->machine.crash_now = true;
    task_leave(w->running);
    check_failed(__FILE__, __LINE__, "a task of a crashed machine went on");
}

/* ---- waiting ---- */

void task_sleep(int64_t delay_us)
{
    struct world *w = world_here();

    if (!world_skip(w, delay_us)) {
        world_schedule(w, &w->running->resume, delay_us);
        task_leave(w->running);
    }
}

void task_wait(int64_t until_us)
{
    struct world *w = world_here();
    struct task *t = w->running;

    t->waiting = true;
    if (until_us != INT64_MAX) {
        world_schedule(w, &t->resume, until_us > w->now_us ? until_us - w->now_us : 0);
    }
    task_leave(t);
}

void task_wake(struct task *t)
{
    struct world *w = t->world;

    if (t->waiting) {
        t->waiting = false;
        world_schedule(w, &t->resume, prng_between(&w->random, 1, WAKE_US_MAX));
    }
}
