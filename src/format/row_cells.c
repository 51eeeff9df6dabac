/* Cells of rows, see row_cells.h. */
#include "row_cells.h"

#include "row_codec.h"

#define LENGTH_SIZE     4 /* of a variable column in INDEXED rows */
#define VARINT32_MAX    5
#define VARINT32_TOP    0x0f /* of the last of so many bytes: the pattern has 32 bits */
#define VARINT64_MAX    10
#define WIDE_TIME_SIZE  12
#define NANOS_MAX       999999
#define INTEGER_SIZE    8
#define CELL_LENGTH_MAX INT32_MAX

/* ---- plans ---- */

static void plan_sized(struct row_plan_column *c)
{
    c->kind = row_is_large_decimal(c->type) ? ROW_CELL_DECIMAL : ROW_CELL_SIZED;
}

static void plan_compacted(struct row_plan_column *c)
{
    enum type_root root = c->type->root;

    if (type_is_nested(c->type) || row_is_text(c->type) || row_is_large_decimal(c->type)) {
        plan_sized(c);
    } else if (row_is_timestamp(c->type) && !type_is_compact_timestamp(c->type)) {
        c->kind = ROW_CELL_VARINTS;
    } else if (root == TYPE_INTEGER || root == TYPE_DATE || root == TYPE_TIME) {
        c->kind = ROW_CELL_VARINT;
        c->width = VARINT32_MAX;
    } else if (root == TYPE_BIGINT || root == TYPE_DECIMAL || row_is_timestamp(c->type)) {
        c->kind = ROW_CELL_VARINT;
        c->width = VARINT64_MAX;
    } else {
        c->kind = ROW_CELL_FIXED;
        c->width = (uint32_t)row_slot_width(c->type);
    }
}

static void plan_indexed(struct row_plan_column *c)
{
    if (c->type->root == TYPE_CHAR || c->type->root == TYPE_BINARY) {
        c->kind = ROW_CELL_PADDED;
        c->width = (uint32_t)c->type->length;
    } else if (type_is_nested(c->type) || row_is_text(c->type) || row_is_large_decimal(c->type)) {
        plan_sized(c);
    } else if (row_is_timestamp(c->type) && !type_is_compact_timestamp(c->type)) {
        c->kind = ROW_CELL_WIDE_TIME;
        c->width = WIDE_TIME_SIZE;
    } else {
        c->kind = ROW_CELL_FIXED;
        c->width = (uint32_t)row_slot_width(c->type);
    }
}

static bool is_variable(const struct row_plan_column *c)
{
    return c->kind == ROW_CELL_SIZED || c->kind == ROW_CELL_DECIMAL;
}

const struct row_plan *row_plan_new(enum row_layout layout, const struct type *row,
                                    struct arena *arena)
{
    struct row_plan *plan =
        arena_zalloc(arena, sizeof *plan + row->count * sizeof plan->columns[0]);

    ASSERT(row->root == TYPE_ROW);
    plan->layout = layout;
    plan->count = row->count;
    plan->null_size = row_null_bytes(row->count);
    for (uint32_t i = 0; i < row->count; i++) {
        struct row_plan_column *c = &plan->columns[i];

        c->type = row->fields[i].type;
        c->nullable = c->type->nullable;
        plan->has_nested = plan->has_nested || type_is_nested(c->type);
        if (layout == ROW_COMPACTED) {
            plan_compacted(c);
        } else {
            plan_indexed(c);
            plan->variable_count += is_variable(c);
        }
    }
    return plan;
}

/* ---- reading ---- */

/* Length of the varint at `at`, 0 when it does not end within max bytes and before end. */
static inline size_t varint_length(const uint8_t *at, const uint8_t *end, size_t max)
{
    size_t room = (size_t)(end - at) < max ? (size_t)(end - at) : max;

    for (size_t n = 0; n < room; n++) {
        if ((at[n] & 0x80) == 0) {
            return n + 1;
        }
    }
    return 0;
}

