/* Entries and batches are rings addressed by numbers that only grow; a number below the head is of
 * something released. Entries of a key are chained both ways, so that the newest visible one is
 * found by walking back, and what is outdated is known without a lookup. */
#include "pending.h"

#include "places.h"

#include <stdlib.h>

#include "base/hash.h"

#define ENTRIES_MIN     64u
#define ENTRIES_MAX     (1u << 31)
#define BATCHES_MIN     16u
#define RELEASE_AHEAD   8u /* entries looked at before their turn */
#define ADD_AHEAD       8u /* changes likewise */
#define BLOCK_BYTES     ((size_t)256 << 10)
#define BLOCK_BYTES_MIN ((size_t)4 << 10)

/* A change. Numbers start at 1, so that 0 means none. */
struct entry {
    const uint8_t *key; /* the value follows */
    uint32_t key_len;
    uint32_t value_len; /* 0: removed */
    uint64_t hash;
    uint64_t before; /* the change of the same key before this one */
    uint64_t after;
    uint64_t prefix_before; /* the change with the same prefix before this one */
    uint32_t prefix_len;    /* 0: in no chain of prefixes */
    int32_t record;
};

struct batch {
    uint64_t entry_end; /* number behind its last entry */
    int64_t end_offset;
    int64_t delta; /* sums over all batches since the start, this one included */
    uint64_t bytes;
};

struct block {
    struct block *next;
    uint64_t last; /* number of the last entry with bytes in it */
    size_t used;
    size_t cap;
    uint8_t data[];
};

struct kv_pending {
    kv_prefix_fn prefix_of;
    const void *prefix_context;
    struct entry *entries;
    uint32_t entry_mask;
    uint64_t entry_head;
    uint64_t entry_tail;
    uint64_t entry_shown; /* number behind the last visible entry */
    struct batch *batches;
    uint32_t batch_mask;
    uint64_t batch_head;
    uint64_t batch_tail;
    uint64_t batch_shown;
    uint64_t batch_taken;       /* behind the batches of the spill; 0: none under way */
    struct batch released;      /* what is behind the head */
    struct kv_places by_key;    /* to the newest change of each key */
    struct kv_places by_prefix; /* to the newest change of each prefix */
    struct block *first;        /* oldest */
    struct block *last;
    size_t block_bytes;
};

static struct entry *entry_at(const struct kv_pending *p, uint64_t number)
{
    return &p->entries[number & p->entry_mask];
}

static const struct batch *batch_at(const struct kv_pending *p, uint64_t number)
{
    return &p->batches[number & p->batch_mask];
}

/* The batch before number, or what is behind the head. */
static const struct batch *batch_before(const struct kv_pending *p, uint64_t number)
{
    return number == p->batch_head ? &p->released : batch_at(p, number - 1);
}

static struct bytes entry_key(const struct entry *e) { return bytes_of(e->key, e->key_len); }

static struct bytes entry_value(const struct entry *e)
{
    return bytes_of(e->key + e->key_len, e->value_len);
}

static struct bytes entry_prefix(const struct entry *e) { return bytes_of(e->key, e->prefix_len); }

static void init_tables(struct kv_pending *p)
{
    p->entries = mem_zalloc(ENTRIES_MIN * sizeof *p->entries);
    p->entry_mask = ENTRIES_MIN - 1;
    p->batches = mem_zalloc(BATCHES_MIN * sizeof *p->batches);
    p->batch_mask = BATCHES_MIN - 1;
    kv_places_init(&p->by_key, ENTRIES_MIN * 2);
    kv_places_init(&p->by_prefix, p->prefix_of == NULL ? 2 : ENTRIES_MIN * 2);
}

struct kv_pending *kv_pending_new(int64_t offset, kv_prefix_fn prefix_of, const void *context)
{
    struct kv_pending *p = mem_new(struct kv_pending);

