/* Rows into Arrow columns, see arrow_rows.h. Recursion is over nested types, whose depth is limited
 * where types are made.
 */
#include "arrow_rows.h"

#include "arrow_nodes.h"
#include "row_codec.h"

#include <stdlib.h>

#define DECIMAL_SIZE ARROW_DECIMAL_SIZE

/* What becomes of the values of a column; the first are told from the cell alone. */
enum conversion {
    TO_BOOL,
    TO_FIXED,  /* the bytes of the cell are the value */
    TO_NUMBER, /* an integer of the node's width, after multiplying or dividing */
    TO_DECIMAL,
    TO_BYTES,
    TO_PADDED,
    TO_TIMESTAMP,
    TO_NESTED
};

struct rows_column {
    enum conversion conversion;
    uint32_t node;
    uint32_t width; /* of the node's values */
    struct arrow_unit unit;
    const struct type *type;
};

struct arrow_rows {
    struct arrow_builder *builder;
    struct arena arena;   /* the columns */
    struct arena scratch; /* of one row */
    uint8_t *padded;      /* room for the longest BINARY(n) */
    uint32_t count;
    struct rows_column *columns;
    const struct row_plan *plan; /* of the rows that are no columns yet */
    struct row_cell *staged;     /* their cells, ARROW_RUN_MAX for each column */
    uint32_t staged_count;
};

static enum errcode flush(struct arrow_rows *r, struct error *e);

/* ---- life ---- */

static void plan_column(struct rows_column *c)
{
    enum type_root root = c->type->root;

    c->width = arrow_width(c->type);
    c->unit = arrow_unit(c->type);
    if (type_is_nested(c->type)) {
        c->conversion = TO_NESTED;
    } else if (root == TYPE_BOOLEAN) {
        c->conversion = TO_BOOL;
    } else if (root == TYPE_DECIMAL) {
        c->conversion = TO_DECIMAL;
    } else if (root == TYPE_BINARY) {
        c->conversion = TO_PADDED;
    } else if (row_is_text(c->type)) {
        c->conversion = TO_BYTES;
    } else if (row_is_timestamp(c->type)) {
        c->conversion = TO_TIMESTAMP;
    } else if (root == TYPE_FLOAT || root == TYPE_DOUBLE) {
        c->conversion = TO_FIXED;
    } else {
        c->conversion = TO_NUMBER;
    }
}

/* The longest BINARY(n) in the type, also nested. */
static uint32_t binary_max(const struct type *type)
{
    uint32_t max = type->root == TYPE_BINARY ? (uint32_t)type->length : 0;

    for (uint32_t i = 0; i < type->count; i++) {
        uint32_t child = binary_max(type->fields[i].type);

        max = child > max ? child : max;
    }
    return max;
}

struct arrow_rows *arrow_rows_new(const struct type *row)
{
    struct arrow_rows *r = mem_new(struct arrow_rows);
    struct arrow_nodes nodes = arrow_nodes_of(row, &r->arena);
    uint32_t node = 0;

    r->count = row->count;
    r->columns = arena_array(&r->arena, row->count, sizeof *r->columns);
    for (uint32_t i = 0; i < row->count; i++) {
        r->columns[i].type = row->fields[i].type;
        r->columns[i].node = node;
        plan_column(&r->columns[i]);
        node += nodes.items[node].span;
    }
    r->padded = mem_alloc((size_t)binary_max(row) + 1);
    r->staged = mem_alloc((size_t)row->count * ARROW_RUN_MAX * sizeof *r->staged);
    r->builder = arrow_builder_new(nodes.items, nodes.count);
    return r;
}

void arrow_rows_free(struct arrow_rows *r)
{
    if (r != NULL) {
        arrow_builder_free(r->builder);
        arena_fini(&r->arena);
        arena_fini(&r->scratch);
        free(r->padded);
        free(r->staged);
        free(r);
    }
}

