#include "check.h"

#include <inttypes.h>

#include "base/map.h"

#define NAME "changelog"

/* A put of a key; in the order of beginnings. */
struct pending {
    struct pending *next;
    struct op *op;
    bool found; /* its change is in the changelog */
};

struct key {
    struct pending *first;
    struct pending **last;
    struct key_state now;
    struct key_log log;
};

struct state {
    struct history *h;
    const struct merged *merged;
    struct verdict *v;
    struct map keys;
    const struct row *before; /* a row that the next one must replace */
};

static struct key *key_of(struct state *s, int64_t number)
{
    struct key *k = map_get(&s->keys, (uint64_t)number);

    if (k == NULL) {
        k = arena_new(&s->h->arena, struct key);
        k->last = &k->first;
        (void)map_put(&s->keys, (uint64_t)number, k);
    }
    return k;
}

static void add_put(struct state *s, struct op *op)
{
    struct key *k = key_of(s, op->put.key);
    struct pending *p = arena_new(&s->h->arena, struct pending);

    p->op = op;
    *k->last = p;
    k->last = &p->next;
}

static bool same_state(const struct key_state *a, const struct key_state *b)
{
    return a->present == b->present && (!a->present || values_equal(&a->values, &b->values));
}

/* ---- one change ---- */

static bool wrong(struct state *s, int64_t offset, const char *what)
{
    const struct row *row = s->merged->rows[offset];
    const struct key *k = key_of(s, row->key);

    return verdict_bad(
        s->v, NAME,
        "offset %" PRId64 ", change %d of key %" PRId64 " to (%" PRId64 ", %" PRId64 ", %" PRId64
        "): %s; the row was %s (%" PRId64 ", %" PRId64 ", %" PRId64 "): %s",
        offset, row->change, row->key, row->values.v[0], row->values.v[1], row->values.v[2], what,
        k->now.present ? "there" : "not there", k->now.values.v[0], k->now.values.v[1],
        k->now.values.v[2], op_text(s->h, s->merged->seen_by[offset]));
}

/* A delete that changed something cannot be told from one that did not. */
static void add_change(struct state *s, struct key *k, const struct op *op)
{
    struct key_log *log = &k->log;

    if (log->count == log->cap) {
        const struct op **more;

        log->cap = log->cap == 0 ? 16 : log->cap * 2;
        more = arena_array(&s->h->arena, log->cap, sizeof *more);
        for (size_t i = 0; i < log->count; i++) {
            more[i] = log->changes[i];
        }
        log->changes = more;
    }
    log->changes[log->count++] = op->put.remove ? NULL : op;
}

static bool explain(struct state *s, struct key *k, const struct key_state *next, int64_t offset)
{
    for (struct pending *p = k->first; p != NULL; p = p->next) {
        struct key_state then = engine_put(p->op->engine, &k->now, p->op);

        if (!p->found && p->op->status != OP_FAILED && same_state(&then, next) &&
            p->op->begun < s->merged->seen_by[offset]->ended) {
            p->found = true;
            k->now = *next;
            add_change(s, k, p->op);
            return true;
        }
    }
    return wrong(s, offset, "no put that is not in the changelog already makes that of it");
}

static bool is_old_row(const struct key *k, const struct row *row)
{
    return k->now.present && values_equal(&k->now.values, &row->values);
}

static bool check_change(struct state *s, int64_t offset)
{
    const struct row *row = s->merged->rows[offset];
    const struct row *before = s->before;
    struct key *k = key_of(s, row->key);
    struct key_state next = {.present = row->change != ROW_DELETE, .values = row->values};

    s->before = NULL;
    if ((before != NULL) != (row->change == ROW_AFTER) ||
        (before != NULL && before->key != row->key)) {
        return wrong(s, offset, "an update is the old row and then the new one");
    }
    switch (row->change) {
    case ROW_BEFORE:
        s->before = row;
        return is_old_row(k, row) || wrong(s, offset, "the old row is another one");
    case ROW_AFTER:
        return explain(s, k, &next, offset);
    case ROW_INSERT:
        return k->now.present ? wrong(s, offset, "inserted twice") : explain(s, k, &next, offset);
    case ROW_DELETE:
        if (!is_old_row(k, row)) {
            return wrong(s, offset, "the deleted row is another one");
        }
        return explain(s, k, &next, offset);
    default:
        return wrong(s, offset, "no change of a changelog");
    }
}