    p->prefix_of = prefix_of;
    p->prefix_context = context;
    p->entry_head = p->entry_tail = p->entry_shown = 1;
    p->batch_head = p->batch_tail = p->batch_shown = 1;
    p->released = (struct batch){.entry_end = 1, .end_offset = offset};
    init_tables(p);
    return p;
}

void kv_pending_free(struct kv_pending *p)
{
    if (p == NULL) {
        return;
    }
    while (p->first != NULL) {
        struct block *next = p->first->next;

        free(p->first);
        p->first = next;
    }
    kv_places_fini(&p->by_key);
    kv_places_fini(&p->by_prefix);
    free(p->entries);
    free(p->batches);
    free(p);
}

/* ---- lookups ---- */

/* The slot of the key's newest change. */
static bool find_key(const struct kv_pending *p, struct bytes key, uint64_t hash, uint32_t *ret)
{
    uint32_t tag = kv_places_tag(hash);

    for (*ret = tag; kv_places_next(&p->by_key, tag, ret); (*ret)++) {
        const struct entry *e = &p->entries[p->by_key.slots[*ret].at - 1];

        if (e->hash == hash && bytes_equal(entry_key(e), key)) {
            return true;
        }
    }
    return false;
}

static bool find_prefix(const struct kv_pending *p, struct bytes prefix, uint64_t hash,
                        uint32_t *ret)
{
    uint32_t tag = kv_places_tag(hash);

    for (*ret = tag; kv_places_next(&p->by_prefix, tag, ret); (*ret)++) {
        if (bytes_equal(entry_prefix(&p->entries[p->by_prefix.slots[*ret].at - 1]), prefix)) {
            return true;
        }
    }
    return false;
}

/* The number of the entry at a position of the ring. */
static uint64_t number_at(const struct kv_pending *p, uint32_t at)
{
    return p->entry_head + ((at - (uint32_t)p->entry_head) & p->entry_mask);
}

static enum kv_found entry_found(const struct entry *e, struct bytes *ret)
{
    *ret = entry_value(e);
    return e->value_len == 0 ? KV_REMOVED : KV_VALUE;
}

enum kv_found kv_pending_newest(const struct kv_pending *p, struct bytes key, uint64_t hash,
                                struct bytes *ret)
{
    uint32_t slot;

    if (p->by_key.count == 0 || !find_key(p, key, hash, &slot)) {
        return KV_UNKNOWN;
    }
    return entry_found(&p->entries[p->by_key.slots[slot].at - 1], ret);
}

enum kv_found kv_pending_shown(const struct kv_pending *p, struct bytes key, uint64_t hash,
                               struct bytes *ret)
{
    uint32_t slot;
    uint64_t number;

    if (p->entry_shown == p->entry_head || !find_key(p, key, hash, &slot)) {
        return KV_UNKNOWN;
    }
    number = number_at(p, p->by_key.slots[slot].at - 1);
    while (number >= p->entry_shown) {
        number = entry_at(p, number)->before;
    }
    return number < p->entry_head ? KV_UNKNOWN : entry_found(entry_at(p, number), ret);
}

void kv_pending_prefetch(const struct kv_pending *p, uint64_t hash)
{
    kv_places_prefetch(&p->by_key, hash);
}

static struct kv_change entry_change(const struct entry *e)
{
    return (struct kv_change){
        .key = entry_key(e), .value = entry_value(e), .hash = e->hash, .record = e->record};
}

uint64_t kv_pending_head(const struct kv_pending *p) { return p->entry_head; }

uint64_t kv_pending_tail(const struct kv_pending *p) { return p->entry_tail; }

struct kv_change kv_pending_change(const struct kv_pending *p, uint64_t number)
{
    ASSERT(number >= p->entry_head && number < p->entry_tail);
    return entry_change(entry_at(p, number));
}

bool kv_pending_is_shown(const struct kv_pending *p, uint64_t number)
{
    return number < p->entry_shown;
}

/* Whether no later change of the key lies below `end`. */
static bool entry_is_last(const struct entry *e, uint64_t end)
{
    return e->after == 0 || e->after >= end;
}

