/* Aggregation functions a column of a table with the AGGREGATION merge engine may have: their
 * names, the data types they take and the parameters they accept.
 *
 * JSON: {"type":name,["parameters":{..}]}. Thread: any.
 */
#ifndef FORMAT_AGG_H
#define FORMAT_AGG_H

#include "text_map.h"
#include "type.h"

/* X(name, text) */
#define AGG_KINDS(X)                                                                               \
    X(SUM, "sum")                                                                                  \
    X(PRODUCT, "product")                                                                          \
    X(MAX, "max")                                                                                  \
    X(MIN, "min")                                                                                  \
    X(LAST_VALUE, "last_value")                                                                    \
    X(LAST_VALUE_IGNORE_NULLS, "last_value_ignore_nulls")                                          \
    X(FIRST_VALUE, "first_value")                                                                  \
    X(FIRST_VALUE_IGNORE_NULLS, "first_value_ignore_nulls")                                        \
    X(LISTAGG, "listagg")                                                                          \
    X(STRING_AGG, "string_agg")                                                                    \
    X(BOOL_AND, "bool_and")                                                                        \
    X(BOOL_OR, "bool_or")                                                                          \
    X(RBM32, "rbm32")                                                                              \
    X(RBM64, "rbm64")

enum agg_kind {
#define X(name, text) AGG_##name,
    AGG_KINDS(X)
#undef X
        AGG_KIND_COUNT
};

struct agg_function {
    enum agg_kind kind;
    struct text_map parameters;
};

const char *agg_kind_name(enum agg_kind kind);
/* In any case, '-' as good as '_'; false for an unknown name. */
MUST_USE bool agg_kind_parse(const char *name, enum agg_kind *ret);

/* *ret is NULL for a function this version does not know: old readers drop it. */
MUST_USE enum errcode agg_from_json(const struct json *value, struct arena *arena,
                                    const struct agg_function **ret, struct error *e);
void agg_write_json(struct json_writer *w, const struct agg_function *agg);
const struct agg_function *agg_copy(const struct agg_function *agg, struct arena *arena);

/* Whether the function takes columns of this type and its parameters are valid, else
 * ERR_INVALID_CONFIG naming the column. */
MUST_USE enum errcode agg_check(const struct agg_function *agg, const char *column,
                                const struct type *type, struct error *e);

#endif
