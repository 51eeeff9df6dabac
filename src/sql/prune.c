#include "prune.h"

#include "prune_tree.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- ranges ---- */

struct range {
    int64_t first;
    int64_t last;
};

#define RANGE_ALL  ((struct range){INT64_MIN, INT64_MAX})
#define RANGE_NONE ((struct range){INT64_MAX, INT64_MIN})

static struct range range_both(struct range a, struct range b)
{
    return (struct range){a.first > b.first ? a.first : b.first, a.last < b.last ? a.last : b.last};
}

static struct range range_either(struct range a, struct range b)
{
    return (struct range){a.first < b.first ? a.first : b.first, a.last > b.last ? a.last : b.last};
}

/* Numbers as they are; times in milliseconds around them. */
static struct range range_of_value(const struct value *v)
{
    return v->kind == VALUE_TIMESTAMP
               ? (struct range){v->timestamp.millis, v->timestamp.millis + (v->timestamp.nanos > 0)}
               : (struct range){v->integer, v->integer};
}

static struct range range_of_leaf(const struct prune_node *n)
{
    struct range all = RANGE_NONE;

    for (size_t i = 0; i < n->count; i++) {
        all = range_either(all, range_of_value(&n->values[i]));
    }
    switch (n->function) {
    case FILTER_EQUAL:
    case FILTER_IN:
        return all;
    case FILTER_LESS:
    case FILTER_LESS_OR_EQUAL:
        return (struct range){INT64_MIN, all.last};
    case FILTER_GREATER:
    case FILTER_GREATER_OR_EQUAL:
        return (struct range){all.first, INT64_MAX};
    case FILTER_NOT_EQUAL:
    case FILTER_IS_NULL:
    case FILTER_IS_NOT_NULL:
    case FILTER_STARTS_WITH:
    case FILTER_CONTAINS:
    case FILTER_ENDS_WITH:
    case FILTER_NOT_IN:
        break;
    }
    return RANGE_ALL;
}

/* Around all values that the column may have. Recursion over the nested predicate. */
static struct range range_of(const struct prune_node *n, int32_t column)
{
    struct range r = n->kind == FILTER_OR ? RANGE_NONE : RANGE_ALL;

    if (n->kind == FILTER_LEAF) {
        return n->column == column ? range_of_leaf(n) : RANGE_ALL;
    }
    for (size_t i = 0; i < n->child_count; i++) {
        struct range one = range_of(n->children[i], column);

        r = n->kind == FILTER_OR ? range_either(r, one) : range_both(r, one);
    }
    return r;
}

/* ---- known values ---- */

static bool leaf_holds(const struct prune_node *n, const struct value *v)
{
    bool any = false;

    if (n->function == FILTER_IS_NULL) {
        return false;
    }
    if (n->function == FILTER_IS_NOT_NULL) {
        return true;
    }
    for (size_t i = 0; i < n->count; i++) {
        int c;

        if (n->values[i].kind != v->kind) {
            return true;
        }
        c = value_compare(v, &n->values[i]);
        any = any || (n->function == FILTER_NOT_EQUAL          ? c != 0
                      : n->function == FILTER_LESS             ? c < 0
                      : n->function == FILTER_LESS_OR_EQUAL    ? c <= 0
                      : n->function == FILTER_GREATER          ? c > 0
                      : n->function == FILTER_GREATER_OR_EQUAL ? c >= 0
                                                               : c == 0);
    }
    return any;
}

/* May rows with these values matter? Recursion over the nested predicate. */
static bool may_hold(const struct prune_node *n, const struct prune_fact *facts, size_t count)
{
    if (n->kind == FILTER_LEAF) {
        for (size_t i = 0; i < count; i++) {
            if (facts[i].column == n->column) {
                return leaf_holds(n, &facts[i].value);
            }
        }
        return true;
    }
    for (size_t i = 0; i < n->child_count; i++) {
        if (may_hold(n->children[i], facts, count) != (n->kind == FILTER_AND)) {
            return n->kind == FILTER_OR;
        }
    }
    return n->kind == FILTER_AND;
}

