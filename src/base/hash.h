/* Hashes for in-memory tables. Not part of any format. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "bytes.h"

/* Finalizer of SplitMix64: every input bit reaches every output bit. */
static inline uint64_t hash_u64(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* FNV-1a, mixed. For names, not for bulk data. */
static inline uint64_t hash_bytes(struct bytes b)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < b.len; i++) {
        h = (h ^ b.data[i]) * 0x100000001b3u;
    }
    return hash_u64(h);
}

#endif
