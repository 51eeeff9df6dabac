/* Contexts make a stack to begin on; afterwards longjmp switches, which costs no call of the system. */
#undef _FORTIFY_SOURCE /* its longjmp takes another stack for a mistake */
#include "inside.h"

#include <setjmp.h>
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
    ucontext_t context; /* of its beginning */
    jmp_buf here;
    jmp_buf *back; /* the world's */
    void *stack;
    const void *back_stack; /* for the sanitizer */
    size_t back_size;
    void *fake_stack;
    void (*run)(void *arg);
    void *arg;
    struct shard *shard;
    struct task *joiner;
    bool waiting; /* task_wake may cut it short */
    bool begun;
    bool ended;
    char name[24];
};

/* ---- stacks: those of threads that are gone are used again ---- */

static void *stack_take(struct world *w)
{
    return w->stack_count > 0 ? w->stacks[--w->stack_count] : mem_alloc(STACK_BYTES);
}

static void stack_give(struct world *w, void *stack)
{
    if (stack == NULL) {
        return;
    }
    if (w->stack_count == ARRAY_LEN(w->stacks)) {
        free(stack);
    } else {
        w->stacks[w->stack_count++] = stack;
    }
}

void tasks_fini(struct world *w)
{
    tasks_kill(w);
    while (w->stack_count > 0) {
        free(w->stacks[--w->stack_count]);
    }
}

/* ---- switching ---- */

static void task_leave(struct task *t)
{
    __sanitizer_start_switch_fiber(t->ended ? NULL : &t->fake_stack, t->back_stack, t->back_size);
    if (_setjmp(t->here) == 0) {
        _longjmp(*t->back, 1);
    }
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

/* Until it leaves. */
static void task_enter(struct task *t)
{
    jmp_buf back;

    t->back = &back;
    if (_setjmp(back) != 0) {
        return;
    }
    if (t->begun) {
        _longjmp(t->here, 1);
    }
    t->begun = true;
    ASSERT(setcontext(&t->context) == 0);
}

static void task_resume(struct world_event *ev)
{
    struct task *t = container_of(ev, struct task, resume);
    struct world *w = t->world;
    void *fake_stack = NULL;

    ASSERT(w->running == NULL && !t->ended);
    t->waiting = false;
    w->running = t;
    __sanitizer_start_switch_fiber(&fake_stack, t->stack, STACK_BYTES);
    task_enter(t);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
    w->running = NULL;
    if (w->machine.crash_now) {
        world_crash_now(w);
    } else if (t->ended) {
        stack_give(w, TAKE(t->stack));
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
    t->stack = stack_take(w);
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
    stack_give(t->world, t->stack);
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

bool task_wake(struct task *t)
{
    struct world *w = t->world;

    if (!t->waiting) {
        return false;
    }
    t->waiting = false;
    world_schedule(w, &t->resume, prng_between(&w->random, 1, WAKE_US_MAX));
    return true;
}
