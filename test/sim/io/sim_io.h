/* Inside of the simulated io/: what its files share. */
#ifndef SIM_IO_H
#define SIM_IO_H

#include "../inside.h"
#include "io/shard.h"

/* Something of a shard that its next turn looks at: a socket that is ready. */
struct attention {
    struct list link;
    void (*run)(struct attention *a);
};

void attention_init(struct attention *a, void (*run)(struct attention *a));
/* Thread: any, the world too. */
void shard_attend(struct shard *s, struct attention *a);
void attention_cancel(struct attention *a);

#endif
