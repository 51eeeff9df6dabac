/* The ring: [head, tail) when head <= tail, else [head, end) and [0, tail), with `used` telling
 * full from empty. Entries are multiples of UNIT bytes and do not wrap; what is left at the end
 * becomes a dead entry. A position is an offset in units, so that 32 bits are enough. */
#include "cache.h"

#include "places.h"

#include <stdlib.h>

#define UNIT           16u
#define BYTES_MAX      ((size_t)UNIT << 31)
#define SLOT_BYTES     64u /* of the ring for every slot of the table */
#define ENTRY_PART_MAX 16u /* one entry takes at most this part of the ring */
#define MOVES_MAX      8u  /* second chances given for one put */
#define TOUCHED        8192u
#define GROW_BYTES     ((size_t)1 << 20)
#define LINE           64u /* of the processor's cache */
#define ENTRY_LINES    3u  /* of one entry fetched ahead */
#define REST_MAX       2048u

enum entry_flags { ENTRY_DEAD = 1, ENTRY_USED = 2 };

struct entry {
    uint32_t units; /* its size */
    uint32_t flags;
    uint32_t tag;
    uint32_t space;
    uint32_t key_len;
    uint32_t value_len; /* 0: no row */
    uint8_t data[];     /* key, value */
};

static_assert(sizeof(struct entry) == 24, "entry header");

struct kv_cache {
    uint8_t *ring;
    struct kv_cache_pool *pool;
    size_t claimed; /* from the pool */
    uint32_t units; /* of the ring */
    uint32_t units_max;
    uint32_t head;
    uint32_t tail;
    uint32_t used;
    uint32_t spaces;
    uint32_t places_max;
    size_t entry_max; /* bytes of one entry */
    struct kv_places places;
    uint64_t updates;  /* number of the newest update */
    uint64_t *touched; /* by hash: number of the newest update */
    struct kv_cache_stats stats;
};

static struct entry *entry_at(const struct kv_cache *c, uint32_t position)
{
    return (struct entry *)(c->ring + (size_t)position * UNIT);
}

void kv_cache_pool_init(struct kv_cache_pool *pool, size_t bytes)
{
    pool->bytes = bytes;
    atomic_init(&pool->left, bytes);
}

/* Memory of the ring that is not touched is none: it has room for the whole pool. */
struct kv_cache *kv_cache_new(size_t bytes_own, struct kv_cache_pool *pool)
{
    struct kv_cache *c = mem_new(struct kv_cache);
    size_t bytes_max;
    uint32_t slots = 2;

    ASSERT(bytes_own >= KV_CACHE_BYTES_MIN);
    bytes_own = bytes_own > BYTES_MAX ? BYTES_MAX : bytes_own;
    while ((size_t)slots * 2 * SLOT_BYTES <= bytes_own) {
        slots *= 2;
    }
    kv_places_init(&c->places, slots);
    c->places_max = slots / 4 * 3;
    c->pool = pool;
    c->units = (uint32_t)((bytes_own - slots * sizeof(struct kv_place)) / UNIT);
    bytes_max = (size_t)c->units * UNIT + (pool != NULL ? pool->bytes : 0);
    c->units_max = (uint32_t)((bytes_max > BYTES_MAX ? BYTES_MAX : bytes_max) / UNIT);
    c->entry_max = (size_t)c->units * UNIT / ENTRY_PART_MAX;
    c->ring = mem_alloc((size_t)c->units_max * UNIT);
    c->touched = mem_zalloc(TOUCHED * sizeof *c->touched);
    return c;
}

void kv_cache_free(struct kv_cache *c)
{
    if (c != NULL) {
        if (c->pool != NULL) {
            (void)atomic_fetch_add(&c->pool->left, c->claimed);
        }
        kv_places_fini(&c->places);
        free(c->ring);
        free(c->touched);
        free(c);
    }
}

uint32_t kv_cache_space(struct kv_cache *c)
{
    ASSERT(c->spaces < UINT32_MAX);
    return ++c->spaces;
}

/* Keys of different spaces that are equal must not share a tag. */
static uint64_t mix(uint32_t space, uint64_t hash)
{
    return hash ^ (uint64_t)(space * 0x9e3779b1u) << 32;
}

/* ---- finding ---- */

static bool find(const struct kv_cache *c, uint32_t space, struct bytes key, uint64_t mixed,
                 uint32_t *ret_slot)
{
    uint32_t tag = kv_places_tag(mixed);

    for (*ret_slot = tag; kv_places_next(&c->places, tag, ret_slot); (*ret_slot)++) {
        const struct entry *e = entry_at(c, c->places.slots[*ret_slot].at - 1);

        if (e->space == space && bytes_equal(bytes_of(e->data, e->key_len), key)) {
            return true;
        }
    }
    return false;
}

