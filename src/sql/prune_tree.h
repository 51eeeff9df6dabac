/* Inside sql/: predicates with the columns and values of a table (prune.h). Thread: any. */
#ifndef SQL_PRUNE_TREE_H
#define SQL_PRUNE_TREE_H

#include "prune.h"

#include "format/row.h"

struct prune_node {
    enum filter_kind kind;
    enum filter_function function;
    int32_t column;          /* of a leaf: a position, or PRUNE_OFFSET, ... */
    const struct type *type; /* of it */
    const struct value *values;
    size_t count;
    const struct prune_node *const *children;
    size_t child_count;
};

/* What rows of the table must be like to matter; NULL: they may be anything. In the arena. */
const struct prune_node *prune_tree(const struct meta_table *table, bool current,
                                    const struct prune_sources *sources, struct arena *arena);

/* A value of the type is stored in one way only, so it can be found by its bytes. */
bool prune_is_key_type(const struct type *type);

/* The value of a column of such a type as one of a key; false: it is out of the range of the type. */
MUST_USE bool prune_key_value(const struct type *type, const struct value *v,
                              struct row_value *ret);

/* A column whose value is known. */
struct prune_fact {
    int32_t column;
    struct value value;
};
/* The value number i of a partition; false: it is not compared here. */
MUST_USE bool prune_partition_fact(const struct meta_table *table,
                                   const struct meta_partition *partition, size_t i,
                                   struct arena *arena, struct prune_fact *ret);

/* ---- values that the predicate allows for several columns together ---- */

/* One value for each of the columns. */
struct prune_tuples {
    const struct value *values; /* count * width */
    size_t width;
    size_t count;
};

/* false: the columns may have values that are not named. At most PRUNE_KEYS_MAX tuples, some maybe
 * more than once. */
MUST_USE bool prune_tuples(const struct prune_node *n, const uint32_t *columns, size_t width,
                           struct arena *arena, struct prune_tuples *ret);

#endif
