#include "history.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void history_init(struct history *h) { *h = (struct history){0}; }

void history_fini(struct history *h)
{
    free(h->ops);
    free(h->deaths);
    free(h->decays);
    arena_fini(&h->arena);
}

struct op *history_begin(struct history *h, enum op_kind kind, uint32_t client, int64_t now_us)
{
    struct op *op = arena_new(&h->arena, struct op);

    if (h->count == h->cap) {
        h->cap = h->cap == 0 ? 256 : h->cap * 2;
        h->ops = mem_realloc(h->ops, h->cap * sizeof(struct op *));
    }
    h->ops[h->count++] = op;
    op->kind = kind;
    op->client = client;
    op->begun_us = now_us;
    op->begun = h->events++;
    op->ended = HISTORY_NEVER;
    return op;
}

void history_end(struct history *h, struct op *op, enum op_status status, int64_t now_us)
{
    ASSERT(op->status == OP_OPEN && status != OP_OPEN);
    op->status = status;
    op->ended_us = now_us;
    op->ended = h->events++;
}

void history_death(struct history *h)
{
    if (h->death_count == h->death_cap) {
        h->death_cap = h->death_cap == 0 ? 64 : h->death_cap * 2;
        h->deaths = mem_realloc(h->deaths, h->death_cap * sizeof *h->deaths);
    }
    h->deaths[h->death_count++] = h->events++;
}

