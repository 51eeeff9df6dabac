#include "map.h"

#include "hash.h"

#include <stdlib.h>

void map_init(struct map *m) { *m = (struct map){0}; }

void map_fini(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

static size_t map_find(const struct map *m, uint64_t key)
{
    size_t i = hash_u64(key) & (m->cap - 1);

    while (m->slots[i].value != NULL && m->slots[i].key != key) {
        i = (i + 1) & (m->cap - 1);
    }
    return i;
}

void *map_get(const struct map *m, uint64_t key)
{
    return m->cap == 0 ? NULL : m->slots[map_find(m, key)].value;
}

static void map_grow(struct map *m)
{
    struct map old = *m;

    m->cap = old.cap == 0 ? 16 : old.cap * 2;
    m->slots = mem_zalloc(m->cap * sizeof *m->slots);
    MAP_FOR_EACH(slot, &old) { m->slots[map_find(m, slot->key)] = *slot; }
    free(old.slots);
}

void *map_put(struct map *m, uint64_t key, void *value)
{
    size_t i;
    void *before;

    ASSERT(value != NULL);
    if (m->cap == 0 || m->count * 4 >= m->cap * 3) {
        map_grow(m);
    }
    i = map_find(m, key);
    before = m->slots[i].value;
    m->slots[i] = (struct map_slot){.key = key, .value = value};
    m->count += before == NULL;
    return before;
}

void *map_remove(struct map *m, uint64_t key)
{
    size_t hole;
    void *value;

    if (m->cap == 0) {
        return NULL;
    }
    hole = map_find(m, key);
    value = m->slots[hole].value;
    if (value == NULL) {
        return NULL;
    }
    m->count--;
    for (size_t i = (hole + 1) & (m->cap - 1); m->slots[i].value != NULL;
         i = (i + 1) & (m->cap - 1)) {
        size_t home = hash_u64(m->slots[i].key) & (m->cap - 1);

        /* slot i may fill the hole unless its home lies between the hole and itself */
        if (((i - home) & (m->cap - 1)) >= ((i - hole) & (m->cap - 1))) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){0};
    return value;
}
