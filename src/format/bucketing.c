/* Bucket functions, see bucketing.h. All arithmetic wraps. */
#include "bucketing.h"

#define SEED_FLUSS    42u
#define SEED_STANDARD 0u

static uint32_t rotate(uint32_t x, unsigned by) { return x << by | x >> (32 - by); }

static uint32_t scramble(uint32_t word) { return rotate(word * 0xcc9e2d51u, 15) * 0x1b873593u; }

static uint32_t mix(uint32_t hash, uint32_t word)
{
    return rotate(hash ^ scramble(word), 13) * 5 + 0xe6546b64u;
}

static uint32_t finish(uint32_t hash)
{
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

static uint32_t mix_words(uint32_t hash, struct bytes in)
{
    for (size_t at = 0; at + 4 <= in.len; at += 4) {
        hash = mix(hash, get_u32le(in.data + at));
    }
    return hash;
}

int32_t bucketing_hash(struct bytes key)
{
    uint32_t hash = mix_words(SEED_FLUSS, key);

    for (size_t at = key.len / 4 * 4; at < key.len; at++) {
        hash = mix(hash, (uint32_t)(int32_t)(int8_t)key.data[at]);
    }
    return (int32_t)finish(hash ^ (uint32_t)key.len);
}

int32_t bucketing_rehash(int32_t hash)
{
    int32_t again = (int32_t)finish((rotate(scramble((uint32_t)hash), 13) * 5 + 0xe6546b64u) ^ 4);

    return again >= 0 ? again : again == INT32_MIN ? 0 : -again;
}

static uint32_t standard_hash(struct bytes key)
{
    uint32_t hash = mix_words(SEED_STANDARD, key);
    uint32_t tail = 0;

    for (size_t at = key.len / 4 * 4; at < key.len; at++) {
        tail |= (uint32_t)key.data[at] << 8 * (at % 4);
    }
    return finish(hash ^ scramble(tail) ^ (uint32_t)key.len);
}

enum errcode bucketing_bucket(enum bucketing function, struct bytes key, int32_t count,
                              int32_t *ret, struct error *e)
{
    int32_t bucket = 0;

    ASSERT(count > 0);
    switch (function) {
    case BUCKETING_FLUSS:
        bucket = bucketing_rehash(bucketing_hash(key)) % count;
        break;
    case BUCKETING_PAIMON:
        bucket = bucketing_hash(key) % count;
        bucket = bucket < 0 ? -bucket : bucket;
        break;
    case BUCKETING_ICEBERG:
        bucket = (int32_t)(standard_hash(key) & INT32_MAX) % count;
        break;
    case BUCKETING_HUDI:
        if (key.len != 4) {
            return error_set(e, ERR_INVALID_ARGUMENT, "Hudi bucket key of %zu bytes, not 4",
                             key.len);
        }
        bucket = (int32_t)(get_u32be(key.data) & INT32_MAX) % count;
        break;
    }
    *ret = bucket;
    return ERR_OK;
}
