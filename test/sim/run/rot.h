/* Decay: bits that flip and sectors that are zeroed in what was synced long ago. */
#ifndef SIM_ROT_H
#define SIM_ROT_H

#include "workload.h"

/* Hits one file of the data directory, or none that fits was found (false). A log is hit where no
 * crash can have written: below its recovery point, or anywhere after a clean stop; the batches are
 * noted in the workload. In other buckets, so that one loss does not add to another, it hits what can
 * be made again: indexes, writer snapshots, the state of primary-key tables; and any snapshot of a
 * state. hidden: as in disk.h. */
bool rot_strike(struct world *w, struct workload *load, struct prng *prng, bool hidden);

#endif
