#include "predicate.h"

#include "format/schema.h"

struct predicate_builder {
    const struct schema *schema;
    struct arena *arena;
};

/* Numbers of PbLiteralValue.literal_type. */
static const enum type_root literal_roots[] = {
    TYPE_BOOLEAN,   TYPE_TINYINT,       TYPE_SMALLINT, TYPE_INTEGER, TYPE_BIGINT, TYPE_FLOAT,
    TYPE_DOUBLE,    TYPE_CHAR,          TYPE_STRING,   TYPE_DECIMAL, TYPE_DATE,   TYPE_TIME,
    TYPE_TIMESTAMP, TYPE_TIMESTAMP_LTZ, TYPE_BINARY,   TYPE_BYTES,
};

static bool same_family(enum type_root a, enum type_root b)
{
    bool text_a = a == TYPE_CHAR || a == TYPE_STRING;
    bool text_b = b == TYPE_CHAR || b == TYPE_STRING;
    bool binary_a = a == TYPE_BINARY || a == TYPE_BYTES;
    bool binary_b = b == TYPE_BINARY || b == TYPE_BYTES;

    return a == b || (text_a && text_b) || (binary_a && binary_b);
}

static bool decimal_literal(const struct msg_pb_literal_value *l, struct value *ret)
{
    if (l->has_decimal_value) {
        *ret = (struct value){.kind = VALUE_DECIMAL, .unscaled = l->decimal_value};
        return true;
    }
    return l->has_decimal_bytes && value_decimal_be(l->decimal_bytes, ret);
}

/* LONG: one case per literal type */
static bool literal_value(const struct msg_pb_literal_value *l, struct value *ret)
{
    switch (literal_roots[l->literal_type]) {
    case TYPE_BOOLEAN:
        *ret = (struct value){.kind = VALUE_INT, .integer = l->boolean_value};
        return l->has_boolean_value;
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_TIME:
        *ret = (struct value){.kind = VALUE_INT, .integer = l->int_value};
        return l->has_int_value;
    case TYPE_BIGINT:
    case TYPE_DATE:
        *ret = (struct value){.kind = VALUE_INT, .integer = l->bigint_value};
        return l->has_bigint_value;
    case TYPE_FLOAT:
        *ret = (struct value){.kind = VALUE_REAL, .real = (double)l->float_value};
        return l->has_float_value;
    case TYPE_DOUBLE:
        *ret = (struct value){.kind = VALUE_REAL, .real = l->double_value};
        return l->has_double_value;
    case TYPE_CHAR:
    case TYPE_STRING:
        *ret = (struct value){.kind = VALUE_BYTES, .bytes = l->string_value};
        return l->has_string_value;
    case TYPE_BINARY:
    case TYPE_BYTES:
        *ret = (struct value){.kind = VALUE_BYTES, .bytes = l->binary_value};
        return l->has_binary_value;
    case TYPE_DECIMAL:
        return decimal_literal(l, ret);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
        *ret = (struct value){.kind = VALUE_TIMESTAMP,
                              .timestamp = {.millis = l->timestamp_millis_value,
                                            .nanos = l->timestamp_nano_of_millis_value}};
        return l->has_timestamp_millis_value;
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_ROOT_COUNT:
    default:
        return false;
    }
}

static bool build_literal(const struct msg_pb_literal_value *l, const struct type *type,
                          struct value *ret)
{
    if (l->literal_type < 0 || (size_t)l->literal_type >= ARRAY_LEN(literal_roots) ||
        !same_family(literal_roots[l->literal_type], type->root)) {
        return false;
    }
    if (l->is_null) {
        *ret = (struct value){.kind = VALUE_NULL};
        return true;
    }
    return literal_value(l, ret);
}

static bool build_leaf(struct predicate_builder *b, const struct msg_pb_leaf_predicate *leaf,
                       struct filter *ret)
{
    int32_t position = schema_find_id(b->schema, leaf->field_id);
    struct value *literals;

    if (position < 0 || leaf->function < 0 || leaf->function >= FILTER_FUNCTION_COUNT) {
        return false;
    }
    ret->kind = FILTER_LEAF;
    ret->function = (enum filter_function)leaf->function;
    ret->column = (uint32_t)position;
    ret->type = b->schema->columns[position].type;
    literals = arena_array(b->arena, leaf->literals_count, sizeof *literals);
    for (size_t i = 0; i < leaf->literals_count; i++) {
        if (!build_literal(&leaf->literals[i], ret->type, &literals[i])) {
            return false;
        }
    }
    ret->literals = literals;
    ret->literal_count = leaf->literals_count;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is bounded */
static bool build(struct predicate_builder *b, const struct msg_pb_predicate *p, int depth,
                  struct filter *ret)
{
    enum { LEAF = 0, COMPOUND = 1, AND = 0, OR = 1 };
    struct filter *children;

    if (p->type == LEAF && p->leaf != NULL) {
        return build_leaf(b, p->leaf, ret);
    }
    if (p->type != COMPOUND || p->compound == NULL || depth >= FILTER_DEPTH_MAX ||
        (p->compound->function != AND && p->compound->function != OR)) {
        return false;
    }
    children = arena_array(b->arena, p->compound->children_count, sizeof *children);
    for (size_t i = 0; i < p->compound->children_count; i++) {
        if (!build(b, &p->compound->children[i], depth + 1, &children[i])) {
            return false;
        }
    }
    ret->kind = p->compound->function == AND ? FILTER_AND : FILTER_OR;
    ret->children = children;
    ret->child_count = p->compound->children_count;
    return true;
}

const struct filter *predicate_build(const struct meta_view *view, int64_t table_id,
                                     int32_t schema_id, const struct msg_pb_predicate *p,
                                     struct arena *arena)
{
    const struct meta_table *table = meta_view_table_by_id(view, table_id);
    const struct meta_schema *schema = table != NULL ? meta_table_schema(table, schema_id) : NULL;
    struct filter *filter = arena_zalloc(arena, sizeof *filter);
    struct predicate_builder b = {.arena = arena};

    if (schema == NULL) {
        return NULL;
    }
    b.schema = schema->schema;
    return build(&b, p, 0, filter) ? filter : NULL;
}
