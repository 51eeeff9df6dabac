#include "check.h"

#include <inttypes.h>
#include <stdlib.h>

#define NAME "offsets"

/* Something that says how long the log is at least from then on. */
struct bound {
    uint64_t at;
    int64_t end;
    const struct op *op;
};

struct bounds {
    struct bound *items; /* by time; ends rise */
    size_t count;
};

/* ---- a log never gets shorter ---- */

/* What the operation, when it has ended, says of the length; -1: nothing. */
static int64_t promised_end(const struct op *op)
{
    if (op->status != OP_OK) {
        return -1;
    }
    if (op->kind == OP_READ) {
        return op->read.high_watermark;
    }
    if (op->kind == OP_END) {
        return op->end.offset;
    }
    if (op->kind == OP_APPEND && op->append.durable) {
        return op->append.base + op->append.count;
    }
    return -1;
}

static int compare_bounds(const void *left, const void *right)
{
    const struct bound *a = left;
    const struct bound *b = right;

    return (a->at > b->at) - (a->at < b->at);
}

static struct bounds collect_bounds(struct history *h, const struct history_view *place)
{
    struct bounds b = {.items = arena_array(&h->arena, place->count + 1, sizeof(struct bound))};
    size_t kept = 0;

    for (size_t i = 0; i < place->count; i++) {
        int64_t end = promised_end(place->ops[i]);

        if (end >= 0) {
            b.items[b.count++] = (struct bound){place->ops[i]->ended, end, place->ops[i]};
        }
    }
    qsort(b.items, b.count, sizeof *b.items, compare_bounds);
    for (size_t i = 0; i < b.count; i++) {
        if (kept == 0 || b.items[i].end > b.items[kept - 1].end) {
            b.items[kept++] = b.items[i];
        }
    }
    b.count = kept;
    return b;
}

/* The highest end that was promised before then; NULL: none. */
static const struct bound *bound_before(const struct bounds *b, uint64_t at)
{
    size_t low = 0;
    size_t high = b->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (b->items[middle].at < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? NULL : &b->items[low - 1];
}

static bool check_not_shorter(struct history *h, const struct op *op, const struct bounds *bounds,
                              struct verdict *v)
{
    const struct bound *b = bound_before(bounds, op->begun);
    int64_t end = -1;

    if (b == NULL || (op->kind != OP_READ && op->kind != OP_END)) {
        return true;
    }
    if (op->status == OP_OK) {
        end = promised_end(op);
    } else if (op->kind == OP_READ && op->status == OP_FAILED && op->read.from <= b->end) {
        return verdict_bad(v, NAME, "an offset that was there is out of range: %s after %s",
                           op_text(h, op), op_text(h, b->op));
    }
    if (end >= 0 && end < b->end) {
        return verdict_bad(v, NAME, "the log got shorter: %s after %s", op_text(h, op),
                           op_text(h, b->op));
    }
    return true;
}

/* ---- one read ---- */

/* Whether a row of a read may follow what was before it: the one before, or where the read began. */
static bool follows(const struct history *h, const struct op *op, size_t i)
{
    const struct row *rows = op->read.rows;
    int64_t expected = i == 0 ? op->read.from : rows[i - 1].offset + 1;

    return (i == 0 ? rows[i].offset <= expected : rows[i].offset == expected) ||
           (rows[i].offset > expected && history_may_lack(h, &op->place, expected, rows[i].offset));
}

static bool check_read(struct history *h, const struct op *op, struct verdict *v)
{
    const struct row *rows = op->read.rows;

    for (size_t i = 0; i < op->read.count; i++) {
        if (rows[i].damaged) {
            return verdict_bad(v, NAME, "offset %" PRId64 " holds what nobody wrote: %s",
                               rows[i].offset, op_text(h, op));
        }
        if (rows[i].offset >= op->read.high_watermark) {
            return verdict_bad(v, NAME, "offset %" PRId64 " is above the high watermark: %s",
                               rows[i].offset, op_text(h, op));
        }
        if (!follows(h, op, i)) {
            return verdict_bad(v, NAME, "offset %" PRId64 " follows %" PRId64 ": %s",
                               rows[i].offset, i == 0 ? op->read.from : rows[i - 1].offset,
                               op_text(h, op));
        }
    }
    return true;
}

static bool same_row(const struct row *a, const struct row *b)
{
    return a->key == b->key && a->change == b->change && values_equal(&a->values, &b->values);
}

static bool merge_read(struct history *h, struct op *op, struct merged *m, struct verdict *v)
{
    for (size_t i = 0; i < op->read.count; i++) {
        const struct row *row = &op->read.rows[i];
        const struct row *known = m->rows[row->offset];

        if (known == NULL) {
            m->rows[row->offset] = row;
            m->seen_by[row->offset] = op;
        } else if (!same_row(known, row)) {
            return verdict_bad(v, NAME,
                               "offset %" PRId64 " changed from change %d, key %" PRId64
                               ", (%" PRId64 ", %" PRId64 ") in %s to change %d, key %" PRId64
                               ", (%" PRId64 ", %" PRId64 ") in %s",
                               row->offset, known->change, known->key, known->values.v[0],
                               known->values.v[1], op_text(h, m->seen_by[row->offset]), row->change,
                               row->key, row->values.v[0], row->values.v[1], op_text(h, op));
        }
    }
    return true;
}

static int64_t highest_offset(const struct history_view *place)
{
    int64_t end = 0;

    for (size_t i = 0; i < place->count; i++) {
        const struct op *op = place->ops[i];

        if (op->kind == OP_READ && op->read.count > 0) {
            int64_t last = op->read.rows[op->read.count - 1].offset;

            end = last >= end ? last + 1 : end;
        }
    }
    return end;
}

bool check_offsets(struct history *h, const struct history_view *place,
                   const struct check_rules *rules, struct merged *ret, struct verdict *v)
{
    struct bounds bounds = collect_bounds(h, place);
    int64_t promised = bounds.count == 0 ? 0 : bounds.items[bounds.count - 1].end;

    ret->end = highest_offset(place);
    ret->rows = arena_array(&h->arena, (size_t)ret->end + 1, sizeof *ret->rows);
    ret->seen_by = arena_array(&h->arena, (size_t)ret->end + 1, sizeof *ret->seen_by);
    for (size_t i = 0; i < place->count; i++) {
        struct op *op = place->ops[i];

        if (op->kind == OP_READ && (!check_read(h, op, v) || !merge_read(h, op, ret, v))) {
            return false;
        }
        if (!check_not_shorter(h, op, &bounds, v)) {
            return false;
        }
    }
    for (int64_t offset = 0; rules->complete && offset < promised; offset++) {
        if ((offset >= ret->end || ret->rows[offset] == NULL) &&
            !history_may_lack(h, &place->ops[0]->place, offset, offset + 1)) {
            return verdict_bad(v, NAME, "offset %" PRId64 " was never read, but %s", offset,
                               op_text(h, bounds.items[bounds.count - 1].op));
        }
    }
    return true;
}
