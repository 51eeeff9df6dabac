/* Statistics sections from outside, read for every type and evaluated with every function.
 *
 * Input: 2 bytes row count, 1 byte column, 1 byte type, 8 bytes literal, then the section. A column
 * that is its own literal must never be dropped by =, <= and >=. */
#include "format/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct value literal_of(const struct type *type, const uint8_t *raw)
{
    struct value v = {.kind = VALUE_NULL};

    if (!value_kind_of(type, &v.kind)) {
        v.kind = VALUE_NULL;
    } else if (v.kind == VALUE_INT) {
        v.integer = get_i64le(raw);
    } else if (v.kind == VALUE_REAL) {
        memcpy(&v.real, raw, sizeof v.real);
    } else if (v.kind == VALUE_DECIMAL) {
        v.unscaled = get_i64le(raw);
    } else if (v.kind == VALUE_TIMESTAMP) {
        v.timestamp.millis = get_i32le(raw);
        v.timestamp.nanos = get_i32le(raw + 4);
    } else {
        v.bytes = bytes_of(raw, raw[7] % 8);
    }
    return v;
}

static void check_own_minimum(const struct filter *f, const struct stats *stats, int64_t rows)
{
    struct stats_column c;
    struct filter own = *f;

    if (stats_column(stats, f->column, f->type, &c, NULL) != ERR_OK || c.min.kind == VALUE_NULL ||
        c.max.kind == VALUE_NULL || c.null_count == rows || value_compare(&c.min, &c.max) > 0) {
        return;
    }
    own.literals = &c.min;
    own.literal_count = 1;
    for (int function = 0; function < FILTER_FUNCTION_COUNT; function++) {
        own.function = (enum filter_function)function;
        ASSERT(filter_keep_batch(&own, stats, rows) ||
               (function != FILTER_EQUAL && function != FILTER_LESS_OR_EQUAL &&
                function != FILTER_GREATER_OR_EQUAL && function != FILTER_IN &&
                function != FILTER_STARTS_WITH));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));
    int64_t rows = reader_u16le(&r);
    uint32_t column = reader_u8(&r);
    uint8_t shape = reader_u8(&r);
    struct type type = {.root = (enum type_root)(shape % TYPE_ROOT_COUNT),
                        .precision = shape / TYPE_ROOT_COUNT * 3};
    struct bytes raw = reader_bytes(&r, 8);
    struct value literals[2];
    struct stats stats;
    struct filter leaves[FILTER_FUNCTION_COUNT];
    struct filter all = {.kind = FILTER_OR, .children = leaves};

    if (r.failed || stats_parse(r.rest, &stats, NULL) != ERR_OK) {
        return 0;
    }
    literals[0] = literal_of(&type, raw.data);
    literals[1] = (struct value){.kind = VALUE_NULL};
    for (int function = 0; function < FILTER_FUNCTION_COUNT; function++) {
        leaves[function] = (struct filter){.kind = FILTER_LEAF,
                                           .function = (enum filter_function)function,
                                           .column = column,
                                           .type = &type,
                                           .literals = literals,
                                           .literal_count = shape % 3};
        if (filter_keep_batch(&leaves[function], &stats, rows)) {
            all.child_count = (size_t)function + 1;
        }
    }
    ASSERT(filter_keep_batch(&all, &stats, rows) || all.child_count == 0);
    check_own_minimum(&leaves[0], &stats, rows);
    return 0;
}