enum kv_found kv_cache_get(struct kv_cache *c, uint32_t space, struct bytes key, uint64_t hash,
                           struct bytes *ret)
{
    struct entry *e;
    uint32_t slot;

    if (!find(c, space, key, mix(space, hash), &slot)) {
        c->stats.misses++;
        return KV_UNKNOWN;
    }
    e = entry_at(c, c->places.slots[slot].at - 1);
    if ((e->flags & ENTRY_USED) == 0) {
        e->flags |= ENTRY_USED; /* written once only, so that a hit leaves the line clean */
    }
    c->stats.hits++;
    *ret = bytes_of(e->data + e->key_len, e->value_len);
    return e->value_len == 0 ? KV_REMOVED : KV_VALUE;
}

/* ---- the ring ---- */

static void drop(struct kv_cache *c, uint32_t slot)
{
    entry_at(c, c->places.slots[slot].at - 1)->flags = ENTRY_DEAD;
    kv_places_remove(&c->places, slot);
    c->stats.entries--;
}

static uint32_t advance(const struct kv_cache *c, uint32_t position, uint32_t units)
{
    ASSERT(units <= c->units - position);
    return position + units == c->units ? 0 : position + units;
}

/* Units behind the tail that are free and contiguous. */
static uint32_t room(const struct kv_cache *c)
{
    uint32_t end = c->tail < c->head ? c->head : c->units;

    return c->used == c->units ? 0 : end - c->tail;
}

/* Moves the entry at the head, which is no longer counted as used, to the tail when it fits. */
static bool move_to_tail(struct kv_cache *c, uint32_t from, uint32_t units)
{
    struct entry *e = entry_at(c, from);
    uint32_t slot;

    /* the room that `from` leaves counts: the head has moved on already */
    if (room(c) < units) {
        return false;
    }
    slot = kv_places_slot_of(&c->places, e->tag, from);
    memmove(entry_at(c, c->tail), e, (size_t)units * UNIT);
    entry_at(c, c->tail)->flags = 0;
    c->places.slots[slot].at = c->tail + 1;
    c->tail = advance(c, c->tail, units);
    c->used += units;
    return true;
}

/* Frees the entry at the head, or gives it its second chance. */
static void evict(struct kv_cache *c, unsigned *moves)
{
    uint32_t from = c->head;
    struct entry *e = entry_at(c, from);
    uint32_t units = e->units;

    ASSERT(c->used >= units && units > 0);
    c->head = advance(c, c->head, units);
    c->used -= units;
    if ((e->flags & ENTRY_DEAD) != 0) {
        return;
    }
    if ((e->flags & ENTRY_USED) != 0 && *moves < MOVES_MAX) {
        (*moves)++;
        if (move_to_tail(c, from, units)) {
            return;
        }
    }
    drop(c, kv_places_slot_of(&c->places, e->tag, from));
    c->stats.evictions++;
}

static bool claim(struct kv_cache *c, size_t bytes)
{
    size_t left = c->pool == NULL ? 0 : atomic_load(&c->pool->left);

    do {
        if (left < bytes) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&c->pool->left, &left, left - bytes));
    c->claimed += bytes;
    return true;
}

static bool grow_places(struct kv_cache *c)
{
    uint32_t slots = c->places.mask + 1;

    if (slots > UINT32_MAX / 4 || !claim(c, slots * sizeof(struct kv_place))) {
        return false;
    }
    kv_places_grow(&c->places);
    c->places_max = slots / 2 * 3;
    return true;
}

/* At its end, when nothing has been written behind it. */
static bool grow_ring(struct kv_cache *c)
{
    uint32_t units = (uint32_t)(GROW_BYTES / UNIT);
    bool full = c->used == c->units;

    ASSERT(c->tail >= c->head);
    if (units > c->units_max - c->units || (full && c->head > 0) || !claim(c, GROW_BYTES)) {
        return false;
    }
    c->tail = full ? c->units : c->tail; /* it has wrapped to the head */
    c->units += units;
    return true;
}

/* Contiguous room at the tail. */
static void make_room(struct kv_cache *c, uint32_t units)
{
    unsigned moves = 0;

    while (c->places.count >= c->places_max) {
        if (!grow_places(c)) {
            evict(c, &moves);
        }
    }
    while (room(c) < units) {
        uint32_t rest = c->units - c->tail;

        if (c->tail >= c->head && (rest < units || c->used == c->units) && grow_ring(c)) {
            continue;
        }
        if (c->tail >= c->head && rest < units && c->used < c->units) {
            /* one unit is less than a whole header: only these two are ever looked at */
            entry_at(c, c->tail)->units = rest;
            entry_at(c, c->tail)->flags = ENTRY_DEAD;
            c->tail = 0;
            c->used += rest;
        } else {
            evict(c, &moves);
        }
    }
}