/* The first death from then on; never, if there is none. */
static uint64_t next_death(const struct history *h, uint64_t from)
{
    size_t low = 0;
    size_t high = h->death_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (h->deaths[middle] < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < h->death_count ? h->deaths[low] : HISTORY_NEVER;
}

int history_died(const struct history *h, uint64_t from, uint64_t to)
{
    return next_death(h, from) < to;
}

uint64_t history_deadline(const struct history *h, const struct op *op)
{
    if (op->status == OP_OK || op->status == OP_FAILED) {
        return op->ended;
    }
    if (op->again || op->status == OP_OPEN) {
        return HISTORY_NEVER;
    }
    return next_death(h, op->begun);
}

/* ---- decay ---- */

void history_decay(struct history *h, const struct decay *decay)
{
    if (h->decay_count == h->decay_cap) {
        h->decay_cap = h->decay_cap == 0 ? 16 : h->decay_cap * 2;
        h->decays = mem_realloc(h->decays, h->decay_cap * sizeof *h->decays);
    }
    h->decays[h->decay_count] = *decay;
    h->decays[h->decay_count].dir = arena_strndup(&h->arena, decay->dir, strlen(decay->dir));
    h->decay_count++;
}

void history_hear(struct history *h, const char *line)
{
    for (size_t i = 0; i < h->decay_count; i++) {
        struct decay *d = &h->decays[i];

        d->reported =
            d->reported || (strstr(line, d->dir) != NULL && strstr(line, "are lost") != NULL);
    }
}

static bool may_lack(const struct history *h, const struct place *place, int64_t offset)
{
    for (size_t i = 0; i < h->decay_count; i++) {
        const struct decay *d = &h->decays[i];

        if (d->reported && place_equal(&d->place, place) && d->from <= offset && offset < d->end) {
            return true;
        }
    }
    return false;
}

bool history_may_lack(const struct history *h, const struct place *place, int64_t from, int64_t end)
{
    int64_t offset = from;

    while (offset < end && may_lack(h, place, offset)) {
        offset++;
    }
    return offset >= end;
}

bool history_touched(const struct history *h, const struct place *place)
{
    for (size_t i = 0; i < h->decay_count; i++) {
        if (place_equal(&h->decays[i].place, place)) {
            return true;
        }
    }
    return false;
}

/* ---- comparing ---- */

int place_compare(const struct place *a, const struct place *b)
{
    if (a->table != b->table) {
        return a->table < b->table ? -1 : 1;
    }
    if (a->partition != b->partition) {
        return a->partition < b->partition ? -1 : 1;
    }
    return (a->bucket > b->bucket) - (a->bucket < b->bucket);
}

bool place_equal(const struct place *a, const struct place *b) { return place_compare(a, b) == 0; }

bool values_equal(const struct values *a, const struct values *b)
{
    bool equal = a->nulls == b->nulls;

    for (size_t i = 0; i < HISTORY_VALUES; i++) {
        equal = equal && a->v[i] == b->v[i];
    }
    return equal;
}

/* ---- texts ---- */

static const char *what_text(struct history *h, const struct op *op)
{
    struct arena *a = &h->arena;

    switch (op->kind) {
    case OP_APPEND:
        return arena_printf(a,
                            "append of rows %" PRId64 "+%d of writer %" PRId64 "%s%s, base "
                            "offset %" PRId64,
                            op->append.first, op->append.count, op->append.writer,
                            op->append.idempotent ? "" : " (not idempotent)",
                            op->append.durable ? "" : " (acks 1)", op->append.base);
    case OP_READ:
        return arena_printf(
            a, "read from %" PRId64 ": %zu rows, first offset %" PRId64 ", high watermark %" PRId64,
            op->read.from, op->read.count,
            op->read.count > 0 ? op->read.rows[0].offset : INT64_C(-1), op->read.high_watermark);
    case OP_END:
        return arena_printf(a, "end of the log: %" PRId64, op->end.offset);
    case OP_PUT:
        return arena_printf(a,
                            "%s key %" PRId64 " = (%" PRId64 ", %" PRId64 ", %" PRId64 ") mask %x",
                            op->put.remove ? "delete" : "put", op->put.key, op->put.values.v[0],
                            op->put.values.v[1], op->put.values.v[2], op->put.mask);
    case OP_GET:
        return arena_printf(a, "get key %" PRId64 ": %s (%" PRId64 ", %" PRId64 ", %" PRId64 ")",
                            op->get.key, op->get.present ? "row" : "nothing", op->get.values.v[0],
                            op->get.values.v[1], op->get.values.v[2]);
    case OP_CREATE:
    case OP_ALTER:
    case OP_DROP:
        return arena_printf(a, "%s %s",
                            op->kind == OP_CREATE  ? "create"
                            : op->kind == OP_ALTER ? "add a column to"
                                                   : "drop",
                            op->name.name);
    case OP_DESCRIBE:
        return arena_printf(a, "describe %s: %s, id %" PRId64 ", %" PRId64 " columns",
                            op->name.name, op->name.exists ? "exists" : "does not exist",
                            op->name.id, op->name.columns);
    }
    ASSERT(false);
    return "";
}

const char *op_text(struct history *h, const struct op *op)
{
    static const char *const statuses[] = {
        [OP_OPEN] = "open", [OP_OK] = "ok", [OP_FAILED] = "failed", [OP_UNKNOWN] = "unknown"};
    const char *what = what_text(h, op);

    return arena_printf(&h->arena,
                        "[client %u, table %" PRId64 "/%" PRId64 "/%d, %.6f-%.6f s: %s; %s %d]",
                        op->client, op->place.table, op->place.partition, op->place.bucket,
                        (double)op->begun_us / 1e6, (double)op->ended_us / 1e6, what,
                        statuses[op->status], op->error_code);
}

bool verdict_bad(struct verdict *v, const char *checker, const char *fmt, ...)
{
    va_list args;

    if (!v->bad) {
        v->bad = true;
        v->checker = checker;
        va_start(args, fmt);
        (void)vsnprintf(v->message, sizeof v->message, fmt, args);
        va_end(args);
    }
    return false;
}

/* ---- by place ---- */

static int compare_ops(const void *left, const void *right)
{
    const struct op *a = *(const struct op *const *)left;
    const struct op *b = *(const struct op *const *)right;
    int c = place_compare(&a->place, &b->place);

    return c != 0 ? c : (a->begun > b->begun) - (a->begun < b->begun);
}

struct history_view history_by_place(struct history *h, unsigned kinds)
{
    struct history_view view = {.ops = arena_array(&h->arena, h->count + 1, sizeof(struct op *))};

    for (size_t i = 0; i < h->count; i++) {
        if ((kinds >> h->ops[i]->kind & 1) != 0) {
            view.ops[view.count++] = h->ops[i];
        }
    }
    qsort(view.ops, view.count, sizeof(struct op *), compare_ops);
    return view;
}

bool history_next_place(const struct history_view *all, size_t *at, struct history_view *ret)
{
    size_t first = *at;
    size_t end = first;

    while (end < all->count && place_equal(&all->ops[end]->place, &all->ops[first]->place)) {
        end++;
    }
    *ret = (struct history_view){.ops = all->ops + first, .count = end - first};
    *at = end;
    return end > first;
}