static inline uint64_t varint_value(const uint8_t *at, size_t len)
{
    uint64_t value = 0;

    for (size_t n = 0; n < len && n < VARINT64_MAX; n++) {
        value |= (uint64_t)(at[n] & 0x7f) << 7 * n;
    }
    return value;
}

static inline size_t number_length(const uint8_t *at, const uint8_t *end, size_t max)
{
    size_t len = varint_length(at, end, max);

    return len == VARINT32_MAX && max == VARINT32_MAX && at[len - 1] > VARINT32_TOP ? 0 : len;
}

static size_t varints_length(const uint8_t *at, const uint8_t *end)
{
    size_t millis = varint_length(at, end, VARINT64_MAX);
    size_t nanos = millis == 0 ? 0 : varint_length(at + millis, end, VARINT32_MAX);

    return nanos == 0 || varint_value(at + millis, nanos) > NANOS_MAX ? 0 : millis + nanos;
}

static bool right_size(const struct row_plan_column *c, uint64_t len)
{
    return len <= CELL_LENGTH_MAX &&
           (c->kind != ROW_CELL_DECIMAL || (len >= 1 && len <= VALUE_DECIMAL_SIZE_MAX));
}

/* One field that is not null; *at moves behind it. NULL when it is not right. */
static inline const uint8_t *read_compacted(const struct row_plan_column *c, const uint8_t *at,
                                            const uint8_t *end, struct row_cell *cell)
{
    size_t len = c->width;
    uint64_t size;

    switch (c->kind) {
    case ROW_CELL_FIXED:
        break;
    case ROW_CELL_VARINT:
        len = number_length(at, end, c->width);
        break;
    case ROW_CELL_VARINTS:
        len = varints_length(at, end);
        break;
    case ROW_CELL_SIZED:
    case ROW_CELL_DECIMAL:
        len = varint_length(at, end, VARINT64_MAX);
        size = varint_value(at, len);
        at += len;
        if (len == 0 || !right_size(c, size) || size > (size_t)(end - at)) {
            return NULL;
        }
        *cell = (struct row_cell){at, (uint32_t)size};
        return at + size;
    case ROW_CELL_WIDE_TIME:
    case ROW_CELL_PADDED:
        return NULL;
    }
    if (len == 0 || len > (size_t)(end - at)) {
        return NULL;
    }
    *cell = (struct row_cell){at, (uint32_t)len};
    return at + len;
}

static inline bool is_null(const struct row_plan_column *c, const uint8_t *bits, uint32_t i)
{
    return c->nullable && row_bit(bits, i);
}

static enum errcode read_compacted_row(const struct row_plan *plan, struct bytes row,
                                       struct row_cell *cells, struct error *e)
{
    const uint8_t *end = row.data + row.len;
    const uint8_t *at = row.data + plan->null_size;

    for (uint32_t i = 0; i < plan->count; i++) {
        if (is_null(&plan->columns[i], row.data, i)) {
            cells[i] = ROW_CELL_NULL;
            continue;
        }
        at = read_compacted(&plan->columns[i], at, end, &cells[i]);
        if (at == NULL) {
            return row_corrupt(e, "field cut short");
        }
    }
    return at == end ? ERR_OK : row_corrupt(e, "bytes after the last field");
}

static uint32_t without_zeros(const uint8_t *data, uint32_t len)
{
    while (len > 0 && data[len - 1] == 0) {
        len--;
    }
    return len;
}

static enum errcode read_indexed_row(const struct row_plan *plan, struct bytes row,
                                     struct row_cell *cells, struct error *e)
{
    struct reader r = reader_of(row);
    struct reader lengths;