static int compare_changes(const void *a, const void *b)
{
    return bytes_compare(((const struct kv_change *)a)->key, ((const struct kv_change *)b)->key);
}

void kv_pending_prefetch_prefix(const struct kv_pending *p, uint64_t hash)
{
    kv_places_prefetch(&p->by_prefix, hash);
}

size_t kv_pending_prefix(const struct kv_pending *p, struct bytes prefix, uint64_t hash,
                         struct arena *arena, struct kv_change **ret)
{
    size_t count = 0;
    uint64_t newest;
    uint32_t slot;

    ASSERT(p->prefix_of != NULL);
    *ret = NULL;
    if (prefix.len == 0 || !find_prefix(p, prefix, hash, &slot)) {
        return 0;
    }
    newest = number_at(p, p->by_prefix.slots[slot].at - 1);
    for (uint64_t n = newest; n >= p->entry_head; n = entry_at(p, n)->prefix_before) {
        count += n < p->entry_shown && entry_is_last(entry_at(p, n), p->entry_shown);
    }
    if (count == 0) {
        return 0;
    }
    *ret = arena_array(arena, count, sizeof **ret);
    count = 0;
    for (uint64_t n = newest; n >= p->entry_head; n = entry_at(p, n)->prefix_before) {
        if (n < p->entry_shown && entry_is_last(entry_at(p, n), p->entry_shown)) {
            (*ret)[count++] = entry_change(entry_at(p, n));
        }
    }
    qsort(*ret, count, sizeof **ret, compare_changes);
    return count;
}

/* ---- adding ---- */

static void move_places(struct kv_pending *p, struct kv_places *places, uint32_t old_mask)
{
    for (uint32_t i = 0; i <= places->mask; i++) {
        uint32_t at = places->slots[i].at;

        if (at != 0) {
            uint64_t number = p->entry_head + ((at - 1 - (uint32_t)p->entry_head) & old_mask);

            places->slots[i].at = (uint32_t)(number & p->entry_mask) + 1;
        }
    }
}

static void grow_entries(struct kv_pending *p)
{
    struct entry *old = p->entries;
    uint32_t old_mask = p->entry_mask;

    ASSERT(old_mask < ENTRIES_MAX / 2);
    p->entry_mask = old_mask * 2 + 1;
    p->entries = mem_alloc(((size_t)p->entry_mask + 1) * sizeof *p->entries);
    for (uint64_t n = p->entry_head; n < p->entry_tail; n++) {
        *entry_at(p, n) = old[n & old_mask];
    }
    move_places(p, &p->by_key, old_mask);
    move_places(p, &p->by_prefix, old_mask);
    free(old);
}

static uint8_t *take_room(struct kv_pending *p, size_t len)
{
    struct block *b = p->last;
    uint8_t *room;

    if (b == NULL || len > b->cap - b->used) {
        size_t cap = b == NULL ? BLOCK_BYTES_MIN : BLOCK_BYTES;

        cap = len > cap ? len : cap;
        b = mem_alloc(sizeof *b + cap);
        *b = (struct block){.cap = cap};
        *(p->last == NULL ? &p->first : &p->last->next) = b;
        p->last = b;
        p->block_bytes += sizeof *b + cap;
    }
    room = b->data + b->used;
    b->used += len;
    b->last = p->entry_tail;
    return room;
}

static void link_key(struct kv_pending *p, struct entry *e, uint64_t number)
{
    uint32_t at = (uint32_t)(number & p->entry_mask);
    uint32_t slot;

    if (find_key(p, entry_key(e), e->hash, &slot)) {
        e->before = number_at(p, p->by_key.slots[slot].at - 1);
        entry_at(p, e->before)->after = number;
        p->by_key.slots[slot].at = at + 1;
    } else {
        kv_places_put(&p->by_key, slot, kv_places_tag(e->hash), at);
    }
}

