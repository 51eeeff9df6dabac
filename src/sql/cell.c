#include "cell.h"

#include "fill.h"

#include "base/utf8.h"
#include "format/arrow_nodes.h"

bool cell_is_plain(const struct type *type)
{
    return !type_is_nested(type) && type->root != TYPE_BINARY;
}

/* By way of the unit that the Arrow column has: what that is too coarse for is cut off. */
static bool time_value(const struct type *type, int64_t millis, int32_t nanos, int64_t *ret)
{
    struct arrow_unit unit = arrow_unit(type);
    int64_t below = unit.multiply == 1000 ? nanos / 1000 : unit.multiply > 1000 ? nanos : 0;
    uint64_t value = (uint64_t)(millis / unit.divide) * (uint64_t)unit.multiply + (uint64_t)below;

    return fill_time(type, (int64_t)value, ret);
}

bool cell_value(const struct row_plan_column *column, struct row_cell cell, union value_plain *ret)
{
    const struct type *type = column->type;
    struct value v = row_cell_value(column, cell);

    switch (type->root) {
    case TYPE_BOOLEAN:
        ret->boolean = v.integer != 0;
        return true;
    case TYPE_TINYINT:
        ret->int8 = (int8_t)v.integer;
        return true;
    case TYPE_SMALLINT:
        ret->int16 = (int16_t)v.integer;
        return true;
    case TYPE_INTEGER:
    case TYPE_DATE:
        ret->int32 = (int32_t)v.integer;
        return true;
    case TYPE_BIGINT:
        ret->int64 = v.integer;
        return true;
    case TYPE_FLOAT:
        ret->real32 = (float)v.real;
        return true;
    case TYPE_DOUBLE:
        ret->real64 = v.real;
        return true;
    case TYPE_DECIMAL:
        return fill_decimal(type, v.unscaled, ret);
    case TYPE_TIME:
        return time_value(type, v.integer, 0, &ret->int64);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
        return time_value(type, v.timestamp.millis, v.timestamp.nanos, &ret->int64);
    case TYPE_CHAR:
    case TYPE_STRING:
        ret->text = fill_string(v.bytes);
        return utf8_valid(v.bytes);
    case TYPE_BYTES:
        ret->text = fill_string(v.bytes);
        return true;
    case TYPE_BINARY:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_ROOT_COUNT:
        break;
    }
    return false;
}
