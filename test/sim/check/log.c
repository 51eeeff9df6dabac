#include "check.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"

#define NAME "log"

/* One row that somebody sent, or the last row seen of a writer. */
struct sent {
    struct sent *other; /* of the same hash */
    int64_t writer;
    int64_t number;
    int64_t offset; /* where it was found; -1: nowhere yet */
    const struct op *op;
};

struct state {
    struct history *h;
    const struct merged *merged;
    const struct check_rules *rules;
    struct verdict *v;
    struct map rows;    /* hash of writer and number: struct sent */
    struct map writers; /* writer: struct sent, the last row of it */
    bool gap;           /* nobody has read some offset so far: its rows are not known */
};

static uint64_t hash_of(int64_t writer, int64_t number)
{
    return hash_u64(hash_u64((uint64_t)writer + 1) ^ (uint64_t)number);
}

static struct sent *find(const struct state *s, int64_t writer, int64_t number)
{
    struct sent *e = map_get(&s->rows, hash_of(writer, number));

    while (e != NULL && (e->writer != writer || e->number != number)) {
        e = e->other;
    }
    return e;
}

static void add_rows(struct state *s, const struct op *op)
{
    for (int32_t i = 0; i < op->append.count; i++) {
        struct sent *e = arena_new(&s->h->arena, struct sent);
        uint64_t hash;

        *e = (struct sent){
            .writer = op->append.writer, .number = op->append.first + i, .offset = -1, .op = op};
        hash = hash_of(e->writer, e->number);
        ASSERT(find(s, e->writer, e->number) == NULL); /* each row is sent by one operation */
        e->other = map_get(&s->rows, hash);
        (void)map_put(&s->rows, hash, e);
    }
}

/* ---- what was found ---- */

static bool check_order(struct state *s, const struct sent *e)
{
    struct sent *last = map_get(&s->writers, (uint64_t)e->writer);
    int64_t expected = last == NULL ? 0 : last->number + 1;

    (void)map_put(&s->writers, (uint64_t)e->writer, (void *)(uintptr_t)e);
    if (!e->op->append.idempotent || e->number == expected || (s->gap && e->number > expected)) {
        return true;
    }
    return verdict_bad(s->v, NAME,
                       "writer %" PRId64 ": row %" PRId64 " at offset %" PRId64
                       " where row %" PRId64 " is next: %s",
                       e->writer, e->number, e->offset, expected, op_text(s->h, e->op));
}

static bool check_place(struct state *s, const struct sent *e)
{
    const struct op *op = e->op;
    int64_t told = op->append.base + e->number - op->append.first;

    if (op->status == OP_OK && told != e->offset) {
        return verdict_bad(s->v, NAME,
                           "row %" PRId64 " of writer %" PRId64 " is at offset %" PRId64
                           ", not %" PRId64 " as answered: %s",
                           e->number, e->writer, e->offset, told, op_text(s->h, op));
    }
    return true;
}

static bool check_row(struct state *s, int64_t offset)
{
    const struct row *row = s->merged->rows[offset];
    struct sent *e;

    if (row == NULL || row->change == ROW_NOTHING) {
        s->gap = s->gap || row == NULL;
        return true;
    }
    e = find(s, row->values.v[0], row->values.v[1]);
    if (e == NULL || e->op->begun > s->merged->seen_by[offset]->ended) {
        return verdict_bad(
            s->v, NAME,
            "offset %" PRId64 ": row %" PRId64 " of writer %" PRId64 " that nobody sent: %s",
            offset, row->values.v[1], row->values.v[0], op_text(s->h, s->merged->seen_by[offset]));
    }
    if (e->offset >= 0) {
        return verdict_bad(s->v, NAME,
                           "row %" PRId64 " of writer %" PRId64
                           " is there twice, at offsets %" PRId64 " and %" PRId64 ": %s",
                           e->number, e->writer, e->offset, offset, op_text(s->h, e->op));
    }
    if (e->op->status == OP_FAILED) {
        return verdict_bad(s->v, NAME, "offset %" PRId64 ": a row that was refused: %s", offset,
                           op_text(s->h, e->op));
    }
    e->offset = offset;
    return check_order(s, e) && check_place(s, e);
}

/* Whether that row of an acknowledged append lay where bytes have decayed. */
static bool decayed(const struct state *s, const struct op *op, int32_t i)
{
    int64_t offset = op->append.base + i;

    return op->append.base < 0 ? history_touched(s->h, &op->place)
                               : history_may_lack(s->h, &op->place, offset, offset + 1);
}

static bool check_kept(struct state *s, const struct op *op)
{
    if (op->status != OP_OK || !op->append.durable) {
        return true;
    }
    for (int32_t i = 0; i < op->append.count; i++) {
        const struct sent *e = find(s, op->append.writer, op->append.first + i);

        if (e->offset < 0 && !decayed(s, op, i)) {
            return verdict_bad(s->v, NAME, "row %" PRId64 " was acknowledged and is lost: %s",
                               op->append.first + i, op_text(s->h, op));
        }
    }
    return true;
}

static bool check_appends(struct state *s, const struct history_view *place)
{
    for (size_t i = 0; i < place->count; i++) {
        if (place->ops[i]->kind == OP_APPEND) {
            add_rows(s, place->ops[i]);
        }
    }
    for (int64_t offset = 0; offset < s->merged->end; offset++) {
        if (!check_row(s, offset)) {
            return false;
        }
    }
    for (size_t i = 0; i < place->count && s->rules->complete; i++) {
        if (place->ops[i]->kind == OP_APPEND && !check_kept(s, place->ops[i])) {
            return false;
        }
    }
    return true;
}

bool check_log(struct history *h, const struct history_view *place, const struct merged *merged,
               const struct check_rules *rules, struct verdict *v)
{
    struct state s = {.h = h, .merged = merged, .rules = rules, .v = v};
    bool good;

    map_init(&s.rows);
    map_init(&s.writers);
    good = check_appends(&s, place);
    map_fini(&s.rows);
    map_fini(&s.writers);
    return good;
}