static void link_prefix(struct kv_pending *p, struct entry *e, uint64_t number)
{
    uint64_t hash = hash_bytes(entry_prefix(e));
    uint32_t at = (uint32_t)(number & p->entry_mask);
    uint32_t slot;

    if (find_prefix(p, entry_prefix(e), hash, &slot)) {
        e->prefix_before = number_at(p, p->by_prefix.slots[slot].at - 1);
        p->by_prefix.slots[slot].at = at + 1;
    } else {
        kv_places_put(&p->by_prefix, slot, kv_places_tag(hash), at);
    }
}

static void add_entry(struct kv_pending *p, const struct kv_change *change)
{
    struct entry e = {.hash = change->hash, .record = change->record};
    struct writer w;

    ASSERT(change->key.len <= UINT32_MAX && change->value.len <= UINT32_MAX);
    if (p->entry_tail - p->entry_head > p->entry_mask) {
        grow_entries(p);
    }
    if (p->by_key.count >= p->by_key.mask / 4 * 3) {
        kv_places_grow(&p->by_key);
    }
    if (p->prefix_of != NULL && p->by_prefix.count >= p->by_prefix.mask / 4 * 3) {
        kv_places_grow(&p->by_prefix);
    }
    e.key_len = (uint32_t)change->key.len;
    e.value_len = (uint32_t)change->value.len;
    w = writer_of(take_room(p, change->key.len + change->value.len),
                  change->key.len + change->value.len);
    e.key = w.data;
    writer_bytes(&w, change->key);
    writer_bytes(&w, change->value);
    link_key(p, &e, p->entry_tail);
    if (p->prefix_of != NULL) {
        e.prefix_len = (uint32_t)p->prefix_of(p->prefix_context, change->key);
        ASSERT(e.prefix_len <= e.key_len);
        if (e.prefix_len > 0) {
            link_prefix(p, &e, p->entry_tail);
        }
    }
    *entry_at(p, p->entry_tail) = e;
    p->entry_tail++;
}

static void grow_batches(struct kv_pending *p)
{
    uint32_t old_mask = p->batch_mask;
    struct batch *old = p->batches;

    ASSERT(old_mask < ENTRIES_MAX / 2);
    p->batch_mask = old_mask * 2 + 1;
    p->batches = mem_alloc(((size_t)p->batch_mask + 1) * sizeof *p->batches);
    for (uint64_t n = p->batch_head; n < p->batch_tail; n++) {
        p->batches[n & p->batch_mask] = old[n & old_mask];
    }
    free(old);
}

void kv_pending_add(struct kv_pending *p, const struct kv_change *changes, size_t count,
                    int64_t end_offset, int64_t row_delta)
{
    const struct batch *before = batch_before(p, p->batch_tail);
    struct batch b = {
        .end_offset = end_offset, .delta = before->delta + row_delta, .bytes = before->bytes};

    ASSERT(end_offset > before->end_offset);
    for (size_t i = 0; i < count; i++) {
        if (i + ADD_AHEAD < count) {
            kv_places_prefetch(&p->by_key, changes[i + ADD_AHEAD].hash);
        }
        add_entry(p, &changes[i]);
        b.bytes += changes[i].key.len + changes[i].value.len;
    }
    b.entry_end = p->entry_tail;
    if (p->batch_tail - p->batch_head > p->batch_mask) {
        grow_batches(p);
    }
    p->batches[p->batch_tail & p->batch_mask] = b;
    p->batch_tail++;
}

/* ---- taking back ---- */

