#include "lin.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"

#define BITS 32 /* of a word of a set */

/* In the order in which they come at one moment. */
enum event_kind { BEGIN, END, END_MAYBE };

struct event {
    uint64_t at;
    enum event_kind kind;
    size_t op;
};

struct config {
    struct config *other; /* of the same hash */
    struct config *next;  /* in the order of adding */
    struct lin_state state;
    bool worse; /* another of the same state has used less */
    bool keep;
    uint32_t taken[]; /* slots of the open operations in effect, as bits; then numbers by kind */
};

/* Configurations, none of them as good as another. */
struct level {
    struct arena arena;
    struct map map;
    struct config *first;
    struct config **last;
};

/* What is open and of unknown outcome: of one effect and one end. */
struct kind {
    const struct lin_op *op; /* one of them; NULL: the place is free */
    uint32_t count;
};

struct search {
    const struct lin_op *ops;
    size_t count;
    lin_step_fn step;
    struct event *events; /* two for each operation */
    size_t *place;        /* of each operation, in `slots` or `kinds` */
    const struct lin_op **slots;
    size_t slot_count; /* places that were ever taken; likewise: */
    struct kind *kinds;
    size_t kind_count;
    size_t words; /* of `taken` that are bits */
    size_t width; /* of all of it */
    size_t must;  /* operations that have yet to end */
    size_t steps;
    struct level levels[3];
    struct level *now;
    struct level *between;
    struct level *then;
    struct config *draft;
    struct arena arena;
};

/* ---- levels ---- */

static void level_clear(struct level *l)
{
    map_fini(&l->map);
    arena_reset(&l->arena);
    l->first = NULL;
    l->last = &l->first;
}

static void level_fini(struct level *l)
{
    map_fini(&l->map);
    arena_fini(&l->arena);
}

static size_t config_size(const struct search *s)
{
    return sizeof(struct config) + s->width * sizeof(uint32_t);
}

static uint64_t config_hash(const struct search *s, const struct config *c)
{
    uint64_t h = 0;

    for (size_t i = 0; i < ARRAY_LEN(c->state.v); i++) {
        h = hash_u64(h ^ (uint64_t)c->state.v[i]);
    }
    for (size_t i = 0; i < s->words; i++) {
        h = hash_u64(h ^ c->taken[i]);
    }
    return h;
}

static bool same_but_for_unknown(const struct search *s, const struct config *a,
                                 const struct config *b)
{
    return memcmp(&a->state, &b->state, sizeof a->state) == 0 &&
           memcmp(a->taken, b->taken, s->words * sizeof(uint32_t)) == 0;
}

/* Whether it has used no more of any kind. */
static bool as_good(const struct search *s, const struct config *a, const struct config *b)
{
    for (size_t i = s->words; i < s->width; i++) {
        if (a->taken[i] > b->taken[i]) {
            return false;
        }
    }
    return true;
}

/* Adds a copy, unless there is one as good. */
static void add(struct search *s, struct level *l, const struct config *c)
{
    uint64_t hash = config_hash(s, c);
    struct config *others = map_get(&l->map, hash);
    struct config *copy;
    bool keep = c->keep;

    for (struct config *o = others; o != NULL; o = o->other) {
        if (!same_but_for_unknown(s, o, c)) {
            continue;
        }
        if (as_good(s, o, c)) {
            o->keep = o->keep || keep;
            return;
        }
        if (as_good(s, c, o)) {
            o->worse = true;
            keep = keep || o->keep;
        }
    }
    copy = arena_alloc(&l->arena, config_size(s));
    memcpy(copy, c, config_size(s));
    copy->other = others;
    copy->next = NULL;
    copy->worse = false;
    copy->keep = keep;
    *l->last = copy;
    l->last = &copy->next;
    (void)map_put(&l->map, hash, copy);
    s->steps++;
}

/* ---- what is open ---- */

static bool has(const struct config *c, size_t slot)
{
    return (c->taken[slot / BITS] >> slot % BITS & 1) != 0;
}

static void set(struct config *c, size_t slot) { c->taken[slot / BITS] |= 1u << slot % BITS; }

static uint32_t *used(const struct search *s, struct config *c, size_t kind)
{
    return &c->taken[s->words + kind];
}

static void open_slot(struct search *s, size_t op)
{
    size_t i = 0;

    while (i < s->slot_count && s->slots[i] != NULL) {
        i++;
    }
    s->slots[i] = &s->ops[op];
    s->place[op] = i;
    s->slot_count += i == s->slot_count;
}