    (void)reader_bytes(&r, plan->null_size);
    lengths = reader_of(reader_bytes(&r, (size_t)plan->variable_count * LENGTH_SIZE));
    for (uint32_t i = 0; i < plan->count && !r.failed; i++) {
        const struct row_plan_column *c = &plan->columns[i];
        size_t len = c->width;
        struct bytes raw;

        if (is_null(c, row.data, i)) {
            cells[i] = ROW_CELL_NULL;
            continue;
        }
        if (is_variable(c)) {
            len = reader_u32le(&lengths);
            r.failed = r.failed || !right_size(c, len);
        }
        raw = reader_bytes(&r, len);
        cells[i] = (struct row_cell){raw.data, (uint32_t)raw.len};
        if (c->kind == ROW_CELL_PADDED && !r.failed) {
            cells[i].len = without_zeros(raw.data, (uint32_t)raw.len);
        }
        if (c->kind == ROW_CELL_WIDE_TIME && !r.failed) {
            TRY(row_check_nanos(get_i32le(raw.data + INTEGER_SIZE), e));
        }
    }
    return r.failed          ? row_corrupt(e, "field cut short")
           : r.rest.len == 0 ? ERR_OK
                             : row_corrupt(e, "bytes after the last field");
}

enum errcode row_cells_read(const struct row_plan *plan, struct bytes row, struct row_cell *cells,
                            struct error *e)
{
    if (row.len < plan->null_size || row.len == 0) {
        return row_corrupt(e, "null bits cut short");
    }
    return plan->layout == ROW_COMPACTED ? read_compacted_row(plan, row, cells, e)
                                         : read_indexed_row(plan, row, cells, e);
}

size_t row_cells_span(const struct row_plan *plan, uint32_t count, struct bytes values)
{
    const uint8_t *end = values.data + values.len;
    const uint8_t *at = values.data;
    struct row_cell ignored;

    ASSERT(plan->layout == ROW_COMPACTED && count <= plan->count);
    for (uint32_t i = 0; i < count && values.len > 0; i++) {
        at = read_compacted(&plan->columns[i], at, end, &ignored);
        if (at == NULL) {
            return 0;
        }
    }
    return (size_t)(at - values.data);
}

enum errcode row_cells_check_nested(const struct row_plan *plan, const struct row_cell *cells,
                                    struct arena *arena, struct error *e)
{
    struct row_value ignored;

    for (uint32_t i = 0; i < plan->count && plan->has_nested; i++) {
        if (type_is_nested(plan->columns[i].type)) {
            TRY(row_cell_decode(plan, i, cells[i], arena, &ignored, e));
        }
    }
    return ERR_OK;
}

/* ---- writing ---- */

/* Where the row and its null bits start; positions, since the buffer may move. */
static size_t write_header(const struct row_plan *plan, struct buffer *out)
{
    size_t start = out->len;
    size_t size = plan->null_size;

    if (plan->layout == ROW_INDEXED) {
        size += (size_t)plan->variable_count * LENGTH_SIZE;
    }
    memset(buffer_room(out, size), 0, size);
    return start;
}

static void write_indexed(const struct row_plan_column *c, struct row_cell cell, size_t *length_at,
                          struct buffer *out)
{
    buffer_bytes(out, row_cell_bytes(cell));
    if (c->kind == ROW_CELL_PADDED) {
        ASSERT(cell.len <= c->width);
        memset(buffer_room(out, c->width - cell.len), 0, c->width - cell.len);
    } else if (is_variable(c)) {
        put_u32le(out->data + *length_at, cell.len);
        *length_at += LENGTH_SIZE;
    }
}

void row_cells_write(const struct row_plan *plan, const struct row_cell *cells, struct buffer *out)
{
    size_t start = write_header(plan, out);
    size_t length_at = start + plan->null_size;

    for (uint32_t i = 0; i < plan->count; i++) {
        const struct row_plan_column *c = &plan->columns[i];

        if (cells[i].data == NULL) {
            out->data[start + i / 8] |= (uint8_t)(1 << i % 8);
        } else if (plan->layout == ROW_INDEXED) {
            write_indexed(c, cells[i], &length_at, out);
        } else {
            if (is_variable(c)) {
                buffer_varint64(out, cells[i].len);
            }
            buffer_bytes(out, row_cell_bytes(cells[i]));
        }
    }
}

/* ---- values ---- */

