/* Arrow nodes of data types, see arrow_nodes.h. Recursion is over nested types, whose depth is limited
 * where types are made.
 */
#include "arrow_nodes.h"

#include "row_codec.h"

uint32_t arrow_width(const struct type *type)
{
    switch (type->root) {
    case TYPE_DECIMAL:
        return ARROW_DECIMAL_SIZE;
    case TYPE_BINARY:
        return (uint32_t)type->length;
    case TYPE_TIME:
        return type->precision <= 3 ? 4 : 8;
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
        return (uint32_t)row_slot_width(type);
    case TYPE_BOOLEAN:
    case TYPE_CHAR:
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_ROOT_COUNT:
        break;
    }
    return 0;
}

static enum arrow_build_kind kind_of(const struct type *type)
{
    if (type->root == TYPE_ARRAY || type->root == TYPE_MAP) {
        return ARROW_BUILD_LIST;
    }
    return type->root == TYPE_ROW       ? ARROW_BUILD_STRUCT
           : type->root == TYPE_BOOLEAN ? ARROW_BUILD_BOOL
           : arrow_width(type) > 0      ? ARROW_BUILD_FIXED
                                        : ARROW_BUILD_BYTES;
}

/* The nodes of a type, depth first: a MAP is a list of structs of key and value. */
static void add_nodes(struct arrow_nodes *list, const struct type *type)
{
    uint32_t first = list->count++;
    uint32_t entries = list->count;

    list->items[first] =
        (struct arrow_build_node){.kind = kind_of(type), .width = arrow_width(type)};
    list->count += type->root == TYPE_MAP ? 1 : 0;
    for (uint32_t i = 0; i < type->count; i++) {
        add_nodes(list, type->fields[i].type);
    }
    if (type->root == TYPE_MAP) {
        list->items[entries] =
            (struct arrow_build_node){.kind = ARROW_BUILD_STRUCT, .span = list->count - entries};
    }
    list->items[first].span = list->count - first;
}

struct arrow_nodes arrow_nodes_of(const struct type *row, struct arena *arena)
{
    struct arrow_nodes list = {0};
    uint32_t nodes = 0;

    ASSERT(row->root == TYPE_ROW && row->count > 0);
    for (uint32_t i = 0; i < row->count; i++) {
        type_arrow_shape(row->fields[i].type, &nodes, &list.buffers);
    }
    list.items = arena_array(arena, nodes, sizeof *list.items);
    for (uint32_t i = 0; i < row->count; i++) {
        add_nodes(&list, row->fields[i].type);
    }
    ASSERT(list.count == nodes);
    return list;
}

struct arrow_unit arrow_unit(const struct type *type)
{
    static const int32_t multiply[] = {1, 1, 1000, 1000000};
    int32_t group;

    if (type->root != TYPE_TIME && !row_is_timestamp(type)) {
        return (struct arrow_unit){.multiply = 1, .divide = 1};
    }
    group = (type->precision + 2) / 3;
    return (struct arrow_unit){.multiply = multiply[group], .divide = group == 0 ? 1000 : 1};
}
