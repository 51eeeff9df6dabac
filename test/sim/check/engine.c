/* What one put does to one key, by the rules of the merge engines. */
#include "check.h"

static int64_t sum(bool has, int64_t old, int64_t added) { return has ? old + added : added; }

/* The columns of the put over those of the old row. */
static struct values overwrite(const struct key_state *old, const struct op *put)
{
    struct values values = old->present ? old->values : (struct values){.nulls = 7};

    for (unsigned i = 0; i < HISTORY_VALUES; i++) {
        if ((put->put.mask >> i & 1) != 0) {
            values.v[i] = put->put.values.v[i];
            values.nulls &= (uint8_t) ~(1u << i);
            values.nulls = (uint8_t)(values.nulls | (put->put.values.nulls & (1u << i)));
        }
    }
    return values;
}

struct key_state engine_put(enum engine engine, const struct key_state *old, const struct op *put)
{
    struct key_state next = {.present = true};

    if (put->put.remove) {
        return (struct key_state){.present = false};
    }
    if (engine == ENGINE_FIRST_ROW && old->present) {
        return *old;
    }
    if (engine == ENGINE_VERSIONED && old->present && put->put.values.v[1] < old->values.v[1]) {
        return *old;
    }
    next.values = overwrite(old, put);
    if (engine == ENGINE_SUM) { /* of column 1; the others keep the last value */
        next.values.v[1] = sum(old->present, old->values.v[1], put->put.values.v[1]);
    }
    return next;
}
