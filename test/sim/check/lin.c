#include "lin.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"

/* A beginning or an end, in a list in the order of time. */
struct entry {
    struct entry *prev;
    struct entry *next;
    struct entry *end; /* of a beginning; NULL: the operation may never take effect */
    size_t op;
    uint64_t at;
    bool begins;
};

/* One set of operations that was tried, with the state it led to. */
struct tried {
    struct tried *other; /* of the same hash */
    struct lin_state state;
    uint64_t set[];
};

struct taken {
    struct entry *entry;
    struct lin_state before;
    uint64_t now_before;
};

struct search {
    const struct lin_op *ops;
    size_t count;
    lin_step_fn step;
    struct entry head;
    size_t must;    /* operations that are yet to take effect and have to */
    size_t words;   /* of a set */
    uint64_t *set;  /* what has taken effect */
    size_t *maybes; /* operations that may not have happened */
    size_t maybe_count;
    struct taken *taken;
    size_t depth;
    size_t deepest;
    const void *stuck;
    struct lin_state state;
    uint64_t now; /* the last beginning among what has taken effect: time is there at least */
    struct map tried;
    struct arena arena;
};

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = *(const struct entry *const *)left;
    const struct entry *b = *(const struct entry *const *)right;

    return (a->at > b->at) - (a->at < b->at);
}

static void append(struct search *s, struct entry *e)
{
    e->prev = s->head.prev;
    e->next = &s->head;
    e->prev->next = e;
    s->head.prev = e;
}

static void build(struct search *s)
{
    struct entry **order = arena_array(&s->arena, 2 * s->count + 1, sizeof *order);
    size_t n = 0;

    s->head.next = &s->head;
    s->head.prev = &s->head;
    for (size_t i = 0; i < s->count; i++) {
        struct entry *begin = arena_new(&s->arena, struct entry);

        *begin = (struct entry){.op = i, .at = s->ops[i].begun, .begins = true};
        order[n++] = begin;
        if (s->ops[i].maybe) {
            s->maybes[s->maybe_count++] = i;
        } else {
            begin->end = arena_new(&s->arena, struct entry);
            *begin->end = (struct entry){.op = i, .at = s->ops[i].ended};
            order[n++] = begin->end;
            s->must++;
        }
    }
    qsort(order, n, sizeof *order, compare_entries);
    for (size_t i = 0; i < n; i++) {
        append(s, order[i]);
    }
}

static void unlink_entry(struct entry *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
}

/* In the reverse order of unlink_entry. */
static void relink_entry(struct entry *e)
{
    e->prev->next = e;
    e->next->prev = e;
}

/* What may not have happened and now never can counts as if it had: it makes no difference any more. */
static void forget_late(const struct search *s, uint64_t now, uint64_t *set)
{
    for (size_t i = 0; i < s->maybe_count; i++) {
        size_t op = s->maybes[i];

        if (s->ops[op].ended < now) {
            set[op / 64] |= UINT64_C(1) << op % 64;
        }
    }
}

/* Whether this set with this state is new; remembers it. */
static bool remember(struct search *s, size_t op, const struct lin_state *state)
{
    uint64_t now = s->ops[op].begun > s->now ? s->ops[op].begun : s->now;
    size_t size = s->words * sizeof(uint64_t);
    struct tried *t = arena_alloc(&s->arena, sizeof *t + size);
    uint64_t h;

    t->state = *state;
    memcpy(t->set, s->set, size);
    t->set[op / 64] |= UINT64_C(1) << op % 64;
    forget_late(s, now, t->set);
    h = hash_bytes(bytes_of(t->set, size)) ^ hash_bytes(bytes_of(state, sizeof *state));
    t->other = map_get(&s->tried, h);
    for (const struct tried *o = t->other; o != NULL; o = o->other) {
        if (memcmp(&o->state, state, sizeof *state) == 0 && memcmp(o->set, t->set, size) == 0) {
            return false;
        }
    }
    (void)map_put(&s->tried, h, t);
    return true;
}

