/* Inside of the world: what world.c, machine.c, net.c, task.c and io/ share. */
#ifndef SIM_INSIDE_H
#define SIM_INSIDE_H

#include "net.h"
#include "task.h"

struct server;

struct machine {
    enum machine_state state;
    void (*changed)(void *context, enum machine_state now, const char *why);
    void *context;
    void (*said)(void *context, const char *line);
    void *said_context;
    struct arena *arena; /* of the configuration: one for each start */
    struct task *main;   /* what runs server_start and server_stop */
    bool stop_wanted;
    enum crash crash_how;
    unsigned crash_countdown; /* disk operations; 0: no crash is planned */
    bool crash_now;
    struct prng random;
    int64_t wall_base_ms; /* wall time at time 0; jumps */
};

struct world {
    uint64_t seed;
    struct prng random; /* of the scheduler */
    struct prng roots;  /* what others are split from */
    struct trace *trace;
    struct disk *disk;
    struct net net;
    struct machine machine;
    struct world_faults faults;
    int64_t now_us;
    int64_t until_us; /* of world_run */
    uint64_t scheduled;
    struct world_event **heap; /* from index 1 */
    size_t heap_count;
    size_t heap_cap;
    struct list tasks;
    struct task *running;
    void *stacks[64]; /* of threads that are gone, for new ones */
    size_t stack_count;
};

/* The world that io/ belongs to: there is one in a process. */
struct world *world_here(void);
/* Time goes by without an event, if none is due in it. */
bool world_skip(struct world *w, int64_t delay_us);

void machine_init(struct world *w);
void machine_fini(struct world *w);
/* Before each operation of the server on its disk: here it may be slow, or the machine may crash.
 * device_us_max: the operation waits for the device, up to that long. */
void machine_operation(struct world *w, int64_t device_us_max);
/* Between two turns of a thread. */
void machine_turn(struct world *w);
int64_t machine_wall_ms(struct world *w);
/* The crash that was planned; no task runs. */
void world_crash_now(struct world *w);

#endif