void arrow_rows_freep(struct arrow_rows **r) { arrow_rows_free(*r); }

void arrow_rows_clear(struct arrow_rows *r)
{
    arrow_builder_clear(r->builder);
    r->staged_count = 0;
}

/* ---- values ---- */

static int64_t scaled(const struct rows_column *c, int64_t millis)
{
    return (int64_t)((uint64_t)(millis / c->unit.divide) * (uint64_t)c->unit.multiply);
}

static void append_number(struct arrow_rows *r, const struct rows_column *c, int64_t number)
{
    uint8_t word[8];

    put_i64le(word, scaled(c, number));
    arrow_builder_fixed(r->builder, c->node, word); /* the low bytes come first */
}

static void append_timestamp(struct arrow_rows *r, const struct rows_column *c, int64_t millis,
                             int32_t nanos)
{
    int64_t below = c->unit.multiply == 1000 ? nanos / 1000 : c->unit.multiply > 1000 ? nanos : 0;
    uint8_t word[8];

    put_u64le(word, (uint64_t)scaled(c, millis) + (uint64_t)below);
    arrow_builder_fixed(r->builder, c->node, word);
}

static void append_decimal(struct arrow_rows *r, const struct rows_column *c, __int128 unscaled)
{
    uint8_t words[DECIMAL_SIZE];

    put_u64le(words, (uint64_t)unscaled);
    put_u64le(words + 8, (uint64_t)(unscaled >> 64));
    arrow_builder_fixed(r->builder, c->node, words);
}

static enum errcode append_padded(struct arrow_rows *r, const struct rows_column *c,
                                  struct bytes value, struct error *e)
{
    if (value.len > c->width) {
        return error_set(e, ERR_CORRUPT_RECORD, "%zu bytes for the type %s", value.len,
                         type_text(c->type).text);
    }
    memset(r->padded, 0, c->width);
    if (value.len > 0) {
        memcpy(r->padded, value.data, value.len);
    }
    arrow_builder_fixed(r->builder, c->node, r->padded);
    return ERR_OK;
}

static enum errcode append_value(struct arrow_rows *r, const struct rows_column *c,
                                 const struct row_value *v, struct error *e);

/* A nested value or one inside of it; *node moves behind the nodes of the type. */
static enum errcode append_inner(struct arrow_rows *r, const struct type *type, uint32_t *node,
                                 const struct row_value *v, struct error *e)
{
    struct rows_column c = {.node = *node, .type = type};
    uint32_t nodes = 0;
    uint32_t buffers = 0;

    plan_column(&c);
    type_arrow_shape(type, &nodes, &buffers);
    *node += nodes;
    if (v->null) {
        arrow_builder_null(r->builder, c.node);
        return ERR_OK;
    }
    return append_value(r, &c, v, e);
}

static enum errcode append_array(struct arrow_rows *r, const struct rows_column *c,
                                 const struct row_value *v, struct error *e)
{
    for (uint32_t i = 0; i < v->count; i++) {
        uint32_t node = c->node + 1;

        TRY(append_inner(r, c->type->fields[0].type, &node, &v->items[i], e));
    }
    arrow_builder_list(r->builder, c->node);
    return ERR_OK;
}

static enum errcode append_map(struct arrow_rows *r, const struct rows_column *c,
                               const struct row_value *v, struct error *e)
{
    for (uint32_t i = 0; i < v->count; i++) {
        uint32_t node = c->node + 2;

        TRY(append_inner(r, c->type->fields[0].type, &node, &v->items[i], e));
        TRY(append_inner(r, c->type->fields[1].type, &node, &v->items[v->count + i], e));
        arrow_builder_struct(r->builder, c->node + 1);
    }
    arrow_builder_list(r->builder, c->node);
    return ERR_OK;
}

