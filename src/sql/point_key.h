/* Inside sql/: the key that a statement for one row (point.h) names, made of its operands without
 * looking at the rest of the statement again.
 *
 * It says nothing about whether the statement asks for one row: that has been found out by the long way
 * (pushed.h, prune_is_one_key) for the same table. */
#ifndef SQL_POINT_KEY_H
#define SQL_POINT_KEY_H

#include "literal.h"

#include "format/key.h"
#include "meta/meta.h"
#include "replica/replica.h"

struct point_key {
    const struct meta_table *table;  /* borrowed */
    const struct operand **operands; /* by column of the primary key */
    struct row_value *values;        /* the same; of the call under way */
    struct key_format key;
    struct key_format bucket;
    enum bucketing function;
};

/* where: of the statement. In the arena. false: this table, or predicate, takes the long way. */
MUST_USE bool point_key_init(struct point_key *k, const struct meta_table *table,
                             const struct predicate *where, struct arena *arena);
/* Where the row is; the key lies in the arena. false: the long way says why. */
MUST_USE bool point_key_find(struct point_key *k, const struct literal_parameters *given,
                             struct arena *arena, struct bucket_id *ret_id, struct bytes *ret_key);

#endif
