/* Threads of the simulated machine as coroutines of the one real thread: a thread runs until it waits
 * or sleeps, in virtual time. They end by returning, or all at once when the machine crashes: then
 * they are never resumed, as if the processor had stopped, and what they own leaks.
 */
#ifndef SIM_TASK_H
#define SIM_TASK_H

#include "world.h"

#include "base/list.h"

struct task;
struct shard;

/* Starts to run a little later. The name is copied. */
struct task *task_start(const char *name, void (*run)(void *arg), void *arg);
/* NULL: no task runs, but the world. */
struct task *task_current(void);
const char *task_name(const struct task *t);
/* The shard whose thread it is. */
void task_set_shard(struct task *t, struct shard *s);
struct shard *task_shard(const struct task *t);

/* The running task goes on after that time. */
void task_sleep(int64_t delay_us);
/* Until task_wake, or the time (of world_now_us; INT64_MAX: none). Wakes may be spurious. */
void task_wait(int64_t until_us);
/* false: it does not wait, or has been woken already. */
bool task_wake(struct task *t);
/* The running task waits until that one has ended. Afterwards it is freed. */
void task_join(struct task *t);

/* The running task is the last one that ever ran: the machine is to crash now. */
_Noreturn void task_crash(void);
/* All tasks end here and now. */
void tasks_kill(struct world *w);
/* The same, and their memory goes. */
void tasks_fini(struct world *w);

#endif
