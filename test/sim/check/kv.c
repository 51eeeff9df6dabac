#include "check.h"
#include "lin.h"

#include <inttypes.h>
#include <stdlib.h>

#define NAME "kv"

/* In a state of lin.h: whether there is a row, its values, its nulls, and: */
#define POSITION (2 + HISTORY_VALUES) /* changes of the key so far */

static struct key_state state_of(const struct lin_state *s)
{
    struct key_state k = {.present = s->v[0] != 0};

    for (size_t i = 0; i < HISTORY_VALUES; i++) {
        k.values.v[i] = s->v[1 + i];
    }
    k.values.nulls = (uint8_t)s->v[1 + HISTORY_VALUES];
    return k;
}

static struct lin_state lin_of(const struct key_state *k)
{
    struct lin_state s = {{0}};

    static_assert(POSITION < ARRAY_LEN(s.v), "a key fits");
    if (!k->present) {
        return s;
    }
    s.v[0] = 1;
    for (size_t i = 0; i < HISTORY_VALUES; i++) {
        s.v[1 + i] = k->values.v[i];
    }
    s.v[1 + HISTORY_VALUES] = k->values.nulls;
    return s;
}

/* Changes happen in the order of the changelog, and nothing else changes the key. */
static bool follow_log(const struct op *op, const struct key_state *old,
                       const struct key_state *next, int64_t *position)
{
    const struct key_log *log = op->put.log;

    if (old->present == next->present &&
        (!old->present || values_equal(&old->values, &next->values))) {
        return !op->put.logged;
    }
    if ((size_t)*position >= log->count ||
        log->changes[*position] != (op->put.remove ? NULL : op)) {
        return false;
    }
    ++*position;
    return true;
}

static bool step(const void *data, struct lin_state *state)
{
    const struct op *op = data;
    struct key_state old = state_of(state);
    struct key_state next;
    int64_t position;

    if (op->kind == OP_GET) {
        return op->get.present == old.present &&
               (!old.present || values_equal(&op->get.values, &old.values));
    }
    next = engine_put(op->engine, &old, op);
    if (op->put.log != NULL && !follow_log(op, &old, &next, &state->v[POSITION])) {
        return false;
    }
    position = state->v[POSITION];
    *state = lin_of(&next);
    state->v[POSITION] = position;
    return true;
}

static int64_t key_of(const struct op *op)
{
    return op->kind == OP_PUT ? op->put.key : op->get.key;
}

static int compare_keys(const void *left, const void *right)
{
    const struct op *a = *(const struct op *const *)left;
    const struct op *b = *(const struct op *const *)right;

    if (key_of(a) != key_of(b)) {
        return key_of(a) < key_of(b) ? -1 : 1;
    }
    return (a->begun > b->begun) - (a->begun < b->begun);
}

/* Whether some get saw a value of the put. */
static bool seen(const struct op *put, struct op *const *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct op *get = ops[i];

        for (unsigned c = 0; c < HISTORY_VALUES && get->kind == OP_GET && get->get.present; c++) {
            if ((put->put.mask >> c & 1) != 0 && get->get.values.v[c] == put->put.values.v[c]) {
                return true;
            }
        }
    }
    return false;
}

/* What nobody answered and nobody saw might as well not have happened, and makes the search long. */
static bool matters(const struct op *op, struct op *const *ops, size_t count)
{
    if (op->status == OP_FAILED || (op->kind == OP_GET && op->status != OP_OK)) {
        return false;
    }
    if (op->kind == OP_PUT && op->put.log != NULL && op->status != OP_OK && !op->put.remove) {
        return op->put.logged;
    }
    return op->status == OP_OK || op->engine != ENGINE_LAST_ROW || op->put.remove ||
           seen(op, ops, count);
}

static bool happened(const struct op *op)
{
    return op->status == OP_OK || (op->kind == OP_PUT && op->put.logged);
}

/* Whether it fits only where it changes nothing: so does a put that is not in the changelog. */
static bool reads(const struct op *op)
{
    return op->kind == OP_GET || (op->put.log != NULL && !op->put.remove && !op->put.logged);
}

static bool check_key(struct history *h, struct op *const *ops, size_t count, struct verdict *v)
{
    struct lin_op *lin = arena_array(&h->arena, count + 1, sizeof *lin);
    struct lin_state absent = {{0}};
    const void *stuck = NULL;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (matters(ops[i], ops, count)) {
            lin[n++] = (struct lin_op){.data = ops[i],
                                       .begun = ops[i]->begun,
                                       .ended = history_deadline(h, ops[i]),
                                       .alike = ops[i]->kind == OP_PUT && ops[i]->put.remove,
                                       .maybe = !happened(ops[i]),
                                       .reads = reads(ops[i])};
        }
    }
    switch (lin_check(lin, n, absent, step, &stuck)) {
    case LIN_YES:
        return true;
    case LIN_TIRED:
        return verdict_bad(v, NAME, "key %" PRId64 ": no order of %zu operations found in time",
                           key_of(ops[0]), n);
    case LIN_NO:
        break;
    }
    return verdict_bad(v, NAME, "key %" PRId64 ": no order of its %zu operations explains %s",
                       key_of(ops[0]), n, op_text(h, stuck));
}

bool check_kv(struct history *h, const struct history_view *place, struct verdict *v)
{
    struct op **ops = arena_array(&h->arena, place->count + 1, sizeof(struct op *));
    size_t count = 0;
    size_t end;

    for (size_t i = 0; i < place->count; i++) {
        if (place->ops[i]->kind == OP_PUT || place->ops[i]->kind == OP_GET) {
            ops[count++] = place->ops[i];
        }
    }
    qsort(ops, count, sizeof(struct op *), compare_keys);
    for (size_t i = 0; i < count; i = end) {
        for (end = i; end < count && key_of(ops[end]) == key_of(ops[i]); end++) {
        }
        if (!check_key(h, ops + i, end - i, v)) {
            return false;
        }
    }
    return true;
}
