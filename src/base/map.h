/* Open-addressing hash map from a 64-bit key to a pointer. Linear probing, backward-shift delete,
 * grows at 3/4 load. Values are borrowed and never NULL. For keys wider than 64 bits the caller
 * hashes and chains through the value. Thread: owner.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "check.h"

struct map_slot {
    uint64_t key;
    void *value; /* NULL: free */
};

struct map {
    struct map_slot *slots;
    size_t cap; /* 0 or a power of two */
    size_t count;
};

void map_init(struct map *m);
void map_fini(struct map *m); /* does not touch the values */
void *map_get(const struct map *m, uint64_t key);
/* Returns the value it replaced, or NULL. */
void *map_put(struct map *m, uint64_t key, void *value);
/* Returns the removed value, or NULL. */
void *map_remove(struct map *m, uint64_t key);

/* Visits all entries; the map must not change meanwhile. */
#define MAP_FOR_EACH(slot, map_ptr)                                                                \
    for (struct map_slot *slot = (map_ptr)->slots,                                                 \
                         *slot##_end = (map_ptr)->cap == 0 ? slot : slot + (map_ptr)->cap;         \
         slot != slot##_end; slot++)                                                               \
        if (slot->value != NULL)

#endif
