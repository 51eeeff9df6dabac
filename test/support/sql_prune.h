/* Predicates made by hand, and what they leave out of a table of a store. */
#ifndef TEST_SUPPORT_SQL_PRUNE_H
#define TEST_SUPPORT_SQL_PRUNE_H

#include "sql_store.h"

#include "sql/literal.h"
#include "sql/prune_tree.h"

static inline struct predicate *sql_leaf(struct sql_store *q, const char *column,
                                         enum filter_function function, const char *text)
{
    struct arena *arena = &q->store->arena;
    struct predicate *p = arena_new(arena, struct predicate);
    struct operand *o = arena_new(arena, struct operand);

    *o = (struct operand){.kind = OPERAND_TEXT, .text = bytes_str(text)};
    *p = (struct predicate){.kind = FILTER_LEAF,
                            .function = function,
                            .column = column,
                            .operands = o,
                            .operand_count = 1};
    return p;
}

static inline struct predicate *sql_join(struct sql_store *q, enum filter_kind kind,
                                         const struct predicate *a, const struct predicate *b)
{
    struct arena *arena = &q->store->arena;
    struct predicate *p = arena_new(arena, struct predicate);
    const struct predicate **children = arena_array(arena, 2, sizeof *children);

    children[0] = a;
    children[1] = b;
    *p = (struct predicate){.kind = kind, .children = children, .child_count = 2};
    return p;
}

static inline const struct meta_table *sql_table(struct sql_store *q, int64_t id)
{
    return meta_view_table_by_id(meta_current(q->store->meta), id);
}

/* Of one relation that reads the table. */
static inline struct prune *sql_prune(struct sql_store *q, int64_t table, bool current,
                                      const struct predicate *where)
{
    const struct prune_source source = {.where = where};
    const struct literal_parameters none = {.count = 0};
    const struct prune_sources sources = {.items = &source, .count = 1, .parameters = &none};

    return prune_new(sql_table(q, table), current, &sources);
}

#endif
