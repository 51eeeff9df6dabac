/* What the text of a query says about the rows of the relations that it names, so that what cannot
 * matter to it need not be read.
 *
 * It is derived from the syntax tree that DuckDB writes as JSON. Of a relation in FROM counts what its
 * own WHERE demands of every row, as far as it compares columns with constants; whatever is not
 * understood demands nothing. So a row that a predicate excludes cannot change the outcome, and DuckDB
 * filters all others itself. Outer, positional and as-of joins, samples, and columns that are given
 * other names keep what they could change. Pure. Thread: any.
 */
#ifndef SQL_PREDICATE_H
#define SQL_PREDICATE_H

#include "base/arena.h"
#include "format/filter.h"
#include "format/json.h"

enum operand_kind { OPERAND_NUMBER, OPERAND_TEXT, OPERAND_PARAMETER };

struct operand {
    enum operand_kind kind;
    const char *cast; /* DuckDB's name of the type it is cast to; NULL: none */
    int64_t number;
    struct bytes text;
    size_t parameter; /* from 0 */
};

struct predicate {
    enum filter_kind kind;
    enum filter_function function; /* of a leaf: comparisons, IN, IS NULL, IS NOT NULL */
    const char *column;            /* as it is written */
    const struct operand *operands;
    size_t operand_count;
    const struct predicate *const *children;
    size_t child_count;
};

/* A relation in FROM. */
struct predicate_relation {
    const struct predicate_relation *next;
    const char *schema; /* "": not given */
    const char *name;
    const struct predicate *where; /* NULL: all rows may matter */
};

/* A query of nothing but columns of one relation under a WHERE; NULL columns: all of them. */
struct predicate_plain {
    const struct predicate_relation *relation; /* NULL: the query is another one */
    bool whole;                                /* where is all of WHERE */
    const char *const *columns;
    size_t column_count;
};

struct predicates {
    const struct predicate_relation *relations; /* all there are */
    const struct predicate_relation *function;  /* the last function in FROM, without a name */
    bool complete; /* else there may be others: nothing may be left out for anything said here */
    struct predicate_plain plain;
};

/* A constant or a parameter, maybe cast; false: it is another expression. Texts lie in the tree's arena. */
MUST_USE bool predicate_operand(const struct json *expression, struct operand *ret);

/* json: what json_serialize_sql gives. All lies in the arena. ERR_INVALID_ARGUMENT: it is none. */
MUST_USE enum errcode predicates_parse(struct bytes json, struct arena *arena,
                                       struct predicates *ret, struct error *e);

#endif
