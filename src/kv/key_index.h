/* The distinct keys of a batch, by hash. Inside kv/. Thread: owner. */
#ifndef KV_KEY_INDEX_H
#define KV_KEY_INDEX_H

#include "base/arena.h"
#include "base/hash.h"

#define KEY_INDEX_SLOTS_MIN ((size_t)16)

struct index_key {
    struct bytes key;
    uint64_t hash; /* hash_bytes */
};

struct key_index {
    uint32_t *slots; /* number of a key plus one; 0: free */
    size_t mask;
    struct index_key *keys;
    size_t count;
};

/* For up to `max` keys, in the arena. */
static inline struct key_index key_index_new(size_t max, struct arena *arena)
{
    size_t cap = KEY_INDEX_SLOTS_MIN;

    while (cap < max * 2) {
        cap *= 2;
    }
    return (struct key_index){.slots = arena_array(arena, cap, sizeof(uint32_t)),
                              .mask = cap - 1,
                              .keys = arena_alloc(arena, max * sizeof(struct index_key))};
}

/* The number of the key, which is borrowed if it is a new one. */
static inline uint32_t key_index_add(struct key_index *index, struct bytes key)
{
    uint64_t hash = hash_bytes(key);
    size_t at = hash & index->mask;

    for (; index->slots[at] != 0; at = (at + 1) & index->mask) {
        const struct index_key *other = &index->keys[index->slots[at] - 1];

        if (other->hash == hash && bytes_equal(other->key, key)) {
            return index->slots[at] - 1;
        }
    }
    index->keys[index->count] = (struct index_key){.key = key, .hash = hash};
    index->slots[at] = (uint32_t)++index->count;
    return index->slots[at] - 1;
}

#endif
