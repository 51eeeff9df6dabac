/* Where things with a given hash are: an open-addressing table from 32 bits of a hash to a position,
 * the part that the pending changes and the row cache have in common.
 *
 * Whether a place is the wanted one, the owner decides by looking at what is there. Places with
 * equal tags may be many. Linear probing, backward-shift delete; home and order depend on the tag
 * alone, so that moving slots looks at nothing else. Thread: owner.
 */
#ifndef KV_PLACES_H
#define KV_PLACES_H

#include "base/check.h"

struct kv_place {
    uint32_t tag;
    uint32_t at; /* position + 1; 0: free */
};

struct kv_places {
    struct kv_place *slots;
    uint32_t mask; /* capacity - 1 */
    uint32_t count;
};

/* capacity: a power of two, at most 2^31. Memory is touched as it is used. */
void kv_places_init(struct kv_places *p, uint32_t capacity);
void kv_places_fini(struct kv_places *p);
/* Twice the slots. */
void kv_places_grow(struct kv_places *p);

static inline uint32_t kv_places_tag(uint64_t hash) { return (uint32_t)(hash >> 32); }

static inline void kv_places_prefetch(const struct kv_places *p, uint64_t hash)
{
    __builtin_prefetch(&p->slots[kv_places_tag(hash) & p->mask]);
}

/* The first slot with the tag from *slot on; *slot starts as tag & mask. false: there is none, and
 * *slot is the free one where it would be put. To go on, add 1 to *slot. */
static inline bool kv_places_next(const struct kv_places *p, uint32_t tag, uint32_t *slot)
{
    uint32_t i = *slot & p->mask;

    while (p->slots[i].at != 0) {
        if (p->slots[i].tag == tag) {
            *slot = i;
            return true;
        }
        i = (i + 1) & p->mask;
    }
    *slot = i;
    return false;
}

/* Into the free slot that kv_places_next has found. */
static inline void kv_places_put(struct kv_places *p, uint32_t slot, uint32_t tag,
                                 uint32_t position)
{
    ASSERT(p->slots[slot].at == 0 && p->count < p->mask);
    p->slots[slot] = (struct kv_place){.tag = tag, .at = position + 1};
    p->count++;
}

void kv_places_remove(struct kv_places *p, uint32_t slot);
/* The slot with this tag and position, which must be there. */
uint32_t kv_places_slot_of(const struct kv_places *p, uint32_t tag, uint32_t position);

#endif
