/* Data types of columns: the 19 roots, their limits, their JSON and text forms.
 *
 * JSON: {"type":ROOT,["nullable":false,] parameters}; "nullable" only for NOT NULL.
 *   CHAR BINARY                   "length"     1 .. 2^31-1
 *   DECIMAL                       "precision"  1..38, "scale" 0..precision
 *   TIME_WITHOUT_TIME_ZONE        "precision"  0..9; likewise both timestamp types
 *   ARRAY                         "element_type"
 *   MAP                           "key_type" (always NOT NULL), "value_type"
 *   ROW                           "fields": [{"name","field_type",["description",]"field_id"}]
 *
 * Types are immutable trees in an arena, at most TYPE_DEPTH_MAX deep. Thread: any.
 */
#ifndef FORMAT_TYPE_H
#define FORMAT_TYPE_H

#include "json.h"

#define TYPE_DEPTH_MAX     32 /* of nesting; a plain column is 1 deep */
#define TYPE_PRECISION_MAX 38 /* of DECIMAL */

/* X(root, name in JSON, name in text) */
#define TYPE_ROOTS(X)                                                                              \
    X(CHAR, "CHAR", "CHAR")                                                                        \
    X(STRING, "STRING", "STRING")                                                                  \
    X(BOOLEAN, "BOOLEAN", "BOOLEAN")                                                               \
    X(BINARY, "BINARY", "BINARY")                                                                  \
    X(BYTES, "BYTES", "BYTES")                                                                     \
    X(DECIMAL, "DECIMAL", "DECIMAL")                                                               \
    X(TINYINT, "TINYINT", "TINYINT")                                                               \
    X(SMALLINT, "SMALLINT", "SMALLINT")                                                            \
    X(INTEGER, "INTEGER", "INT")                                                                   \
    X(BIGINT, "BIGINT", "BIGINT")                                                                  \
    X(FLOAT, "FLOAT", "FLOAT")                                                                     \
    X(DOUBLE, "DOUBLE", "DOUBLE")                                                                  \
    X(DATE, "DATE", "DATE")                                                                        \
    X(TIME, "TIME_WITHOUT_TIME_ZONE", "TIME")                                                      \
    X(TIMESTAMP, "TIMESTAMP_WITHOUT_TIME_ZONE", "TIMESTAMP")                                       \
    X(TIMESTAMP_LTZ, "TIMESTAMP_WITH_LOCAL_TIME_ZONE", "TIMESTAMP_LTZ")                            \
    X(ARRAY, "ARRAY", "ARRAY")                                                                     \
    X(MAP, "MAP", "MAP")                                                                           \
    X(ROW, "ROW", "ROW")

enum type_root {
#define X(root, json, text) TYPE_##root,
    TYPE_ROOTS(X)
#undef X
        TYPE_ROOT_COUNT
};

struct type;

/* A child: a field of a ROW, "element" of an ARRAY, "key" and "value" of a MAP. */
struct type_field {
    const char *name;
    const struct type *type;
    const char *description; /* NULL: none; ROW only */
    int32_t id;              /* ROW only; -1: not assigned */
};

struct type {
    enum type_root root;
    bool nullable;
    int32_t length;    /* CHAR, BINARY */
    int32_t precision; /* DECIMAL, TIME, TIMESTAMP, TIMESTAMP_LTZ */
    int32_t scale;     /* DECIMAL */
    uint32_t count;    /* of children: ARRAY 1, MAP 2, ROW any */
    const struct type_field *fields;
};

/* From the JSON object; errors carry the code of the document. */
MUST_USE enum errcode type_from_json(const struct json *value, struct arena *arena,
                                     const struct type **ret, struct error *e);
void type_write_json(struct json_writer *w, const struct type *type);

/* Enough to recognise any type; longer texts end in "...". */
#define TYPE_TEXT_MAX 160
struct type_text {
    char text[TYPE_TEXT_MAX];
};
/* "ARRAY<DECIMAL(5, 2) NOT NULL>", for messages: type_text(t).text */
struct type_text type_text(const struct type *type);

static inline bool type_is_nested(const struct type *type)
{
    return type->root == TYPE_ARRAY || type->root == TYPE_MAP || type->root == TYPE_ROW;
}

/* Values fit into 64 bits (row formats, statistics). */
static inline bool type_is_compact_decimal(const struct type *type)
{
    return type->root == TYPE_DECIMAL && type->precision <= 18;
}

static inline bool type_is_compact_timestamp(const struct type *type)
{
    return type->precision <= 3;
}

/* Equal in everything but field ids and descriptions. */
bool type_equal(const struct type *a, const struct type *b);
/* Deep copy. */
const struct type *type_copy(const struct type *type, struct arena *arena);
/* Shares the children of type. */
const struct type *type_with_nullable(const struct type *type, bool nullable, struct arena *arena);

/* Gives nested ROW fields the ids after *highest, in depth-first order (a field, then what is
 * nested in it), and moves *highest. With only_missing, fields that have an id keep it. Returns
 * type itself when there is nothing to assign. */
const struct type *type_assign_ids(const struct type *type, bool only_missing, int32_t *highest,
                                   struct arena *arena);

/* Number of nodes and buffers of the type in an Arrow record batch, added to *nodes and *buffers:
 * itself and, depth first, its children. Fixed width and BOOLEAN have 2 buffers (validity, data),
 * text and BYTES 3 (and offsets), ARRAY 2, MAP 2 and its entries struct 1, ROW 1. */
void type_arrow_shape(const struct type *type, uint32_t *nodes, uint32_t *buffers);

#endif