static enum errcode append_row(struct arrow_rows *r, const struct rows_column *c,
                               const struct row_value *v, struct error *e)
{
    uint32_t node = c->node + 1;

    for (uint32_t i = 0; i < v->count; i++) {
        TRY(append_inner(r, c->type->fields[i].type, &node, &v->items[i], e));
    }
    arrow_builder_struct(r->builder, c->node);
    return ERR_OK;
}

static enum errcode append_nested(struct arrow_rows *r, const struct rows_column *c,
                                  const struct row_value *v, struct error *e)
{
    return c->type->root == TYPE_ARRAY ? append_array(r, c, v, e)
           : c->type->root == TYPE_MAP ? append_map(r, c, v, e)
                                       : append_row(r, c, v, e);
}

static enum errcode append_value(struct arrow_rows *r, const struct rows_column *c,
                                 const struct row_value *v, struct error *e)
{
    struct value decimal = {.unscaled = v->integer};
    uint8_t real[8];

    switch (c->conversion) {
    case TO_BOOL:
        arrow_builder_bool(r->builder, c->node, v->boolean);
        break;
    case TO_FIXED:
        row_scalar_write(c->type, v, real);
        arrow_builder_fixed(r->builder, c->node, real);
        break;
    case TO_NUMBER:
        append_number(r, c, v->integer);
        break;
    case TO_DECIMAL:
        if (row_is_large_decimal(c->type) && !value_decimal_be(v->bytes, &decimal)) {
            return row_check_decimal(v->bytes, e);
        }
        append_decimal(r, c, decimal.unscaled);
        break;
    case TO_BYTES:
        arrow_builder_bytes(r->builder, c->node, v->bytes);
        break;
    case TO_PADDED:
        return append_padded(r, c, v->bytes, e);
    case TO_TIMESTAMP:
        append_timestamp(r, c, v->timestamp.millis, v->timestamp.nanos);
        break;
    case TO_NESTED:
        return append_nested(r, c, v, e);
    }
    return ERR_OK;
}

enum errcode arrow_rows_append_values(struct arrow_rows *r, const struct row_value *values,
                                      struct error *e)
{
    TRY(flush(r, e));
    for (uint32_t i = 0; i < r->count; i++) {
        if (values[i].null) {
            arrow_builder_null(r->builder, r->columns[i].node);
        } else {
            TRY(append_value(r, &r->columns[i], &values[i], e));
        }
    }
    return ERR_OK;
}

/* ---- cells ----
 * Rows are gathered, then turned into columns one column after the other: what a column is is asked
 * once for many values. */

static void append_fixed_run(struct arrow_rows *r, const struct rows_column *c,
                             const struct row_cell *cells, struct arrow_run run)
{
    uint8_t *room = arrow_builder_fixed_run(r->builder, c->node, run);

    for (uint32_t i = 0; i < run.count; i++, room += c->width) {
        if (cells[i].data == NULL) {
            memset(room, 0, c->width);
        } else {
            memcpy(room, cells[i].data, c->width);
        }
    }
}

static void append_number_run(struct arrow_rows *r, const struct rows_column *c,
                              const int64_t *numbers, struct arrow_run run)
{
    uint8_t *room = arrow_builder_fixed_run(r->builder, c->node, run);
    bool scale = c->unit.divide != c->unit.multiply;

    for (uint32_t i = 0; i < run.count; i++) {
        int64_t number = scale ? scaled(c, numbers[i]) : numbers[i];
        uint8_t *at = room + (size_t)i * c->width;

        switch (c->width) {
        case 1:
            at[0] = (uint8_t)number;
            break;
        case 2:
            put_i16le(at, (int16_t)number);
            break;
        case 4:
            put_i32le(at, (int32_t)number);
            break;
        default:
            put_i64le(at, number);
            if (c->width == DECIMAL_SIZE) {
                put_i64le(at + 8, number >> 63);
            }
        }
    }
}