static void take(struct search *s, struct entry *e, const struct lin_state *next)
{
    s->taken[s->depth++] = (struct taken){e, s->state, s->now};
    s->state = *next;
    s->now = e->at > s->now ? e->at : s->now;
    s->set[e->op / 64] |= UINT64_C(1) << e->op % 64;
    unlink_entry(e);
    if (e->end != NULL) {
        unlink_entry(e->end);
        s->must--;
    }
}

/* Takes back the last one and returns what follows it. */
static struct entry *give_back(struct search *s)
{
    struct taken *t = &s->taken[--s->depth];
    struct entry *e = t->entry;

    s->state = t->before;
    s->now = t->now_before;
    s->set[e->op / 64] &= ~(UINT64_C(1) << e->op % 64);
    if (e->end != NULL) {
        relink_entry(e->end);
        s->must++;
    }
    relink_entry(e);
    return e->next;
}

/* Whether another that may not have happened does the same and is over sooner: then that one is as
 * good. Those that began before are over before (a death of the server ends all). */
static bool another_will_do(const struct search *s, const struct entry *e)
{
    const struct lin_op *op = &s->ops[e->op];

    for (const struct entry *o = e->prev; op->alike > 0 && o != &s->head; o = o->prev) {
        const struct lin_op *other = &s->ops[o->op];

        if (o->begins && other->maybe && other->alike == op->alike && other->ended >= s->now &&
            other->ended <= op->ended) {
            return true;
        }
    }
    return false;
}

/* Whether it may take effect now, and it is of use to try that: what may not have happened, and would
 * change nothing, is left out. */
static bool can_take(struct search *s, const struct entry *e, struct lin_state *next)
{
    const struct lin_op *op = &s->ops[e->op];

    *next = s->state;
    if (op->maybe && (op->ended < s->now || another_will_do(s, e))) {
        return false;
    }
    return s->step(op->data, next) && (!op->maybe || memcmp(next, &s->state, sizeof *next) != 0) &&
           remember(s, e->op, next);
}

/* At each point what must have happened is tried first: detours over what may have come after it. */
static enum lin_result search(struct search *s)
{
    struct entry *e = s->head.next;
    bool maybes = false;
    size_t taken = 0;

    while (s->must > 0) {
        struct lin_state next;

        if (e != &s->head && e->begins) {
            if (s->ops[e->op].maybe != maybes || !can_take(s, e, &next)) {
                e = e->next;
                continue;
            }
            if (++taken > LIN_STEPS_MAX) {
                return LIN_TIRED;
            }
            take(s, e, &next);
            e = s->head.next;
            maybes = false;
            continue;
        }
        if (!maybes) {
            maybes = true;
            e = s->head.next;
            continue;
        }
        if (s->depth >= s->deepest && e != &s->head) {
            s->deepest = s->depth;
            s->stuck = s->ops[e->op].data;
        }
        if (s->depth == 0) {
            return LIN_NO;
        }
        maybes = s->ops[s->taken[s->depth - 1].entry->op].maybe;
        e = give_back(s);
    }
    return LIN_YES;
}

enum lin_result lin_check(const struct lin_op *ops, size_t count, struct lin_state start,
                          lin_step_fn step, const void **ret_stuck)
{
    struct search s = {.ops = ops, .count = count, .step = step, .state = start};
    enum lin_result result;

    s.words = count / 64 + 1;
    s.set = arena_array(&s.arena, s.words, sizeof(uint64_t));
    s.maybes = arena_array(&s.arena, count + 1, sizeof(size_t));
    s.taken = arena_array(&s.arena, count + 1, sizeof(struct taken));
    map_init(&s.tried);
    build(&s);
    result = search(&s);
    if (ret_stuck != NULL && result == LIN_NO) {
        *ret_stuck = s.stuck;
    }
    map_fini(&s.tried);
    arena_fini(&s.arena);
    return result;
}
