/* The simulated world: virtual time, a network, and one machine that runs the real server over
 * another implementation of src/io (io/). Everything happens in one thread and follows from the seed.
 *
 * Time is in microseconds since the beginning of the simulation. Callbacks run from world_run only,
 * never inside the call that starts them, and may call anything here but world_run and world_free.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "disk.h"
#include "prng.h"
#include "trace.h"

#include "base/bytes.h"

struct world;

/* Of connections; chances per million deliveries. */
struct net_faults {
    int64_t delay_us_min; /* one way, each run of bytes; their order is kept */
    int64_t delay_us_max;
    uint32_t cut;       /* the connection breaks for both sides */
    uint32_t half_open; /* it breaks for one side; the other one hears nothing more */
    uint32_t stall;     /* it delivers nothing for a while */
    int64_t stall_us_max;
    uint32_t dribble; /* bytes arrive one by one */
    uint32_t refuse;  /* of connects */
};

struct world_faults {
    struct disk_faults disk;
    struct net_faults net;
    uint32_t clock_jump;       /* per million turns of a shard: wall time jumps by up to ... */
    int64_t clock_jump_ms_max; /* ... this, either way; monotonic time never does */
    int64_t pause_us_max;      /* longest time that a thread may be held up between two turns */
    uint32_t pause;            /* per million turns */
};

struct world_options {
    uint64_t seed;
    FILE *out;  /* of the trace */
    bool trace; /* show it */
};

struct world *world_new(const struct world_options *options);
void world_free(struct world *w);
/* From now on. No faults at all: zeroes, but for delays of the network. */
void world_set_faults(struct world *w, const struct world_faults *faults);

int64_t world_now_us(const struct world *w);
struct trace *world_trace(struct world *w);
struct disk *world_disk(struct world *w);
/* A generator for the part with that name. */
struct prng world_prng(const struct world *w, const char *name);

/* Runs what is due until that time, then it is that time. */
void world_run(struct world *w, int64_t until_us);

/* ---- events ---- */

struct world_event {
    int64_t at_us;
    uint64_t number; /* of those at one time the one scheduled first comes first */
    void (*fire)(struct world_event *ev);
    size_t heap_index; /* 0: not scheduled */
};

void world_event_init(struct world_event *ev, void (*fire)(struct world_event *ev));
/* Once; scheduled again it moves. */
void world_schedule(struct world *w, struct world_event *ev, int64_t delay_us);
void world_cancel(struct world *w, struct world_event *ev);

/* ---- the machine ---- */

enum machine_state {
    MACHINE_OFF,
    MACHINE_STARTING, /* recovery; some requests may be served already */
    MACHINE_SERVING,
    MACHINE_STOPPING, /* a clean stop */
};

enum machine_state world_machine(const struct world *w);
/* Changes of the state, one listener. `why` when a start failed, else NULL. */
void world_on_machine(struct world *w,
                      void (*changed)(void *context, enum machine_state now, const char *why),
                      void *context);
/* What it says, one listener: lines without a time. */
void world_on_diag(struct world *w, void (*said)(void *context, const char *line), void *context);
/* Only when it is off. */
void world_start(struct world *w);
/* A stop as by SIGTERM; ends with MACHINE_OFF. Only when it serves. */
void world_stop(struct world *w);

enum crash {
    CRASH_POWER, /* what is not on the device is lost, kept or torn; peers hear nothing */
    CRASH_KILL,  /* kill -9: the disk keeps what was written, connections are reset */
};
/* At once, or in the middle of the disk operation that is `operations` from now (0: at once). Fine in
 * any state, MACHINE_OFF included (nothing happens). A second call before it happens moves it. */
void world_crash(struct world *w, enum crash how, unsigned operations);

/* The port on which the server listens. */
#define WORLD_PORT 9123

/* ---- connections of clients to the server ---- */

struct world_conn;

struct world_conn_handler {
    void (*connected)(struct world_conn *c, void *context);
    /* Any number of bytes > 0; borrowed. */
    void (*received)(struct world_conn *c, void *context, struct bytes b);
    /* Refused, closed or broken; once, then the connection is gone. */
    void (*closed)(struct world_conn *c, void *context);
};

struct world_conn *world_connect(struct world *w, uint16_t port,
                                 const struct world_conn_handler *handler, void *context);
/* Copies. Goes out after what was sent before; lost without notice when the connection breaks. */
void world_conn_send(struct world_conn *c, struct bytes b);
/* A reader that does not read: the server's window fills. */
void world_conn_pause(struct world_conn *c);
void world_conn_resume(struct world_conn *c);
/* Frees; no callback afterwards. */
void world_conn_close(struct world_conn *c);

#endif