static void append_bool_run(struct arrow_rows *r, const struct rows_column *c,
                            const struct row_cell *cells, struct arrow_run run)
{
    uint64_t values = 0;

    for (uint32_t i = 0; i < run.count; i++) {
        values |= (uint64_t)(cells[i].data != NULL && cells[i].data[0] != 0) << i;
    }
    arrow_builder_bool_run(r->builder, c->node, run, values);
}

static void append_bytes_run(struct arrow_rows *r, const struct rows_column *c,
                             const struct row_cell *cells, struct arrow_run run)
{
    struct bytes values[ARROW_RUN_MAX];

    for (uint32_t i = 0; i < run.count; i++) {
        values[i] = row_cell_bytes(cells[i]);
    }
    arrow_builder_bytes_run(r->builder, c->node, run, values);
}

static enum errcode append_cell(struct arrow_rows *r, uint32_t column, struct row_cell cell,
                                struct error *e)
{
    const struct rows_column *c = &r->columns[column];
    struct row_value decoded;

    arena_reset(&r->scratch);
    TRY(row_cell_decode(r->plan, column, cell, &r->scratch, &decoded, e));
    return append_value(r, c, &decoded, e);
}

static enum errcode append_cells(struct arrow_rows *r, uint32_t column,
                                 const struct row_cell *cells, struct error *e)
{
    for (uint32_t i = 0; i < r->staged_count; i++) {
        if (cells[i].data == NULL) {
            arrow_builder_null(r->builder, r->columns[column].node);
        } else {
            TRY(append_cell(r, column, cells[i], e));
        }
    }
    return ERR_OK;
}

static enum errcode append_column(struct arrow_rows *r, uint32_t i, struct error *e)
{
    const struct rows_column *c = &r->columns[i];
    const struct row_cell *cells = &r->staged[(size_t)i * ARROW_RUN_MAX];
    struct arrow_run run = {.count = r->staged_count};
    int64_t numbers[ARROW_RUN_MAX];

    for (uint32_t k = 0; k < run.count; k++) {
        run.valid |= (uint64_t)(cells[k].data != NULL) << k;
    }
    if (row_cells_are_integers(&r->plan->columns[i])) {
        row_cells_integers(&r->plan->columns[i], cells, run.count, numbers);
        append_number_run(r, c, numbers, run);
    } else if (c->conversion == TO_FIXED) {
        append_fixed_run(r, c, cells, run);
    } else if (c->conversion == TO_BOOL) {
        append_bool_run(r, c, cells, run);
    } else if (c->conversion == TO_BYTES) {
        append_bytes_run(r, c, cells, run);
    } else {
        return append_cells(r, i, cells, e);
    }
    return ERR_OK;
}

static enum errcode flush(struct arrow_rows *r, struct error *e)
{
    if (r->staged_count == 0) {
        return ERR_OK;
    }
    for (uint32_t i = 0; i < r->plan->count; i++) {
        TRY(append_column(r, i, e));
    }
    for (uint32_t i = r->plan->count; i < r->count; i++) {
        for (uint32_t k = 0; k < r->staged_count; k++) {
            arrow_builder_null(r->builder, r->columns[i].node);
        }
    }
    r->staged_count = 0;
    return ERR_OK;
}

enum errcode arrow_rows_append(struct arrow_rows *r, const struct row_plan *plan,
                               const struct row_cell *cells, struct error *e)
{
    ASSERT(plan->count <= r->count);
    if (r->staged_count == ARROW_RUN_MAX || plan != r->plan) {
        TRY(flush(r, e));
        r->plan = plan;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        r->staged[(size_t)i * ARROW_RUN_MAX + r->staged_count] = cells[i];
    }
    r->staged_count++;
    return ERR_OK;
}

enum errcode arrow_rows_finish(struct arrow_rows *r, const struct arrow_build_codec *codec,
                               struct arena *arena, struct bytes *ret, struct error *e)
{
    TRY(flush(r, e));
    return arrow_builder_finish(r->builder, codec, arena, ret, e);
}