/* ---- the whole of it ---- */

static bool replay(struct state *s)
{
    for (int64_t offset = 0; offset < s->merged->end; offset++) {
        if (s->merged->rows[offset]->change != ROW_NOTHING && !check_change(s, offset)) {
            return false;
        }
    }
    return true;
}

/* Whether an acknowledged put may have changed nothing. */
static bool may_be_idle(const struct key *k, const struct op *op)
{
    switch (op->engine) {
    case ENGINE_FIRST_ROW:
        return k->now.present;
    case ENGINE_VERSIONED:
        return k->now.present && k->now.values.v[1] >= op->put.values.v[1];
    case ENGINE_LOG:
    case ENGINE_LAST_ROW:
    case ENGINE_SUM:
        break;
    }
    return op->put.remove;
}

static bool check_found(struct state *s)
{
    MAP_FOR_EACH(slot, &s->keys)
    {
        const struct key *k = slot->value;

        for (const struct pending *p = k->first; p != NULL; p = p->next) {
            if (!p->found && p->op->status == OP_OK && !may_be_idle(k, p->op)) {
                return verdict_bad(s->v, NAME, "acknowledged, and not in the changelog: %s",
                                   op_text(s->h, p->op));
            }
        }
    }
    return true;
}

static bool check_last(struct state *s, const struct op *get)
{
    const struct key *k = key_of(s, get->get.key);
    struct key_state found = {.present = get->get.present, .values = get->get.values};

    if (get->status != OP_OK || !get->get.last || same_state(&k->now, &found)) {
        return true;
    }
    return verdict_bad(s->v, NAME,
                       "the changelog leaves %s (%" PRId64 ", %" PRId64 ", %" PRId64 "), but %s",
                       k->now.present ? "a row" : "nothing", k->now.values.v[0], k->now.values.v[1],
                       k->now.values.v[2], op_text(s->h, get));
}

static bool whole(const struct merged *m)
{
    for (int64_t offset = 0; offset < m->end; offset++) {
        if (m->rows[offset] == NULL) {
            return false;
        }
    }
    return true;
}

static void mark_puts(struct state *s)
{
    MAP_FOR_EACH(slot, &s->keys)
    {
        struct key *k = slot->value;

        for (struct pending *p = k->first; p != NULL; p = p->next) {
            p->op->put.log = &k->log;
            p->op->put.logged = p->found && !p->op->put.remove;
        }
    }
}

static bool check(struct state *s, const struct history_view *place)
{
    for (size_t i = 0; i < place->count; i++) {
        if (place->ops[i]->kind == OP_PUT) {
            add_put(s, place->ops[i]);
        }
    }
    if (!replay(s) || !check_found(s)) {
        return false;
    }
    mark_puts(s);
    for (size_t i = 0; i < place->count; i++) {
        if (place->ops[i]->kind == OP_GET && !check_last(s, place->ops[i])) {
            return false;
        }
    }
    return true;
}

bool check_changelog(struct history *h, const struct history_view *place,
                     const struct merged *merged, const struct check_rules *rules,
                     struct verdict *v)
{
    struct state s = {.h = h, .merged = merged, .v = v};
    bool good;

    if (!rules->complete || !whole(merged)) {
        return true; /* what is missing cannot be replayed */
    }
    map_init(&s.keys);
    good = check(&s, place);
    map_fini(&s.keys);
    return good;
}