static void unlink_newest(struct kv_pending *p, uint64_t number)
{
    struct entry *e = entry_at(p, number);
    uint32_t at = (uint32_t)(number & p->entry_mask);
    uint32_t slot = kv_places_slot_of(&p->by_key, kv_places_tag(e->hash), at);

    ASSERT(e->after == 0);
    if (e->before >= p->entry_head) {
        p->by_key.slots[slot].at = (uint32_t)(e->before & p->entry_mask) + 1;
        entry_at(p, e->before)->after = 0;
    } else {
        kv_places_remove(&p->by_key, slot);
    }
    if (e->prefix_len > 0) {
        slot = kv_places_slot_of(&p->by_prefix, kv_places_tag(hash_bytes(entry_prefix(e))), at);
        if (e->prefix_before >= p->entry_head) {
            p->by_prefix.slots[slot].at = (uint32_t)(e->prefix_before & p->entry_mask) + 1;
        } else {
            kv_places_remove(&p->by_prefix, slot);
        }
    }
}

void kv_pending_truncate(struct kv_pending *p, int64_t end_offset)
{
    uint64_t entry_end;

    ASSERT(end_offset >= kv_pending_shown_offset(p));
    while (p->batch_tail > p->batch_shown &&
           batch_at(p, p->batch_tail - 1)->end_offset > end_offset) {
        p->batch_tail--;
    }
    entry_end = batch_before(p, p->batch_tail)->entry_end;
    while (p->entry_tail > entry_end) {
        p->entry_tail--;
        unlink_newest(p, p->entry_tail);
    }
    /* room in the blocks comes back with the release of what is before it */
}

void kv_pending_show(struct kv_pending *p, int64_t high_watermark)
{
    while (p->batch_shown < p->batch_tail &&
           batch_at(p, p->batch_shown)->end_offset <= high_watermark) {
        p->batch_shown++;
    }
    p->entry_shown = batch_before(p, p->batch_shown)->entry_end;
}

/* ---- spills ---- */

bool kv_pending_take(struct kv_pending *p, size_t bytes_max, struct kv_pending_spill *ret)
{
    const struct batch *last;
    uint64_t end = p->batch_head;

    if (p->batch_taken != 0 || p->batch_shown == p->batch_head) {
        return false;
    }
    do {
        end++;
    } while (end < p->batch_shown && batch_at(p, end)->bytes - p->released.bytes <= bytes_max);
    last = batch_at(p, end - 1);
    *ret = (struct kv_pending_spill){
        .changes = mem_alloc((last->entry_end - p->entry_head) * sizeof *ret->changes),
        .end_offset = last->end_offset,
        .delta = last->delta,
        .next = p->entry_head,
        .end = last->entry_end,
    };
    p->batch_taken = end;
    return true;
}

bool kv_pending_collect(const struct kv_pending *p, struct kv_pending_spill *s, size_t max)
{
    uint64_t stop = s->end - s->next > max ? s->next + max : s->end;

    /* what is added meanwhile is behind the end, and outdates nothing here */
    for (; s->next < stop; s->next++) {
        if (entry_is_last(entry_at(p, s->next), s->end)) {
            s->changes[s->count++] = entry_change(entry_at(p, s->next));
        }
    }
    return s->next == s->end;
}

static void unlink_oldest(struct kv_pending *p, uint64_t number)
{
    struct entry *e = entry_at(p, number);
    uint32_t at = (uint32_t)(number & p->entry_mask);

    if (e->after == 0) {
        kv_places_remove(&p->by_key, kv_places_slot_of(&p->by_key, kv_places_tag(e->hash), at));
    }
    if (e->prefix_len > 0) {
        uint64_t hash = hash_bytes(entry_prefix(e));
        uint32_t slot;

        if (find_prefix(p, entry_prefix(e), hash, &slot) && p->by_prefix.slots[slot].at == at + 1) {
            kv_places_remove(&p->by_prefix, slot);
        }
    }
}

static void free_blocks(struct kv_pending *p)
{
    bool empty = p->entry_head == p->entry_tail;

    while (p->first != NULL && (empty || p->first->last < p->entry_head)) {
        struct block *b = p->first;

        p->first = b->next;
        p->last = p->first == NULL ? NULL : p->last;
        p->block_bytes -= sizeof *b + b->cap;
        free(b);
    }
}

void kv_pending_spill_trim(struct kv_pending_spill *s)
{
    free(s->changes);
    s->changes = NULL;
    s->count = 0;
}

