#include "places.h"

#include <stdlib.h>

void kv_places_init(struct kv_places *p, uint32_t capacity)
{
    ASSERT(capacity >= 2 && (capacity & (capacity - 1)) == 0);
    p->slots = mem_zalloc(capacity * sizeof *p->slots);
    p->mask = capacity - 1;
    p->count = 0;
}

void kv_places_fini(struct kv_places *p)
{
    free(p->slots);
    *p = (struct kv_places){0};
}

void kv_places_grow(struct kv_places *p)
{
    struct kv_places old = *p;

    ASSERT(old.mask < UINT32_MAX / 2);
    kv_places_init(p, (old.mask + 1) * 2);
    for (uint32_t i = 0; i <= old.mask; i++) {
        uint32_t slot = old.slots[i].tag;

        if (old.slots[i].at == 0) {
            continue;
        }
        while (kv_places_next(p, old.slots[i].tag, &slot)) {
            slot++;
        }
        kv_places_put(p, slot, old.slots[i].tag, old.slots[i].at - 1);
    }
    free(old.slots);
}

void kv_places_remove(struct kv_places *p, uint32_t slot)
{
    uint32_t hole = slot;

    ASSERT(p->slots[slot].at != 0 && p->count > 0);
    for (uint32_t i = (hole + 1) & p->mask; p->slots[i].at != 0; i = (i + 1) & p->mask) {
        uint32_t home = p->slots[i].tag & p->mask;

        /* a slot may move back to the hole unless its home lies behind the hole */
        if (((i - home) & p->mask) >= ((i - hole) & p->mask)) {
            p->slots[hole] = p->slots[i];
            hole = i;
        }
    }
    p->slots[hole] = (struct kv_place){0};
    p->count--;
}

uint32_t kv_places_slot_of(const struct kv_places *p, uint32_t tag, uint32_t position)
{
    uint32_t slot = tag;

    while (kv_places_next(p, tag, &slot)) {
        if (p->slots[slot].at == position + 1) {
            return slot;
        }
        slot++;
    }
    ASSERT(false);
    return 0;
}
