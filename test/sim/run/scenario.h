/* One seed: clients at work, a server that is crashed, stopped and started again, a world that gets
 * worse and better; then everything heals, all is read once more, and the checkers judge. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "workload.h"

struct scenario_result {
    uint64_t hash; /* of the trace */
    uint64_t violations;
    int64_t simulated_us;
    uint64_t starts;
    uint64_t crashes;
    uint64_t decays; /* bits that flipped, sectors that were zeroed */
    struct workload_stats stats;
};

struct scenario_result scenario_run(const struct world_options *options);

#endif