/* Once there is nothing left, and was little: many buckets are idle, and each would keep tables of
 * its busiest time. */
static void shrink(struct kv_pending *p, uint64_t spilled)
{
    if (p->batch_head != p->batch_tail ||
        (p->entry_mask < ENTRIES_MIN * 16 && p->batch_mask < BATCHES_MIN * 16) ||
        spilled > p->entry_mask / 16) {
        return;
    }
    ASSERT(p->entry_head == p->entry_tail && p->by_key.count == 0 && p->by_prefix.count == 0);
    free(p->entries);
    free(p->batches);
    kv_places_fini(&p->by_key);
    kv_places_fini(&p->by_prefix);
    init_tables(p);
}

static void end_spill(struct kv_pending *p, struct kv_pending_spill *s)
{
    ASSERT(p->batch_taken != 0);
    p->batch_taken = 0;
    free(s->changes);
    *s = (struct kv_pending_spill){0};
}

static void release_prefetch(const struct kv_pending *p, const struct kv_release *release,
                             uint64_t end)
{
    const struct entry *near;
    const struct entry *far;

    if (p->entry_head + RELEASE_AHEAD * 2 >= end) {
        return;
    }
    near = entry_at(p, p->entry_head + RELEASE_AHEAD);
    far = entry_at(p, p->entry_head + RELEASE_AHEAD * 2);
    kv_places_prefetch(&p->by_key, near->hash);
    __builtin_prefetch(near->key);
    if (release->prefetch != NULL) {
        release->prefetch(release->context, far->hash, near->hash);
    }
}

bool kv_pending_release(struct kv_pending *p, struct kv_pending_spill *s, size_t max,
                        const struct kv_release *release)
{
    uint64_t stop = s->end - p->entry_head > max ? p->entry_head + max : s->end;
    uint64_t spilled = s->end - p->released.entry_end;

    ASSERT(p->batch_taken > p->batch_head && p->batch_taken <= p->batch_shown);
    for (; p->entry_head < stop; p->entry_head++) {
        const struct entry *e = entry_at(p, p->entry_head);

        release_prefetch(p, release, s->end);
        if (entry_is_last(e, s->end)) {
            struct kv_change change = entry_change(e);

            release->released(release->context, &change, e->prefix_len);
        }
        unlink_oldest(p, p->entry_head);
    }
    free_blocks(p);
    if (p->entry_head < s->end) {
        return false;
    }
    p->released = *batch_at(p, p->batch_taken - 1);
    p->batch_head = p->batch_taken;
    end_spill(p, s);
    shrink(p, spilled);
    return true;
}

void kv_pending_untake(struct kv_pending *p, struct kv_pending_spill *s) { end_spill(p, s); }

/* ---- sizes ---- */

int64_t kv_pending_end_offset(const struct kv_pending *p)
{
    return batch_before(p, p->batch_tail)->end_offset;
}

int64_t kv_pending_shown_offset(const struct kv_pending *p)
{
    return batch_before(p, p->batch_shown)->end_offset;
}

int64_t kv_pending_shown_delta(const struct kv_pending *p)
{
    return batch_before(p, p->batch_shown)->delta;
}

int64_t kv_pending_released_delta(const struct kv_pending *p) { return p->released.delta; }

size_t kv_pending_shown_bytes(const struct kv_pending *p)
{
    return (size_t)(batch_before(p, p->batch_shown)->bytes - p->released.bytes);
}

size_t kv_pending_bytes(const struct kv_pending *p)
{
    return p->block_bytes + ((size_t)p->entry_mask + 1) * sizeof(struct entry) +
           ((size_t)p->batch_mask + 1) * sizeof(struct batch) +
           ((size_t)p->by_key.mask + p->by_prefix.mask + 2) * sizeof(struct kv_place);
}

size_t kv_pending_count(const struct kv_pending *p)
{
    return (size_t)(p->entry_tail - p->entry_head);
}