static int64_t cell_integer(const struct row_plan_column *c, struct row_cell cell)
{
    struct row_value fixed = {0};

    if (c->kind == ROW_CELL_VARINT) {
        uint64_t pattern = varint_value(cell.data, cell.len);

        return c->width == VARINT32_MAX ? (int32_t)(uint32_t)pattern : (int64_t)pattern;
    }
    if (c->type->root == TYPE_BOOLEAN) {
        return cell.data[0] != 0;
    }
    row_scalar_read(c->type, cell.data, &fixed);
    return fixed.integer;
}

bool row_cells_are_integers(const struct row_plan_column *c)
{
    enum type_root root = c->type->root;

    return c->kind == ROW_CELL_VARINT || (c->kind == ROW_CELL_FIXED && root != TYPE_BOOLEAN &&
                                          root != TYPE_FLOAT && root != TYPE_DOUBLE);
}

void row_cells_integers(const struct row_plan_column *c, const struct row_cell *cells, size_t count,
                        int64_t *ret)
{
    ASSERT(row_cells_are_integers(c));
    for (size_t i = 0; i < count; i++) {
        ret[i] = cells[i].data == NULL ? 0 : cell_integer(c, cells[i]);
    }
}

static void cell_timestamp(const struct row_plan_column *c, struct row_cell cell, struct value *ret)
{
    size_t millis;

    ret->timestamp.nanos = 0;
    switch (c->kind) {
    case ROW_CELL_VARINTS:
        millis = varint_length(cell.data, cell.data + cell.len, VARINT64_MAX);
        ret->timestamp.millis = (int64_t)varint_value(cell.data, millis);
        ret->timestamp.nanos = (int32_t)varint_value(cell.data + millis, cell.len - millis);
        break;
    case ROW_CELL_WIDE_TIME:
        ret->timestamp.nanos = get_i32le(cell.data + INTEGER_SIZE);
        ret->timestamp.millis = get_i64le(cell.data);
        break;
    case ROW_CELL_VARINT:
    case ROW_CELL_FIXED:
    case ROW_CELL_SIZED:
    case ROW_CELL_DECIMAL:
    case ROW_CELL_PADDED:
        ret->timestamp.millis = cell_integer(c, cell);
        break;
    }
}

struct value row_cell_value(const struct row_plan_column *column, struct row_cell cell)
{
    struct value v = {.kind = VALUE_NULL};
    struct row_value real = {0};

    ASSERT(cell.data != NULL && value_kind_of(column->type, &v.kind));
    switch (v.kind) {
    case VALUE_INT:
        v.integer = cell_integer(column, cell);
        break;
    case VALUE_REAL:
        row_scalar_read(column->type, cell.data, &real);
        v.real = column->type->root == TYPE_FLOAT ? (double)real.real32 : real.real64;
        break;
    case VALUE_DECIMAL:
        if (column->kind == ROW_CELL_DECIMAL) {
            ASSERT(value_decimal_be(row_cell_bytes(cell), &v)); /* 1 to 16 bytes, see reading */
        } else {
            v.unscaled = cell_integer(column, cell);
        }
        break;
    case VALUE_TIMESTAMP:
        cell_timestamp(column, cell, &v);
        break;
    case VALUE_BYTES:
        v.bytes = row_cell_bytes(cell);
        break;
    case VALUE_NULL:
        break;
    }
    return v;
}

static struct row_cell cell_of_integer(const struct row_plan_column *c, int64_t integer,
                                       uint8_t *data)
{
    const struct row_value value = {.integer = integer};
    struct writer w = writer_of(data, VARINT64_MAX);

    if (c->kind == ROW_CELL_VARINT) {
        writer_varint64(&w, c->width == VARINT32_MAX ? (uint32_t)integer : (uint64_t)integer);
        return (struct row_cell){data, (uint32_t)w.len};
    }
    if (c->type->root == TYPE_BOOLEAN) {
        data[0] = integer != 0;
    } else {
        row_scalar_write(c->type, &value, data);
    }
    return (struct row_cell){data, c->width};
}