static bool same_kind(const struct lin_op *a, const struct lin_op *b)
{
    return a->alike > 0 && a->alike == b->alike && a->ended == b->ended;
}

static void open_kind(struct search *s, size_t op)
{
    const struct lin_op *o = &s->ops[op];
    size_t i = 0;

    while (i < s->kind_count && (s->kinds[i].op == NULL || !same_kind(s->kinds[i].op, o))) {
        i++;
    }
    if (i == s->kind_count) {
        for (i = 0; i < s->kind_count && s->kinds[i].op != NULL; i++) {
        }
    }
    s->kinds[i].op = o;
    s->kinds[i].count++;
    s->place[op] = i;
    s->kind_count += i == s->kind_count;
}

/* Opens or closes what the event is about. */
static void note(struct search *s, const struct event *e)
{
    if (e->kind == END) {
        s->slots[s->place[e->op]] = NULL;
    } else if (e->kind == END_MAYBE) {
        s->kinds[s->place[e->op]] = (struct kind){0};
    } else if (s->ops[e->op].maybe) {
        open_kind(s, e->op);
    } else {
        open_slot(s, e->op);
    }
}

/* ---- from one configuration to the next ---- */

/* Whether the operation fits; *ret_state is the state after it. */
static bool fits(const struct search *s, const struct lin_op *op, const struct config *c,
                 struct lin_state *ret_state, bool *ret_idle)
{
    *ret_state = c->state;
    if (!s->step(op->data, ret_state)) {
        return false;
    }
    *ret_idle = memcmp(ret_state, &c->state, sizeof c->state) == 0;
    return true;
}

static void take_reads(const struct search *s, struct config *c)
{
    for (size_t i = 0; i < s->slot_count; i++) {
        struct lin_state state;
        bool idle;

        if (s->slots[i] != NULL && s->slots[i]->reads && !has(c, i) &&
            fits(s, s->slots[i], c, &state, &idle) && idle) {
            set(c, i);
        }
    }
}

static void draft(struct search *s, const struct config *c, const struct lin_state *state)
{
    memcpy(s->draft, c, config_size(s));
    s->draft->state = *state;
    s->draft->keep = false;
}

static void take_slots(struct search *s, const struct config *c)
{
    for (size_t i = 0; i < s->slot_count; i++) {
        struct lin_state state;
        bool idle;

        if (s->slots[i] != NULL && !has(c, i) && fits(s, s->slots[i], c, &state, &idle)) {
            draft(s, c, &state);
            set(s->draft, i);
            take_reads(s, s->draft);
            add(s, s->between, s->draft);
        }
    }
}

/* Whether one of the same effect is left that ends sooner. */
static bool another_will_do(const struct search *s, const struct config *c, const struct lin_op *op)
{
    for (size_t i = 0; i < s->kind_count && op->alike > 0; i++) {
        const struct kind *k = &s->kinds[i];

        if (k->op != NULL && k->op->alike == op->alike && k->op->ended < op->ended &&
            c->taken[s->words + i] < k->count) {
            return true;
        }
    }
    return false;
}

/* `last`: the kind that ends here. */
static void take_kinds(struct search *s, const struct config *c, size_t last)
{
    for (size_t i = 0; i < s->kind_count; i++) {
        const struct kind *k = &s->kinds[i];
        struct lin_state state;
        bool idle;

        if (k->op != NULL && c->taken[s->words + i] < k->count && !another_will_do(s, c, k->op) &&
            fits(s, k->op, c, &state, &idle) && !idle) {
            draft(s, c, &state);
            ++*used(s, s->draft, i);
            take_reads(s, s->draft);
            s->draft->keep = i == last;
            add(s, s->between, s->draft);
        }
    }
}

/* ---- ends ---- */

static void swap_levels(struct search *s)
{
    struct level *old = s->now;

    s->now = s->then;
    s->then = old;
}

static void unset(struct config *c, size_t slot) { c->taken[slot / BITS] &= ~(1u << slot % BITS); }

/* Whether all have it in effect, which then is no difference between them any more. */
static bool all_have(struct search *s, size_t slot)
{
    for (struct config *c = s->now->first; c != NULL; c = c->next) {
        take_reads(s, c);
        if (!has(c, slot)) {
            return false;
        }
    }
    for (struct config *c = s->now->first; c != NULL; c = c->next) {
        unset(c, slot);
    }
    return true;
}