/* ---- statistics ---- */

/* The part of the predicate that is about columns with statistics; false: nothing. Recursion over the
 * nested predicate. */
static bool filter_of(const struct prune_node *n, struct arena *arena, struct filter *ret)
{
    struct filter *children;
    size_t count = 0;

    *ret = (struct filter){.kind = n->kind};
    if (n->kind == FILTER_LEAF) {
        ret->function = n->function;
        ret->column = (uint32_t)n->column;
        ret->type = n->type;
        ret->literals = n->values;
        ret->literal_count = n->count;
        return n->column >= 0;
    }
    children = arena_array(arena, n->child_count, sizeof *children);
    for (size_t i = 0; i < n->child_count; i++) {
        count += filter_of(n->children[i], arena, &children[count]) ? 1 : 0;
    }
    ret->children = children;
    ret->child_count = count;
    return count > 0 && (n->kind == FILTER_AND || count == n->child_count);
}

/* ---- making ---- */

static void find_ranges(struct prune *p)
{
    struct filter *filter = arena_new(&p->arena, struct filter);
    struct range offsets = range_of(p->where, PRUNE_OFFSET);
    struct range times = range_of(p->where, PRUNE_TIMESTAMP);

    p->filter = filter_of(p->where, &p->arena, filter) ? filter : NULL;
    p->first_offset = offsets.first;
    p->end_offset = offsets.last == INT64_MAX ? INT64_MAX : offsets.last + 1;
    p->first_ms = times.first;
    p->last_ms = times.last;
}

struct prune *prune_new(const struct meta_table *table, bool current,
                        const struct prune_sources *sources)
{
    struct prune *p = mem_new(struct prune);

    p->table = meta_table_ref(table);
    p->first_offset = INT64_MIN;
    p->end_offset = INT64_MAX;
    p->first_ms = INT64_MIN;
    p->last_ms = INT64_MAX;
    atomic_init(&p->batches_read, 0);
    atomic_init(&p->batches_skipped, 0);
    p->where = sources == NULL ? NULL : prune_tree(table, current, sources, &p->arena);
    if (p->where != NULL) {
        find_ranges(p);
    }
    return p;
}

void *prune_free(struct prune *p)
{
    if (p != NULL) {
        (void)meta_table_unref(p->table);
        arena_fini(&p->arena);
        free(p);
    }
    return NULL;
}

/* ---- asking ---- */

bool prune_keeps_partition(const struct prune *p, const struct meta_partition *partition)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct prune_fact *facts;
    size_t count = 0;

    if (p->where == NULL || partition == NULL) {
        return true;
    }
    facts = arena_array(&arena, partition->values.count, sizeof *facts);
    for (size_t i = 0; i < partition->values.count; i++) {
        count += prune_partition_fact(p->table, partition, i, &arena, &facts[count]) ? 1 : 0;
    }
    return may_hold(p->where, facts, count);
}

bool prune_keeps_bucket(const struct prune *p, int32_t bucket)
{
    struct prune_fact fact = {.column = PRUNE_BUCKET,
                              .value = {.kind = VALUE_INT, .integer = bucket}};

    return p->where == NULL || may_hold(p->where, &fact, 1);
}

bool prune_keeps_header(const struct prune *p, const struct batch_header *header)
{
    return header->commit_timestamp >= p->first_ms && header->commit_timestamp <= p->last_ms &&
           header->base_offset < p->end_offset &&
           header->base_offset + header->last_offset_delta >= p->first_offset;
}

bool prune_keeps_statistics(const struct prune *p, const struct batch_header *header,
                            struct bytes statistics)
{
    return p->filter == NULL || filter_keep(p->filter, header, statistics);
}