static struct row_cell cell_of_real(const struct row_plan_column *c, double real, uint8_t *data)
{
    struct row_value value = {0};

    if (c->type->root == TYPE_FLOAT) {
        value.real32 = (float)real;
    } else {
        value.real64 = real;
    }
    row_scalar_write(c->type, &value, data);
    return (struct row_cell){data, c->width};
}

static struct row_cell cell_of_timestamp(const struct row_plan_column *c, const struct value *value,
                                         uint8_t *data)
{
    struct writer w = writer_of(data, VARINT64_MAX + VARINT32_MAX);

    if (c->kind == ROW_CELL_VARINTS) {
        writer_varint64(&w, (uint64_t)value->timestamp.millis);
        writer_varint64(&w, (uint32_t)value->timestamp.nanos);
        return (struct row_cell){data, (uint32_t)w.len};
    }
    if (c->kind == ROW_CELL_WIDE_TIME) {
        writer_i64le(&w, value->timestamp.millis);
        writer_i32le(&w, value->timestamp.nanos);
        return (struct row_cell){data, (uint32_t)w.len};
    }
    return cell_of_integer(c, value->timestamp.millis, data);
}

struct row_cell row_cell_of(const struct row_plan_column *column, const struct value *value,
                            struct arena *arena)
{
    uint8_t *data;

    if (value->kind == VALUE_NULL) {
        return ROW_CELL_NULL;
    }
    if (value->kind == VALUE_BYTES) {
        ASSERT(value->bytes.len <= CELL_LENGTH_MAX && value->bytes.data != NULL);
        return (struct row_cell){value->bytes.data, (uint32_t)value->bytes.len};
    }
    data = arena_alloc(arena, VALUE_DECIMAL_SIZE_MAX);
    switch (value->kind) {
    case VALUE_INT:
        return cell_of_integer(column, value->integer, data);
    case VALUE_REAL:
        return cell_of_real(column, value->real, data);
    case VALUE_TIMESTAMP:
        return cell_of_timestamp(column, value, data);
    case VALUE_DECIMAL:
        if (column->kind == ROW_CELL_DECIMAL) {
            return (struct row_cell){data, (uint32_t)value_decimal_put_be(value->unscaled, data)};
        }
        return cell_of_integer(column, (int64_t)value->unscaled, data);
    case VALUE_NULL:
    case VALUE_BYTES:
        break;
    }
    return ROW_CELL_NULL;
}

static void row_value_of(const struct type *type, const struct value *v, struct row_cell cell,
                         struct row_value *ret)
{
    if (v->kind == VALUE_BYTES || row_is_large_decimal(type)) {
        ret->bytes = row_cell_bytes(cell);
    } else if (v->kind == VALUE_TIMESTAMP) {
        ret->timestamp.millis = v->timestamp.millis;
        ret->timestamp.nanos = v->timestamp.nanos;
    } else if (v->kind == VALUE_DECIMAL) {
        ret->integer = (int64_t)v->unscaled;
    } else if (type->root == TYPE_BOOLEAN) {
        ret->boolean = v->integer != 0;
    } else if (v->kind == VALUE_INT) {
        ret->integer = v->integer;
    } else if (type->root == TYPE_FLOAT) {
        ret->real32 = (float)v->real;
    } else {
        ret->real64 = v->real;
    }
}

enum errcode row_cell_decode(const struct row_plan *plan, uint32_t column, struct row_cell cell,
                             struct arena *arena, struct row_value *ret, struct error *e)
{
    const struct row_plan_column *c = &plan->columns[column];
    struct row_decoder d = {
        .layout = plan->layout, .arena = arena, .values_left = (size_t)cell.len * 8};
    struct value v;

    *ret = (struct row_value){.null = cell.data == NULL};
    if (ret->null) {
        return ERR_OK;
    }
    if (type_is_nested(c->type)) {
        return row_nested_read(&d, c->type, row_cell_bytes(cell), ret, e);
    }
    v = row_cell_value(c, cell);
    row_value_of(c->type, &v, cell, ret);
    return ERR_OK;
}