/* Everything that open operations lead to, each way only until it has what must be in it. */
static void end_slot(struct search *s, size_t slot)
{
    if (all_have(s, slot)) {
        return;
    }
    level_clear(s->between);
    for (struct config *c = s->now->first; c != NULL; c = c->next) {
        take_reads(s, c);
        add(s, s->between, c);
    }
    for (struct config *c = s->between->first; c != NULL && s->steps < LIN_STEPS_MAX; c = c->next) {
        if (!c->worse && !has(c, slot)) {
            take_slots(s, c);
            take_kinds(s, c, SIZE_MAX);
        }
    }
    level_clear(s->then);
    for (struct config *c = s->between->first; c != NULL; c = c->next) {
        if (!c->worse && has(c, slot)) {
            unset(c, slot);
            add(s, s->then, c);
        }
    }
    swap_levels(s);
}

static void end_kind(struct search *s, size_t kind)
{
    level_clear(s->between);
    for (struct config *c = s->now->first; c != NULL; c = c->next) {
        c->keep = true;
        add(s, s->between, c);
    }
    for (struct config *c = s->between->first; c != NULL && s->steps < LIN_STEPS_MAX; c = c->next) {
        if (!c->worse) {
            take_slots(s, c);
            take_kinds(s, c, kind);
        }
    }
    level_clear(s->then);
    for (struct config *c = s->between->first; c != NULL; c = c->next) {
        if (!c->worse && c->keep) {
            *used(s, c, kind) = 0;
            add(s, s->then, c);
        }
    }
    swap_levels(s);
}

/* ---- the whole history ---- */

static int compare_events(const void *left, const void *right)
{
    const struct event *a = left;
    const struct event *b = right;

    if (a->at != b->at) {
        return a->at < b->at ? -1 : 1;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return (a->op > b->op) - (a->op < b->op);
}

/* Going through all of it once tells how much is open at most. */
static void prepare(struct search *s, struct lin_state start)
{
    struct config *first;

    for (size_t i = 0; i < s->count; i++) {
        const struct lin_op *o = &s->ops[i];

        ASSERT(o->begun <= o->ended);
        s->must += !o->maybe;
        s->events[2 * i] = (struct event){o->begun, BEGIN, i};
        s->events[2 * i + 1] = (struct event){o->ended, o->maybe ? END_MAYBE : END, i};
    }
    qsort(s->events, 2 * s->count, sizeof *s->events, compare_events);
    for (size_t i = 0; i < 2 * s->count; i++) {
        note(s, &s->events[i]);
    }
    s->words = (s->slot_count + BITS - 1) / BITS;
    s->width = s->words + s->kind_count;
    s->draft = arena_zalloc(&s->arena, config_size(s));
    first = arena_zalloc(&s->arena, config_size(s));
    first->state = start;
    level_clear(s->now);
    add(s, s->now, first);
}

static enum lin_result search(struct search *s, const void **ret_stuck)
{
    for (size_t i = 0; i < 2 * s->count && s->must > 0; i++) {
        const struct event *e = &s->events[i];
        size_t place = s->place[e->op];

        if (e->kind == END) {
            end_slot(s, place);
            s->must--;
        } else if (e->kind == END_MAYBE && s->kinds[place].op != NULL) {
            end_kind(s, place);
        }
        note(s, e);
        if (s->steps >= LIN_STEPS_MAX) {
            return LIN_TIRED;
        }
        if (s->now->first == NULL) {
            *ret_stuck = s->ops[e->op].data;
            return LIN_NO;
        }
    }
    return LIN_YES;
}

enum lin_result lin_check(const struct lin_op *ops, size_t count, struct lin_state start,
                          lin_step_fn step, const void **ret_stuck)
{
    struct search s = {.ops = ops, .count = count, .step = step};
    const void *stuck = NULL;
    enum lin_result result;

    s.now = &s.levels[0];
    s.between = &s.levels[1];
    s.then = &s.levels[2];
    s.events = arena_array(&s.arena, 2 * count + 1, sizeof *s.events);
    s.place = arena_array(&s.arena, count + 1, sizeof *s.place);
    s.slots = arena_array(&s.arena, count + 1, sizeof *s.slots);
    s.kinds = arena_array(&s.arena, count + 1, sizeof *s.kinds);
    prepare(&s, start);
    result = search(&s, &stuck);
    if (ret_stuck != NULL && result == LIN_NO) {
        *ret_stuck = stuck;
    }
    for (size_t i = 0; i < ARRAY_LEN(s.levels); i++) {
        level_fini(&s.levels[i]);
    }
    arena_fini(&s.arena);
    return result;
}
