/* Predicates over batch statistics: may a batch contain a row that matches?
 *
 * A filter is a tree of plain structs that the caller builds from a request and resolves against
 * one schema: columns are positions in it, literals have the type of their column. One tree serves
 * all batches of that schema. A batch is dropped only when the statistics prove that no row
 * matches; whatever cannot be decided keeps it, since clients filter rows themselves.
 *
 * A leaf over a column with minimum min, maximum max, null count n, in a batch of r rows:
 *   - n unknown or n != r, and min or max unknown: keep
 *   - IS NULL: n > 0 or unknown; IS NOT NULL: n < r or unknown
 *   - all null (n == r): drop; a null literal: drop
 *   - =  min <= v <= max        <>  not min = v = max
 *   - <  min < v    <=  min <= v    >  max > v    >=  max >= v
 *   - STARTS WITH: (min starts with v or min <= v) and (max starts with v or max >= v), where
 *     strings compare by UTF-16 units
 *   - CONTAINS, ENDS WITH: keep
 *   - IN: some literal in [min, max]; NOT IN: no null literal, not min = max = some literal
 * AND and OR go from left to right and stop early, as the reference does; so the outcome is the
 * same also when one of the leaves cannot be decided.
 * Source: predicate package of Apache Fluss. Thread: any.
 */
#ifndef FORMAT_FILTER_H
#define FORMAT_FILTER_H

#include "batch.h"
#include "stats.h"

#define FILTER_DEPTH_MAX 32 /* of AND and OR in each other; deeper trees keep everything */

enum filter_kind { FILTER_LEAF, FILTER_AND, FILTER_OR };

/* Numbers as in the protocol (PbLeafPredicate.function). */
enum filter_function {
    FILTER_EQUAL = 0,
    FILTER_NOT_EQUAL = 1,
    FILTER_LESS = 2,
    FILTER_LESS_OR_EQUAL = 3,
    FILTER_GREATER = 4,
    FILTER_GREATER_OR_EQUAL = 5,
    FILTER_IS_NULL = 6,
    FILTER_IS_NOT_NULL = 7,
    FILTER_STARTS_WITH = 8,
    FILTER_CONTAINS = 9,
    FILTER_ENDS_WITH = 10,
    FILTER_IN = 11,
    FILTER_NOT_IN = 12,
};
#define FILTER_FUNCTION_COUNT 13

struct filter {
    enum filter_kind kind;
    /* leaf */
    enum filter_function function;
    uint32_t column; /* position in the batch's schema */
    const struct type *type;
    const struct value *literals;
    size_t literal_count;
    /* AND, OR */
    const struct filter *children;
    size_t child_count;
};

/* stats NULL: the batch has none. */
bool filter_keep_batch(const struct filter *filter, const struct stats *stats, int64_t row_count);

/* The same with the statistics section as stored; empty or unreadable keeps. */
bool filter_keep(const struct filter *filter, const struct batch_header *header,
                 struct bytes statistics);

#endif
