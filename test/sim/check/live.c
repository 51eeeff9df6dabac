#include "check.h"

#define NAME "live"

bool check_live(struct history *h, struct verdict *v)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->ops[i]->status == OP_OPEN) {
            return verdict_bad(v, NAME, "without faults, and still not done: %s",
                               op_text(h, h->ops[i]));
        }
    }
    return true;
}
