#include "check.h"

#define BIT(kind) (1u << (kind))

/* Whether somebody asked to drop it: then its rows need not be there in the end. */
static bool dropped(const struct history *h, const struct place *place)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct op *op = h->ops[i];

        if (op->kind == OP_DROP && op->place.table == place->table &&
            op->place.partition == place->partition) {
            return true;
        }
    }
    return false;
}

static bool check_place(struct history *h, const struct history_view *place,
                        const struct check_rules *rules, struct verdict *v)
{
    struct check_rules here = *rules;
    struct merged merged;
    enum engine engine = place->ops[0]->engine;

    here.complete = rules->complete && !dropped(h, &place->ops[0]->place);
    if (!check_offsets(h, place, &here, &merged, v)) {
        return false;
    }
    if (engine == ENGINE_LOG) {
        return check_log(h, place, &merged, &here, v);
    }
    /* changes that are lost are missing in a state that is made of them again */
    return history_touched(h, &place->ops[0]->place) ||
           (check_changelog(h, place, &merged, &here, v) && check_kv(h, place, v));
}

bool check_all(struct history *h, const struct check_rules *rules, struct verdict *v)
{
    struct history_view all = history_by_place(h, BIT(OP_APPEND) | BIT(OP_READ) | BIT(OP_END) |
                                                      BIT(OP_PUT) | BIT(OP_GET));
    struct history_view place;
    size_t at = 0;

    if (!check_names(h, v)) {
        return false;
    }
    while (history_next_place(&all, &at, &place)) {
        if (!check_place(h, &place, rules, v)) {
            return false;
        }
    }
    return true;
}
