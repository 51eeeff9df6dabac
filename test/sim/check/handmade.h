/* Histories made by hand, for the tests of the checkers. One place, times do not matter. */
#ifndef SIM_CHECK_HANDMADE_H
#define SIM_CHECK_HANDMADE_H

#include "check.h"

#include "../../support/unit.h"

static const struct check_rules HANDMADE_RULES = {.complete = true};

/* An operation of the one place that begins and ends now. */
UNUSED static struct op *made_op(struct history *h, enum op_kind kind, enum op_status status)
{
    struct op *op = history_begin(h, kind, 1, 0);

    op->place = (struct place){.table = 7, .partition = -1};
    if (status != OP_OPEN) {
        history_end(h, op, status, 0);
    }
    return op;
}

/* Rows first..first+count-1 of an idempotent writer. */
UNUSED static struct op *made_append(struct history *h, enum op_status status, int64_t writer,
                                     int64_t first, int64_t base)
{
    struct op *op = made_op(h, OP_APPEND, status);

    op->append.writer = writer;
    op->append.first = first;
    op->append.count = 2;
    op->append.idempotent = true;
    op->append.durable = true;
    op->append.base = base;
    return op;
}

/* Rows of a log table: {writer, number} from offset `from` on. */
UNUSED static struct op *made_read(struct history *h, int64_t from, int64_t high_watermark,
                                   const int64_t (*rows)[2], size_t count)
{
    struct op *op = made_op(h, OP_READ, OP_OK);
    struct row *seen = arena_array(&h->arena, count + 1, sizeof *seen);

    for (size_t i = 0; i < count; i++) {
        seen[i].offset = from + (int64_t)i;
        seen[i].values.v[0] = rows[i][0];
        seen[i].values.v[1] = rows[i][1];
    }
    op->read.from = from;
    op->read.rows = seen;
    op->read.count = count;
    op->read.high_watermark = high_watermark;
    return op;
}

UNUSED static struct op *made_put(struct history *h, enum op_status status, int64_t key, int64_t v)
{
    struct op *op = made_op(h, OP_PUT, status);

    op->engine = ENGINE_LAST_ROW;
    op->put.key = key;
    op->put.mask = 7;
    op->put.values = (struct values){.v = {v, v, v}};
    return op;
}

UNUSED static struct op *made_delete(struct history *h, enum op_status status, int64_t key)
{
    struct op *op = made_put(h, status, key, 0);

    op->put.remove = true;
    return op;
}

/* v 0: no row. */
UNUSED static struct op *made_get(struct history *h, int64_t key, int64_t v)
{
    struct op *op = made_op(h, OP_GET, OP_OK);

    op->engine = ENGINE_LAST_ROW;
    op->get.key = key;
    op->get.present = v != 0;
    op->get.values = (struct values){.v = {v, v, v}};
    return op;
}

/* The first place's operations; there is only one. */
UNUSED static struct history_view made_place(struct history *h)
{
    struct history_view all = history_by_place(h, ~0u);

    return all;
}

/* The verdict's text has that in it. */
UNUSED static void expect_bad(bool good, const struct verdict *v, const char *what)
{
    assert_false(good);
    assert_true(v->bad);
    if (strstr(v->message, what) == NULL) {
        print_error("'%s' is not in: %s\n", what, v->message);
        fail();
    }
}

#endif
