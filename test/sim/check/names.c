#include "check.h"
#include "lin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME "names"

/* What a name stands for, as a state of lin.h. */
enum {
    EXISTS,
    ID,      /* 0: nobody has asked yet */
    ID_MAX,  /* of all that had the name: ids are not used twice */
    COUNTED, /* somebody has asked for its columns */
    COLUMNS, /* all; if nobody has asked: how many were added */
};

static void create(struct lin_state *s)
{
    s->v[EXISTS] = 1;
    s->v[ID] = 0;
    s->v[COUNTED] = 0;
    s->v[COLUMNS] = 0;
}

static void drop(struct lin_state *s)
{
    int64_t id_max = s->v[ID_MAX];

    *s = (struct lin_state){{0}};
    s->v[ID_MAX] = id_max;
}

/* It had a column at least when it was created. */
static bool count(int64_t columns, struct lin_state *s)
{
    if (s->v[COUNTED] == 0 && columns > s->v[COLUMNS]) {
        s->v[COUNTED] = 1;
        s->v[COLUMNS] = columns;
    }
    return s->v[COUNTED] != 0 && s->v[COLUMNS] == columns;
}

static bool describe(const struct op *op, struct lin_state *s)
{
    if (!op->name.exists || s->v[EXISTS] == 0) {
        return !op->name.exists && s->v[EXISTS] == 0;
    }
    if (s->v[ID] == 0) {
        if (op->name.id <= s->v[ID_MAX]) {
            return false;
        }
        s->v[ID] = op->name.id;
        s->v[ID_MAX] = op->name.id;
    }
    return s->v[ID] == op->name.id && (op->name.columns == 0 || count(op->name.columns, s));
}

/* A refusal tells whether the name stood for something. */
static bool refused(const struct op *op, const struct lin_state *s)
{
    return op->name.exists == (s->v[EXISTS] != 0);
}

/* What a description tells for the first time changes the state. Where it tells nothing new it never
 * will: an id stands for one life of the name. */
static bool reads(const struct op *op)
{
    return op->kind == OP_DESCRIBE || op->status == OP_FAILED;
}

static bool step(const void *data, struct lin_state *s)
{
    const struct op *op = data;
    bool exists = s->v[EXISTS] != 0;

    if (op->kind == OP_DESCRIBE) {
        return describe(op, s);
    }
    if (op->status == OP_FAILED) {
        return refused(op, s);
    }
    if (exists == (op->kind == OP_CREATE)) {
        return op->status != OP_OK; /* unknown: refused then */
    }
    if (op->kind == OP_CREATE) {
        create(s);
    } else if (op->kind == OP_ALTER) {
        s->v[COLUMNS]++;
    } else {
        drop(s);
    }
    return true;
}

/* Every start of the server is an election: afterwards the epoch is a higher one. */
static bool check_epochs(struct history *h, const struct op *before, const struct op *op,
                         struct verdict *v)
{
    bool again = before->ended < op->begun && before->name.id == op->name.id;

    if (again && op->name.epoch < before->name.epoch + history_died(h, before->ended, op->begun)) {
        return verdict_bad(v, NAME,
                           "epoch %" PRId64 " was %" PRId64 " before, and the server died in "
                           "between: %s",
                           op->name.epoch, before->name.epoch, op_text(h, op));
    }
    return true;
}

static bool check_all_epochs(struct history *h, struct op *const *ops, size_t count,
                             struct verdict *v)
{
    const struct op *before = NULL;

    for (size_t i = 0; i < count; i++) {
        if (ops[i]->kind != OP_DESCRIBE || ops[i]->status != OP_OK || ops[i]->name.epoch == 0) {
            continue;
        }
        if (before != NULL && !check_epochs(h, before, ops[i], v)) {
            return false;
        }
        before = ops[i];
    }
    return true;
}

static bool is_name(const struct op *op)
{
    return op->kind == OP_CREATE || op->kind == OP_ALTER || op->kind == OP_DROP ||
           op->kind == OP_DESCRIBE;
}

static int compare_names(const void *left, const void *right)
{
    const struct op *a = *(const struct op *const *)left;
    const struct op *b = *(const struct op *const *)right;
    int c = strcmp(a->name.name, b->name.name);

    return c != 0 ? c : (a->begun > b->begun) - (a->begun < b->begun);
}

static bool check_name(struct history *h, struct op *const *ops, size_t count, struct verdict *v)
{
    struct lin_op *lin = arena_array(&h->arena, count + 1, sizeof *lin);
    struct lin_state absent = {{0}};
    const void *stuck = NULL;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        bool answered = ops[i]->status == OP_OK || ops[i]->status == OP_FAILED;

        if (answered || ops[i]->kind != OP_DESCRIBE) {
            lin[n++] = (struct lin_op){.data = ops[i],
                                       .begun = ops[i]->begun,
                                       .ended = history_deadline(h, ops[i]),
                                       .alike = 1 + (int)ops[i]->kind,
                                       .maybe = !answered,
                                       .reads = reads(ops[i])};
        }
    }
    switch (lin_check(lin, n, absent, step, &stuck)) {
    case LIN_YES:
        return true;
    case LIN_TIRED:
        return verdict_bad(v, NAME, "%s: no order of %zu operations found in time",
                           ops[0]->name.name, n);
    case LIN_NO:
        break;
    }
    return verdict_bad(v, NAME, "%s: no order of its %zu operations explains %s", ops[0]->name.name,
                       n, op_text(h, stuck));
}

bool check_names(struct history *h, struct verdict *v)
{
    struct op **ops = arena_array(&h->arena, h->count + 1, sizeof(struct op *));
    size_t count = 0;
    size_t end;

    for (size_t i = 0; i < h->count; i++) {
        if (is_name(h->ops[i])) {
            ops[count++] = h->ops[i];
        }
    }
    qsort(ops, count, sizeof(struct op *), compare_names);
    for (size_t i = 0; i < count; i = end) {
        for (end = i; end < count && strcmp(ops[end]->name.name, ops[i]->name.name) == 0; end++) {
        }
        if (!check_name(h, ops + i, end - i, v) || !check_all_epochs(h, ops + i, end - i, v)) {
            return false;
        }
    }
    return true;
}