static void write_value(struct entry *e, struct bytes value)
{
    if (value.len > 0) {
        memcpy(e->data + e->key_len, value.data, value.len);
    }
    e->value_len = (uint32_t)value.len;
}

/* Adds or replaces. Neither key nor value may lie in the ring. */
static void put(struct kv_cache *c, uint32_t space, const struct kv_key *row)
{
    size_t size = sizeof(struct entry) + row->key.len + row->old.len;
    uint32_t units = (uint32_t)((size + UNIT - 1) / UNIT);
    uint64_t mixed = mix(space, row->hash);
    struct entry *e;
    uint32_t slot;

    if (find(c, space, row->key, mixed, &slot)) {
        e = entry_at(c, c->places.slots[slot].at - 1);
        if (e->units == units) {
            write_value(e, row->old);
            return;
        }
        drop(c, slot);
    }
    if (size > c->entry_max) {
        return;
    }
    make_room(c, units);
    e = entry_at(c, c->tail);
    *e = (struct entry){.units = units,
                        .tag = kv_places_tag(mixed),
                        .space = space,
                        .key_len = (uint32_t)row->key.len};
    if (row->key.len > 0) {
        memcpy(e->data, row->key.data, row->key.len);
    }
    write_value(e, row->old);
    IGNORE(find(c, space, row->key, mixed, &slot)); /* moves have changed the table */
    kv_places_put(&c->places, slot, e->tag, c->tail);
    c->tail = advance(c, c->tail, units);
    c->used += units;
    c->stats.entries++;
}

/* ---- coherence ---- */

static uint64_t *touched(const struct kv_cache *c, uint32_t space, uint64_t hash)
{
    return &c->touched[(mix(space, hash) >> 32) & (TOUCHED - 1)];
}

void kv_cache_update(struct kv_cache *c, uint32_t space, struct bytes key, uint64_t hash,
                     struct bytes value)
{
    *touched(c, space, hash) = ++c->updates;
    put(c, space, &(struct kv_key){.key = key, .hash = hash, .old = value});
}

void kv_cache_forget(struct kv_cache *c, uint32_t space, struct bytes key, uint64_t hash)
{
    uint32_t slot;

    *touched(c, space, hash) = ++c->updates;
    if (find(c, space, key, mix(space, hash), &slot)) {
        drop(c, slot);
    }
}

size_t kv_cache_entry_max(const struct kv_cache *c) { return c->entry_max - sizeof(struct entry); }

uint64_t kv_cache_ticket(const struct kv_cache *c) { return c->updates; }

void kv_cache_fill(struct kv_cache *c, uint32_t space, const struct kv_key *found, uint64_t ticket)
{
    if (*touched(c, space, found->hash) > ticket) {
        c->stats.refused++;
    } else {
        put(c, space, found);
    }
}

void kv_cache_prefetch(const struct kv_cache *c, uint32_t space, uint64_t hash)
{
    kv_places_prefetch(&c->places, mix(space, hash));
}

/* The entry that the key has if no other one has its tag; NULL: none. */
static const struct entry *likely_entry(const struct kv_cache *c, uint32_t space, uint64_t hash)
{
    uint32_t tag = kv_places_tag(mix(space, hash));
    uint32_t slot = tag;

    return kv_places_next(&c->places, tag, &slot) ? entry_at(c, c->places.slots[slot].at - 1)
                                                  : NULL;
}

static void prefetch_lines(const struct entry *e, size_t from, size_t end)
{
    for (size_t at = from; at < end; at += LINE) {
        __builtin_prefetch((const uint8_t *)e + at);
    }
}

void kv_cache_prefetch_entry(const struct kv_cache *c, uint32_t space, uint64_t hash)
{
    const struct entry *e = likely_entry(c, space, hash);

    if (e != NULL) {
        prefetch_lines(e, 0, ENTRY_LINES * LINE);
    }
}

void kv_cache_prefetch_rest(const struct kv_cache *c, uint32_t space, uint64_t hash)
{
    const struct entry *e = likely_entry(c, space, hash);

    if (e != NULL) {
        size_t size = (size_t)e->units * UNIT;

        prefetch_lines(e, ENTRY_LINES * LINE, size < REST_MAX ? size : REST_MAX);
    }
}

struct kv_cache_stats kv_cache_stats(const struct kv_cache *c)
{
    struct kv_cache_stats stats = c->stats;

    stats.bytes = (size_t)c->used * UNIT;
    return stats;
}
