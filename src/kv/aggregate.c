/* Aggregation functions, see aggregate.h. */
#include "aggregate.h"

#include "bitmap.h"
#include "decimal.h"

static enum errcode combine(const struct kv_aggregation *function,
                            const struct row_plan_column *column, struct row_cell input,
                            struct arena *arena, struct row_cell *value, struct error *e);

enum errcode aggregate(const struct kv_aggregation *function, const struct row_plan_column *column,
                       struct row_cell input, struct arena *arena, struct row_cell *value,
                       struct error *e)
{
    if (function->kind == AGG_LAST_VALUE) {
        *value = input;
    } else if (input.data != NULL && value->data != NULL) {
        TRY(combine(function, column, input, arena, value, e));
    } else if (input.data != NULL) {
        *value = input;
    }
    if (value->data == NULL && !column->nullable) {
        return error_set(e, ERR_INVALID_ARGUMENT, "'%s' gives null for a NOT NULL column",
                         agg_kind_name(function->kind));
    }
    return ERR_OK;
}

/* ---- numbers ---- */

static bool add(const struct type *type, struct value *a, const struct value *b)
{
    switch (a->kind) {
    case VALUE_INT:
        a->integer = (int64_t)((uint64_t)a->integer + (uint64_t)b->integer);
        return true;
    case VALUE_REAL:
        a->real = type->root == TYPE_FLOAT ? (double)((float)a->real + (float)b->real)
                                           : a->real + b->real;
        return true;
    case VALUE_DECIMAL:
        return decimal_sum(a->unscaled, b->unscaled, type->precision, &a->unscaled);
    case VALUE_NULL:
    case VALUE_TIMESTAMP:
    case VALUE_BYTES:
        break;
    }
    return false;
}

static bool multiply(const struct type *type, struct value *a, const struct value *b)
{
    switch (a->kind) {
    case VALUE_INT:
        a->integer = (int64_t)((uint64_t)a->integer * (uint64_t)b->integer);
        return true;
    case VALUE_REAL:
        a->real = type->root == TYPE_FLOAT ? (double)((float)a->real * (float)b->real)
                                           : a->real * b->real;
        return true;
    case VALUE_DECIMAL:
        return decimal_product(a->unscaled, b->unscaled, type->precision, type->scale,
                               &a->unscaled);
    case VALUE_NULL:
    case VALUE_TIMESTAMP:
    case VALUE_BYTES:
        break;
    }
    return false;
}

static enum errcode arithmetic(const struct kv_aggregation *function,
                               const struct row_plan_column *column, struct row_cell input,
                               struct arena *arena, struct row_cell *value, struct error *e)
{
    const struct type *type = column->type;
    struct value a = row_cell_value(column, *value);
    struct value b = row_cell_value(column, input);
    bool fits = function->kind == AGG_SUM ? add(type, &a, &b) : multiply(type, &a, &b);

    if (fits && a.kind == VALUE_DECIMAL && function->declared_digits &&
        !decimal_fits(a.unscaled, type->precision)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "a sum of more than %d digits", type->precision);
    }
    *value = fits ? row_cell_of(column, &a, arena) : ROW_CELL_NULL;
    return ERR_OK;
}

static int compare(const struct row_plan_column *column, struct row_cell a, struct row_cell b)
{
    struct value left = row_cell_value(column, a);
    struct value right = row_cell_value(column, b);

    return value_compare(&left, &right);
}

/* ---- texts ---- */

static enum errcode join(struct bytes delimiter, struct row_cell input, struct arena *arena,
                         struct row_cell *value, struct error *e)
{
    size_t size = (size_t)value->len + delimiter.len + input.len;
    struct writer w;

    if (size > INT32_MAX) {
        return error_set(e, ERR_RECORD_TOO_LARGE, "a list of %zu bytes", size);
    }
    w = writer_of(arena_alloc(arena, size), size);
    writer_bytes(&w, row_cell_bytes(*value));
    writer_bytes(&w, delimiter);
    writer_bytes(&w, row_cell_bytes(input));
    *value = (struct row_cell){w.data, (uint32_t)size};
    return ERR_OK;
}

static enum errcode unite(enum agg_kind kind, struct row_cell input, struct arena *arena,
                          struct row_cell *value, struct error *e)
{
    enum bitmap_width width = kind == AGG_RBM32 ? BITMAP_32 : BITMAP_64;
    struct bytes both;

    TRY(bitmap_union(width, row_cell_bytes(*value), row_cell_bytes(input), arena, &both, e));
    *value = (struct row_cell){both.data, (uint32_t)both.len};
    return ERR_OK;
}

/* Neither side is null. */
static enum errcode combine(const struct kv_aggregation *function,
                            const struct row_plan_column *column, struct row_cell input,
                            struct arena *arena, struct row_cell *value, struct error *e)
{
    bool take = false;

    switch (function->kind) {
    case AGG_SUM:
    case AGG_PRODUCT:
        return arithmetic(function, column, input, arena, value, e);
    case AGG_LISTAGG:
    case AGG_STRING_AGG:
        return join(function->delimiter, input, arena, value, e);
    case AGG_RBM32:
    case AGG_RBM64:
        return unite(function->kind, input, arena, value, e);
    case AGG_MAX:
        take = compare(column, *value, input) < 0;
        break;
    case AGG_MIN:
        take = compare(column, *value, input) >= 0;
        break;
    case AGG_LAST_VALUE:
    case AGG_LAST_VALUE_IGNORE_NULLS:
        take = true;
        break;
    case AGG_BOOL_AND:
        take = value->data[0] != 0;
        break;
    case AGG_BOOL_OR:
        take = value->data[0] == 0;
        break;
    case AGG_FIRST_VALUE:
    case AGG_FIRST_VALUE_IGNORE_NULLS:
    case AGG_KIND_COUNT:
        break;
    }
    *value = take ? input : *value;
    return ERR_OK;
}
