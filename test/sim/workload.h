/* What the clients of a simulation do, what they saw, and the judgement over it. */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "world.h"

#include "check/history.h"

struct workload;

/* Starts the clients; they go on until workload_finish, whatever happens to the server. */
struct workload *workload_new(struct world *w);
/* The server's process is gone. */
void workload_server_died(struct workload *l);
/* Something in a log has decayed: these offsets may be lost once the server has said so in a line. */
void workload_decay(struct workload *l, const struct decay *decay);
void workload_hear(struct workload *l, const char *line);
/* Faults are over: no new operations; those under way come to their end, then everything is read
 * once more. */
void workload_finish(struct workload *l);
/* That reading is complete. */
bool workload_done(const struct workload *l);
/* Checks the histories; what is wrong becomes trace_violation. Names what still hangs when the
 * workload is not done. */
void workload_check(struct workload *l);
void workload_free(struct workload *l);

struct workload_stats {
    uint64_t started;
    uint64_t succeeded;
    uint64_t failed;
    uint64_t unknown; /* no answer: may have happened */
};
struct workload_stats workload_stats(const struct workload *l);

#endif
